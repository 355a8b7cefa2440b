"""Animations: every frame is there, of one size and for as long as said; what does not change does not flicker."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from seewhy.errors import InputError
from seewhy.images.animating import KINDS, animation, kind_of

rng = np.random.default_rng(0)


def photo(height=60, width=90):
    y, x = np.mgrid[:height, :width]
    return np.stack([2 * x, 4 * y, 255 - x], -1).astype(np.uint8)


def frames_of(data):
    image = Image.open(BytesIO(data))
    found = []
    for number in range(image.n_frames):
        image.seek(number)
        found.append((np.asarray(image.convert("RGB")), image.info["duration"]))
    return image, found


@pytest.fixture
def moving():
    """A photo over which a bright square moves."""
    frames = [photo() for _ in range(4)]
    for number, frame in enumerate(frames):
        frame[10:30, 20 * number : 20 * number + 15] = (255, 240, 60)
    return [Image.fromarray(frame) for frame in frames]


@pytest.mark.parametrize("kind", sorted(set(KINDS.values())))
@pytest.mark.parametrize("seconds", [0.05, 0.8, 2.5])
def test_all_frames_for_as_long_as_said(moving, kind, seconds):
    image, found = frames_of(animation(moving, kind, seconds))
    assert (image.format, image.n_frames, image.size) == (kind, 4, (90, 60))
    assert [round(duration) for _, duration in found] == [1000 * seconds] * 4
    assert image.info["loop"] == 0  # for ever
    for (pixels, _), frame in zip(found, moving, strict=True):
        assert np.abs(pixels.astype(int) - np.asarray(frame)).mean() < 6


def test_apng_is_exact(moving):
    for (pixels, _), frame in zip(frames_of(animation(moving, "PNG"))[1], moving, strict=True):
        np.testing.assert_array_equal(pixels, np.asarray(frame))


def test_a_gif_does_not_flicker_and_has_one_palette(moving):
    data = animation(moving, "GIF")
    found = [pixels for pixels, _ in frames_of(data)[1]]
    for number in range(3):
        same = (np.asarray(moving[number]) == np.asarray(moving[number + 1])).all(axis=-1)
        assert same.mean() > 0.8
        np.testing.assert_array_equal(found[number][same], found[number + 1][same])


def test_smooth_shades_of_a_gif_are_right_on_average():
    """The grain stands in for colours between those of the palette."""
    shades = [Image.fromarray(np.roll(photo(240, 120)[..., ::-1], 40 * n, axis=2)) for n in range(3)]
    for (pixels, _), frame in zip(frames_of(animation(shades, "GIF"))[1], shades, strict=True):
        coarse = [np.asarray(one, float).reshape(24, 10, 12, 10, 3).mean((1, 3)) for one in (pixels, frame)]
        assert np.abs(coarse[0] - coarse[1]).mean() < 2


def test_paper_and_ink_stay_clean():
    sheet = np.full((60, 90, 3), 255, np.uint8)
    sheet[:, :45] = photo()[:, :45]
    sheet[10:20, 60:70] = (32, 33, 36)
    other = sheet.copy()
    other[:, :45] = rng.integers(0, 255, (60, 45, 3))
    for pixels, _ in frames_of(animation([Image.fromarray(sheet), Image.fromarray(other)], "GIF"))[1]:
        np.testing.assert_array_equal(pixels[:, 45:], sheet[:, 45:])


def test_frames_of_other_sizes_are_put_on_one_sheet():
    frames = [Image.new("RGB", size, (200, 0, 0)) for size in ((90, 60), (60, 90))]
    for pixels, _ in frames_of(animation(frames, "PNG"))[1]:
        assert pixels.shape == (90, 90, 3)
        assert (pixels[-1, -1] == 255).all()


def test_one_frame_and_a_single_colour():
    assert frames_of(animation([Image.new("RGB", (9, 9))], "GIF"))[0].n_frames == 1


def test_the_ending_tells_the_kind():
    assert [kind_of(name) for name in ("a.gif", "b/A.GIF", "a.webp", "a.png", "a.apng")] == [
        *("GIF", "GIF", "WEBP", "PNG", "PNG"),
    ]
    with pytest.raises(InputError, match=r"an animation as 'a.mp4'\n  expected: a name that ends in .gif, .webp, .png"):
        kind_of("x/a.mp4")


@pytest.mark.parametrize("seconds", [0, -1, 0.001, float("nan"), 1e6])
def test_times_that_cannot_be_shown(seconds, moving):
    with pytest.raises(InputError, match="seconds="):
        animation(moving, "GIF", seconds)
    with pytest.raises(InputError, match="no frames"):
        animation([], "GIF")
