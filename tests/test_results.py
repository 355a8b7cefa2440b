"""A run opened: rows, filters, mistakes and measures, beside numbers worked by hand and scikit-learn's."""

import json
import subprocess
import sys
import time
from itertools import combinations

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.stats import binomtest
from sklearn import metrics

import seewhy as sw
from seewhy.errors import InputError, UnknownNameError
from seewhy.images import panels
from seewhy.results.drawn import galleries
from seewhy.results.questions import doubts, duplicates, focus, measures
from seewhy.results.record import SCHEMA
from tests.support.runs import row, synthetic, written

HAND = [
    row("cat", "cat", 0.9, path="cat/1.jpg", group="a"),
    row("cat", "dog", 0.6, path="cat/2.jpg", group="a", border=0.9),
    row("dog", "dog", 0.8, path="dog/3.jpg", group="b"),
    row("dog", "dog", 0.7, path="dog/4.jpg", group=None),
    row("dog", "cat", 0.95, path="dog/5.jpg", group="b"),
    {"path": "dog/6.jpg", "label": "dog", "label_index": 1, "error": "the file is damaged"},
]


@pytest.fixture
def hand(tmp_path):
    return sw.open(written(tmp_path / "run", HAND, part_size=4))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return sw.open(synthetic(tmp_path_factory.mktemp("large") / "run", 3_000, classes=5, part_size=700, failed=0.01))


def test_a_run_opens_and_says_what_it_is(hand):
    assert (len(hand), hand.complete, hand.missing, hand.labels) == (6, True, (), ("cat", "dog"))
    assert repr(hand).splitlines()[1:] == [
        "  model     net, 2 classes",
        "  layer     layer4.1, gradcam",
        "  pictures  6, 1 of them without an answer",
        "  accuracy  60.0 % (95 %: 23.1 to 88.2)",
        "  Next: run.measures()  run.mistakes()  run.looked_at()  run.report()",
    ]
    assert hand.records().schema.names == SCHEMA.names
    assert hand.records().to_table().num_rows == 6


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"correct": False}, [1, 4]),
        ({"label": "cat"}, [0, 1]),
        ({"label": 1, "error": None}, [2, 3, 4]),
        ({"predicted": ["dog", 0], "correct": True}, [0, 2, 3]),
        ({"error": True}, [5]),
        ({"error": False, "group": ("a",)}, [0, 1]),
        ({"group": None}, [3, 5]),
        ({"where": pc.field("border") > 0.5}, [1]),
        ({"where": pc.field("probability") < 0.75, "label": "dog"}, [3]),
    ],
)
def test_filters_pick_rows(hand, filters, ids):
    assert hand.select(["id"], **filters)["id"].to_pylist() == ids
    assert [i for batch in hand.batches(["id"], **filters) for i in batch["id"].to_pylist()] == ids


def test_rows_come_in_the_order_asked_for(hand):
    assert hand.rows([5, 0, 3, 99], ["path"]).to_pydict() == {
        "id": [5, 0, 3],
        "path": ["dog/6.jpg", "cat/1.jpg", "dog/4.jpg"],
    }
    assert hand.rows([]).num_rows == 0


def test_mistakes_are_ranked_and_print_as_a_table(hand):
    assert repr(hand.mistakes()) == (
        "mistakes: 2\n"
        "path       label  predicted  probability\n"
        "dog/5.jpg  dog    cat             95.0 %\n"
        "cat/2.jpg  cat    dog             60.0 %"
    )
    assert hand.mistakes(limit=1).paths[0].name == "5.jpg"
    assert hand.mistakes("false positive", predicted="cat").ids == [4]
    assert hand.mistakes("false positive").ids == [1]
    assert hand.mistakes("false negative", label="dog").ids == hand.mistakes("false negative").ids == [4]
    assert hand.mistakes("confident").ids == [4]
    assert hand.mistakes("close").ids == []
    assert repr(hand.mistakes("close")) == "close mistakes: none"
    assert hand.most_confident_wrong(1).ids == [4]
    assert hand.least_confident_right(2).ids == [3, 2]
    assert hand.mistakes()[0]["predicted"] == "cat"
    assert [each["id"] for each in hand.mistakes()[1:]] == [1]
    assert list(hand.mistakes().to_pandas()["path"]) == ["dog/5.jpg", "cat/2.jpg"]
    assert "<td" in hand.mistakes()._repr_html_()
    assert repr(hand.failures()) == ("pictures without an answer: 1\npath       error\ndog/6.jpg  the file is damaged")


