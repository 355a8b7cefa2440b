"""Supplement studies: what is split, nested and left out; the noise; and the whole on scenes with a small network."""

import csv
import itertools
import json
import runpy
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
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
from seewhy.studies.supplement import dividing, making, measures, noise
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
        assert points["heat on border", share].values == pytest.approx(border)
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
    assert text.startswith("Study of extra: 48 pictures beside 60 of 3 classes; 45 held out; 6 models")
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


def test_a_model_that_answers_nothing_is_told(folders, tmp_path):
    def train(data, seed):
        model = net(seed, len(data.classes))
        if data.share:
            model[-1].bias.data[:] = float("nan")
        return sw.wrap(model, labels=[str(name) for name in data.classes], prepare=preparation(SIDE))

    with pytest.warns(sw.SeeWhyWarning, match=r"share 1, seed 0: (\d+) of \1 held-out pictures have no answer"):
        found = sw.study(train, folders["own"], (0, 1), **asked(folders, tmp_path / "study", repeats=1))
    assert any("have no answer" in note for note in found.notes)


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


def test_a_bad_file_of_values_and_a_bad_finding_end_no_study(done, folders, tmp_path, monkeypatch):
    out = tmp_path / "copy"
    shutil.copytree(done.folder, out)
    wrong = {"accuracy": [1.0, 0.0]}  # neither the names nor the number of the pictures
    pq.write_table(pa.table(wrong), out / "trained" / "share-0-seed-0.parquet")
    pq.write_table(pa.table({"accuracy|": [1.0, 0.0]}), out / "trained" / "share-1-seed-0.parquet")
    found = sw.study(quick, folders["own"], (0, 0.5, 1), **asked(folders, out))
    assert found.curve == done.curve
    odd = corner(probe=False)
    monkeypatch.setattr(sw.Finding, "region", lambda self, shape: 1 / 0)
    with pytest.warns(SeeWhyWarning, match="its heat on the findings could not be measured: ZeroDivisionError"):
        found = sw.study(quick, folders["own"], (0, 0.5, 1), **asked(folders, out, findings=[odd]))
    assert len(found.finished) == 6
    assert found.curve == done.curve
    assert "share 0.5, seed 1: its heat on the findings could not be measured" in " ".join(repr(found).split())
    monkeypatch.undo()
    again = sw.study(quick, folders["own"], (0, 0.5, 1), **asked(folders, out, findings=[odd]))
    assert "could not be measured" not in repr(again)
    assert "heat on SC01" in again.measures


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
    assert "held out: 30 % of each class, drawn from the data by seed 0" in repr(found)
    own = set(found.run(0).select(["path"])["path"].to_pylist())
    assert len(own) == 18


def test_models_are_kept_where_asked(folders, tmp_path):
    def save(model, path):
        torch.save(model.module.state_dict(), path.with_suffix(".pt"))

    sw.study(quick, folders["own"], (0, 1), **asked(folders, tmp_path / "s", repeats=1, save=save))
    names = sorted(path.name for path in (tmp_path / "s" / "models").iterdir())
    assert names == ["share-0-seed-0.pt", "share-1-seed-0.pt"]


def test_a_model_that_cannot_be_saved_is_told_and_its_run_kept(folders, tmp_path):
    def save(model, path):
        raise OSError("disk full")

    with pytest.warns(SeeWhyWarning, match="its model is not kept, as save failed: OSError: disk full"):
        found = sw.study(quick, folders["own"], (0,), **asked(folders, tmp_path / "s", repeats=1, save=save))
    assert not found.failures
    assert found.run(0).complete
    assert "accuracy" in found.measures
    assert "share 0, seed 0: its model is not kept, as save failed: OSError: disk full" in repr(found)


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
    with pytest.raises(InputError, match="a study of several runs"):
        sw.open(done.folder)


def pairs(folder, count=24):
    """Pictures of a folder with their labels, of all classes."""
    found = as_data(folder)
    numbers = np.linspace(0, len(found) - 1, count).astype(int)
    return [(found.sample(i).source, found.sample(i).label) for i in numbers]


