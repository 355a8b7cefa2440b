"""What is drawn: colours only where the map says so, the photo's own pixels everywhere else."""

import io

import numpy as np
import pytest
from PIL import Image

from seewhy.errors import InputError, UnknownNameError
from seewhy.images.drawing import (
    OPACITY,
    color_table,
    levels,
    overlay,
    stands_out,
)
from seewhy.images.masking import mask
from seewhy.images.panels import panel, png
from seewhy.images.resizing import place

rng = np.random.default_rng(0)


@pytest.fixture
def photo():
    y, x = np.mgrid[:120, :160]
    return np.stack([x, 2 * y, 255 - x], -1).astype(np.uint8)


@pytest.fixture
def peak():
    cells = np.zeros((7, 7), np.float32)
    cells[3, 2] = 5
    return cells


def blend_twin(photo, values, colour_of, opacity):
    """The definition, pixel by pixel in floats: alpha = opacity x value, colour by value."""
    result = np.zeros(photo.shape)
    for i, j in np.ndindex(photo.shape[:2]):
        alpha = opacity * abs(values[i, j])
        result[i, j] = (1 - alpha) * photo[i, j] + alpha * 255 * np.array(colour_of(values[i, j]))
    return result


@pytest.mark.slow
@pytest.mark.parametrize("name", ["viridis", "jet", "inferno"])
def test_overlay_blends_as_defined(photo, name):
    from matplotlib import colormaps

    cells = rng.random((5, 4))
    expected = blend_twin(photo, place(cells / cells.max(), (120, 160), None), lambda v: colormaps[name](v)[:3], 0.6)
    drawn = np.asarray(overlay(photo, cells, colormap=name, opacity=0.6), float)
    assert np.abs(drawn - expected).max() <= 4  # 256 levels, and matplotlib's own 256 colours


@pytest.mark.slow
def test_signed_overlay_blends_as_defined(photo):
    from matplotlib import colormaps

    cells = rng.normal(size=(5, 4))
    values = place(cells / np.abs(cells).max(), (120, 160), None)
    expected = blend_twin(photo, values, lambda v: colormaps["RdBu_r"]((v + 1) / 2)[:3], 0.6)
    assert np.abs(np.asarray(overlay(photo, cells, colormap="RdBu_r", opacity=0.6), float) - expected).max() <= 5


def test_photo_is_unchanged_where_the_map_is_zero(photo, peak):
    drawn = np.asarray(overlay(photo, peak))
    zero = place(peak, (120, 160), None) == 0
    assert zero.sum() > 5000
    np.testing.assert_array_equal(drawn[zero], photo[zero])
    assert (drawn != photo).any()


def test_no_opacity_leaves_the_photo(photo, peak):
    np.testing.assert_array_equal(np.asarray(overlay(photo, peak, opacity=0)), photo)
    np.testing.assert_array_equal(np.asarray(overlay(photo, -peak, opacity=0)), photo)


def test_full_opacity_shows_the_last_colour_at_the_peak(photo, peak):
    drawn = np.asarray(overlay(photo, peak, opacity=1, order="nearest"))
    assert tuple(drawn[60, 56]) == tuple(color_table(opacity=1)[255, :3])


def test_the_unit_of_the_map_does_not_matter_but_scale_does(photo, peak):
    first = overlay(photo, peak)
    assert overlay(photo, peak * 1e-6).tobytes() == first.tobytes()
    assert overlay(photo, peak, scale=5).tobytes() == first.tobytes()
    assert overlay(photo, peak, scale=10).tobytes() != first.tobytes()
    assert overlay(photo, peak, scale=0.5, opacity=1, order="nearest").getpixel((56, 60)) == tuple(
        color_table(opacity=1)[255, :3]
    )


def test_for_and_against_have_different_colours(photo):
    drawn = np.asarray(overlay(np.full_like(photo, 128), [[-1, 0, 1]], order="nearest"), int)
    against, neither, speaks_for = drawn[60, 20], drawn[60, 80], drawn[60, 140]
    assert tuple(neither) == (128, 128, 128)
    assert against[2] > against[0] + 60  # blue
    assert speaks_for[0] > speaks_for[2] + 60  # orange


def test_a_map_of_negative_values_only_is_drawn(photo, peak):
    assert (np.asarray(overlay(photo, -peak)) != photo).any()


@pytest.mark.parametrize("value", [0, 1, -1, np.nan, np.inf])
def test_flat_maps_get_a_badge_and_no_colour(photo, value):
    cells = np.full((7, 7), value, np.float32)
    assert not stands_out(cells)
    drawn = np.asarray(overlay(photo, cells))
    np.testing.assert_array_equal(drawn[:90], photo[:90])
    assert (drawn[90:] != photo[90:]).any()