def test_measures_are_those_worked_by_hand(hand):
    found = hand.measures()
    assert (found.pictures, found.answered, found.failed, found.labelled, found.empty_maps) == (6, 5, 1, 5, 0)
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.balanced_accuracy == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found.mean_loss == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.7, 0.05]).mean(), rel=1e-5)
    # Bins of 1/15: 0.6 alone (wrong), 0.7, 0.8, 0.9 alone (right), 0.95 alone (wrong).
    assert found.calibration_error == pytest.approx((0.6 + 0.3 + 0.2 + 0.1 + 0.95) / 5, rel=1e-5)
    cat, dog = found.classes
    assert (cat.labelled, cat.predicted, cat.right, cat.precision, cat.recall) == (2, 2, 1, 0.5, 0.5)
    assert (dog.precision, dog.recall, dog.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert found.roc_auc == pytest.approx(4 / 6)  # p(dog): cats 0.1, 0.6; dogs 0.8, 0.7, 0.05
    assert [(each.name, each.answers, each.pictures) for each in found.looked] == [
        ("cat", "right", 1),
        ("cat", "wrong", 1),
        ("dog", "right", 2),
        ("dog", "wrong", 1),
    ]
    assert found.looked[3].border == pytest.approx(0.9)
    assert found.looked[0].inside_box is None
    assert json.loads(json.dumps(found.as_dict()))["classes"][1]["name"] == "dog"
    assert "accuracy           60.0 %  95 %: 23.1 to 88.2" in repr(found)
    assert "<table>" in found._repr_html_()


def test_measures_are_scikit_learns(large):
    held = large.select(["label_index", "predicted_index", "loss"], error=None).to_pydict()
    true, said = held["label_index"], held["predicted_index"]
    found = large.measures()
    assert found.accuracy == pytest.approx(metrics.accuracy_score(true, said))
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(true, said))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(true, said)
    for k, one in enumerate(found.classes):
        numbers = (one.precision, one.recall, one.f1, one.labelled)
        assert numbers == pytest.approx((precision[k], recall[k], f1[k], support[k]))
    np.testing.assert_array_equal(large.confusion().counts, metrics.confusion_matrix(true, said))


def test_intervals_are_scipys():
    for right, total in ((0, 7), (3, 5), (7, 7), (812, 1000)):
        expected = binomtest(right, total).proportion_ci(method="wilson")
        assert measures.wilson(right, total) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert measures.wilson(0, 0) is None


@pytest.mark.parametrize(
    "rows",
    [
        [row(None, "cat"), row(None, "dog")],
        [row("cat", "cat"), row("cat", "cat")],
        [{"path": "a.jpg", "error": "cut short"}],
        [row("cat", "dog", map_scale=0.0, border=None, corners=None)],
    ],
    ids=["no labels", "one class", "all failed", "empty map"],
)
def test_what_has_no_meaning_is_none_without_a_warning(tmp_path, rows):
    run = sw.open(written(tmp_path / "run", rows))
    found = run.measures()
    assert found.roc_auc is None
    assert repr(found)
    assert repr(run)
    if rows[0].get("label") is None:
        assert (found.accuracy, found.balanced_accuracy, found.calibration_error, found.classes) == (None,) * 3 + ((),)
        for ask in (run.mistakes, run.confusion, run.least_confident_right):
            with pytest.raises(InputError, match="of a run without labels"):
                ask()
    json.dumps(found.as_dict(), allow_nan=False)


def test_confusion_prints_small_and_large(hand, large):
    assert repr(hand.confusion()) == (
        "labels down, answers across: 2 of 5 pictures wrong, 2 classes\n     cat  dog\ncat    1    1\ndog    1    2"
    )
    assert large.confusion().to_pandas().loc["class 1", "class 1"] == large.confusion().counts[1, 1]
    worst = large.confusion().worst()
    counts = large.confusion().counts
    np.fill_diagonal(counts, 0)
    assert worst[0]["pictures"] == counts.max()
    assert sum(each["pictures"] for each in worst) == counts.sum()


