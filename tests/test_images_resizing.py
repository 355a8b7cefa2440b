"""Maps land where they belong: against torch, and against interpolation written out pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seewhy.errors import InputError, UnknownNameError
from seewhy.images.resizing import covers, place, upscale

rng = np.random.default_rng(0)
ORDERS = ("bicubic", "bilinear", "nearest")


def keys_twin(t):  # Keys 1981, eq. 15, with a = -1/2
    t = abs(t)
    if t < 1:
        return 3 / 2 * t**3 - 5 / 2 * t**2 + 1
    return -1 / 2 * t**3 + 5 / 2 * t**2 - 4 * t + 2 if t < 2 else 0.0


def bicubic_twin(cells, shape):
    result = np.zeros(shape)
    for i, j in np.ndindex(shape):
        y = (i + 0.5) * cells.shape[0] / shape[0] - 0.5
        x = (j + 0.5) * cells.shape[1] / shape[1] - 0.5
        for k in range(int(np.floor(y)) - 1, int(np.floor(y)) + 3):
            for m in range(int(np.floor(x)) - 1, int(np.floor(x)) + 3):
                cell = cells[min(max(k, 0), cells.shape[0] - 1), min(max(m, 0), cells.shape[1] - 1)]
                result[i, j] += keys_twin(y - k) * keys_twin(x - m) * cell
    return np.clip(result, cells.min(), cells.max())


@pytest.mark.parametrize("sizes", [((7, 7), (224, 224)), ((7, 5), (33, 101)), ((1, 3), (9, 4)), ((4, 4), (4, 4))])
def test_bilinear_is_that_of_torch(sizes):
    functional = pytest.importorskip("torch.nn.functional")
    torch = pytest.importorskip("torch")
    cells = rng.random(sizes[0], np.float32)
    twin = functional.interpolate(torch.from_numpy(cells)[None, None], sizes[1], mode="bilinear", align_corners=False)
    np.testing.assert_allclose(upscale(cells, sizes[1], "bilinear"), twin[0, 0].numpy(), atol=1e-6)


@pytest.mark.parametrize("shape", [(31, 22), (7, 9), (6, 50)])
def test_bicubic_is_that_of_keys(shape):
    cells = rng.normal(size=(6, 7)).astype(np.float32)
    np.testing.assert_allclose(upscale(cells, shape), bicubic_twin(cells, shape), atol=1e-5)


def test_nearest_shows_the_cells():
    np.testing.assert_array_equal(
        upscale([[1, 2], [3, 4]], (4, 6), "nearest")[[0, 1, 2, 3]][:, [0, 2, 3, 5]],
        [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]],
    )


@pytest.mark.parametrize("order", ["bicubic", "bilinear"])
def test_making_smaller_averages_the_cells(order):
    """Every fourth column is 1: taking the nearest few cells would give 0 or a half."""
    cells = np.indices((96, 128))[1] % 4 == 0
    np.testing.assert_allclose(upscale(cells, (12, 16), order)[:, 2:-2], 0.25, atol=0.03)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 40), st.integers(1, 40), st.sampled_from(ORDERS))
@settings(max_examples=60, deadline=None)
def test_never_beyond_its_own_values_and_flat_stays_flat(h, w, height, width, order):
    cells = np.random.default_rng(h * 10 + w).normal(size=(h, w)).astype(np.float32)
    result = upscale(cells, (height, width), order)
    assert result.shape == (height, width)
    assert result.dtype == np.float32
    assert cells.min() <= result.min()
    assert result.max() <= cells.max()
    np.testing.assert_allclose(upscale(np.full((h, w), 3.0), (height, width), order), 3, rtol=1e-6)


@pytest.mark.parametrize("order", ORDERS)
def test_mirrored_map_gives_mirrored_result(order):
    cells = rng.random((5, 6), np.float32)
    np.testing.assert_allclose(
        upscale(cells[:, ::-1], (35, 42), order), upscale(cells, (35, 42), order)[:, ::-1], atol=1e-6
    )


@pytest.mark.parametrize("order", ORDERS)
def test_place_on_whole_pixels_is_upscale_on_a_canvas(order):
    cells = rng.random((3, 4), np.float32) + 1
    result = place(cells, (50, 60), (10, 20, 40, 45), order)
    np.testing.assert_allclose(result[20:45, 10:40], upscale(cells, (25, 30), order), atol=1e-6)
    result[20:45, 10:40] = 0
    assert not result.any()


def test_pixel_centres_decide_what_is_inside():
    result = place(np.ones((2, 2)), (4, 6), (1.5, 0.51, 4.49, 2.6))
    np.testing.assert_array_equal(result, np.pad(np.ones((2, 3)), ((1, 1), (1, 2)))[:4])
    assert covers((1.5, 0.51, 4.49, 2.6), (4, 6)) == (slice(1, 3), slice(1, 4))


def test_a_box_that_reaches_outside_is_cut_not_squeezed():
    cells = rng.random((4, 4), np.float32)
    wide = upscale(cells, (40, 40))
    np.testing.assert_allclose(place(cells, (20, 40), (0, -10, 40, 30)), wide[10:30], atol=1e-6)
    assert not place(cells, (20, 40), (100, 0, 140, 20)).any()


def test_a_single_cell_lands_at_the_middle_of_its_share_of_the_box():
    cells = np.zeros((7, 7))
    cells[2, 5] = 1
    result = place(cells, (300, 400), (50.0, 20.0, 330.0, 300.0))
    row, column = np.unravel_index(result.argmax(), result.shape)
    assert abs(row + 0.5 - (20 + 2.5 * 40)) <= 1
    assert abs(column + 0.5 - (50 + 5.5 * 40)) <= 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: upscale(np.zeros((1, 2, 2)), (4, 4)), "a map of shape [1, 2, 2]"),
        (lambda: upscale(np.zeros((0, 2)), (4, 4)), "a map of shape [0, 2]"),
        (lambda: upscale(np.zeros((2, 2)), (0, 4)), "a shape of 0 x 4"),
        (lambda: place(np.zeros((2, 2)), (4, 4), (3, 0, 3, 4)), "left < right"),
        (lambda: place(np.zeros((2, 2)), (4, 4), (0, 0, np.nan, 4)), "the box"),
    ],
)
def test_what_cannot_be_placed(call, words):
    with pytest.raises(InputError) as caught:
        call()
    assert words in str(caught.value)


def test_unknown_order():
    with pytest.raises(UnknownNameError, match="did you mean 'bicubic'"):
        upscale(np.zeros((2, 2)), (4, 4), "cubic")
