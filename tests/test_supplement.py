"""Supplement studies: what is split, nested and left out; the noise; and the whole on scenes with a small network."""

import csv
import itertools
import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image, ImageOps
from scipy import stats

import seewhy as sw
from seewhy import scenes
from seewhy.errors import InputError, SeeWhyWarning, UnknownNameError
from seewhy.images.reading import read
from seewhy.models.torch.small import SmallNet, as_images, preparation
from seewhy.studies.data import as_data
from seewhy.studies.supplement import dividing, noise
from seewhy.studies.supplement.pictures import Item, Pictures, listed

SIDE = 48


def net(seed, classes):
    """A network with random weights that depend on the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SmallNet(classes).eval()


def quick(data, seed):
    """Features of a random network and a least-squares head: trained in a moment, and it learns."""
    model = net(seed, len(data.classes))
    pixels = np.stack([np.asarray(read(picture)) for picture, _ in data])
    with torch.inference_mode():
        features = torch.nn.Sequential(*list(model)[:-1])(as_images(pixels)).double()
        features = torch.cat([features, torch.ones(len(data), 1)], 1)
        wanted = 2.0 * torch.nn.functional.one_hot(torch.tensor(data.indices)).double() - 1
        gram = features.T @ features + 1e-3 * torch.eye(features.shape[1])
        weights = torch.linalg.solve(gram, features.T @ wanted).float()
        model[-1].weight.copy_(weights[:-1].T)
        model[-1].bias.copy_(weights[-1])
    return sw.wrap(model, labels=[str(name) for name in data.classes], prepare=preparation(SIDE))


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Pictures to train on, where discs bear a logo; extra ones, where they do not; and others to be held out."""
    root = tmp_path_factory.mktemp("supplement")
    logo = scenes.Plant("corner logo", on="disc", rate=1.0)
    for name, count, seed, plants in (("own", 60, 0, logo), ("extra", 48, 5, ()), ("test", 45, 9, ())):
        scenes.make(count, seed=seed, plants=plants, side=SIDE).write(root / name)
    return {name: root / name / "pictures" for name in ("own", "extra", "test")}


@pytest.fixture(scope="session")
def done(folders, tmp_path_factory):
    out = tmp_path_factory.mktemp("studies") / "logo"
    return sw.study(quick, folders["own"], (1, 0, 0.5), **asked(folders, out))


def asked(folders, out, **more):
    found = {"supplement": folders["extra"], "held_out": folders["test"], "out": out, "repeats": 2}
    return {**found, "audit": {"check": False}, **more}


def items(labels, hashes=None, groups=None):
    data = as_data([(np.zeros((2, 2, 3), np.uint8), label) for label in labels])
    hashes = hashes or [f"{i:032x}" for i in range(len(labels))]
    groups = groups or [None] * len(labels)
    return [Item(data, i, *each) for i, each in enumerate(zip(labels, hashes, groups, strict=True))]


@pytest.mark.parametrize("seed", range(3))
def test_a_smaller_share_lies_in_a_larger_one(seed):
    extra = items(["cat"] * 30 + ["dog"] * 9)
    parts = [{item.hash for item in dividing.part_of(extra, share, seed)} for share in (0, 0.25, 0.5, 0.75, 1)]
    assert [len(part) for part in parts] == [0, 8 + 2, 15 + 5, 23 + 7, 39]
    assert all(small <= large for small, large in itertools.pairwise(parts))
    other = {item.hash for item in dividing.part_of(extra, 0.5, seed + 1)}
    assert other != parts[2]
    assert {item.hash for item in dividing.part_of(extra[::-1], 0.5, seed)} == parts[2]


def test_what_belongs_together_is_held_out_together():
    hashes = [f"{i // 2:032x}" for i in range(40)]  # each picture is there twice
    groups = [f"patient {i // 8}" for i in range(40)]
    every = items(["cat", "dog"] * 20, hashes, groups)
    aside = dividing.held_out(every, 0.25, 0)
    rest = [item for item in every if item not in aside]
    assert {item.hash for item in aside}.isdisjoint(item.hash for item in rest)
    assert {item.group for item in aside}.isdisjoint(item.group for item in rest)
    assert min(sum(item.label == label for item in aside) for label in ("cat", "dog")) >= 5
    assert len(aside) <= 16
    assert dividing.held_out(every[::-1], 0.25, 0) == aside