def test_an_incomplete_run_says_so(tmp_path):
    folder = written(tmp_path / "run", HAND, part_size=2)
    (folder / "parts" / "part-000001.parquet").unlink()
    (folder / "parts" / "part-000009.parquet").write_bytes(b"stray")
    (folder / "parts" / "part-000000 (copy).parquet").write_bytes(b"stray")
    run = sw.open(folder)
    assert (run.complete, run.missing, len(run)) == (False, (1,), 4)
    note = "incomplete: 4 pictures of 6; 1 part missing. Give the same audit again to go on."
    assert run.notes == run.measures().notes == (note,)
    assert note in repr(run)
    assert note in repr(run.measures())


def test_a_damaged_part_is_named(tmp_path):
    folder = written(tmp_path / "run", HAND, part_size=2)
    path = folder / "parts" / "part-000001.parquet"
    data = bytearray(path.read_bytes())
    page = pq.ParquetFile(path).metadata.row_group(0).column(1)
    data[page.data_page_offset + page.total_compressed_size - 3] ^= 1
    path.write_bytes(data)  # the paths differ by a letter: without checksums nothing would tell
    run = sw.open(folder)
    assert run.select(["id"]).num_rows == 6
    with pytest.raises(InputError) as told:
        run.select()
    assert str(told.value) == (
        f"the part 'parts/part-000001.parquet' of {str(folder)!r} is damaged\n"
        "  expected: a part as the audit wrote it\n"
        "  to do: give the same audit again: it is computed anew"
    )
    path.write_bytes(b"")
    assert "damaged   the part" in repr(sw.open(folder))
    path.unlink()
    with pytest.raises(InputError, match="is gone"):
        run.measures()


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda run: run.select(["bordr"]), UnknownNameError, "no column 'bordr'\n  expected: a column of a run\n  to do: did you mean 'border' or"),
        (lambda run: run.select(corect=False), UnknownNameError, "no column 'corect'\n  expected: a column of a run\n  to do: did you mean 'correct'"),
        (lambda run: run.mistakes(predicted="catt"), UnknownNameError, "no class is called 'catt'\n  expected: a class of the run as predicted\n  to do: did you mean 'cat'?"),
        (lambda run: run.mistakes("false postive"), UnknownNameError, "no kind of mistakes 'false postive'\n  expected: one of 'false positive', 'false negative', 'confident', 'close'\n  to do: did you mean 'false positive'"),
        (lambda run: run.select(where="border > 1"), InputError, "where='border > 1'\n  expected: a pyarrow.compute expression"),
        (lambda run: run.select(where=pc.field("border") == "x"), InputError, "cannot be read: "),
        (lambda run: run.select(border="much"), InputError, "border='much'\n  expected: a value of type float, or a list"),
        (lambda run: run.select(map=[1.0]), InputError, "True or None for a column of lists"),
        (lambda run: run.mistakes(limit=0), InputError, "0 rows\n  expected: 1 or more"),
    ],
)  # fmt: skip
def test_messages(hand, ask, error, message):
    with pytest.raises(error) as told:
        ask(hand)
    assert message in str(told.value)