def test_a_head_is_the_softmax_regression_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    from seewhy.models.heads import fitted

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    features = (rng.normal(size=(400, 5)) + np.eye(3, 5)[labels]) * [1, 10, 0.1, 1, 0] + [0, 5, 0, 0, 3]
    weights, bias = fitted(features, labels, 3, seed=0, epochs=40)
    scaled = (features - features.mean(0)) / np.maximum(features.std(0), 1e-9)
    known = LogisticRegression(C=1e3, max_iter=1000).fit(scaled, labels).predict_proba(scaled)
    scores = features @ weights + bias
    chances = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    assert np.abs(chances - known).max() < 0.04
    assert (weights[4] == 0).all()  # what never varies tells nothing
    again = fitted(features, labels, 3, seed=0, epochs=40)
    np.testing.assert_array_equal(again[0], weights)
    assert not np.array_equal(fitted(features, labels, 3, seed=1, epochs=40)[0], weights)


@pytest.mark.parametrize("tune", [0, 1])
def test_transfer_learning_on_a_network_of_ones_own(folders, tune):
    body = sw.wrap(net(0, 5), prepare=preparation(SIDE))
    before = {name: value.clone() for name, value in body.module.state_dict().items()}
    train = sw.transfer(body, epochs=5, tune=tune)
    data = pairs(folders["own"])
    one, again, other = train(data, 0), train(data, 0), train(data, 1)
    assert one.labels == ("cross", "disc", "triangle")
    assert one.fingerprint() == again.fingerprint() != other.fingerprint()
    assert all(torch.equal(value, before[name]) for name, value in body.module.state_dict().items())
    moved = {
        name
        for name, value in one.module.state_dict().items()
        if name in before and value.shape == before[name].shape and not torch.equal(value, before[name])
    }
    assert bool(moved) == bool(tune)  # the last block alone, but for the statistics of its norms
    assert all(name.startswith("3.") and "running" not in name and "num_batches" not in name for name in moved)
    assert {each.requires_grad for each in one.module.parameters()} == {True}


def test_the_new_head_gives_what_the_regression_said(folders):
    from seewhy.models.heads import fitted

    train = sw.transfer(sw.wrap(net(0, 5), prepare=preparation(SIDE)), epochs=3)
    data = pairs(folders["own"], 6)
    model = train(data, 0)
    seen = train._seen([picture for picture, _ in data])
    weights, bias = fitted(seen, [model.labels.index(label) for _, label in data], 3, 0, 3)
    for (picture, _), features in zip(data, seen, strict=True):
        np.testing.assert_allclose(sw.explain(model, picture).scores, features @ weights + bias, rtol=1e-4, atol=1e-5)


