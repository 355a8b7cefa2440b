"""Masks, the boxes round their parts, and pictures without the rest."""

import numpy as np
import pytest

from seewhy.errors import InputError, UnknownNameError
from seewhy.images.masking import bounding_boxes, cutout, mask, segment
from seewhy.images.resizing import place

rng = np.random.default_rng(0)
SHAPE, BOX = (60, 90), (10.0, 0.0, 70.0, 60.0)


@pytest.fixture
def photo():
    y, x = np.mgrid[:60, :90]
    return np.stack([2 * x, 4 * y, 255 - x], -1).astype(np.uint8)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
def test_a_share_of_the_mass_is_the_smallest_region_that_holds_it(share):
    cells = rng.normal(size=(6, 6))
    values = np.maximum(place(cells, SHAPE, BOX).astype(float), 0)
    kept = mask(cells, SHAPE, BOX, share, "mass")
    assert values[kept].sum() >= share * values.sum() * (1 - 1e-6)
    weakest = values[kept].min()
    assert (values[~kept] <= weakest).all()
    assert values[kept].sum() - weakest * (values[kept] == weakest).sum() < share * values.sum()


def test_a_share_of_the_mass_where_nothing_speaks_for_the_target():
    assert not mask(-rng.random((6, 6)), SHAPE, BOX, 0.5, "mass").any()
    assert not mask(np.zeros((6, 6)), SHAPE, BOX, 0.5, "mass").any()


def test_bounding_boxes_strongest_part_first():
    kept, weights = np.zeros(SHAPE, bool), np.ones(SHAPE, np.float32)
    kept[10:20, 5:15] = True
    kept[30:34, 40:44] = True
    kept[34, 44] = True  # touches by a corner
    weights[30:35, 40:45] = 9
    assert bounding_boxes(kept, weights) == [(40, 30, 45, 35), (5, 10, 15, 20)]
    assert bounding_boxes(kept, weights * (weights < 2)) == [(5, 10, 15, 20), (40, 30, 45, 35)]
    assert bounding_boxes(~kept & kept, weights) == []


def test_a_cutout_keeps_the_photo_in_the_mask_and_dims_the_rest(photo):
    kept = np.zeros(SHAPE, bool)
    kept[20:40, 30:50] = True
    drawn = np.asarray(cutout(photo, kept))
    np.testing.assert_array_equal(drawn[kept], photo[kept])
    assert (drawn[19, 30:50] == 255).all()  # the line
    far = drawn[:15]
    assert (far.max(axis=-1) == far.min(axis=-1)).all()  # grey
    assert far.mean() < 0.45 * photo[:15].mean()


def test_an_empty_cutout_says_so(photo):
    dark = np.asarray(cutout(photo, np.zeros(SHAPE, bool)))
    assert (dark[40:] > 200).any()  # the badge
    assert (dark[:30] < 100).all()


def test_a_segment_is_transparent_outside(photo):
    kept = np.zeros(SHAPE, bool)
    kept[20:40, 30:50] = True
    cut = segment(photo, kept)
    assert (cut.mode, cut.size) == ("RGBA", (90, 60))
    pixels = np.asarray(cut)
    np.testing.assert_array_equal(pixels[..., 3] == 255, kept)
    np.testing.assert_array_equal(pixels[kept][:, :3], photo[kept])
    assert not pixels[~kept].any()  # the rest of the photo is not in the file


def test_what_cannot_be_masked():
    with pytest.raises(UnknownNameError, match=r"a share of 'mas'(.|\n)*did you mean 'mass'"):
        mask(np.eye(3), SHAPE, BOX, 0.5, "mas")
    with pytest.raises(InputError, match=r"threshold=1.2(.|\n)*the map's sum"):
        mask(np.eye(3), SHAPE, BOX, 1.2, "mass")