def test_a_false_positive_of_many_classes_needs_one(large):
    with pytest.raises(InputError, match=r"write predicted='class 0'"):
        large.mistakes("false positive")


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(InputError, match="holds no run"):
        sw.open(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        sw.open(tmp_path / "nowhere")
    (tmp_path / "run.json").write_text('{"schema": 1, "key": "", "settings": {}}')
    with pytest.raises(InputError, match="lacks 'part_size'"):
        sw.open(tmp_path)
    (tmp_path / "run.json").write_text('{"schema": 99, "versions": {"seewhy": "9.0"}}')
    with pytest.raises(InputError, match=r"a run of schema 99 .*written by seewhy 9.0"):
        sw.open(tmp_path)


# Labels in doubt, near-duplicates, focus.


def test_likely_mislabelled_as_worked_by_hand(tmp_path):
    rows = [row("cat", "cat", p) for p in (0.9, 0.8)] + [row("dog", "dog", p) for p in (0.6, 0.7)]
    rows += [row("cat", "dog", 0.95), row("dog", "cat", 0.6), row("cat", "dog", 0.55)]
    run = sw.open(written(tmp_path / "run", rows))
    # t(cat) = (0.9 + 0.8 + 0.05 + 0.45) / 4 = 0.55, t(dog) = (0.6 + 0.7 + 0.4) / 3 = 0.5667
    found = run.likely_mislabelled()
    assert [(r["id"], r["suggested"]) for r in found] == [(4, "dog"), (5, "cat")]  # 0.55 < t(dog): row 6 is not doubted
    assert found[0]["suggested_probability"] == pytest.approx(0.95)
    assert found[0]["label_probability"] == pytest.approx(0.05)
    assert run.likely_mislabelled(1).found == 2
    assert repr(run.likely_mislabelled(1)).startswith(
        "likely mislabelled: 1 of 2\npath         label  label probability"
    )


def test_no_label_is_doubted_where_all_is_right(tmp_path):
    run = sw.open(written(tmp_path / "run", [row("cat", "cat"), row("dog", "dog")]))
    assert repr(run.likely_mislabelled()) == "likely mislabelled: none"


@pytest.mark.parametrize("classes", [5, 300])
def test_likely_mislabelled_is_a_slow_loop(tmp_path, classes):
    """Of 300 classes 20 scores are kept; probabilities are as if all were."""
    run = sw.open(synthetic(tmp_path / "run", 600, classes=classes, part_size=250))
    rows = run.select(
        ["id", "label_index", "predicted_index", "probability", "loss", "scores", "classes"], error=None
    ).to_pylist()
    own = {}
    for r in rows:
        own.setdefault(r["label_index"], []).append(np.exp(-r["loss"]))
    usual = {c: np.mean(values) for c, values in own.items()}
    expected = {}
    for r in rows:
        scores = np.array(r["scores"], np.float64)
        names = r["classes"] or list(range(len(scores)))
        total = np.exp(scores[names.index(r["predicted_index"])]) / r["probability"]
        shares = {c: np.exp(s) / total for c, s in zip(names, scores, strict=True) if c != r["label_index"]}
        over = {c: p for c, p in shares.items() if c in usual and p >= usual[c]}
        if over and np.exp(-r["loss"]) < usual[r["label_index"]]:
            expected[r["id"]] = max(over, key=over.get)
    found = run.likely_mislabelled(None)
    assert {r["id"]: int(r["suggested"].split()[1]) for r in found} == expected
    assert len(expected) > 10
    gaps = [r["suggested_probability"] - r["label_probability"] for r in found]
    assert gaps == sorted(gaps, reverse=True)


def test_probabilities_of_one_output_and_of_several_labels():
    batch = {
        "predicted_index": pa.array([1, 0], pa.int32()),
        "probability": pa.array([0.8, 0.6], pa.float32()),
        "scores": pa.array([[0.0, 1.0], [2.0, -1.0]], pa.list_(pa.float32())),
        "classes": pa.nulls(2, pa.list_(pa.int32())),
    }
    *_, single = doubts.probabilities(batch, True, False)
    np.testing.assert_allclose(single, [0.2, 0.8, 0.6, 0.4], rtol=1e-6)
    *_, several = doubts.probabilities(batch, False, True)
    np.testing.assert_allclose(several, 1 / (1 + np.exp([0, -1, -2, 1])), rtol=1e-6)


HASHES = st.lists(
    st.builds(lambda base, flips: base ^ sum({1 << f for f in flips}), st.sampled_from([0, 2**64 - 1, 0x123456789ABCDEF0]), st.lists(st.integers(0, 63), max_size=6)),
    max_size=40,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(HASHES, st.data())
def test_near_duplicates_are_those_of_brute_force(values, data):
    classes = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=len(values), max_size=len(values))), np.int64)
    for known in (None, classes):
        expected = {
            (i, j, (values[i] ^ values[j]).bit_count())
            for i, j in combinations(range(len(values)), 2)
            if (values[i] ^ values[j]).bit_count() <= duplicates.FAR
            and (known is None or (known[i] != known[j] and known[i] >= 0 and known[j] >= 0))
        }
        found = duplicates.duplicates(np.array(values, np.uint64), known)
        assert set(zip(*(each.tolist() for each in found), strict=True)) == expected
        assert len(found[0]) == len(expected)
        assert list(found[2]) == sorted(found[2])


def test_many_blank_pictures_do_not_make_millions_of_pairs():
    hashes = np.zeros(5_000, np.uint64)
    first, second, _ = duplicates.duplicates(hashes, None)
    assert len(first) == 4_999
    assert set(first) | set(second) == set(range(5_000))
    first, second, _ = duplicates.duplicates(hashes, np.arange(5_000) % 2)
    assert set(first) | set(second) == set(range(5_000))
    assert len(first) < 10_000
    assert ((first + second) % 2 == 1).all()