def test_transfer_learning_moves_nobodys_random_numbers(folders):
    train = sw.transfer(sw.wrap(net(0, 5), prepare=preparation(SIDE)))
    given = pairs(folders["own"], 6)
    before = torch.get_rng_state()
    train(given, 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("spec", ["torchvision:mobilenet_v3_small", "timm:resnet10t", "demo:"])
def test_transfer_learning_on_networks_by_name(folders, spec):
    train = sw.transfer(spec, weights="default" if spec == "demo:" else None, epochs=2)
    model = train(pairs(folders["own"], 6), 0)
    why = sw.explain(model, pairs(folders["own"], 1)[0][0])
    assert len(why.scores) == 3
    assert why.label in ("cross", "disc", "triangle")
    assert min(why.map.shape) > 1


def test_a_study_by_transfer_learning_knows_its_settings(folders, tmp_path):
    body = sw.wrap(net(0, 5), prepare=preparation(SIDE))
    found = sw.study(sw.transfer(body, epochs=2), folders["own"], (0, 1), **asked(folders, tmp_path / "s", repeats=2))
    assert found.about["settings"]["train"]["settings"]["epochs"] == 2
    assert found.run(0).settings["model"]["name"] == "SmallNet + linear head"
    with pytest.raises(InputError, match="'epochs': 3"):
        sw.study(sw.transfer(body, epochs=3), folders["own"], (0, 1), **asked(folders, tmp_path / "s"))


def test_what_transfer_cannot_use_is_told():
    with pytest.raises(InputError, match="epochs=0"):
        sw.transfer("demo:", epochs=0)
    with pytest.raises(InputError, match="preparation is not known"):
        sw.transfer(net(0, 2))([(np.zeros((8, 8, 3), np.uint8), 0), (np.zeros((8, 8, 3), np.uint8), 1)], 0)
    bare = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    train = sw.transfer(sw.wrap(bare, prepare=preparation(16)))
    with pytest.raises(InputError, match="no linear layer"):
        train([(np.zeros((8, 8, 3), np.uint8), 0), (np.zeros((8, 8, 3), np.uint8), 1)], 0)


def command(*words, code=0):
    """What `seewhy study` prints: stdout, stderr."""
    from typer.testing import CliRunner

    from seewhy.apps.cli import app

    ran = CliRunner().invoke(app, ["study", *map(str, words)])
    assert ran.exit_code == code, ran.stdout + ran.stderr
    return ran.stdout, ran.stderr


NETWORK = """
from seewhy.models.torch.small import SmallNet

def network():
    return SmallNet(4)
"""


def test_the_command_studies_tells_and_goes_on(folders, tmp_path):
    root = str(Path(__file__).parents[1])
    (tmp_path / "mine.py").write_text(f"import sys\nsys.path.insert(0, {root!r})\n" + NETWORK)
    words = [folders["own"], "--extra", folders["extra"], "--backbone", tmp_path / "mine.py:network"]
    words += [
        "--weights",
        "none",
        "--prepare",
        "0..1@48",
        "--shares",
        "0,100 %",
        "--repeats",
        "1",
        "--epochs",
        "2",
        "--out",
        tmp_path / "s",
    ]
    words += ["--held-out", folders["test"]]
    out, err = command(*words)
    assert out.startswith("Study of extra: 48 pictures beside 60 of 3 classes; 45 held out; 2 models")
    assert "study    2/2 models  share 100 %, seed 0  accuracy" in err
    assert out.splitlines()[-1].startswith("Next: seewhy compare ")
    assert out.splitlines()[-1].endswith("/runs/share-1-seed-0")
    for name in ("study.html", "curve.svg", "curve.csv"):
        assert (tmp_path / "s" / name).stat().st_size > 500
    out, err = command(*words, "--json")
    assert err.count("(kept)") == 2
    held = json.loads(out)
    assert held["schema"] == 1
    assert [each["share"] for each in held["trainings"]] == [0, 1]


MINE = """
import sys
sys.path.insert(0, {root!r})
from tests.test_supplement import quick

def train(data, seed):
    if data.share == 1 and {what!r} == "stop":
        raise KeyboardInterrupt
    return None if data.share == 1 and {what!r} == "fail" else quick(data, seed)
"""


def test_the_command_with_ones_own_training(folders, tmp_path):
    root = str(Path(__file__).parents[1])
    words = [folders["own"], "--extra", folders["extra"], "--train", tmp_path / "mine.py:train", "--repeats", "1"]
    words += ["--shares", "0,1", "--held-out", folders["test"], "--out", tmp_path / "s"]
    for what, code in (("stop", 130), ("fail", 2), ("", 0)):
        (tmp_path / "mine.py").write_text(MINE.format(root=root, what=what))
        out, err = command(*words, code=code)
        assert {"stop": "same command again", "fail": "train returned nothing", "": "2/2 models"}[what] in err
    assert "100 %" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["photos"], "no supplement"),
        (["photos", "--extra", "cages"], "no training"),
        (["photos", "--extra", "cages", "--train", "train"], "FILE.py:FUNCTION"),
        (["photos", "--extra", "cages", "--backbone", "demo:", "--shares", "a,b"], "--shares a,b"),
        (["photos", "--extra", "cages", "--train", "a.py:b", "--backbone", "demo:"], "both --backbone and --train"),
    ],
)
def test_the_command_tells_what_is_missing(words, said):
    assert said in command(*words, code=2)[1]


