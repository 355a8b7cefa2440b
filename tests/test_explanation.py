"""What explain gives: pictures and crops, several answers at once, streams, and how it shows itself."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import seewhy as sw
from seewhy.images import panels
from tests.test_bad_input import LABELS, X, labelled, network


@pytest.fixture(scope="module")
def picture():
    """A photograph-like picture, wider than high, with a bright square left of the middle."""
    pixels = np.random.default_rng(1).integers(0, 90, (60, 90, 3), np.uint8)
    pixels[20:40, 20:40] = 250
    return Image.fromarray(pixels)


def test_a_picture_keeps_its_size_and_the_box_says_what_the_model_saw(picture):
    why = sw.explain(labelled(), picture)  # 0..1@32: shorter side to 37, centre crop 32
    assert why.picture.shape == (60, 90, 3)
    side = 32 * 60 / 37
    np.testing.assert_allclose(why.box, (45 - side / 2, 30 - side / 2, 45 + side / 2, 30 + side / 2), atol=1.5)
    assert why.overlay().size == (90, 60)
    assert why.upscaled().shape == why.mask(0.5).shape == (60, 90)
    assert not why.upscaled()[:, :15].any()  # the crop begins further right
    left, _, right, _ = why.box
    assert left <= why.peak[1] <= right


def test_upscaled_puts_the_peak_where_the_cell_is():
    row, column = 3, 8
    spike = np.zeros((12, 12), np.float32)
    spike[row, column] = 1  # neighbours of nearly the same height would move the peak between them
    why = replace(sw.explain(network(), X), map=spike)
    fine = why.upscaled((120, 120), order="bilinear")
    r, c = np.unravel_index(np.argmax(fine), fine.shape)
    assert (int(r // 10), int(c // 10)) == (row, column)


def test_all_forms_of_a_picture_are_the_same(picture, tmp_path):
    import io

    path, data = tmp_path / "a picture.png", io.BytesIO()
    picture.save(path), picture.save(data, "png")
    maps = [sw.explain(labelled(), one).map for one in (picture, path, str(path), data.getvalue(), np.asarray(picture))]
    for one in maps[1:]:
        np.testing.assert_array_equal(one, maps[0])


def test_floats_are_used_as_they_are_with_or_without_a_leading_one():
    maps = [sw.explain(network(), one, target=1, signed=True) for one in (X, X[None], X.numpy(), X.double())]
    for one in maps[1:]:
        np.testing.assert_array_equal(one.map, maps[0].map)
    assert maps[0].picture.shape == (16, 16, 3)
    assert not maps[0].seen.exact


def test_several_targets_and_layers_come_target_by_target():
    found = sw.explain(labelled(), X, target=["tabby", sw.versus("dog", "tabby")], layer=["0", "2"], signed=True)
    assert [(one.label, one.layer) for one in found] == [
        ("tabby", "0"),
        ("tabby", "2"),
        ("dog rather than tabby", "0"),
        ("dog rather than tabby", "2"),
    ]
    for one in found:
        target = "tabby" if one.index == 0 else sw.versus(2, 0)
        alone = sw.explain(labelled(), X, target=target, layer=one.layer, signed=True)
        np.testing.assert_allclose(one.map, alone.map, rtol=0, atol=1e-5 * np.abs(alone.map).max())
    assert isinstance(found[1:], sw.Explanations)


def test_all_layers():
    found = sw.explain(network(), X, layer="all")
    assert [one.layer for one in found] == ["0", "1", "2", "3"]
    assert [one.layer for one in sw.explain(network(), X, layer=[0, -1])] == ["0", "3"]


def test_one_target_for_each_picture():
    found = list(sw.explain_many(labelled(), torch.stack([X, X, X]), targets=["dog", 0, [1, 2]], signed=True))
    assert [found[0].label, found[1].label] == ["dog", "tabby"]
    assert [one.label for one in found[2]] == ["tiger cat", "dog"]
    for answer, target in ((found[0], 2), (found[1], 0)):
        wanted = sw.explain(network(), X, target=target, signed=True).map
        np.testing.assert_allclose(answer.map, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("batch_size", [1, 2, 5, 32])
def test_batch_size_changes_nothing(batch_size):
    images = torch.rand(5, 3, 16, 16)
    found = list(sw.explain_many(network(), images, batch_size=batch_size, target=1, signed=True))
    for image, one in zip(images, found, strict=True):
        wanted = sw.explain(network(), image, target=1, signed=True).map
        np.testing.assert_allclose(one.map, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


def test_on_the_cpu_eight_go_through_the_model_at_a_time():
    model, seen = network(), []
    handle = model.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    list(sw.explain_many(model, torch.rand(19, 3, 16, 16)))
    handle.remove()
    assert seen[-3:] == [8, 8, 3]  # before them the layers are found


def test_a_stream_without_end_is_read_a_batch_at_a_time():
    read = itertools.count()
    pictures = (torch.rand(3, 16, 16) for _ in iter(lambda: next(read), None))
    found = list(itertools.islice(sw.explain_many(network(), pictures, batch_size=4), 6))
    assert len(found) == 6
    assert next(read) == 8


def test_loaders_of_batches_with_labels():
    data = torch.utils.data.TensorDataset(torch.rand(5, 3, 16, 16), torch.arange(5))
    loader = torch.utils.data.DataLoader(data, batch_size=2)
    assert len(list(sw.explain_many(network(), loader))) == 5
    assert len(list(sw.explain_many(network(), data))) == 5


ITEMS = {  # an item of a stream, and how many images are in it
    "image, label": (lambda x, file: (x, 3), 1),
    "image, label in words": (lambda x, file: (x, "cat"), 1),
    "image, label, weight": (lambda x, file: (x, 3, 0.5), 1),
    "image, uint8 label": (lambda x, file: (x, torch.tensor(3, dtype=torch.uint8)), 1),
    "image, mask": (lambda x, file: (x, torch.ones(1, 16, 16)), 1),
    "image, uint8 mask": (lambda x, file: (x, torch.ones(16, 16, dtype=torch.uint8)), 1),
    "batch, uint8 labels": (lambda x, file: [torch.stack([x, x]), torch.ones(2, dtype=torch.uint8)], 2),
    "batch, masks": (lambda x, file: [torch.stack([x, x]), torch.ones(2, 1, 16, 16)], 2),
    "two images": (lambda x, file: (x, x), 2),
    "two images, label": (lambda x, file: (x, x.clone(), 1), 2),
    "images, boxes": (lambda x, file: ((x, x), ({"boxes": 1}, {"boxes": 2})), 2),
    "file, label in words": (lambda x, file: (file, "St. Bernard"), 1),
    "two files": (lambda x, file: [file, str(file)], 2),
    "picture, mask": (lambda x, file: (Image.open(file), Image.new("L", (90, 60))), 1),
    "uint8 batch": (lambda x, file: np.zeros((2, 40, 40, 3), np.uint8), 2),
}


@pytest.mark.parametrize("item", ITEMS)
def test_no_image_of_an_item_is_lost_and_no_label_is_explained(item, picture, tmp_path):
    make, count = ITEMS[item]
    picture.save(tmp_path / "picture.png")
    found = list(sw.explain_many(labelled(), [make(X, tmp_path / "picture.png")], target=0, signed=True))
    assert len(found) == count
    assert all(found)


@pytest.mark.parametrize("targets", [[0, 1, 2], [0, 1, 2, 0.5, 1]], ids=["too few", "one is none"])
def test_what_was_asked_before_the_targets_went_wrong_is_answered(targets):
    found = []
    with pytest.raises(sw.InputError):
        found.extend(sw.explain_many(network(), torch.stack([X] * 5), targets=targets))
    assert [one.index for one in found] == [0, 1, 2]


def test_targets_without_an_end_serve_any_number_of_pictures():
    assert len(list(sw.explain_many(network(), [X, X], targets=itertools.repeat(1)))) == 2


def test_it_reads_as_text_and_shows_itself(picture):
    why = sw.explain(labelled(), picture)
    assert re.search(r"Explanation\(picture: .+ \d+\.\d%, score .+, gradcam at '3' \d+ × \d+\)", repr(why))
    assert why._repr_png_().startswith(b"\x89PNG")
    assert '<img alt="' in why._repr_html_()
    assert "<script" not in sw.explain(labelled(), picture, target=sw.top(2))._repr_html_()
    assert sw.explain(labelled(), picture, target=sw.top(2))._repr_png_().startswith(b"\x89PNG")


def test_labels_and_names_are_shown_as_text(picture, tmp_path):
    path = tmp_path / "<script>alert(1)<.png"
    picture.save(path)
    model = sw.wrap(labelled(), labels=["<b>one</b>", '"two"', "three"])
    html = sw.explain(model, path, target=sw.top(3))._repr_html_()
    assert "<b>one" not in html
    assert "<script" not in html


def test_save_writes_a_panel(picture, tmp_path):
    sw.explain(labelled(), picture).save(tmp_path / "why.png", colormap="jet", opacity=0.5)
    with Image.open(tmp_path / "why.png") as panel:
        width = panel.width
    assert width > 90
    sw.explain(labelled(), picture, target=sw.top(3), layer=["0", "2"]).save(tmp_path / "grid.jpg")
    with Image.open(tmp_path / "grid.jpg") as grid:
        assert (grid.width, grid.height > width) == (width, True)  # a row for each of three targets


def test_arrays_of_an_explanation_cannot_be_changed_by_accident():
    why = sw.explain(network(), X)
    with pytest.raises(ValueError, match="read-only"):
        why.map[0] = 1


def test_where_says_where():
    why = sw.explain(network(), X)
    peak = np.zeros((3, 3), np.float32)
    peak[0, 2] = 1
    assert re.fullmatch(r"\d\d% of the map is in the top right ninth of the picture", replace(why, map=peak).where)


def test_the_table_of_layers():
    table = sw.layers(network(), X)
    assert [layer.name for layer in table if layer.default] == ["3"]
    assert table[2].shape == (8, 12, 12)
    assert table[2].parameters == 6 * 8 * 9 + 8
    lines = repr(table).splitlines()
    assert lines[0].split() == ["index", "name", "kind", "output", "parameters", "map"]
    assert lines[4].split()[:4] == ["→", "3", "3", "ReLU"]
    assert "1 × 1" in lines[5]
    assert "<table>" in table._repr_html_()
    assert sw.layers(labelled())[0].grid == (30, 30)  # the preparation gives 32 × 32


def test_probabilities_and_labels():
    why = sw.explain(labelled(), X)
    assert why.probabilities.sum() == pytest.approx(1)
    assert why.probability == pytest.approx(why.probabilities[why.index])
    assert [label for label, _, _ in why.top(2)] == [LABELS[i] for i in np.argsort(-why.scores)[:2]]
    assert why.score == pytest.approx(why.scores[why.index])


def test_an_unknown_label_is_told_also_in_a_stream():
    with pytest.raises(sw.UnknownNameError, match="tigerdog"):
        list(sw.explain_many(labelled(), [X], target="tigerdog"))


def test_input_gradients_point_at_what_matters(picture):
    """Of a network that only sums the red of the left half: the map lies there and adds up to the score."""
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, 2))
    weight = torch.zeros(2, 3, 16, 16)
    weight[1, 0, :, :8] = 1
    with torch.no_grad():
        model[1].weight.copy_(weight.flatten(1)), model[1].bias.zero_()
    why = sw.explain(model, X, target=1, method="integrated_gradients")
    np.testing.assert_allclose(why.map[:, :8], X[0, :, :8], rtol=1e-5)
    assert not why.map[:, 8:].any()
    assert why.map.sum() == pytest.approx(why.score, rel=1e-5)


def test_the_table_of_layers_says_which_methods_the_default_suits():
    table = sw.layers(network(), X)
    assert "→ is the default, right for methods with one weight for each channel: Grad-CAM" in repr(table)
    assert "(LayerCAM, HiResCAM) can be taken earlier" in table._repr_html_()


def test_a_preparation_that_mirrors_is_shown_as_the_model_saw_it(picture):
    mirrored = sw.wrap(
        network(), prepare=lambda image: np.asarray(image, np.float32).transpose(2, 0, 1)[..., ::-1] / 255
    )
    why = sw.explain(mirrored, picture)
    np.testing.assert_array_equal(why.picture, np.asarray(picture)[:, ::-1])
    assert why.box == (0, 0, 90, 60)
    assert "could not be told" in why.notes[-1]
    assert "drawn from the model's input" in why.seen.caption
    assert not any("could not be told" in note for note in sw.explain(labelled(), picture).notes)


def test_a_flat_map_is_no_region(picture):
    flat = replace(sw.explain(labelled(), picture), map=np.full((4, 4), 2, np.float32))
    assert (flat.empty, flat.where) == (True, "no region stood out")
    assert "same value everywhere" in flat.notes[-1]
    assert replace(flat, notes=("one",)).notes[0] == "one"


def test_a_failed_answer_can_be_asked_what_it_has():
    (failed,) = sw.explain_many(labelled(), ["nowhere.png"])
    assert not hasattr(failed, "map")
    assert hasattr(failed, "error")
    with pytest.raises(sw.InputError, match=r"no file 'nowhere.png'"):
        _ = failed.map


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere/why.png", "no folder 'nowhere' to write why.png in"),
        ("why", "the path .*why', which ends in no format"),
        ("why.pgn", "did you mean '.png'"),
        (".", "which ends in no format"),
    ],
)
def test_saving_where_nothing_can_be_saved(name, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    why = sw.explain(network(), X)
    for one in (why, sw.Explanations([why])):
        with pytest.raises(sw.InputError, match=told):
            one.save(name)
    with pytest.raises(sw.InputError, match="no folder 'nowhere'"):
        sw.Explanations([why]).gif("nowhere/layers.gif")


def test_options_of_drawing_that_cannot_be_used():
    why = sw.explain(network(), X)
    for options, told in [
        ({"opacity": "x"}, "opacity='x'"),
        ({"ordr": 1}, "did you mean 'order'"),
        ({"x": 1}, "no option 'x'"),
    ]:
        with pytest.raises(sw.InputError, match=told):
            why.overlay(**options)
    with pytest.raises(sw.InputError, match=r"shape=5\n  expected: \(height, width\)"):
        why.upscaled(5)


def test_a_probability_is_told_from_a_class():
    one, other = sw.explain(labelled(), X, target=["dog", sw.probability("dog")])
    assert one.caption == other.caption.removeprefix("probability of ")
    assert other.heading.startswith("probability of dog  ")


@pytest.mark.slow
def test_panels_grow_with_the_picture_up_to_a_limit(picture):
    why = sw.explain(labelled(), picture.resize((400, 300)))
    assert 1200 < why.panel().width <= 1600
    assert why.panel(width=800).width <= 800
    assert sw.explain(labelled(), picture.resize((4000, 3000))).panel().width <= 1600
    assert 1200 < sw.Explanations([why, why]).grid().width <= 1600
    assert sw.explain(labelled(), picture).panel().width < 800


def test_one_pixel_does_not_make_a_map_of_pixels_blank():
    why = sw.explain(network(), X, method="integrated_gradients", steps=2, signed=False)
    outlier = np.full((16, 16), 1, np.float32)
    outlier[:, 8:], outlier[0, 0] = 0.5, 1000
    why = replace(why, map=outlier)
    assert 1 <= why.scale < 1000
    assert "99.5th percentile" in why.place()
    drawn = np.asarray(why.heatmap())
    assert not (drawn[8, 3] == drawn[8, 12]).all()
    assert why.map.max() == 1000
    assert replace(why, layer="conv", method="gradcam").scale == 1000


@pytest.fixture
def written(monkeypatch):
    """(captions, title) of each panel that is drawn."""
    sheets, draw = [], panels.panel

    def noting(tiles, columns=None, captions=None, title=None, tile=224):
        sheets.append((captions, title))
        return draw(tiles, columns, captions, title, tile)

    monkeypatch.setattr(panels, "panel", noting)
    return sheets


def test_a_grid_of_classes_says_method_and_layer_once_and_every_score(written):
    found = sw.explain(labelled(), X, target=sw.top(2))
    found.grid()
    ((captions, title),) = written
    assert title == "gradcam at 3, 12 x 12"
    assert captions[1:] == [f"{one.label}  {one.probability:.1%}, score {one.score:.2f}" for one in found]


def test_a_grid_of_layers_names_the_method(written):
    sw.explain(labelled(), X, target="dog", layer="all", method="hirescam").grid()
    assert [title.rpartition(", ")[2] for _, title in written] == ["hirescam"]


def test_methods_that_explain_other_scores_say_theirs(written):
    found = sw.compare_methods(labelled(), X, ["gradcam", "finercam"], target="dog")
    found.grid()
    ((captions, title),) = written
    assert "score" not in title
    assert [caption.splitlines()[0] for caption in captions[1:]] == [
        f"{one.method}, score {one.score:.2f}" for one in found
    ]


def test_pictures_say_that_maps_are_means_over_variants(written):
    words = "gradcam (averaged: 2 noisy copies, flip)"
    asked = {"smooth": 2, "augment": "flip", "target": "dog"}
    why = sw.explain(labelled(), X, **asked)
    assert words in repr(why)
    why.panel()
    sw.explain(labelled(), X, **asked | {"target": sw.top(2)}).grid()
    sw.explain(labelled(), X, layer="all", **asked).grid()
    (one, _), (_, two), (_, three) = written
    assert one[1].startswith(f"{words} at 3")
    assert two.startswith(words)
    assert three.endswith(words)
    assert why.method == "gradcam"


@pytest.mark.parametrize(
    ("asked", "words", "never"),
    [
        ({}, "nothing at this layer speaks for the target. Try signed=True", "responds"),
        ({"signed": True}, "nothing at this layer speaks for the target. Try another layer", "signed=True"),
        ({"method": "layercam"}, "nothing at this layer speaks for the target. Try another layer", "signed=True"),
        ({"method": "eigencam"}, "the layer responds nowhere", "target"),
        ({"method": "fullgrad"}, "no pixel and no bias has a share", "layer"),
    ],
    ids=str,
)
def test_an_empty_map_is_told_as_it_fits_the_method(asked, words, never):
    silent = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    nn.init.zeros_(silent[0].weight), nn.init.zeros_(silent[0].bias), nn.init.zeros_(silent[4].bias)
    (note,) = (note for note in sw.explain(silent, X, **asked).notes if "all zero" in note)
    assert words in note
    assert never not in note.partition("Try")[2 if never == "signed=True" else 0]


def test_a_gif_of_several_layers_moves(tmp_path):
    found = sw.explain(labelled(), X, layer="all")
    found.save(tmp_path / "x.gif")
    with Image.open(tmp_path / "x.gif") as film:
        assert film.n_frames == len(found) > 1


def test_signs_of_a_method_that_has_none_are_told():
    told = [
        entry.name
        for entry in sw.list_methods()
        if any(
            "gradcam, hirescam or cam" in note
            for note in sw.explain(network(), X, method=entry.name, signed=True).notes
        )
    ]
    assert told == [entry.name for entry in sw.list_methods() if not entry.signed]
    assert {"layercam", "elementwise", "layerguided", "guided_backprop", "guided_gradcam", "fullgrad"} <= {*told}
    assert not {"gradcam", "hirescam", "cam", "xgradcam", "integrated_gradients"} & {*told}
    assert sw.explain(network(), X, method="layercam").notes == ()
    linear = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    nn.init.ones_(linear[3].weight)
    below = sw.explain(linear, X - 0.5, method="layercam", signed=True)  # a convolution's output has signs
    assert below.map.min() < 0
    assert below.notes == ()


def test_a_map_without_a_peak_is_told():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    grey = torch.full((3, 16, 16), 0.5)
    why = sw.explain(model, grey, method="eigencam")
    assert why.map.any()
    assert any("same everywhere" in note and "integrated_gradients" in note for note in why.notes)
    assert not sw.explain(model, torch.rand(3, 16, 16), method="eigencam").notes


def test_layer_guided_maps_of_several_layers_and_targets():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(4, 3),
    )  # fmt: skip
    found = sw.explain(model, torch.rand(3, 17, 15), method="layerguided", layer=["1", "3"], target=[0, 1])
    assert [(why.layer, why.index) for why in found] == [("1", 0), ("3", 0), ("1", 1), ("3", 1)]
    assert {why.map.shape for why in found} == {(17, 15)}
    again = sw.explain(model, found[1].seen.image, method="layerguided", target=0)  # the default layer
    np.testing.assert_array_equal(again.map, found[1].map)