def test_a_hundred_thousand_hashes_are_compared_in_seconds():
    rng = np.random.default_rng(0)
    hashes = rng.integers(2**64, size=100_000, dtype=np.uint64)
    hashes[50_000:50_100] = hashes[:100] ^ np.uint64(0b1111 << 20)
    started = time.process_time()
    first, second, bits = duplicates.duplicates(hashes, None)
    assert time.process_time() - started < 10  # about 1 s alone
    assert (list(first), list(second - first), set(bits)) == (list(range(100)), [50_000] * 100, {4})


def test_near_duplicates_of_a_run(tmp_path):
    rows = [
        row("cat", "cat", path="cat/a.jpg", perceptual_hash=0b1011, hash="x"),
        row("dog", "cat", path="dog/b.jpg", perceptual_hash=0b1011, hash="x"),
        row("cat", "cat", path="cat/c.jpg", perceptual_hash=0b1000, hash="y"),
        row("cat", "cat", path="cat/d.jpg", perceptual_hash=2**63 | 2**40, hash="z"),
        {"path": "cat/e.jpg", "error": "cut short"},
    ]
    run = sw.open(written(tmp_path / "run", rows, part_size=2))
    assert repr(run.near_duplicates()) == (
        "near-duplicates with different labels: 2\n"
        "path       label  other path  other label  distance\n"
        "cat/a.jpg  cat    dog/b.jpg   dog                 0\n"
        "dog/b.jpg  dog    cat/c.jpg   cat                 2"
    )
    assert [r["identical"] for r in run.near_duplicates()] == [True, False]
    assert len(run.near_duplicates(across_labels=False)) == 4  # a and c, and c and d: 3 bits
    assert run.near_duplicates(False, limit=1).found == 4
    none = sw.open(
        written(tmp_path / "none", [row(None, "cat", perceptual_hash=1), row(None, "cat", perceptual_hash=2**40 - 1)])
    )
    assert repr(none.near_duplicates(across_labels=False)) == "near-duplicates: none"
    with pytest.raises(InputError, match="of a run without labels"):
        none.near_duplicates()


def test_focus_is_the_mean_of_shares(tmp_path):
    maps = {"a": [1, 0, 0, 1], "b": [0, 0, 0, 1], "c": [1, 1, 1, 1]}
    rows = [
        row("cat", "cat", map=maps["a"]),
        row("cat", "cat", map=maps["b"], border=0.5),
        row("dog", "cat", map=maps["c"], border=None),
        row("dog", "dog", map=[0, 0, 0, 0], map_scale=0.0, border=None),
        row(None, "dog", map=maps["b"]),
    ]
    run = sw.open(written(tmp_path / "run", rows, part_size=2))
    found = run.focus()
    np.testing.assert_allclose(found.map("cat", "right"), [[0.25, 0], [0, 0.75]])
    np.testing.assert_allclose(found.map("cat", "wrong"), np.full((2, 2), 0.25))
    np.testing.assert_allclose(found.difference("cat"), [[0, -0.25], [-0.25, 0.5]])
    assert (found.empty, found.grid, found.names, found.shifted()) == (1, (2, 2), ["cat", "dog"], ["cat"])
    assert (found.map("dog", "right"), found.difference("dog")) == (None, None)
    assert [(one.name, one.answers, one.pictures, one.border) for one in found.looked] == [
        ("cat", "right", 2, pytest.approx(0.4)),
        ("cat", "wrong", 1, None),
        ("dog", "unknown", 1, pytest.approx(0.3)),
    ]
    assert [one.answers for one in run.focus(label="dog").looked] == ["wrong"]
    assert found.looked == run.measures().looked
    assert repr(found).splitlines()[2].split() == ["cat", "2", "1", "40.0", "%", "–", "20.0", "%", "20.0", "%"]
    json.dumps(found.as_dict(), allow_nan=False)