def test_one_nan_is_not_drawn_as_an_answer(photo, peak):
    peak[0, 0] = np.nan
    drawn = np.asarray(overlay(photo, peak))
    np.testing.assert_array_equal(drawn[:90], photo[:90])
    assert not mask(peak, (120, 160), None, 0.5).any()


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (32, 32), (60, 20), (20, 300), (2000, 40)])
def test_badge_on_pictures_of_any_size(size):
    assert overlay(np.zeros((size[1], size[0], 3), np.uint8), np.zeros((2, 2))).size == size


def test_outside_the_box_is_hatched_and_inside_is_not(photo, peak):
    box = (20.0, 10.0, 140.0, 110.0)
    drawn = np.asarray(overlay(photo, peak, box))
    outside = np.ones((120, 160), bool)
    outside[10:110, 20:140] = False
    assert (drawn[outside] != photo[outside]).any(axis=-1).mean() > 0.95
    zero = (place(peak, (120, 160), box) == 0) & ~outside
    np.testing.assert_array_equal(drawn[zero], photo[zero])
    lines = drawn[2, :, 0].astype(int) - photo[2, :, 0]
    assert np.ptp(lines[:20]) > 20  # lines, not an even shade


def test_seen_only_is_the_box_cut_out(photo, peak):
    box = (20.0, 10.0, 140.0, 110.0)
    whole = overlay(photo, peak, box)
    assert overlay(photo, peak, box, seen_only=True).tobytes() == whole.crop((20, 10, 140, 110)).tobytes()
    assert overlay(photo, peak, (-20, -20, 200, 200), seen_only=True).size == (160, 120)


def test_levels_and_table_belong_together():
    assert levels(np.array([-1, 0, 0.5, 1, 2], np.float32), False).tolist() == [0, 0, 128, 255, 255]
    assert levels(np.array([-2, -1, 0, 1, 2], np.float32), True).tolist() == [1, 1, 128, 255, 255]
    for name in ("default", "jet"):
        assert color_table(name).shape == (256, 4)
        assert color_table(name)[0, 3] == 0
        assert color_table(name)[255, 3] == round(255 * OPACITY)
        assert (np.diff(color_table(name)[:, 3].astype(int)) >= 0).all()
        signed = color_table(name, signed=True)
        assert signed[128, 3] == 0
        assert signed[1, 3] == signed[255, 3] == round(255 * OPACITY)


def test_default_colours_grow_lighter_all_the_way():
    """What makes a map safe for the colour-blind: its order can be seen in grey."""
    grey = color_table()[:, :3] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(grey[::15]) > 2).all()
    assert grey[255] - grey[0] > 150


def test_mask_is_a_share_of_the_highest_value():
    cells = rng.random((6, 6))
    values = place(cells, (60, 90), (10, 0, 70, 60))
    for threshold in (0.3, 0.5, 1.0):
        expected = values >= threshold * values.max()
        np.testing.assert_array_equal(mask(cells, (60, 90), (10, 0, 70, 60), threshold), expected)
    assert mask(cells, (60, 90), (10, 0, 70, 60), 1.0).sum() >= 1
    assert mask(cells, (60, 90), (10, 0, 70, 60), 0).sum() == 60 * 60
    assert not mask(cells * 0, (60, 90), None, 0.5).any()
    assert not mask(-cells, (60, 90), None, 0.5).any()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p, m: overlay(p, m, opacity=1.5), InputError, "opacity=1.5"),
        (lambda p, m: overlay(p, m, opacity=float("nan")), InputError, "opacity=nan"),
        (lambda p, m: overlay(p, m, scale=0), InputError, "scale=0"),
        (lambda p, m: overlay(p, m, colormap="virdis"), UnknownNameError, "did you mean 'viridis'"),
        (lambda p, m: overlay(p, m * 0, colormap="virdis"), UnknownNameError, "no colour map 'virdis'"),
        (lambda p, m: overlay(p, m, order="cubic"), UnknownNameError, "did you mean 'bicubic'"),
        (lambda p, m: overlay(p / 255, m), InputError, "a picture as float64 [120, 160, 3]"),
        (lambda p, m: overlay(p, m[None]), InputError, "a map of shape [1, 7, 7]"),
        (lambda p, m: overlay(p, m, (5, 5, 5, 9)), InputError, "left < right"),
        (lambda p, m: mask(m, (9, 9), None, 2), InputError, "threshold=2"),
        (lambda p, m: panel([]), InputError, "no pictures to draw"),
        (lambda p, m: panel([p], captions=["a", "b"]), InputError, "2 captions for 1 pictures"),
        (lambda p, m: panel([p], columns=0), InputError, "columns=0"),
    ],
)
def test_what_cannot_be_drawn(call, error, words, photo, peak):
    with pytest.raises(error) as caught:
        call(photo, peak)
    assert words in str(caught.value)