class _Corner:
    """What a finding needs a model for: its place is the upper left quarter, and pictures of a bright corner show it."""

    def mask(self, picture):
        found = np.zeros((40, 40), bool)
        found[:20, :20] = True
        return found

    def score(self, pictures):
        return np.array([np.asarray(read(picture))[:5, :5].mean() / 200 for picture in pictures])


def corner(label="cat", probe=True, hashes=()):
    even = np.full((12, 12), 1 / 144, np.float32)
    pixels = np.zeros((16, 16), np.float32)
    pixels[:8, :8] = 1
    effects = {"s": 9.0, "s3": 9.0, "line": 7.0, "parts": {}, "place": "upper left", "effects": ()}
    return sw.Finding(
        **{"code": "SC01", "verdict": "proven", "kind": "place", "label": label, "index": 0, "ids": (), "paths": ()},
        hashes=hashes,
        **{"looked": 9, "pictures": 9, "wrong": 0, "maps": even[None], "where": even, "heat": even, "pixels": pixels},
        **effects,
        **{"words": "", "proof": "", "remedy": "", "probe": _Corner() if probe else None},
    )


def flat(colour, bright=False):
    pixels = np.full((40, 40, 3), colour, np.uint8)
    if bright:
        pixels[:20, :20] = 250
    return pixels


def cornered():
    """Cats of which half have a bright corner, and dogs."""
    cats = [(flat((60 + i, 0, 0), i % 2 == 0), "cat") for i in range(6)]
    return items_of([*cats, *[(flat((0, 0, 60 + i)), "dog") for i in range(4)]])


def items_of(given):
    return listed(as_data(given), "the data")[0]


def test_a_finding_is_covered_where_it_shows(tmp_path):
    found, notes = making.made(sw.cover(corner()), cornered(), tmp_path, 0)
    assert not notes
    assert [item.label for item in found] == ["cat"] * 3
    for item in found:
        pixels = np.asarray(read(item.source))
        assert pixels[:18, :18].max() < 100  # nothing bright is left
        assert (pixels[25:, 25:, 0] >= 60).all()  # and the rest is as it was


def test_a_finding_is_laid_into_other_classes(tmp_path):
    found, _ = making.made(sw.transplant(corner()), cornered(), tmp_path, 0)
    assert [item.label for item in found] == ["dog"] * 4
    for item in found:
        pixels = np.asarray(read(item.source))
        assert (pixels[:15, :15] == 250).all()
        assert (pixels[25:, 25:, 2] >= 60).all()
        assert (pixels[25:, 25:, 0] == 0).all()


def test_backgrounds_are_exchanged_by_the_map(tmp_path):
    model = sw.wrap(net(0, 2), labels=["cat", "dog"], prepare=preparation(40))
    every = cornered()
    found, _ = making.made(sw.swap_backgrounds(model), every, tmp_path, 0)
    assert sorted(str(item.label) for item in found) == ["cat"] * 6 + ["dog"] * 4
    cat = np.asarray(read(next(item for item in found if item.label == "cat").source)).astype(int)
    red, blue = (cat[..., 0] > 50) & (cat[..., 2] < 20), (cat[..., 2] > 50) & (cat[..., 0] < 20)
    assert red.mean() > 0.02  # its own object
    assert blue.mean() > 0.02  # before a dog's background


def test_what_another_maker_made_is_not_taken_for_ones_own(folders, tmp_path):
    model = sw.wrap(net(0, 2), labels=["cat", "dog"], prepare=preparation(40))
    some, more = (sw.swap_backgrounds(model, threshold) for threshold in (0.3, 0.9))
    every = cornered()
    first, again, other = (
        [item.hash for item in making.made(maker, every, tmp_path, 0)[0]] for maker in (some, some, more)
    )
    assert first == again != other
    one, two = corner(hashes=("a",)), corner(hashes=("b",))  # both SC01
    assert sw.cover(one).key == sw.cover(corner(hashes=("a",))).key != sw.cover(two).key