def test_maps_of_several_sizes_come_to_one_grid(tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        row("cat", "cat", map=rng.random(h * w).astype(np.float16), map_height=h, map_width=w)
        for h, w in ((7, 7), (14, 14), (3, 5), (40, 20))
    ]
    run = sw.open(written(tmp_path / "run", rows))
    found = run.focus()
    assert found.grid == (14, 14)
    assert found.map("cat", "right").sum() == pytest.approx(1, abs=1e-5)
    # A map of 7 x 7 on 14 x 14: each cell in four equal parts.
    one = focus.shares(
        run.select(["map", "map_height", "map_width"], where=pc.field("id") == 0).to_batches()[0], (14, 14)
    )[0]
    cells = np.asarray(rows[0]["map"], np.float64).reshape(7, 7)
    np.testing.assert_allclose(one, np.kron(cells / cells.sum(), np.full((2, 2), 0.25)), rtol=1e-3)
    large = sw.open(
        written(tmp_path / "large", [row("cat", "cat", map=np.ones(60 * 40, np.float16), map_height=60, map_width=40)])
    )
    assert large.focus().grid == (28, 28)


# Drawn.


@pytest.fixture
def pictures(tmp_path):
    root = tmp_path / "photos"
    (root / "cat").mkdir(parents=True)
    for name, size in (("a.png", (60, 40)), ("b.png", (40, 60))):
        Image.new("RGB", size, "teal").save(root / "cat" / name)
    (root / "cat" / "broken.png").write_bytes(b"nothing")
    seen = {"width": 60, "height": 40, "label_map": np.array([1, 0, 0, 0], np.float16), "label_map_scale": 1.0}
    rows = [
        row("cat", "dog", 0.9, path="cat/a.png", box=[10, 0, 50, 40], **seen),
        row("cat", "cat", 0.8, path="cat/a.png", width=60, height=40),
        row("cat", "dog", 0.7, path="cat/gone.png", **seen),
        row("cat", "dog", 0.7, path="cat/b.png", **seen),
        row("cat", "dog", 0.7, path="cat/broken.png", **seen),
        row("cat", "dog", 0.7, path=None, **seen),
        {"path": "cat/broken.png", "error": "no image"},
    ]
    rows[0]["perceptual_hash"] = rows[2]["perceptual_hash"] = 7
    return sw.open(written(tmp_path / "run", rows, root=root))


def test_galleries_show_pictures_and_what_is_wrong_with_others(pictures, tmp_path):
    path = tmp_path / "wrong.png"
    pictures.gallery(None, path)
    with Image.open(path) as image:
        assert image.width > 1_300
    entries = [
        galleries.Entry(each, *galleries.original(pictures, each))
        for each in pictures.rows(range(7), galleries.NEEDED).to_pylist()
    ]
    assert [galleries.told(entry.trouble, entry.row) for entry in entries] == [
        "",
        "",
        "not found: cat/gone.png",
        "changed since the audit: cat/b.png",
        "damaged, or no picture: cat/broken.png",
        "came without a file",
        "damaged, or no picture: cat/broken.png",
    ]
    for rows in (pictures.least_confident_right(), pictures.failures(), pictures.near_duplicates(False)):
        rows.gallery(path, limit=3)
    for scale in galleries.SCALES:
        pictures.gallery("confident", path, scale=scale, colormap="jet", columns=1)


def test_a_map_lies_on_what_the_model_saw(pictures):
    image = np.asarray(galleries.gallery(pictures, pictures.mistakes(limit=1), order="nearest"))
    wide = panels.panel([Image.new("RGB", (60, 40), "teal")], tile=galleries.TILE).height
    assert image.shape[0] > wide
    (first,) = pictures.rows([0], galleries.NEEDED).to_pylist()
    entry = galleries.Entry(first, *galleries.original(pictures, first))
    drawn = np.asarray(galleries.mapped(entry, "map", None, 224, {"order": "nearest"}))
    teal = np.array([0, 128, 128])
    assert (drawn[:20, 10:50] == teal).all()  # the map's first row is empty
    assert (drawn[20:, 30:50] != teal).any(axis=-1).all()  # its last cell is not
    assert (drawn[:, :10] != teal).any()  # hatched


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda run, path: run.gallery("close", path), "no pictures to draw: close mistakes: none\n  expected: one or more"),
        (lambda run, path: run.gallery(None, path, scale="eahc"), "no scale 'eahc'\n  expected: one of 'each', 'picture', 'all'\n  to do: did you mean 'each'"),
        (lambda run, path: run.mistakes().gallery(path, limit=0), "limit=0, columns=2\n  expected: 1 or more"),
        (lambda run, path: run.gallery(None, path.with_suffix("")), "which ends in no format"),
    ],
)  # fmt: skip
def test_gallery_messages(pictures, tmp_path, ask, message):
    with pytest.raises(InputError) as told:
        ask(pictures, tmp_path / "g.png")
    assert message in str(told.value)


