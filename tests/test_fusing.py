"""Several answers fused into one, shown one after the other, and laid out in blocks."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import seewhy as sw
from seewhy.images.fusing import fuse
from tests.test_bad_input import X, labelled, network


@pytest.fixture(scope="module")
def picture():
    pixels = np.random.default_rng(1).integers(0, 90, (60, 90, 3), np.uint8)
    pixels[20:40, 20:40] = 250
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def layers(picture):
    """All layers of one target; each of its maps has something in it."""
    found = sw.explain(labelled(), picture, target="dog", layer="all", method="hirescam", signed=True)
    return sw.Explanations([replace(one, map=np.abs(one.map), signed=False) for one in found])


def fine(cells, shape):
    """Bicubic (Keys, a = -1/2), half-pixel centres, edges repeated, cut at the map's own ends: point by point."""

    def weight(t):
        t = abs(t)
        if t <= 1:
            return 1.5 * t**3 - 2.5 * t**2 + 1
        return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0

    def line(values, count):
        out = []
        for pixel in range(count):
            where = (pixel + 0.5) * len(values) / count - 0.5
            first = int(np.floor(where)) - 1
            near = [(values[min(max(i, 0), len(values) - 1)], weight(i - where)) for i in range(first, first + 4)]
            out.append(sum(value * w for value, w in near) / sum(w for _, w in near))
        return np.array(out)

    across = np.array([line(row, shape[1]) for row in np.asarray(cells, float)])
    both = np.array([line(column, shape[0]) for column in across.T]).T
    return np.clip(both, np.min(cells), np.max(cells))


WAYS = {
    "mean": lambda maps: sum(maps) / len(maps),
    "max": lambda maps: np.stack(maps).max(axis=0),
    "product": lambda maps: np.prod(maps, axis=0) ** (1 / len(maps)),
}


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("scale", ["each", "none"])
def test_fused_maps_are_the_upscaled_ones_joined(layers, how, scale):
    one = layers.fuse(how, scale)
    maps = [each.map / (each.map.max() if scale == "each" else 1) for each in layers]
    expected = WAYS[how]([fine(cells, (32, 32)) for cells in maps])  # the model is given 32 × 32
    assert one.map.shape == (32, 32)
    np.testing.assert_allclose(one.map, expected, rtol=1e-4, atol=1e-5 * expected.max())
    assert expected.max() > 0


def test_a_fused_explanation_behaves_like_any_other(layers, picture, tmp_path):
    one = layers.mean()
    assert isinstance(one, sw.Explanation)
    assert (one.label, one.score, one.probability, one.index) == ("dog", layers[0].score, layers[0].probability, 2)
    assert (one.layer, one.method) == ("mean of 4 layers", "hirescam")
    assert "the mean of 4 maps, each divided by its own largest magnitude first" in one.notes[0]
    assert one.box == layers[0].box
    assert one.overlay().size == picture.size
    assert one.mask().shape == one.upscaled().shape == (60, 90)
    assert not one.upscaled()[:, :15].any()  # outside of the crop
    assert one.mask()[one.peak]
    assert "ninth of the picture" in one.where
    one.save(tmp_path / "fused.png")
    assert one._repr_png_().startswith(b"\x89PNG")
    assert one.top(1) == layers[0].top(1)
    assert repr(one).startswith("Explanation(picture: dog")


def test_mean_and_product_are_short_for_fuse(layers):
    np.testing.assert_array_equal(layers.mean().map, layers.fuse("mean").map)
    np.testing.assert_array_equal(layers.product("none").map, layers.fuse("product", "none").map)
    assert "in units of the target's score" in layers.product("none").notes[0]
    assert (layers.product().map <= layers.mean().map + 1e-6).all()  # as geometric and arithmetic means are


def test_a_fused_map_of_one_is_that_map(layers):
    one = layers[:1].fuse(scale="none")
    np.testing.assert_allclose(one.map, layers[0].upscaled((32, 32)), rtol=1e-6)
    assert one.layer == layers[0].layer


def test_many_small_values_make_no_zero():
    maps = [np.full((4, 4), 1e-30)] * 60
    np.testing.assert_allclose(fuse(maps, (4, 4), "product", "none"), 1e-30, rtol=1e-4)


def test_maps_with_signs_have_a_mean_and_no_product(picture):
    found = sw.explain(labelled(), picture, target="dog", layer="all", signed=True)
    one = found.mean()
    assert one.signed
    assert one.map.min() < 0 < one.map.max()
    with pytest.raises(sw.InputError, match=r"values below 0 at '0' in a product(.|\n)*without signed=True"):
        found.product()


