"""Shortcuts: the pure functions by examples worked by hand, then the whole on scenes."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import seewhy as sw
from seewhy import scenes
from seewhy.errors import InputError
from seewhy.evidence import Layer
from seewhy.studies.shortcuts import (
    candidates,
    covering,
    describing,
    heat,
    intervals,
    proving,
    scoring,
    showing,
    things,
    wording,
)
from seewhy.studies.shortcuts.colours import colours
from seewhy.studies.shortcuts.looking import chosen
from seewhy.targets import Aim, margins

RNG = np.random.default_rng(0)


def test_margin_is_the_log_odds_and_its_slope_is_right():
    scores = RNG.normal(size=(4, 5))
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(margins(scores, 2, False), np.log(shares[:, 2] / (1 - shares[:, 2])), rtol=1e-12)
    aim = Aim("margin", "", 2, margin=True)
    step = 1e-6
    for column in range(5):
        moved = scores + step * np.eye(5)[column]
        slope = (aim.value(moved) - aim.value(scores)) / step
        np.testing.assert_allclose(aim.direction(scores)[:, column], slope, atol=1e-5)


@pytest.mark.parametrize(("index", "sign"), [(0, -1), (1, 1)])
def test_margin_of_one_output_and_of_several_labels(index, sign):
    one = np.array([[2.0], [-3.0]])
    aim = Aim("margin", "", index, margin=True)
    np.testing.assert_array_equal(aim.value(one), sign * one[:, 0])
    np.testing.assert_array_equal(aim.direction(one), np.full((2, 1), float(sign)))
    several = Aim("margin", "", 1, several=True, margin=True)
    np.testing.assert_array_equal(several.value(np.array([[5.0, 7.0]])), [7.0])
    np.testing.assert_array_equal(several.direction(np.array([[5.0, 7.0]])), [[0.0, 1.0]])


def test_a_cover_never_sees_what_it_covers():
    image = np.zeros((1, 24, 24, 3), np.float32)
    image[0, :, :12], image[0, :, 12:] = 0.2, 0.8
    mask = np.zeros((1, 24, 24), bool)
    mask[0, 8:14, 8:14] = True
    one, other = image.copy(), image.copy()
    other[mask] = 1e6
    np.testing.assert_array_equal(covering.covered(one, mask), covering.covered(other, mask))
    filled = covering.covered(one, mask)
    np.testing.assert_array_equal(filled[~mask], image[~mask])
    assert filled[mask].min() > 0.2
    assert filled[mask].max() < 0.8


def test_a_cover_by_hand():
    """A line of three pixels, the middle one covered: both neighbours are as near, so it becomes their mean."""
    image = np.array([3.0, 100.0, 5.0], np.float32).reshape(1, 1, 3, 1)
    mask = np.array([False, True, False]).reshape(1, 1, 3)
    # sigma = 3 / 12 of a pixel across; one row, whose only weight is itself
    np.testing.assert_allclose(covering.covered(image, mask).ravel(), [3, 4, 5], rtol=1e-5)


def test_an_image_covered_everywhere_becomes_its_mean():
    image = RNG.random((1, 6, 6, 3)).astype(np.float32)
    filled = covering.covered(image, np.ones((1, 6, 6), bool))
    np.testing.assert_allclose(filled, np.broadcast_to(image.mean(axis=(1, 2), keepdims=True), image.shape), rtol=1e-5)


def test_covering_and_pasting_do_not_mind_how_channels_are_scaled():
    image, other = RNG.random((2, 1, 20, 20, 3)).astype(np.float32)
    mask = RNG.random((1, 20, 20)) > 0.7
    for edit in (lambda a, b: covering.covered(a, mask), lambda a, b: covering.pasted(a, mask, b)):
        np.testing.assert_allclose(edit(3 * image - 1, 3 * other - 1), 3 * edit(image, other) - 1, atol=1e-5)


def test_a_paste_is_the_donor_inside_and_the_receiver_far_outside():
    mask = np.zeros((1, 30, 30), bool)
    mask[0, 10:20, 10:20] = True
    pasted = covering.pasted(np.ones((1, 30, 30, 1)), mask, np.zeros((1, 30, 30, 1)))[0, :, :, 0]
    assert pasted[15, 15] == pytest.approx(1, abs=1e-3)
    assert pasted[2, 2] == pytest.approx(0, abs=1e-6)
    assert 0.2 < pasted[15, 9] < 0.5 < pasted[15, 10] < 0.8


def test_a_moved_mask_is_as_large():
    mask = np.zeros((2, 20, 20), bool)
    mask[:, :5, :5] = True
    moved = covering.elsewhere(mask, np.random.default_rng(0))
    assert moved.sum() == mask.sum()
    assert not (moved & mask).any()


def test_regions_hold_at_most_three_tenths_before_they_are_widened():
    maps = np.zeros((1, 10, 10))
    maps[0, 3, 4] = 1
    found = heat.regions(maps, (40, 40))[0]
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert rows.mean() == pytest.approx(13.5)
    assert columns.mean() == pytest.approx(17.5)
    even = heat.regions(RNG.random((1, 10, 10)) * 0.1 + 0.9, (200, 200))[0]
    assert 0.3 < even.mean() < 0.75  # 0.3, widened by 5 pixels


def test_sharp_heat_is_even_where_nothing_speaks():
    found, dark = heat.sharp(np.zeros((2, 8, 8)), np.ones((2, 4, 4)))
    assert dark.all()
    assert (found == 1).all()


def test_shares_add_up_to_one_and_average_by_area():
    maps = np.array([[[1.0, 2, 3], [0, 0, 0], [3, 2, 1]]])
    np.testing.assert_allclose(heat.shares(maps, (1, 1)), [[[1.0]]])
    found = heat.shares(maps, (3, 3))
    np.testing.assert_allclose(found[0], maps[0] / 12)
    np.testing.assert_allclose(heat.shares(np.ones((1, 5, 7)), (12, 12)).sum(), 1)


def test_colours_in_a_region_by_hand():
    image = np.array([[0.0, 2.0], [4.0, 9.0]]).reshape(1, 2, 2, 1)
    mask = np.array([[True, True], [True, False]])[None]
    np.testing.assert_allclose(describing.in_region(image, mask), [[2.0, np.sqrt(8 / 3)]])


def test_a_grid_is_without_the_pictures_own_brightness():
    images = RNG.random((3, 33, 47, 3))
    np.testing.assert_allclose(describing.grid(images + 5), describing.grid(images), atol=1e-5)
    assert describing.grid(images).shape == (3, 16, 16, 6)
    assert np.isfinite(describing.grid(images[:, :9, :9])).all()


def test_adjusted_r2_by_hand():
    """Values 0 0 4 4: all of the variance between; 0 2 4 6: total 5, between 4, adjusted 0.8 - 0.2 / 2."""
    inside = np.array([False, False, True, True])
    assert scoring.explained(np.array([[0.0], [0], [4], [4]]), inside) == 1
    assert scoring.explained(np.array([[0.0], [2], [4], [6]]), inside) == pytest.approx(0.7)
    assert scoring.explained(np.array([[0.0], [4], [4], [0]]), inside) == 0
    assert scoring.explained(np.zeros((4, 2)), inside) == 0
    assert scoring.sameness(np.array([[0.0], [4], [1], [1]]), inside) == 1


def test_explained_variance_of_chance_is_near_zero():
    values, inside = RNG.normal(size=(200, 50)), np.arange(200) < 20
    assert scoring.explained(values, inside) < 0.01 < 0.02 + scoring.between(values, inside)


def test_wards_nodes_are_nested_and_of_fitting_size():
    points = np.concatenate([RNG.normal(0, 0.1, (60, 2)), RNG.normal(5, 0.1, (40, 2)), [[99.0, 99]]])
    found = candidates.nodes(points)
    sets = [set(each.tolist()) for each in found]
    assert set(range(60)) in sets
    assert set(range(60, 100)) in sets
    assert all(10 <= len(each) <= 0.85 * 101 for each in sets)
    assert all(a <= b or b <= a or not a & b for a in sets for b in sets)
    assert candidates.nodes(points[:1]) == []


def test_the_same_group_is_kept_once():
    a, b = np.arange(20), np.arange(2, 20)  # Jaccard 0.9
    c, d = np.arange(40, 60), np.arange(10, 40)  # d shares 10 of 20 with a
    assert candidates.unlike([a, b, c, d], []) == [True, False, True, True]
    assert candidates.unlike([np.arange(4)], [a]) == [False]  # wholly inside


def test_two_heaps_are_cut_between_them():
    """Of 0, 1, 9, 10 the variance between is largest between 1 and 9."""
    assert candidates.halved(np.array([9.0, 0, 10, 1])) == 5


def test_a_part_grows_to_all_that_show_the_same_thing():
    """60 of 150 show it; the part has 15 of them, which are alike in another way, too."""
    points = RNG.normal(size=(150, 6))
    points[:60, 0] += 7
    points[:15, 1] += 1.5
    found = candidates.grown(points, np.arange(15))
    assert (found < 60).all()
    assert len(found) >= 55


def test_candidates_hold_what_only_the_pixels_tell():
    """A middle layer that knows a fixed mark but partly: the tree gives a part, the pixels the whole."""
    bears = np.arange(120) < 50
    middle, early, peak = (RNG.normal(size=(120, n)) for n in (12, 12, 6))
    middle[:20] += 3
    grid = RNG.normal(size=(120, 4, 4, 6))
    grid[bears, 0, 0] += 6
    found = [set(each.tolist()) for each in candidates.groups(middle, early, peak, grid)]
    assert set(np.flatnonzero(bears)) in found
    assert len(found) == len({frozenset(each) for each in found})
    assert all(10 <= len(each) <= 0.85 * 120 for each in found)


def test_one_heap_cut_in_two_is_not_far_apart():
    heap = RNG.normal(size=(400, 6))
    assert 2 < scoring.apart(heap, heap[:, 0] > 0) < 3.5
    heap[:100, 0] += 9
    assert scoring.apart(heap, np.arange(400) < 100) > 7


def test_the_same_patch_in_other_places_is_alike():
    rng = np.random.default_rng(0)
    images, rest = rng.random((2, 30, 24, 24, 3)).astype(np.float32) * rng.random((2, 30, 1, 1, 3))
    masks = np.zeros((30, 24, 24), bool)
    for i, (y, x) in enumerate(rng.integers(0, 18, (30, 2))):
        masks[i, y : y + 6, x : x + 6] = True
        images[i, y : y + 6, x : x + 6] = (0.9, 0.1, 0.2)
    by_rest, by_place = things.alike(images, masks, rest, masks, rng)
    assert by_rest > 0.99
    assert by_place > 0.9
    assert abs(things.alike(rest, masks, rest, masks, rng)[0]) < 1e-6


def test_what_does_not_look_alike_counts_where_all_pastes_agree():
    """L 0.3 and E 0.4 alone: 0.6 + 1.2, and 3 g; with a least gap of 0.25 another 100 x 0.12 x 0.25."""
    marks = scoring.Marks(where=0.3, region=0, peak=0, early=0.4, same=0, vmax=0.1, apart=1)
    gaps = {"gap_heat": 0.3, "gap_pixels": 0.1, "gap_own": 0.25, "gap_thing": 0.4}
    parts = {**gaps, "vmax": 0.1, "alike": -1.0, "alone": -1.0, "apart_pixels": 1.0}
    assert proving.controlled(marks, parts) == pytest.approx(0.6 + 1.2 + 3 * 0.4 + 3)
    assert proving.controlled(marks, parts | {"gap_own": -0.2}) == pytest.approx(0.6 + 1.2 + 3 * 0.4)


def test_interval_of_a_difference():
    """Newcombe 1998, table II, row (a) of 56/70 and 48/80: method 10 gives 0.0524 to 0.3339."""
    low, high = intervals.gap(56, 70, 48, 80)
    assert low == pytest.approx(0.0524, abs=1e-4)
    assert high == pytest.approx(0.3339, abs=1e-4)


def test_groups_widen_an_interval():
    values = np.repeat(RNG.normal(size=8), 8)

    def width(groups):
        low, high = intervals.means([values], [groups], 0)
        return high - low

    assert width(np.repeat(np.arange(8), 8).tolist()) > 2 * width(list(range(64)))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ((slice(12, 16), slice(0, 16)), "along the bottom"),
        ((slice(0, 4), slice(0, 4)), "in the top left"),
        ((slice(6, 10), slice(6, 10)), "in the middle"),
        ((slice(0, 16), slice(0, 16)), "all over the picture"),
    ],
)
def test_places_in_words(cells, words):
    grid = np.zeros((16, 16))
    grid[cells] = 1
    assert wording.place(grid, grid, np.zeros((5, 2))) == words


def test_border_and_varying_places_in_words():
    border = np.ones((16, 16))
    border[1:-1, 1:-1] = 0
    assert wording.place(border, border, np.zeros((5, 2))) == "at the border"
    assert wording.place(np.zeros((16, 16)), border, RNG.random((50, 2))) == "in varying places"


def _layers(*grids):
    return [Layer(f"{i}", "Block", (), 0, (side, side), True, block=True) for i, side in enumerate(grids)]


@pytest.mark.parametrize(
    ("grids", "side", "names"),
    [
        ((32, 32, 16, 16, 8, 8, 8), 64, ("3", "4", "6")),  # a small network: stride 4 before 8
        ((80, 40, 20, 20, 10, 10, 5, 5), 160, ("3", "5", "7")),  # MobileNetV2: 8, 16, 32
        ((56, 28, 14, 7), 224, ("1", "2", "3")),  # ResNet
        ((14,) * 12, 224, ("5", "8", "11")),  # a transformer
    ],
)
def test_layers_are_chosen_by_their_stride(grids, side, names):
    assert chosen(_layers(*grids), str(len(grids) - 1), (side, side)) == names


def test_too_few_layers_are_told():
    with pytest.raises(InputError, match="an early, a middle and a last one"):
        chosen(_layers(8, 8), "1", (8, 8))


NETWORK = """
import torch
from torch import nn
from seewhy import wrap