def test_mean_maps_are_drawn_for_each_class(large, tmp_path):
    large.mean_maps(tmp_path / "all.png")
    large.mean_maps(tmp_path / "one.png", limit=1, label="class 1")
    with Image.open(tmp_path / "all.png") as every, Image.open(tmp_path / "one.png") as one:
        assert every.size > one.size
    failed = sw.open(written(tmp_path / "failed", [{"path": "a.jpg", "error": "cut short"}]))
    assert repr(failed.focus()) == "no maps"
    with pytest.raises(InputError, match="no maps to draw"):
        failed.mean_maps(tmp_path / "none.png")


# The file format.

TEXT = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from(["katze\n\thund", "\U0001f431.jpg", "日本/犬.png", ""])
)
HALVES = arrays(np.float16, st.integers(0, 9), elements=st.floats(0, 1, width=16))
ROW = st.fixed_dictionaries(
    {},
    optional={
        "path": TEXT,
        "label": TEXT,
        "error": TEXT,
        "map": st.one_of(st.none(), HALVES),
        "map_scale": st.one_of(st.none(), st.floats(0, 2.0**100, width=32)),
        "scores": st.one_of(st.none(), arrays(np.float32, 3, elements=st.floats(width=32))),
        "object_boxes": st.one_of(st.none(), st.lists(st.lists(st.floats(0, 500, width=32), min_size=4, max_size=4), max_size=2)),
        "correct": st.one_of(st.none(), st.booleans()),
        "perceptual_hash": st.one_of(st.none(), st.integers(0, 2**64 - 1)),
        "map_height": st.one_of(st.none(), st.integers(0, 2**15 - 1)),
    },
)  # fmt: skip


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=1, max_size=7))
def test_a_record_survives_parquet_unchanged(tmp_path, rows):
    folder = written(tmp_path / "run", rows, part_size=3)
    read = sw.open(folder).select().to_pylist()
    assert [each["id"] for each in read] == list(range(len(rows)))
    for given_row, each in zip(rows, read, strict=True):
        for name in SCHEMA.names[1:]:
            value = given_row.get(name)
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(np.asarray(each[name], value.dtype), value)
            else:
                assert each[name] == value


def test_parts_open_as_they_are_in_pandas_polars_and_duckdb(tmp_path):
    rows = [
        row("cat", "dog", 0.75, path="\U0001f431\n.jpg", perceptual_hash=2**64 - 1, box=[0, 1.5, 2, 3]),
        row("cat", "cat", 0.5, map=[0.25, 1.0, 0, 0]),
        {"error": "cut short"},
    ]
    folder = written(tmp_path / "run", rows, part_size=2)
    files = str(folder / "parts" / "*.parquet")
    frame = pd.concat([pd.read_parquet(path) for path in sorted((folder / "parts").iterdir())], ignore_index=True)
    assert frame["path"][0] == "\U0001f431\n.jpg"
    assert frame["map"][1].tolist() == [0.25, 1, 0, 0]
    assert frame["map"][1].dtype == np.float16
    assert frame["probability"].tolist()[:2] == [0.75, 0.5]
    assert pd.read_parquet(folder / "parts" / "part-000000.parquet")["id"].tolist() == [0, 1]
    table = pl.read_parquet(files)
    assert table["map"].to_list() == [[0, 0, 0, 1], [0.25, 1, 0, 0], None]
    assert table["perceptual_hash"][0] == 2**64 - 1
    assert table.filter(pl.col("correct") == False)["path"].to_list() == ["\U0001f431\n.jpg"]  # noqa: E712
    found = duckdb.sql(f"select id, predicted, map, perceptual_hash, box, error from '{files}' order by id").fetchall()
    assert found[0] == (0, "dog", [0, 0, 0, 1], 2**64 - 1, [0, 1.5, 2, 3], None)
    assert found[2] == (2, None, None, None, None, "cut short")


def test_opening_a_run_loads_no_picture_or_metric_library():
    code = "import sys, seewhy; seewhy.open; print([m for m in ('torch', 'sklearn', 'matplotlib', 'skimage') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