def test_empty_maps_are_named_and_left_out_of_a_mean_and_refused_by_a_product(layers):
    empty = replace(layers[1], map=np.zeros_like(layers[1].map))
    found = sw.Explanations([layers[0], empty, *layers[2:]])
    kept = sw.Explanations([layers[0], *layers[2:]])
    np.testing.assert_array_equal(found.mean().map, kept.mean().map)
    assert found.fuse().notes[1] == "Left out, as they are all zero: 1 maps (1)."
    with pytest.raises(sw.InputError, match=r"a product with 1 maps that are all zero \(1\)(.|\n)*not one.empty"):
        found.product()
    with pytest.raises(sw.InputError, match="2 maps that are all zero"):
        sw.Explanations([empty, empty]).mean()


def test_a_product_without_a_common_place_says_so(layers):
    halves = [np.zeros((4, 4), np.float32) for _ in range(2)]
    halves[0][:, 0], halves[1][:, 3] = 1, 1
    one = sw.Explanations([replace(layers[0], map=half) for half in halves]).product()
    assert one.empty
    assert "no place where all of the maps are above zero" in one.notes[1]


def test_several_targets_methods_and_models_are_told(picture):
    model = labelled()
    found = sw.explain(model, picture, target=["dog", "tabby"], method="hirescam", signed=True)
    one = found.mean()
    assert (one.label, one.target, one.index, one.probability) == ("dog + tabby", "mean of 2 targets", None, None)
    assert one.score == pytest.approx(np.mean([each.score for each in found]))
    both = [sw.explain(model, picture, target="dog", method=name, signed=True) for name in ("gradcam", "hirescam")]
    assert sw.Explanations(both).mean().method == "mean of 2 methods"