def make():
    torch.manual_seed({seed})
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 2),
    )
    torch.manual_seed(0)
    images = torch.rand(64, 3, 32, 32)
    images[::2, 0] = 0.98
    with torch.no_grad():
        net[6].bias -= net(images).mean(0)  # both classes are predicted
    return wrap(net, labels=["blue", "red"], prepare="0..1@32", name="tiny")
"""


@pytest.fixture
def tiny(tmp_path):
    """An audited folder of pictures that an untrained network half knows, and the network."""
    import torch

    names = {}
    exec(NETWORK.format(seed=0), names)
    model = names["make"]()
    for i in range(90):
        pixels = np.random.default_rng(i).integers(0, 255, (32, 32, 3), dtype=np.uint8)
        if i % 2:
            pixels[:, :, 0] = 250
        image = model.prepare(Image.fromarray(pixels))
        with torch.no_grad():
            label = model.labels[int(model.module(torch.from_numpy(image)[None]).argmax())]
        if i % 10 == 0:
            label = "red" if label == "blue" else "blue"
        (tmp_path / "photos" / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{i:03}.png")
    (tmp_path / "nets.py").write_text(NETWORK.format(seed=0))
    (tmp_path / "other.py").write_text(NETWORK.format(seed=1))
    return tmp_path, model


def audited(folder, model, out="run", **options):
    return sw.audit(model, folder / "photos", folder / out, check=False, **options)


def told(findings):
    return json.dumps(findings.as_dict(), sort_keys=True)


def test_the_same_seed_gives_the_same_findings_in_any_order(tiny):
    folder, model = tiny
    run = audited(folder, model)
    one, again = sw.find_shortcuts(run, model), sw.find_shortcuts(run, model)
    assert told(one) == told(again)
    (folder / "mixed").mkdir()
    files = sorted((folder / "photos").rglob("*.png"))
    shuffled = np.random.default_rng(0).permutation(len(files))
    rows = []
    for number, place in enumerate(shuffled):  # other names, so that another order and other parts come of it
        file = files[place]
        shutil.copy(file, folder / "mixed" / f"{number}.png")
        rows.append(f"{number}.png,{file.parent.name}")
    (folder / "mixed" / "list.csv").write_text("path,label\n" + "\n".join(rows))
    other = sw.find_shortcuts(
        sw.audit(model, folder / "mixed/list.csv", folder / "run2", check=False, part_size=16), model
    )
    assert [each.s3 for each in other] == pytest.approx([each.s3 for each in one])
    assert [len(each.ids) for each in other] == [len(each.ids) for each in one]


def test_tests_are_kept_picture_by_picture(tiny):
    folder, model = tiny
    run = audited(folder, model)
    sw.find_shortcuts(run, model)
    found = run.findings()
    for one in found:
        for each in one.effects:
            for trials, effect in ((each.trials, each.effect), (each.control_trials, each.control_effect)):
                if each.test == "cover":
                    assert np.mean([trial.before - trial.after for trial in trials]) == pytest.approx(effect, abs=1e-4)
                    assert all(trial.donor is None for trial in trials)
                    audited_as = {row["id"]: row["probability"] for row in run.rows([t.id for t in trials]).to_pylist()}
                    np.testing.assert_allclose(
                        [t.before for t in trials], [audited_as[t.id] for t in trials], rtol=0, atol=1e-6
                    )
                else:
                    assert np.mean([trial.answer == one.index for trial in trials]) == pytest.approx(effect)
        assert sum(cell.shows for cell in one.cells if not cell.scored) == len(one.ids)
        assert sum(cell.shows + cell.lacks for cell in one.cells if not cell.scored) == one.looked
    shots = [shot for shot in found[0].shots if shot.test == "cover"]
    assert len(shots) == 3
    with Image.open(run.folder / "findings" / shots[0].file) as sheet:
        assert sheet.size == (2 * 32, 3 * 32)
        before = np.asarray(sheet.convert("RGB"), int)[:32, :32]
    (row,) = run.rows([shots[0].trial.id], ["path"]).to_pylist()
    eaten = 255 * np.moveaxis(model.prepare(Image.open(folder / "photos" / row["path"])), 0, -1)
    assert abs(before.mean(axis=(0, 1)) - eaten.mean(axis=(0, 1))).max() < 10  # JPEG cuts bright red off
    assert np.corrcoef(before[..., 1].ravel(), eaten[..., 1].ravel())[0, 1] > 0.8  # JPEG blurs such noise


@pytest.mark.parametrize("preset", ["imagenet", "-1..1", "0..255"])
def test_what_the_model_was_given_is_seen_in_its_colours(preset):
    prepare = _prepared(preset)
    picture = Image.fromarray(np.full((16, 16, 3), (200, 30, 90), np.uint8))
    way = colours(prepare, prepare(picture)[None])
    np.testing.assert_allclose(showing._pixels(way.pixels(prepare(picture)))[8, 8], (200, 30, 90), atol=1)


def _prepared(preset):
    import torch

    model = sw.wrap(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3)), prepare=f"{preset}@16")
    return lambda picture: np.moveaxis(np.asarray(model.prepare(picture)), 0, -1)


def test_findings_are_kept_and_opened(tiny):
    folder, model = tiny
    run = audited(folder, model)
    with pytest.raises(InputError, match="no findings in"):
        run.findings()
    found = sw.find_shortcuts(run, model)
    opened = sw.open(folder / "run").findings()
    assert repr(opened) == repr(found)
    assert told(opened) == told(found)
    assert len(found)
    np.testing.assert_allclose(opened[0].maps, found[0].maps, atol=1e-3)
    with pytest.raises(InputError, match="opened without its model"):
        opened[0].mask(folder / "photos" / found[0].paths[0])
    picture = folder / "photos" / found[0].paths[0]
    assert found[0].mask(picture).shape == (32, 32)
    rest = [
        p
        for p in sorted((folder / "photos").rglob("*.png"))
        if str(p.relative_to(folder / "photos")) not in found[0].paths
    ]
    members = [folder / "photos" / path for path in found[0].paths]
    assert found[0].score(members).mean() > found[0].score(rest).mean()


def test_nothing_found_says_what_was_tried(tiny):
    folder, model = tiny
    found = sw.find_shortcuts(audited(folder, model), model)
    assert not found.raised
    text = repr(found)
    assert text.startswith("Nothing was raised: no group of pictures came above the line of ")
    told = " ".join(text.split())
    assert "Tried: 90 pictures" in told
    assert "The weakest effect that these tests can tell from chance:" in told
    assert "no proof" in told
    assert "all good" not in text


def test_vanished_and_changed_pictures_are_told(tiny):
    folder, model = tiny
    run = audited(folder, model)
    files = sorted((folder / "photos").rglob("*.png"))
    files[3].unlink()
    Image.new("RGB", (32, 32)).save(files[5])
    notes = " ".join(sw.find_shortcuts(run, model).notes)
    assert "2 pictures left out" in notes
    shutil.rmtree(folder / "photos")
    with pytest.raises(InputError, match="can be read again"):
        sw.find_shortcuts(run, model)


def test_another_model_or_preparation_is_told(tiny):
    folder, model = tiny
    run = audited(folder, model)
    names = {}
    exec((folder / "other.py").read_text(), names)
    with pytest.raises(InputError, match="whose weights are not those of the audited tiny"):
        sw.find_shortcuts(run, names["make"]())
    with pytest.raises(InputError, match="makes other images than that of the audit"):
        sw.find_shortcuts(run, sw.wrap(model, prepare="-1..1@32"))


def test_a_run_without_labels_or_with_too_few_pictures_is_told(tiny):
    folder, model = tiny
    with pytest.raises(InputError, match="shortcuts of a run without labels"):
        sw.find_shortcuts(audited(folder, model, "bare", labelled=False), model)
    with pytest.raises(InputError, match="30 of a class at least"):
        sw.find_shortcuts(audited(folder, model, "few", limit=30), model)
    with pytest.raises(InputError, match="30 pictures or more"):
        sw.find_shortcuts(audited(folder, model, "few", limit=30), model, per_class=3)


def test_a_folder_of_masks_that_is_not_there_is_told_before_any_pass(tiny):
    folder, model = tiny

    def looked(done, total):
        raise AssertionError("pictures were looked at in vain")

    with pytest.raises(InputError, match=r"masks=.*no_masks', which is no folder"):
        sw.find_shortcuts(audited(folder, model), model, masks=folder / "no_masks", progress=looked)


def test_the_command(tiny, monkeypatch):
    from typer.testing import CliRunner

    from seewhy.apps.cli import app

    folder, model = tiny
    audited(folder, model)
    monkeypatch.chdir(folder)
    words = ["shortcuts", "run", "--model", "nets.py:make"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("Nothing was raised:")
    assert list((folder / "run" / "findings").glob("SC01.png"))
    as_json = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert as_json["findings"][0]["code"] == "SC01"
    wrong = CliRunner().invoke(app, [*words, "--fail-on", "prooven"])
    assert wrong.exit_code == 2
    assert "did you mean 'proven'?" in wrong.stderr


def searched(folder, plants):
    from seewhy.models.torch import small

    seen, test = scenes.make(1200, 0, plants=plants), scenes.make(600, 1, plants=plants)
    network = small.train(seen.pictures, seen.labels, 0)
    model = sw.wrap(network, labels=list(test.names), prepare=small.preparation())
    run = sw.audit(model, test.write(folder / "pictures"), folder / "run", check=False)
    return sw.find_shortcuts(run, model), test


@pytest.mark.slow
def test_a_learned_logo_comes_first_and_is_proven(tmp_path):
    found, test = searched(tmp_path, scenes.Plant("logo anywhere", on="disc"))
    first, bears = found[0], test.planted[:, 0]
    assert (first.label, first.status) == ("disc", "proven")
    ids = [int(path.rsplit("/")[-1].removesuffix(".png")) for path in first.paths]
    assert bears[ids].mean() >= 0.8
    assert bears[ids].sum() >= 0.2 * bears.sum()
    assert first.place == "in varying places"
    logo = next(i for i in ids if bears[i])
    assert (first.mask(test.pictures[logo]) & test.marker_masks[logo]).sum() > 0.5 * test.marker_masks[logo].sum()
    covered = first.effect("cover", "thing")
    assert [name for name, _ in covered.fills] == ["surroundings", "mean colour", "another picture"]
    assert covered.difference == min(difference for _, difference in covered.fills)


@pytest.mark.slow
def test_nothing_is_raised_of_a_model_without_a_shortcut(tmp_path):
    found, _ = searched(tmp_path, ())
    assert not found.raised
    assert repr(found).startswith("Nothing was raised:")