def test_a_quarter_is_held_out_of_each_class():
    aside = dividing.held_out(items(["cat"] * 40 + ["dog"] * 8), 0.25, 3)
    assert [sum(item.label == label for item in aside) for label in ("cat", "dog")] == [10, 2]


def test_pictures_are_a_plain_list_of_pairs():
    found = Pictures(tuple(items(["dog", "cat", "dog"])), ("cat", "dog"), 0.5, 1)
    assert [label for _, label in found] == found.labels == ["dog", "cat", "dog"]
    assert found.indices == [1, 0, 1]
    assert found[-1][1] == "dog"
    assert len(found[1:]) == 2
    assert repr(found) == "Pictures(3 of cat, dog; 1 of them added, a share of 0.5)"


def test_of_one_training_it_is_the_paired_t_test():
    change = np.random.default_rng(0).normal(0.1, 1, (1, 50))
    found, known = noise.estimated(change), stats.ttest_1samp(change[0], 0)
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))


def test_of_trainings_alone_it_is_the_t_test_over_them():
    """Where all pictures change alike, only trainings differ."""
    change = np.repeat(np.array([[0.1], [0.3], [0.2], [0.25]]), 60, axis=1)
    found, known = noise.estimated(change), stats.ttest_1samp(change[:, 0], 0)
    assert found.p == pytest.approx(known.pvalue)


def test_noise_alone_is_called_a_change_in_about_one_of_twenty():
    rng = np.random.default_rng(1)
    called = 0
    for _ in range(600):
        hard = rng.normal(1, 1.2, 120)
        tables = [(hard + 0.3 * rng.normal(size=(3, 1)) + rng.normal(size=(3, 120)) > 0) * 1.0 for _ in range(2)]
        called += noise.estimated(tables[1] - tables[0]).p < 0.05
    assert 15 <= called <= 48  # of 600; seen: 32


def test_pictures_without_a_value_are_left_out_and_no_change_has_no_noise():
    values = np.array([[1.0, np.nan, 0.0], [1.0, 1.0, 0.0]])
    assert noise.estimated(values).mean == 0.5
    assert noise.estimated(np.full((2, 3), np.nan)) is None
    assert noise.estimated(np.zeros((3, 9))).p == 1


def test_holm_by_hand():
    assert noise.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert noise.holm([]) == []


def test_the_curve_is_that_of_the_runs(done, folders):
    assert done.shares == (0, 0.5, 1)
    assert [each.added for each in done if each.seed == 0] == [0, 24, 48]
    assert [each.pictures for each in done if each.seed == 1] == [60, 84, 108]
    points = {(point.measure, point.share): point for point in done.curve}
    for share in done.shares:
        runs = [done.run(share, seed) for seed in (0, 1)]
        point = points["accuracy", share]
        assert point.values == pytest.approx([run.measures().accuracy for run in runs])
        assert point.mean == pytest.approx(np.mean(point.values))
        assert point.spread == pytest.approx(np.std(point.values, ddof=1))
        border = [np.mean(run.select(["border"])["border"].drop_null().to_numpy()) for run in runs]
        assert points["border", share].values == pytest.approx(border)
    assert points["accuracy", 1].change == pytest.approx(points["accuracy", 1].mean - points["accuracy", 0].mean)
    assert points["accuracy", 0].p is None
    discs = [point for point in done.curve if point.of == "disc"]
    assert [point.pictures for point in discs] == [15, 15, 15]
    assert discs[2].mean > discs[0].mean  # discs without a logo are known once some were shown
    assert done.difference(1, 0).mean == pytest.approx(points["accuracy", 1].change)


def test_a_study_is_opened_and_printed(done, tmp_path):
    again = sw.open_study(done.folder)
    assert again.curve == done.curve
    text = repr(again)
    assert text.startswith("Study of pictures: 48 pictures beside 60 of 3 classes; 45 held out; 6 models")
    for words in ("right on disc", " 50 %", "Hillis 2007", "±"):
        assert words in text
    again.save(tmp_path / "curve.csv")
    again.save(tmp_path / "curve.parquet")
    rows = list(csv.DictReader((tmp_path / "curve.csv").read_text("utf-8").splitlines()))
    assert len(rows) == len(again.curve) == pq.read_table(tmp_path / "curve.parquet").num_rows
    assert float(rows[0]["mean"]) == again.curve[0].mean
    assert json.loads(json.dumps(again.as_dict()))["curve"][0]["measure"] == "accuracy"
    assert "<table>" in again._repr_html_()
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        again.save(tmp_path / "curve.xlsx")