WRONG = {
    "of another picture": (lambda a, p: sw.Explanations([a[0], sw.explain(network(), X)]).fuse(), "several pictures"),
    "no maps": (lambda a, p: a[:0].mean(), "no explanations"),
    "no such way": (lambda a, p: a.fuse("men"), "did you mean 'mean'"),
    "no such scale": (lambda a, p: a.fuse(scale="all"), "one of each, none"),
    "another crop": (
        lambda a, p: sw.Explanations(
            [a[0], sw.explain(sw.wrap(network(), prepare=lambda pil: np.asarray(pil.crop((0, 0, 30, 30)).resize((32, 32)), np.float32).transpose(2, 0, 1) / 255), p)]
        ).fuse(),
        "several crops",
    ),
    "no frames": (lambda a, p: a[:0].gif("x.gif"), "no explanations"),
    "no animation": (lambda a, p: a.gif("x.mp4"), "ends in .gif, .webp, .png, .apng"),
    "no time": (lambda a, p: a.gif("x.gif", seconds=0), "seconds=0"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_fused_or_shown(case, layers, picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, words = WRONG[case]
    with pytest.raises(sw.InputError) as caught:
        call(layers, picture)
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "kind"), [("a.gif", "GIF"), ("a.webp", "WEBP"), ("a.png", "PNG"), ("a.apng", "PNG")])
def test_an_animation_has_a_frame_for_each_layer(layers, name, kind, tmp_path):
    layers.gif(tmp_path / name, seconds=0.5, colormap="viridis")
    with Image.open(tmp_path / name) as film:
        assert (film.format, film.n_frames) == (kind, 4)
        sizes, seen = set(), set()
        for number in range(film.n_frames):
            film.seek(number)
            film.load()  # WebP tells the time of a frame only then
            assert round(film.info["duration"]) == 500
            sizes.add(film.size)
            seen.add(film.convert("RGB").tobytes())
        assert (len(sizes), len(seen)) == (1, 4)


@pytest.mark.slow
def test_targets_are_beside_each_other_in_a_frame(picture, tmp_path):
    found = sw.explain(labelled(), picture, target=["dog", "tabby"], layer="all")
    found.gif(tmp_path / "both.gif"), found[:4].gif(tmp_path / "one.gif")
    with Image.open(tmp_path / "both.gif") as both, Image.open(tmp_path / "one.gif") as one:
        assert (both.n_frames, one.n_frames) == (4, 4)
        assert both.width > 1.8 * one.width
    found[::4].gif(tmp_path / "targets.gif")  # one layer: a frame for each target
    with Image.open(tmp_path / "targets.gif") as targets:
        assert targets.n_frames == 2


def test_by_target(picture):
    found = sw.explain(labelled(), picture, target=["dog", "tabby", "dog"], layer=["0", "2"])
    groups = found.by_target()
    assert [[(one.label, one.layer) for one in group] for group in groups] == [
        [(name, layer) for layer in ("0", "2")] for name in ("dog", "tabby", "dog")
    ]
    merged = sw.Explanations([*found[:2], *found[2:4]]).by_target()
    assert [len(group) for group in merged] == [2, 2]


def test_the_grid_of_many_layers_is_no_wider_than_six_pictures(picture):
    few = sw.explain(labelled(), picture, layer=["0", "1"])
    many = sw.Explanations(list(few) * 12)
    assert few.grid().width < many.grid().width < 1500
    assert many.grid(columns=3).width < many.grid().width
    assert sw.explain(labelled(), picture, layer="all", target=sw.top(3)).grid().width < 1500


def test_a_bar_of_colours_stands_below_maps_with_signs_or_on_request(picture):
    for signed in (False, True):
        why = sw.explain(labelled(), picture, signed=signed)
        heights = [why.panel(colorbar=bar).height for bar in (False, None, True)]
        assert heights[1] == heights[2 if signed else 0]
        assert heights[0] < heights[2]
        found = sw.explain(labelled(), picture, target=sw.top(2), signed=signed)
        heights = [found.grid(colorbar=bar).height for bar in (False, None, True)]
        assert heights[1] == heights[2 if signed else 0]
        assert heights[0] < heights[2]


def test_a_panel_shows_what_is_asked_for(layers):
    widths = [layers[0].panel(show=show).width for show in (["overlay"], ["picture", "map", "overlay", "cutout"])]
    assert widths[1] > 3.5 * widths[0]
    with pytest.raises(sw.UnknownNameError, match="did you mean 'cutout'"):
        layers[0].panel(show=["cutuot"])


def test_methods_beside_each_other(picture):
    names = ["gradcam", "hirescam", "integrated_gradients"]
    found = sw.compare_methods(labelled(), picture, names, target=["dog", "tabby"], layer="0", signed=True)
    assert [(one.label, one.method) for one in found] == [(t, name) for t in ("dog", "tabby") for name in names]
    for one in found[1::3]:
        alone = sw.explain(labelled(), picture, target=one.label, method="hirescam", layer="0", signed=True)
        np.testing.assert_allclose(one.map, alone.map, rtol=0, atol=1e-5 * np.abs(alone.map).max())
    assert found.grid().height > 1.8 * found[:3].grid(colorbar=False).height
    assert len(sw.compare_methods(labelled(), picture, ["gradcam"])) == 1
    for wrong, words in (({"methods": "gradcam"}, "a list of names"), ({"layer": "all"}, "one layer at a time")):
        with pytest.raises(sw.InputError, match=words):
            sw.compare_methods(labelled(), picture, **{"methods": names, **wrong})


def test_options_and_variants_of_compared_methods(picture):
    found = sw.compare_methods(
        labelled(), picture, ["scorecam", "gradcam"], options={"score-cam": {"channels": 1}}, augment="flip"
    )
    alone = sw.explain(labelled(), picture, method="scorecam", channels=1, augment="flip")
    np.testing.assert_array_equal(found[0].map, alone.map)
    assert [one.averaged for one in found] == ["flip"] * 2
    with pytest.raises(sw.UnknownNameError, match="options of 'hirescam'"):
        sw.compare_methods(labelled(), picture, ["gradcam"], options={"hirescam": {}})
    with pytest.raises(sw.UnknownNameError, match="scorecam has no option 'chanels'"):
        sw.compare_methods(labelled(), picture, ["gradcam", "scorecam"], options={"scorecam": {"chanels": 1}})
    with pytest.raises(sw.InputError, match="smooth=-1"):
        sw.compare_methods(labelled(), picture, ["gradcam"], smooth=-1)


def test_a_method_that_refuses_is_a_column_that_says_so(picture):
    names = ["gradcam", "finercam", "hirescam"]
    asked = {"target": [sw.versus("dog", "tabby"), sw.probability("dog")]}
    found = sw.compare_methods(labelled(), picture, names, **asked)
    assert [one.method for one in found] == ["gradcam", "hirescam"] * 2
    (refused,) = found.refused
    assert refused.name == "finercam"
    assert not refused
    assert "finercam: refused: finercam of the target 'dog rather than tabby'" in repr(found)
    plain = sw.Explanations(found, 2)
    assert found.grid(width=2000).width > plain.grid(width=2000).width
    assert [len(group.refused) for group in found.by_target()] == [1, 1]
    assert sw.compare_methods(labelled(), picture, ["gradcam", "finercam"], target=sw.against(0)).grid().width > 0
    with pytest.raises(sw.InputError, match="finercam of the target"):
        sw.compare_methods(labelled(), picture, ["finercam"], **asked)


def test_parts_of_the_mask(layers):
    one = layers.mean()
    kept, boxes = one.mask(0.6), one.bounding_boxes(0.6)
    covered = np.zeros_like(kept)
    for left, top, right, bottom in boxes:
        assert kept[top:bottom, left:right].any()
        covered[top:bottom, left:right] = True
    assert (covered | ~kept).all()
    assert one.segment(0.6).mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(one.cutout(0.6))[kept], one.picture[kept])
    assert one.mask(0.5, of="mass").sum() < one.mask(0.9, of="mass").sum()
