"""A run opened: rows, filters, mistakes and measures, beside numbers worked by hand and scikit-learn's."""

import json

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy.stats import binomtest
from sklearn import metrics

import seewhy as sw
from seewhy.errors import InputError, UnknownNameError
from seewhy.results import measures
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
        "  Next: run.measures()  run.mistakes()  run.confusion()  run.focus()",
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
    (tmp_path / "run.json").write_text('{"schema": 1, "settings": {}}')
    with pytest.raises(InputError, match="lacks 'part_size'"):
        sw.open(tmp_path)
    (tmp_path / "run.json").write_text('{"schema": 99, "versions": {"seewhy": "9.0"}}')
    with pytest.raises(InputError, match=r"a run of schema 99 .*written by seewhy 9.0"):
        sw.open(tmp_path)