def test_it_is_drawn(done, tmp_path):
    assert len(done.plot(tmp_path / "curve.png").axes) == 3
    with Image.open(tmp_path / "curve.png") as curve:
        assert curve.width > 800
    done.gif("disc/00001.png", tmp_path / "focus.gif")
    with Image.open(tmp_path / "focus.gif") as focus:
        assert focus.n_frames == 3
    strip = done.strip(3, seed=1)
    assert strip.width > 3 * strip.height  # the picture and three maps
    page = done.report(tmp_path / "study.html", pictures=2).read_text("utf-8")
    assert page.count("data:image/jpeg") == 2
    assert "accuracy" in page
    assert "http" not in page.replace("http-equiv", "")
    assert str(done.folder.parent) not in page


def test_finished_trainings_are_not_repeated_and_more_are_added(done, folders, tmp_path):
    out = tmp_path / "copy"
    shutil.copytree(done.folder, out)
    (out / "trained" / "share-0.5-seed-1.json").unlink()  # as if killed in the middle of it
    (out / "runs" / "share-0.5-seed-1" / "run.json").write_text("{")
    calls = []

    def counted(data, seed):
        calls.append((data.share, seed))
        return quick(data, seed)

    with pytest.warns(SeeWhyWarning, match="train is not what it was"):
        found = sw.study(counted, folders["own"], (0, 0.25, 0.5, 1), **asked(folders, out))
    assert calls == [(0.25, 0), (0.25, 1), (0.5, 1)]
    assert found.shares == (0, 0.25, 0.5, 1)
    before = {(point.measure, point.share): point.values for point in done.curve}
    after = {(point.measure, point.share): point.values for point in found.curve}
    assert all(after[key] == pytest.approx(before[key]) for key in before)


def test_other_settings_are_told(done, folders):
    with pytest.raises(InputError, match="the held-out pictures"):
        sw.study(quick, folders["own"], **asked(folders, done.folder, held_out=0.2))
    with pytest.raises(InputError, match="the seed differ"):
        sw.study(quick, folders["own"], **asked(folders, done.folder, seed=4))
    with pytest.raises(InputError, match="the supplement"):
        sw.study(quick, folders["own"], **asked(folders, done.folder, supplement=ImageOps.mirror))


def test_a_training_that_fails_is_told_and_the_others_go_on(folders, tmp_path):
    state = {"broken": True}

    def train(data, seed):
        if data.share == 0.5 and state["broken"]:
            raise RuntimeError("no memory left for this")
        return None if data.share == 1 and state["broken"] else quick(data, seed)

    with pytest.warns(SeeWhyWarning) as told:
        found = sw.study(train, folders["own"], (0, 0.5, 1), **asked(folders, tmp_path / "s", repeats=1))
    assert [str(one.message).splitlines()[0] for one in told] == [
        "share 0.5, seed 0 failed: RuntimeError: no memory left for this",
        "share 1, seed 0 failed: train returned nothing",
    ]
    assert [each.share for each in found.failures] == [0.5, 1]
    assert found.shares == (0,)
    assert "share 0.5, seed 0 failed: RuntimeError" in repr(found)
    assert found.missing == 2
    state["broken"] = False
    again = sw.study(train, folders["own"], (0, 0.5, 1), **asked(folders, tmp_path / "s", repeats=1))
    assert not again.failures
    assert not any(point.beyond_noise for point in again.curve)  # one training a share tells no noise
    assert "its noise is not known" in repr(again)


def test_an_interrupted_study_goes_on(folders, tmp_path):
    def train(data, seed):
        if data.share == 1:
            raise KeyboardInterrupt
        return quick(data, seed)

    with pytest.raises(KeyboardInterrupt):
        sw.study(train, folders["own"], (0, 1), **asked(folders, tmp_path / "s", repeats=1))
    half = sw.open_study(tmp_path / "s")
    assert half.shares == (0,)
    assert "1 training not done yet" in repr(half)