def test_a_study_of_another_finding_of_the_same_code_is_another_one(folders, tmp_path):
    given = asked(folders, tmp_path / "s", repeats=1)
    one, two = (sw.cover(corner("disc", hashes=(name,))) for name in "ab")
    for maker in (one, two):
        maker.chosen = lambda items: list(items)[:6]
    sw.study(quick, folders["own"], (0,), **given | {"supplement": one})
    with pytest.raises(InputError, match="the supplement"):
        sw.study(quick, folders["own"], (0,), **given | {"supplement": two})


def test_one_unreadable_picture_spoils_no_finding(tmp_path):
    every = items_of([(flat((60 + i, 0, 0), True), "cat") for i in range(7)])
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    data = as_data([(every[0].source, "cat"), (bad, "cat"), *[(item.source, "cat") for item in every[1:]]])
    held = [Item(data, i, "cat", f"{i:032x}", None) for i in range(len(data))]
    (known,) = measures.knowns([corner()], held)
    assert sorted(known.masks) == np.flatnonzero(known.pictures).tolist() == [0, 2, 3, 4, 5, 6, 7]
    found, _ = making.made(sw.cover(corner()), held, tmp_path / "made", 0)
    assert len(found) == 7


def test_makers_tell_what_they_cannot_use(tmp_path):
    with pytest.raises(InputError, match="SC01, opened without its model"):
        sw.cover(corner(probe=False))
    for make in (sw.cover, sw.transplant):  # the whole of a picture laid over one of another label
        with pytest.raises(InputError, match="SC01, which has no place"):
            make(replace(corner(), kind="whole picture"))
    with pytest.raises(InputError, match="a finding of type int"):
        sw.transplant(3)
    with pytest.raises(InputError, match="threshold=2"):
        sw.swap_backgrounds("demo:", 2)
    with pytest.raises(InputError, match="has no picture to begin with"):
        making.made(sw.cover(corner("fox")), cornered(), tmp_path, 0)


def test_an_augmentation_is_called_once_and_by_seed(tmp_path):
    calls = []

    def noisy(picture):
        calls.append(picture.size)
        return np.random.randint(0, 255, (*picture.size[::-1], 3), np.uint8)

    maker = making.Augmented(noisy)
    before = np.random.get_state()[1].tolist()
    first, _ = making.made(maker, cornered(), tmp_path / "a", 0)
    again, _ = making.made(maker, cornered(), tmp_path / "a", 0)
    other, _ = making.made(maker, cornered(), tmp_path / "b", 0)
    third, _ = making.made(maker, cornered(), tmp_path / "c", 1)
    assert len(calls) == 30  # the second time files were there
    hashes = [[item.hash for item in found] for found in (first, again, other, third)]
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]
    assert np.random.get_state()[1].tolist() == before
    assert {path.parent.name for path in (tmp_path / "a").rglob("*.png")} == {"cat", "dog"}


def test_an_augmentation_that_fails_is_told(tmp_path):
    def odd(picture):
        if picture.getpixel((30, 30))[2]:
            raise ValueError("too blue")
        return ImageOps.mirror(picture)

    found, notes = making.made(making.Augmented(odd), cornered(), tmp_path / "a", 0)
    assert len(found) == 6
    assert "failed with 4 of 10 pictures" in notes[0]
    assert "too blue" in notes[0]
    for wrong, said in ((lambda p: None, "None"), (lambda p: np.asarray(p) / 255, "floats from 0 to")):
        with pytest.raises(InputError, match="fails with all 10 pictures") as told:
            making.made(making.Augmented(wrong), cornered(), tmp_path / "b", 0)
        assert said in str(told.value)


def test_a_study_of_an_augmentation(folders, tmp_path):
    found = sw.study(
        quick, folders["own"], (0, 0.5, 1), **asked(folders, tmp_path / "s", supplement=ImageOps.mirror, repeats=1)
    )
    assert [each.added for each in found] == [0, 30, 60]
    assert len(list((tmp_path / "s" / "made").rglob("*.png"))) == 60
    assert repr(found).startswith("Study of mirror: 60 pictures beside 60")


