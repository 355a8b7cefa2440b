"""Runs held against each other: matched pictures, tests and intervals beside scikit-learn's and scipy's, maps by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest
from sklearn import metrics
from typer.testing import CliRunner

import seewhy as sw
from seewhy.apps.cli import app
from seewhy.errors import InputError, UnknownNameError
from seewhy.results.findings import Finding, Findings
from seewhy.results.questions.measures import holm
from seewhy.studies.comparison import differences
from tests.support.runs import row, synthetic, written

CORNER = np.array([[1, 0], [0, 0]])
LAST = np.array([[0, 0], [0, 1]])


def seen(label, predicted, name, map=LAST, probability=0.9, **more):
    """A row of the picture `name`, of 100 x 100 pixels."""
    cells = np.asarray(map, np.float64)
    top = float(cells.max())
    given = {
        "hash": name,
        "path": f"{label}/{name}.jpg",
        "map": (cells / top if top else cells).ravel().astype(np.float16),
        "map_scale": top,
        "map_height": cells.shape[0],
        "map_width": cells.shape[1],
        "width": 100,
        "height": 100,
    }
    return row(label, predicted, probability, **{**given, **more})


BEFORE = [
    seen("cat", "cat", "a", probability=0.8),
    seen("cat", "dog", "b", probability=0.7),
    seen("dog", "dog", "c", probability=0.6),
    seen("dog", "dog", "d", map=CORNER),
    seen("dog", "cat", "e"),
]
AFTER = [
    seen("cat", "dog", "a", probability=0.65),
    seen("cat", "cat", "b", probability=0.85),
    seen("dog", "cat", "c", probability=0.95),
    seen("dog", "dog", "d"),
    seen("dog", "cat", "e"),
]


def two(folder, before=BEFORE, after=AFTER, more=None, **options):
    """A comparison of two runs of these rows; `more` is about the second run."""
    written(folder / "a", before)
    written(folder / "b", after, **(more or {}))
    return sw.compare(folder / "a", folder / "b", **options)


@pytest.fixture
def hand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return two(Path(), more={"layer": "layer3"})


def test_the_screen(hand):
    assert repr(hand).splitlines() == [
        "2 runs on 5 pictures that both have",
        "  A  a  net, 2 classes  layer4.1, gradcam  accuracy 60.0 % (95 %: 23.1 to 88.2)",
        "  B  b  net, 2 classes  layer3, gradcam    accuracy 40.0 % (95 %: 11.8 to 76.9)",
        "  B − A  −20.0 points (95 %: −63.1 to +36.4); McNemar's exact p = 1: chance alone may do that",
        "",
        "what changed",
        "  newly broken                   2  40.0 %  right in A, wrong in B",
        "  fixed                          1  20.0 %  wrong in A, right in B",
        "  both wrong                     1  20.0 %",
        "  both right                     1  20.0 %",
        "  same answer, different reason  1  50.0 %  of the same answers: maps correlate below 0.5",
        "  correlation of maps with the same answer, median: 0.33; A's maps of different pictures: 1.00",
        "",
        "classes",
        "  class  pictures  recall A                recall B               change                  broken  fixed",
        "  cat           2    50.0 %  9.5 to 90.5     50.0 %  9.5 to 90.5     0.0  −81.1 to +81.1       1      1",
        "  dog           3    66.7 %  20.8 to 93.9    33.3 %  6.1 to 79.2   −33.3  −71.8 to +31.6       1      0",
        "",
        "where they look, and how sure they are",
        "                                   pictures       A       B  change  95 %            even map",
        "  on the outer tenth at each side         5  30.0 %  30.0 %     0.0  0.0 to 0.0        36.0 %",
        "  probability of the label                5  54.0 %  45.0 %    −9.0  −42.0 to +24.0",
        "",
        "note: the layer differs: A layer4.1, B layer3 (maps of different layers differ by themselves)",
        "note: even A's maps of different pictures correlate by 1.00, so below 0.5 only clear cases count as a different "
        "reason; with like=1.00 those do that are less alike than different pictures",
        "",
        "Next: comparison.newly_broken()  comparison.gallery('newly broken', 'newly_broken.png')  "
        "comparison.gif('models.gif')",
    ]
    assert "McNemar" in hand._repr_html_()
    assert hand._repr_html_().count("<table>") == 4


def test_pictures_by_bucket_are_ranked(hand):
    assert hand.buckets == {
        "newly broken": 2,
        "fixed": 1,
        "both wrong": 1,
        "both right": 1,
        "different reason": 1,
    }
    broken = hand.newly_broken()
    assert repr(broken) == (
        "newly broken: 2\n"
        "path       label  A    A probability  B    B probability  correlation\n"
        "dog/c.jpg  dog    dog         60.0 %  cat         95.0 %        1.000\n"
        "cat/a.jpg  cat    cat         80.0 %  dog         65.0 %        1.000"
    )
    assert hand.bucket("newly-broken", limit=1).found == 2
    assert [row["path"] for row in hand.fixed()] == ["cat/b.jpg"]
    assert hand.both_wrong().ids == [4]
    assert hand.both_right().ids == hand.different_reason().ids == [3]
    assert hand.different_reason()[0]["correlation"] == pytest.approx(-1 / 3, abs=1e-6)
    assert repr(hand.changed_answer()) == "changed answer: none"
    plain = json.loads(json.dumps(hand.as_dict(limit=1), allow_nan=False))
    assert [row["path"] for row in plain["changes"][0]["listed"]["newly broken"]] == ["dog/c.jpg"]
    assert plain["changes"][0]["classes"][1]["difference"] == pytest.approx(-1 / 3)


def test_pictures_are_matched_by_content_wherever_they_are(tmp_path):
    """Moved, renamed, in another order; some are in one run alone, some were not read, some are there twice."""
    lost = {"path": "x.jpg", "label": "cat", "label_index": 0, "error": "damaged"}
    before = [
        seen("cat", "cat", "same", path="1.jpg"),
        seen("cat", "cat", "twice", path="2.jpg", probability=0.71),
        seen("dog", "cat", "twice", path="3.jpg", probability=0.72),
        seen("dog", "dog", "other", path="4.jpg"),
        seen("dog", "dog", "alone", path="5.jpg"),
        lost,
    ]
    after = [
        seen("dog", "dog", "twice", path="new/3.jpg", probability=0.82),
        seen("dog", "cat", "other", path="new/4.jpg"),
        lost,
        seen("cat", "cat", "twice", path="new/2.jpg", probability=0.81),
        seen("cat", "cat", "same", path="new/1.jpg"),
        {**seen("cat", "cat", "fails"), "predicted_index": None, "predicted": None, "error": "NaN"},
        seen("cat", "cat", "one more"),
    ]
    found = two(tmp_path, before, after)
    rows = {row["path"]: row for row in (*found.both_right(), *found.fixed(), *found.newly_broken())}
    said = {path: (row["bucket"], round(row["B_probability"], 2)) for path, row in rows.items()}
    assert said == {
        "1.jpg": ("both right", 0.9),
        "2.jpg": ("both right", 0.81),
        "3.jpg": ("fixed", 0.82),
        "4.jpg": ("newly broken", 0.9),
    }
    assert found.notes[:3] == (
        "of A's 6 pictures left out: 1 picture that not all have and 1 picture that could not be read",
        "of B's 7 pictures left out: 2 pictures that not all have and 1 picture that could not be read",
        "1 shared picture is there more than once; copies are paired by their paths",
    )
    assert "4 pictures that they share (A has 6, B has 7)" in repr(found)


def test_an_answer_that_is_missing_is_left_out_and_told(tmp_path):
    failed = {**seen("dog", "dog", "c"), "predicted": None, "predicted_index": None, "correct": None, "error": "NaN"}
    found = two(tmp_path, after=[*AFTER[:2], failed, *AFTER[3:]])
    assert (found.pictures, found.buckets["newly broken"]) == (4, 1)
    assert "1 shared picture without an answer in B, left out" in found.notes


def test_groups_of_pictures_are_told(tmp_path):
    before = [{**each, "group": "patient" if k < 3 else None} for k, each in enumerate(BEFORE)]
    found = two(tmp_path, before)
    (note,) = (each for each in found.notes if "belong together" in each)
    assert note.startswith("pictures belong together in 3 groups;")
    assert found.changes[0].moves[0].mean.pictures == 5


def shuffled(folder, target, seed=0):
    """The run with its rows in another order, in parts of another size."""
    rows = sw.open(folder).records().to_table().drop_columns(["id"]).to_pylist()
    np.random.default_rng(seed).shuffle(rows)
    return written(target, rows, part_size=301)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    before = sw.open(synthetic(folder / "a", 3_000, seed=1, labels="some", failed=0.01))
    rng = np.random.default_rng(2)
    rows = before.records().to_table().to_pylist()
    for each in rows:
        if each["error"] is None and rng.random() < 0.3:
            said = int(rng.random() < 0.5)
            each |= {"predicted_index": said, "predicted": before.labels[said]}
            each["correct"] = None if each["label"] is None else said == each["label_index"]
        if each["error"] is None and rng.random() < 0.2:
            each["map"] = rng.permutation(each["map"])
    written(folder / "b", rows, part_size=700, layer="layer3")
    return folder


def test_numbers_are_those_of_scikit_learn_and_scipy(large):
    found = sw.compare(large / "a", large / "b")
    columns = ["id", "label_index", "predicted_index"]
    one, two = (sw.open(large / name).select(columns, error=None).to_pandas().set_index("id") for name in "ab")
    both = one.join(two.add_suffix("_b"), how="inner")
    judged = both[both["label_index"].notna()]
    true, first, other = (judged[name].to_numpy() for name in ("label_index", "predicted_index", "predicted_index_b"))
    (change,), (a, b) = found.changes, found.sides
    assert (found.pictures, found.judged) == (len(both), len(judged))
    assert a.accuracy == pytest.approx(metrics.accuracy_score(true, first))
    assert b.accuracy == pytest.approx(metrics.accuracy_score(true, other))
    assert change.difference == pytest.approx(b.accuracy - a.accuracy)
    broken, mended = int(((first == true) & (other != true)).sum()), int(((first != true) & (other == true)).sum())
    assert (change.buckets["newly broken"], change.buckets["fixed"]) == (broken, mended)
    assert change.p == change.p_corrected == binomtest(broken, broken + mended, 0.5).pvalue
    recalls = [metrics.recall_score(true, said, average=None) for said in (first, other)]
    for one, *expected in zip(change.classes, *recalls, strict=True):
        assert (one.first / one.pictures, one.other / one.pictures) == pytest.approx(expected)
        assert one.interval[0] < one.difference < one.interval[1]
    unlabelled = both[both["label_index"].isna()]
    same = int((unlabelled["predicted_index"] == unlabelled["predicted_index_b"]).sum())
    assert (change.buckets["same answer"], change.buckets["changed answer"]) == (same, len(unlabelled) - same)
    assert sum(change.buckets[name] for name in change.buckets if name != "different reason") == found.pictures


def test_correlations_are_numpys_and_the_order_of_rows_does_not_matter(large, tmp_path):
    found = sw.compare(large / "a", large / "b")
    again = sw.compare(large / "a", shuffled(large / "b", tmp_path / "b"))
    assert again.buckets == found.buckets
    assert again.changes[0].correlation == pytest.approx(found.changes[0].correlation)
    assert again.by_chance == found.by_chance
    rows = found.different_reason(limit=50)
    assert len(rows) == 50
    first, other = (sw.open(large / name).rows(rows.ids, ["map"]).to_pylist() for name in "ab")
    for each, one, two in zip(rows, first, other, strict=True):
        expected = np.corrcoef(np.float64(one["map"]), np.float64(two["map"]))[0, 1]
        assert each["correlation"] == pytest.approx(expected, abs=2e-3)
        assert each["A"] == each["B"]
        assert each["correlation"] < 0.5


@pytest.mark.parametrize(
    ("counts", "interval"),
    [((36, 2, 12, 0), (0.0569, 0.3404)), ((36, 12, 2, 0), (-0.3404, -0.0569)), ((36, 0, 14, 0), (0.1528, 0.4167))],
)
def test_the_interval_is_that_of_the_paper(counts, interval):
    """Newcombe 1998, table II, method 10."""
    assert differences.paired(*counts) == pytest.approx(interval, abs=6e-5)


def test_the_interval_holds_what_it_says():
    """Of 2,000 experiments about 95 % have the true difference inside."""
    rng = np.random.default_rng(0)
    shares = np.array([0.7, 0.05, 0.12, 0.13])
    inside = 0
    for counts in rng.multinomial(120, shares, 2_000).tolist():
        low, high = differences.paired(*counts)
        inside += low <= 0.07 <= high
    assert 0.935 < inside / 2_000 < 0.975
    assert differences.paired(0, 0, 0, 0) is None


def test_holm_and_mcnemar():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.6, 0.5]) == (1.0, 1.0)
    assert holm([]) == ()
    assert differences.mcnemar(1, 5) == pytest.approx(2 * (1 + 6) / 64)
    assert differences.mcnemar(0, 0) == 1.0


def test_means_come_with_intervals_by_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 20)
    common = rng.normal(0, 1, 60)[groups]  # pictures of a patient move together
    first, other = rng.normal(0, 0.1, 1_200), rng.normal(0, 0.1, 1_200) + common
    alone, together = differences.mean(first, other), differences.mean(first, other, groups)
    assert alone.difference == together.difference == pytest.approx((other - first).mean())
    assert not together.sure
    wide = [each.interval[1] - each.interval[0] for each in (alone, together)]
    assert wide[1] == pytest.approx(2 * 1.96 * common[::20].std() / np.sqrt(60), rel=0.15)
    assert wide[0] < wide[1] / 3
    many = differences.mean(np.repeat(first, 3), np.repeat(other, 3), np.repeat(np.arange(1_200), 3))
    assert many.interval == pytest.approx(alone.interval, abs=0.01)
    sizes = rng.integers(1, 30, 2_500)
    groups = np.repeat(np.arange(2_500), sizes)
    other = rng.normal(1, 1, len(groups)) + rng.normal(0, 1, 2_500)[groups]
    found = differences.mean(np.zeros(len(groups)), other, groups)
    sums = np.bincount(groups, other)
    drawn = rng.integers(0, 2_500, (2_000, 2_500))
    expected = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), (0.025, 0.975))
    assert found.interval == pytest.approx(expected, abs=0.004)
    assert differences.mean(np.array([np.nan, 1]), np.array([1, np.nan])) is None
    assert differences.mean(np.array([0.25]), np.array([0.5])).interval is None


def test_maps_lie_where_the_model_saw_the_picture(tmp_path):
    """The same place in the picture, seen whole by one model and in part by the other."""
    whole = np.zeros((8, 8))
    whole[2:4, 4:6] = 1
    part = np.zeros((4, 4))
    part[0:2, 2:4] = 1  # rows 20..80 and columns 20..80 of the picture hold rows and columns 2..6 of `whole`
    before = [seen("cat", "cat", "p", map=whole, width=80, height=80), seen("cat", "cat", "q", map=whole)]
    after = [
        seen("cat", "cat", "p", map=part, box=[20.0, 20, 60, 60], width=80, height=80),
        seen("cat", "cat", "q", map=np.ones((4, 4)), box=[20.0, 20, 60, 60]),
    ]
    found = two(tmp_path, before, after)
    row, flat = found.both_right()
    assert row["correlation"] == pytest.approx(1, abs=1e-3)
    assert flat["correlation"] is None
    assert (found.changes[0].alike, found.changes[0].same, found.buckets["different reason"]) == (1, 2, 0)
    assert "median: 1.00 (1 flat or missing)" in repr(found)


def finding(code="SC01", kind="place", ids=(0, 1), place="in the top left"):
    """Two pictures of cats with something in the top left quarter."""
    pixels = np.zeros((16, 16), np.float32)
    pixels[:8, :8] = 1
    return Finding(
        code=code, verdict="proven", kind=kind, label="cat", index=0, ids=tuple(ids), paths=tuple(map(str, ids)),
        hashes=tuple(map(str, ids)),
        looked=2, pictures=2, wrong=0, s=9.0, s3=9.0, line=7.0, parts={}, place=place,
        maps=np.zeros((len(ids), 2, 2), np.float32), where=np.full((12, 12), 1 / 144, np.float32),
        heat=np.zeros((12, 12), np.float32), pixels=pixels, effects=(), words="2 pictures", proof="", remedy="collect",
    )  # fmt: skip


def test_heat_on_the_findings_of_the_first_run(tmp_path):
    """By hand: the region is the top left quarter of what A saw, which is all; B saw the left half."""
    before = [
        seen("cat", "cat", "p", map=[[3, 1], [0, 0]]),
        seen("cat", "cat", "q", map=[[1, 1], [1, 1]]),
        seen("dog", "dog", "r", map=[[0, 0], [1, 1]]),
    ]
    half = {"box": [0.0, 0, 50, 100]}
    after = [
        seen("cat", "cat", "p", map=[[0, 0], [1, 0]], **half),
        seen("cat", "cat", "q", map=[[1, 0], [0, 3]], **half),
        seen("dog", "dog", "r", map=[[1, 1], [0, 0]], **half),
    ]
    written(tmp_path / "a", before)
    written(tmp_path / "b", after)
    none = Findings(
        (finding(), finding("SC02", "whole picture"), finding("SC03", place="in varying places")), {}, (), ""
    )
    none.save(tmp_path / "a")
    found = sw.compare(tmp_path / "a", tmp_path / "b")
    moves = {each.what: each for each in found.changes[0].moves}
    own, whole = moves["SC01"], moves["SC01 in all"]
    assert own.mean.pictures == 2
    assert (own.mean.first, own.mean.other) == pytest.approx(((3 / 4 + 1 / 4) / 2, (0 + 1 / 4) / 2), abs=1e-3)
    assert (whole.mean.first, whole.mean.other) == pytest.approx((1 / 3, (0 + 1 / 4 + 1) / 3), abs=1e-3)
    assert own.even == pytest.approx(1 / 4, abs=0.02)
    assert "heat on SC01 (in the top left), in its pictures" in repr(found)
    assert "no share of heat is told for SC02, SC03 of 'a': no fixed place" in found.notes
    assert "SC03" not in moves


def test_heat_inside_what_the_user_gives(tmp_path):
    files = tmp_path / "photos"
    (files / "cat").mkdir(parents=True)
    (tmp_path / "masks" / "cat").mkdir(parents=True)
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:50, :50] = 200
    Image.fromarray(pixels).save(files / "cat" / "p.png")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "masks" / "cat" / "p.png")
    rows = [seen("cat", "cat", "p", map=map, path="cat/p.png") for map in ([[3, 1], [0, 0]], [[0, 0], [1, 1]])]
    written(tmp_path / "a", rows[:1], root=files)
    written(tmp_path / "b", rows[1:], root=files)
    quarter = pixels[..., 0] > 0
    for inside in (
        lambda picture: np.asarray(picture)[..., 0] > 100,
        tmp_path / "masks",
        {"cat/p.png": quarter},
        {"cat/p.png": (0, 0, 50, 50)},
        {"cat/p.png": tmp_path / "masks" / "cat" / "p.png"},
    ):
        found = sw.compare(tmp_path / "a", tmp_path / "b", inside=inside)
        move = next(each for each in found.changes[0].moves if each.what == "inside")
        assert (move.mean.first, move.mean.other) == pytest.approx((0.75, 0), abs=0.01), inside
    for inside, told in (
        (3, "inside=int"),
        (tmp_path / "nothing", "which is no folder"),
        ({"cat/p.png": tmp_path / "gone.png"}, "for any"),
        ({}, "for any picture, the first of which is 'cat/p.png'"),
        (lambda picture: np.asarray(picture), "a mask of shape [100, 100, 3] for 'cat/p.png'"),
    ):
        with pytest.raises(InputError) as error:
            sw.compare(tmp_path / "a", tmp_path / "b", inside=inside)
        assert told in str(error.value)


def test_classes_are_matched_by_name(tmp_path):
    """In another order, with one more, under another name."""
    labels = ("dog", "cat", "fox")
    after = [
        seen("cat", "dog", "a", labels=labels),
        seen("cat", "cat", "b", labels=labels),
        seen("dog", "fox", "c", labels=labels),
        seen("dog", "dog", "d", labels=labels),
        seen("fox", "fox", "e", labels=labels),
    ]
    found = two(tmp_path, after=after, more={"labels": labels})
    assert [found.buckets[name] for name in ("newly broken", "fixed", "both wrong", "both right")] == [2, 1, 1, 1]
    assert "other classes: only B has 'fox'" in found.notes
    assert "1 picture with another label in B; those of A count" in found.notes
    assert found.both_wrong()[0]["B"] == "fox"
    (sure,) = (each.mean for each in found.changes[0].moves if each.what == "label_probability")
    assert sure.pictures == 4  # what B says of a fox tells nothing about the dog that A knows it as
    unlabelled = [{**each, "label": None, "label_index": None, "correct": None} for each in BEFORE]
    other = two(tmp_path / "more", before=unlabelled, after=after, more={"labels": labels})
    assert "1 picture labelled 'fox' not judged: not all models know the class" in other.notes
    assert (other.judged, other.pictures) == (4, 5)
    names = ("gatto", "cane")
    renamed = [seen(names[r["label_index"]], names[r["predicted_index"]], r["hash"], labels=names) for r in AFTER]
    written(tmp_path / "renamed", renamed, labels=names)
    with pytest.raises(InputError, match="A has 'cat', 'dog', B 'cane', 'gatto'"):
        sw.compare(tmp_path / "a", tmp_path / "renamed")
    given = sw.compare(tmp_path / "a", tmp_path / "renamed", classes={"gatto": "cat", "cane": "dog"})
    assert [given.buckets[name] for name in ("newly broken", "fixed", "both wrong", "both right")] == [2, 1, 1, 1]
    with pytest.raises(InputError, match="did you mean 'cat'"):
        sw.compare(tmp_path / "a", tmp_path / "renamed", classes={"gatto": "cta"})


def test_two_classes_of_one_name_are_told_apart(tmp_path):
    labels = ("crane", "crane", "dog")
    rows = [
        {**seen("dog", "dog", name, labels=labels), "label_index": 0, "label": "crane", "predicted_index": said}
        for name, said in (("a", 0), ("b", 1))
    ]
    for each in rows:
        each["predicted"] = "crane"
    written(tmp_path / "a", rows, labels=labels)
    written(tmp_path / "b", [{**each, "predicted_index": 0} for each in rows], labels=labels)
    found = sw.compare(tmp_path / "a", tmp_path / "b")
    assert (found.buckets["fixed"], found.buckets["both right"]) == (1, 1)


def test_runs_without_labels_tell_how_often_they_agree(tmp_path):
    def bare(rows):
        return [{**each, "label": None, "label_index": None, "correct": None, "loss": None} for each in rows]

    found = two(tmp_path, bare(BEFORE), bare(AFTER))
    assert found.buckets == {"changed answer": 3, "same answer": 2, "different reason": 1}
    assert (found.judged, found.sides[0].accuracy, found.changes[0].p) == (0, None, None)
    assert [row["path"] for row in found.changed_answer()] == ["dog/c.jpg", "cat/b.jpg", "cat/a.jpg"]
    assert "5 pictures that both have, without labels" in repr(found)
    assert "accuracy" not in repr(found)
    assert found.fails("changed-answer:3", "changed-answer:4") == [
        "3 pictures in 'changed answer' of B (changed-answer:3)"
    ]
    with pytest.raises(InputError, match="without labels"):
        found.fails("newly-broken:1")
    json.dumps(found.as_dict(), allow_nan=False)


def test_runs_without_maps_are_compared_by_their_answers(tmp_path):
    empty = [{**each, "map": None, "map_scale": None} for each in AFTER]
    found = two(tmp_path, after=empty)
    assert "B has no maps: where it looks is not compared" in found.notes
    assert found.buckets["newly broken"] == 2
    assert found.buckets["different reason"] == 0
    assert "no maps to judge by" in repr(found)
    assert found.newly_broken()[0]["correlation"] is None


def test_three_runs_are_each_held_against_the_first(tmp_path):
    rows = [seen("cat", "cat", f"p{k}") for k in range(12)]
    other = [seen("cat", "dog" if k < 6 else "cat", f"p{k}") for k in range(12)]
    third = [seen("cat", "dog" if k < 9 else "cat", f"p{k}") for k in range(10)]
    for name, each in (("a", rows), ("b", other), ("c", third)):
        written(tmp_path / name, each)
    found = sw.compare(tmp_path / "a", tmp_path / "b", tmp_path / "c")
    assert found.pictures == 10
    p = [binomtest(n, n, 0.5).pvalue for n in (6, 9)]
    assert [each.p for each in found.changes] == p
    assert [each.p_corrected for each in found.changes] == pytest.approx([p[0], 2 * p[1]])
    assert len(found.newly_broken("C")) == 9
    assert found.newly_broken("C").title == "newly broken in C"
    assert "C − A  −90.0 points" in repr(found)
    assert found.fails("newly-broken:7", "newly-broken:60%", "accuracy:-70", "worse") == [
        "9 pictures in 'newly broken' of C (newly-broken:7)",
        "6 pictures in 'newly broken' of B (newly-broken:60%)",
        "9 pictures in 'newly broken' of C (newly-broken:60%)",
        "C −90.0 points of accuracy (accuracy:-70)",
        "B is less accurate than A by +60.0 points, p = 0.031",
        "C is less accurate than A by +90.0 points, p = 0.0078",
    ]
    with pytest.raises(UnknownNameError, match="no run 'D' beside A"):
        found.newly_broken("D")


def test_one_and_the_same_run_and_other_wrong_input(tmp_path):
    written(tmp_path / "a", BEFORE)
    written(tmp_path / "b", AFTER)
    written(tmp_path / "far", [seen("cat", "cat", "z")])
    written(tmp_path / "saved anew", [seen("cat", "cat", "z", path="cat/a.jpg")])
    written(tmp_path / "failed", [{**each, "error": "NaN", "predicted_index": None} for each in AFTER])
    run = sw.open(tmp_path / "a")
    for given, options, told in (
        ((), {}, "0 runs"),
        ((run,), {}, "1 run\n"),
        ((run, tmp_path / "a"), {}, "the run 'a' twice"),
        ((run, 3), {}, "a run of type int"),
        ((run, tmp_path / "none"), {}, "no folder"),
        ((run, tmp_path / "b"), {"like": 2}, "like=2"),
        ((run, tmp_path / "far"), {}, "no picture is in all runs (5 pictures and 1 picture)"),
        ((run, tmp_path / "saved anew"), {}, "though 1 path are"),
        ((run, tmp_path / "failed"), {}, "no picture has an answer in all runs"),
    ):
        with pytest.raises(InputError) as error:
            sw.compare(*given, **options)
        assert told in str(error.value), given
    found = sw.compare([run, tmp_path / "b"])
    assert found.runs[0] is run
    for ask in (
        lambda: found.bucket("newly brken"),
        lambda: found.bucket("fixed", limit=0),
        lambda: found.gallery(run.mistakes(), tmp_path / "x.png"),
        lambda: found.gallery("changed answer", tmp_path / "x.png"),
        lambda: found.gif(tmp_path / "x.mp4"),
        lambda: found.gif(tmp_path / "x.gif", ["cat/z.jpg"]),
        lambda: found.gif(tmp_path / "x.gif", []),
        lambda: found.fails("brken:1"),
        lambda: found.fails("newly-broken"),
        lambda: found.fails("newly-broken:0"),
        lambda: found.fails("newly-broken:200%"),
        lambda: found.fails("accuracy:2"),
        lambda: found.fails("worse:2"),
    ):
        with pytest.raises(InputError):
            ask()


@pytest.fixture
def photographs(tmp_path):
    """Two runs whose pictures are there; the second found them elsewhere, and one is gone."""
    draw = np.random.default_rng(0)
    for place in ("one", "two"):
        for each in BEFORE:
            file = tmp_path / place / each["path"].replace(".jpg", ".png")
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (100, 100), tuple(draw.integers(60, 180, 3).tolist())).save(file)
    (tmp_path / "one" / "cat" / "a.png").unlink()
    for name, place, rows in (("a", "one", BEFORE), ("b", "two", AFTER)):
        found = [{**each, "path": each["path"].replace(".jpg", ".png")} for each in rows]
        written(tmp_path / name, found, root=tmp_path / place)
    return sw.compare(tmp_path / "a", tmp_path / "b")


def test_galleries_show_the_maps_of_each_run_beside_each_other(photographs, tmp_path):
    rows = photographs.newly_broken()
    rows.gallery(tmp_path / "broken.png")
    photographs.gallery("newly broken", tmp_path / "one.png", limit=1, columns=1)
    with Image.open(tmp_path / "broken.png") as both, Image.open(tmp_path / "one.png") as one:
        assert both.width > one.width > 3 * 224
    rows[1:].gallery(tmp_path / "second.png")
    assert (tmp_path / "second.png").exists()


def test_the_animation_shows_one_model_after_the_other(photographs, tmp_path):
    photographs.gif(tmp_path / "all.gif")
    photographs.gif(tmp_path / "chosen.gif", ["dog/d.png"], seconds=0.5)
    photographs.gif(tmp_path / "broken.webp", "newly broken")
    with Image.open(tmp_path / "all.gif") as every, Image.open(tmp_path / "chosen.gif") as chosen:
        assert (every.n_frames, chosen.n_frames, chosen.info["duration"]) == (2, 2, 500)
        assert every.width > chosen.width
        first = np.asarray(chosen.convert("RGB"), np.int64)
        chosen.seek(1)
        assert np.abs(np.asarray(chosen.convert("RGB"), np.int64) - first).max() > 60  # the map went to another corner


def test_the_command(hand):
    def seewhy(*words):
        return CliRunner().invoke(app, ["compare", *words])

    done = seewhy("a", "b")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[:-6] == [line.replace("like=1.00", "--like 1.00") for line in repr(hand).splitlines()[:-1]]
    assert lines[-6].startswith("newly broken: 2")
    assert lines[-1] == "Next: seewhy compare a b -o compare.html"
    failed = seewhy("a", "b", "--fail-on", "newly-broken:2", "--fail-on", "newly-broken:3", "--json")
    assert failed.exit_code == 1
    (line,) = failed.stdout.splitlines()
    found = json.loads(line)
    assert (found["schema"], found["failed"]) == (1, ["2 pictures in 'newly broken' of B (newly-broken:2)"])
    assert [each["buckets"]["fixed"] for each in found["changes"]] == [1]
    drawn = seewhy("a", "b", "--gallery", "out/changed", "--gif", "out/changed.gif")
    assert drawn.exit_code == 0, drawn.output
    assert {path.name for path in Path("out/changed").iterdir()} == {
        "newly-broken.png",
        "fixed.png",
        "both-wrong.png",
        "different-reason.png",
    }
    assert drawn.stdout.splitlines()[-1] == "Next: seewhy show b --gallery mistakes.png"
    for words, told in (
        (("a",), "1 run to compare"),
        (("a", "a"), "the run 'a' twice"),
        (("a", "b", "--fail-on", "brken:3"), "the condition 'brken:3'"),
        (("a", "b", "--inside", "none"), "--inside none"),
    ):
        done = seewhy(*words)
        assert done.exit_code == 2
        assert told in done.stderr, done.stderr