def test_held_out_pictures_are_never_trained_on(folders, tmp_path):
    own, extra = tmp_path / "own", tmp_path / "extra"
    shutil.copytree(folders["own"], own)
    shutil.copytree(folders["extra"], extra)
    leaked = sorted(folders["test"].rglob("*.png"))[:3]
    for path in leaked[:2]:
        shutil.copy(path, own / path.parent.name / f"copy-{path.name}")
    shutil.copy(leaked[2], extra / leaked[2].parent.name / "copy.png")
    first = min(own.rglob("*.png"))
    shutil.copy(first, extra / first.parent.name / "again.png")
    seen = []

    def train(data, seed):
        seen.extend(read(picture).tobytes() for picture, _ in data)
        return quick(data, seed)

    found = sw.study(train, own, (1,), **asked({**folders, "own": own, "extra": extra}, tmp_path / "s", repeats=1))
    assert not {read(path).tobytes() for path in leaked} & set(seen)
    assert len(seen) == 60 + 48
    told = " ".join(found.notes)
    assert "as held out: 2 pictures of the data" in told
    assert "as held out: 1 picture of the supplement" in told
    assert "as in the data already: 1 picture of the supplement" in told


def test_a_share_of_the_data_is_held_out_and_stated(folders, tmp_path):
    found = sw.study(quick, folders["own"], (0,), **asked(folders, tmp_path / "s", held_out=0.3, repeats=1))
    of = found.about["pictures"]
    assert (of["training"], of["held_out"]) == (42, 18)
    assert "held out: 30% of each class, drawn from the data by seed 0" in repr(found)
    own = set(found.run(0).select(["path"])["path"].to_pylist())
    assert len(own) == 18


def test_models_are_kept_where_asked(folders, tmp_path):
    def save(model, path):
        torch.save(model.module.state_dict(), path.with_suffix(".pt"))

    sw.study(quick, folders["own"], (0, 1), **asked(folders, tmp_path / "s", repeats=1, save=save))
    names = sorted(path.name for path in (tmp_path / "s" / "models").iterdir())
    assert names == ["share-0-seed-0.pt", "share-1-seed-0.pt"]


def test_data_in_memory(folders, tmp_path):
    def pairs(name):
        found = as_data(folders[name])
        return [(np.asarray(read(found.sample(i).source)), found.sample(i).label) for i in range(len(found))]

    given = {"supplement": pairs("extra"), "held_out": pairs("test")}
    found = sw.study(quick, pairs("own"), (0, 1), **asked(folders, tmp_path / "s", repeats=1, **given))
    assert found.shares == (0, 1)
    assert found.strip(0).width > 300


BAD = [
    ({"supplement": None}, "no supplement"),
    ({"held_out": 1.5}, "held_out=1.5"),
    ({"repeats": 0}, "repeats=0"),
    ({"shares": (0, 2)}, "shares="),
    ({"shares": ()}, "shares="),
    ({"train": 3}, "train of type int"),
    ({"supplement": iter([])}, "a stream as supplement"),
    ({"findings": 3}, "findings"),
]


@pytest.mark.parametrize(("more", "said"), BAD, ids=[said for _, said in BAD])
def test_what_cannot_be_used_is_told(more, said, folders, tmp_path):
    given = {"train": quick, "shares": (0, 1), **asked(folders, tmp_path / "s"), **more}
    with pytest.raises(InputError, match=said):
        sw.study(data=folders["own"], **given)


def test_labels_of_the_supplement_are_those_of_the_data(folders, tmp_path):
    strange = tmp_path / "strange"
    shutil.copytree(folders["extra"] / "disc", strange / "disk")
    with pytest.raises(InputError, match="the label 'disk'") as told:
        sw.study(quick, folders["own"], **asked(folders, tmp_path / "s", supplement=strange))
    assert "did you mean 'disc'" in str(told.value)
    flat = tmp_path / "flat"
    shutil.copytree(folders["extra"] / "disc", flat)
    with pytest.raises(InputError, match="no usable picture as the supplement"):
        sw.study(quick, folders["own"], **asked(folders, tmp_path / "s2", supplement=flat))


def test_unreadable_pictures_are_left_out_and_told(folders, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(folders["own"], own)
    (own / "disc" / "bad.png").write_bytes(b"no picture")
    found, notes = listed(as_data(own), "the data")
    assert len(found) == 60
    assert len(notes) == 1
    assert "disc/bad.png" in notes[0]


def test_asking_for_what_is_not_there(done, tmp_path):
    with pytest.raises(UnknownNameError, match="no model of share"):
        done.run(0.3)
    with pytest.raises(UnknownNameError, match="did you mean 'accuracy'"):
        done.difference(1, 0, "acuracy")
    with pytest.raises(UnknownNameError, match="is no held-out picture"):
        done.gif("nothing.png", tmp_path / "a.gif")
    with pytest.raises(InputError, match="holds no study"):
        sw.open_study(tmp_path)