def test_the_heat_on_a_known_shortcut(folders, tmp_path):
    """By hand: the finding's own region, in all pictures, as it was opened without its model."""
    found = sw.study(quick, folders["own"], (0, 1), **asked(folders, tmp_path / "s", findings=[corner(probe=False)]))
    run = found.run(1, seed=1)
    table = run.select(["map", "map_scale", "map_height", "map_width"]).to_pylist()
    shares = []
    for row in table:
        if row["map_scale"]:
            cells = np.array(row["map"], np.float64).reshape(row["map_height"], row["map_width"])
            half = len(cells) // 2
            assert len(cells) % 2 == 0
            shares.append(cells[:half, :half].sum() / cells.sum())
    point = next(point for point in found.curve if point.measure == "heat on SC01" and point.share == 1)
    assert point.values[1] == pytest.approx(np.mean(shares), abs=0.02)
    assert point.pictures <= len(shares)  # those with a map under each training of the share


def test_the_heat_on_a_known_shortcut_in_its_own_pictures(folders):
    held = listed(as_data(folders["test"]), "the data")[0]
    some = [item.hash for item in held[7:20]]
    ((known),) = measures.knowns([corner(probe=False, hashes=tuple(some))], held)
    assert np.flatnonzero(known.pictures).tolist() == list(range(7, 20))
    ((own),) = measures.knowns([corner()], cornered())
    assert own.pictures.all()  # three show it, too few, so that all are measured
    ((many),) = measures.knowns([corner()], cornered() * 2)
    assert sorted(many.masks) == np.flatnonzero(many.pictures).tolist() == [0, 2, 4, 10, 12, 14]


def test_recipe_albumentations(tmp_path):
    albumentations = pytest.importorskip("albumentations")
    pipeline = albumentations.Compose([albumentations.HorizontalFlip(p=1), albumentations.CoarseDropout(p=1)], seed=0)
    found, _ = making.made(
        making.Augmented(lambda picture: pipeline(image=np.asarray(picture))["image"]), cornered(), tmp_path, 0
    )
    assert len(found) == 10
    flipped = np.asarray(read(found[0].source))
    assert flipped.shape == (40, 40, 3)


def test_recipe_torchvision(tmp_path):
    transforms = pytest.importorskip("torchvision.transforms.v2")
    pipeline = transforms.Compose(
        [transforms.RandomHorizontalFlip(1), transforms.ColorJitter(0.4), transforms.RandAugment()]
    )
    found, _ = making.made(making.Augmented(pipeline), cornered(), tmp_path / "a", 0)
    again, _ = making.made(making.Augmented(pipeline), cornered(), tmp_path / "b", 0)
    assert [item.hash for item in found] == [item.hash for item in again]  # it draws from PyTorch, which is seeded


@pytest.mark.slow
def test_the_example_runs(tmp_path, monkeypatch, capsys):
    """On scenes for photographs, and with a network that knows nothing."""
    for part, count, seed in (("train", 48, 0), ("test", 24, 1)):
        made = scenes.make(count, seed=seed, side=64, classes=2)
        for number, (pixels, label) in enumerate(zip(made.pictures, made.labels, strict=True)):
            path = tmp_path / part / ("cat", "dog")[label] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    (tmp_path / "nets.py").write_text(NETWORK)
    script = Path(__file__).parents[1] / "examples" / "cages.py"
    words = [tmp_path, "--backbone", f"{tmp_path / 'nets.py'}:network", "--side", 48, "--repeats", 1]
    monkeypatch.setattr("sys.argv", ["cages.py", *map(str, words), "--out", str(tmp_path / "out")])
    runpy.run_path(str(script), run_name="__main__")
    assert "right in cat behind bars" in capsys.readouterr().out
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written >= {
        "curve.png",
        "curve.csv",
        "study.html",
        "where.png",
        "focus-over-shares.gif",
        "layers.gif",
        "look.png",
    }