def has_ink(sheet, box):
    return bool((np.asarray(sheet.crop(box)).min(axis=-1) < 128).any())


def test_panel_holds_every_picture(photo):
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200), (200, 0, 200), (90, 90, 90)]
    tiles = [Image.new("RGB", (50 + 10 * i, 60), colour) for i, colour in enumerate(colours)]
    for columns in (None, 1, 3, 20):
        pixels = np.asarray(panel(tiles, columns, tile=64)).reshape(-1, 3)
        for colour in colours:
            assert (pixels == colour).all(axis=-1).sum() > 64 * 30
        assert tuple(pixels[0]) == (255, 255, 255)
    assert panel(tiles, 3, tile=64).width < panel(tiles, 7, tile=64).width


def test_captions_stand_under_their_pictures():
    blank = Image.new("RGB", (100, 100), (240, 240, 240))
    sheet = panel([blank, blank], captions=["", "a caption"], tile=100)
    middle = sheet.width // 2
    assert not has_ink(sheet, (0, 0, middle, sheet.height))
    assert not has_ink(sheet, (middle, 0, sheet.width, 106))
    assert has_ink(sheet, (middle, 106, sheet.width, sheet.height))
    titled = panel([blank], title="A title", tile=100)
    assert has_ink(titled, (0, 0, titled.width, titled.height - 110))


def test_long_captions_wrap_and_end_in_an_ellipsis(photo):
    one, two, three, four = (panel([photo], captions=["word " * n], tile=100).height for n in (1, 5, 10, 400))
    assert one < two < three == four


@pytest.mark.parametrize(
    "caption",
    ["", "\n\t", "猫の写真", "a → b ≥ 0.5", "e\u0301", "\ud800", "x" * 500, "🐱", "שלום", "\0", "W"],
)
def test_any_caption_can_be_drawn(photo, caption):
    for tile in (1, 20, 200):
        panel([photo], captions=[caption], title=caption, tile=tile)


def test_signs_outside_ascii_are_drawn_as_themselves(photo):
    """The small font would draw the same empty frame for both."""
    first, second = (panel([photo], captions=[sign]).tobytes() for sign in "→é")
    assert first != second


def test_png_gives_the_image_back(photo):
    image = Image.fromarray(photo)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(image)))), photo)


# Machado, Oliveira, Fernandes 2009, 'A physiologically-based model for simulation of color vision deficiency', table 1,
# severity 1.0; for linear RGB.
BLIND = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("kind", BLIND)
def test_for_and_against_can_be_told_apart_by_the_colour_blind(kind):
    from skimage.color import rgb2lab

    colours = color_table(signed=True)[:, :3] / 255
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(BLIND[kind]).T, 0, 1)
    back = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(back)
    steps = np.arange(20, 128)  # levels with more than a little colour
    assert np.linalg.norm(lab[128 + steps] - lab[128 - steps], axis=1).min() > 30  # 2 can just be told apart


def test_a_heatmap_shows_the_cells_and_grey_outside(photo, peak):
    from seewhy.images.drawing import heatmap

    drawn = np.asarray(heatmap((120, 160), peak, (20, 0, 140, 120)))
    assert (drawn[:, :20] == 150).all()
    assert len(np.unique(drawn[:, 20:140].reshape(-1, 3), axis=0)) == 2
    assert tuple(drawn[60, 63]) == tuple(color_table()[255, :3])
    assert heatmap((120, 160), peak, (20, 0, 140, 120), seen_only=True).size == (120, 120)
    both = np.asarray(heatmap((120, 160), peak - 1), int)
    assert both[0, 0, 2] > both[0, 0, 0]  # blue: against
    assert (np.asarray(heatmap((120, 160), peak * 0, signed=True)) == 0).all(axis=-1).mean() > 0.5  # zero is black


def test_two_sided_colours_can_be_asked_for(photo, peak):
    """So that maps of one kind have one kind of colours, also those that happen to have no value below 0."""
    assert overlay(photo, peak, signed=True).tobytes() != overlay(photo, peak).tobytes()
    assert overlay(photo, -peak, signed=True).tobytes() == overlay(photo, -peak).tobytes()


def test_names_of_layers_break_at_their_joints():
    from seewhy.images.lettering import font, wrapped

    name = "features.denseblock3.denselayer12.conv2"
    lines = wrapped(f"{name}\n14 x 14", font(14), 150, 9)
    assert "".join(lines[:-1]) == name
    assert lines[-1] == "14 x 14"
    assert all(line.endswith((".", "_")) for line in lines[:-2])
    assert all(font(14).getlength(line) <= 150 for line in lines)
