"""Targets settle as the design says, their derivatives are derivatives, and wrong ones are told."""

import numpy as np
import pytest

import seewhy as sw
from seewhy.targets import Scores, as_targets

SCORES = Scores(np.array([[1.0, 3.0, 2.0], [5.0, 0.0, -1.0]]), labels=("tabby, tabby cat", "tiger_cat", "dog"))


def settle(asked, scores=SCORES, picture=0):
    return [aim for target in as_targets(asked)[0] for aim in target.settle(scores, picture)]


def test_the_predicted_class_is_each_picture_s_own():
    assert [settle(None, picture=i)[0].index for i in (0, 1)] == [1, 0]
    assert settle(None)[0].asked == "predicted"


def test_top_is_best_first():
    assert [aim.label for aim in settle(sw.top(3))] == ["tiger_cat", "dog", "tabby, tabby cat"]


@pytest.mark.parametrize("name", ["tiger_cat", "tiger cat", "Tiger Cat"])
def test_labels_in_any_spelling(name):
    assert settle(name)[0].index == 1


def test_a_synonym_names_its_class():
    assert settle("Tabby Cat")[0].index == 0


@pytest.mark.parametrize("asked", [2, np.int64(2), np.array(2), sw.against(np.array(2)), sw.versus(np.int32(2), 0)])
def test_an_index_in_any_type(asked):
    (aim,) = settle(asked)
    assert abs(aim.weights[2]) == 1


@pytest.mark.parametrize(
    "asked", [0, sw.versus(0, 2), sw.against(1), sw.probability(1)], ids=lambda asked: type(asked).__name__
)
@pytest.mark.parametrize("kind", ["several outputs", "one output", "several labels"])
def test_directions_are_derivatives(asked, kind):
    values = {"one output": np.array([[0.7]])}.get(kind, np.array([[1.0, 3.0, 2.0]]))
    scores = Scores(values, several=kind == "several labels")
    if kind == "one output" and isinstance(asked, type(sw.versus(0, 1))):
        asked = sw.versus(0, 1)
    (aim,) = settle(asked, scores)
    for o in range(values.shape[1]):
        step = np.zeros_like(values)
        step[0, o] = 1e-6
        slope = (aim.value(values + step) - aim.value(values - step)) / 2e-6
        np.testing.assert_allclose(aim.direction(values)[0, o], slope[0], atol=1e-8)


def test_versus_of_one_output_is_its_log_odds_once():
    (aim,) = settle(sw.versus(1, 0), Scores(np.array([[0.7]])))
    assert aim.value(np.array([[0.7]]))[0] == pytest.approx(0.7)


def test_probabilities_do_not_overflow():
    scores = Scores(np.array([[1e4, -1e4, 0.0]]))
    np.testing.assert_allclose(scores.probabilities, [[1, 0, 0]])
    np.testing.assert_allclose(Scores(np.array([[-1e4]])).probabilities, [[1, 0]])


@pytest.mark.parametrize(
    ("asked", "came", "remedy"),
    [
        (3, "class 3 of a model with 3 classes", "count classes from 0"),
        (-4, "class -4", "order of the model's outputs"),
        (-1, "class -1 of a model with 3 classes", "count classes from 0; the last is 2"),
        (sw.versus(0, -1), "class -1", "the last is 2"),
        ("2", "no class is called '2'", "write 2, without quotes"),
        ("tigercat", "no class is called 'tigercat'", "did you mean 'tiger_cat'?"),
        (sw.top(4), "top(4) of a model with 3 classes", "write top(3)"),
        (sw.top(0), "top(0)", "write top(1)"),
        (sw.versus(1, "tiger cat"), "versus(1, 'tiger cat')", "name another class"),
        ([], "an empty list of targets", "leave target= out"),
        (1.0, "target 1.0", "write target=int(...)"),
        (True, "target True", "write target=int(...)"),
        ({"cat": 1}, "a target of type dict", "targets=[...] of explain_many"),
    ],
    ids=str,
)
def test_wrong_targets_are_told(asked, came, remedy):
    with pytest.raises(sw.InputError) as caught:
        settle(asked)
    assert came in caught.value.came
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("make", "came"),
    [
        (lambda: sw.probability(0.5), "0.5 as a class for probability()"),
        (lambda: sw.versus(1.7, 0), "1.7 as a class for versus()"),
        (lambda: sw.versus(0, None), "None as a class for versus()"),
        (lambda: sw.against(True), "True as a class for against()"),
        (lambda: sw.against(sw.top(1)), "Top("),
        (lambda: sw.top("3"), "top('3')"),
        (lambda: sw.top(2.0), "top(2.0)"),
        (lambda: sw.output(3), "output(3)"),
    ],
)
def test_what_is_no_class_is_told_at_once(make, came):
    with pytest.raises(sw.InputError) as caught:
        make()
    assert came in caught.value.came


def test_a_label_of_a_model_without_labels():
    with pytest.raises(sw.InputError, match="without labels") as caught:
        settle("cat", Scores(np.zeros((1, 3))))
    assert "wrap(model, labels=" in caught.value.remedy
    with pytest.raises(sw.InputError, match="write 2, without quotes"):
        settle("2", Scores(np.zeros((1, 3))))


def test_one_label_for_two_classes():
    with pytest.raises(sw.InputError, match="2 classes are called 'crane'") as caught:
        settle("crane", Scores(np.zeros((1, 3)), labels=("crane", "dog", "crane")))
    assert "0 or 2" in caught.value.remedy


def test_labels_must_be_as_many_as_classes():
    with pytest.raises(sw.InputError, match="2 labels for a model with 3 classes"):
        Scores(np.zeros((1, 3)), labels=("a", "b"))
    assert Scores(np.zeros((1, 1)), labels=("no", "yes")).label(1) == "yes"
