"""The notebook of the examples as it lies there: valid, executed without an error, small, and of no machine."""

import re
from pathlib import Path

import nbformat
import pytest

from examples.execute_notebook import cleaned, scrubbed

PATH = Path(__file__).parents[1] / "examples" / "debugging_a_classifier.ipynb"
ABSOLUTE = re.compile(r"(?<![\w.<:/])/(?:home|root|tmp|work|usr|var|opt|Users|mnt)/|[A-Z]:\\\\")


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(PATH, as_version=4)


def test_it_is_valid_and_small(notebook):
    nbformat.validate(notebook)
    assert 100_000 < PATH.stat().st_size < 3_000_000  # with its pictures


def test_every_cell_was_executed_in_order_without_an_error(notebook):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [each for cell in cells for each in cell.outputs]
    assert not [each for each in outputs if each.output_type == "error"]
    assert not [each for each in outputs if each.get("name") == "stderr"]


def test_it_shows_pictures_animations_and_numbers(notebook):
    data = [each.get("data", {}) for cell in notebook.cells if cell.cell_type == "code" for each in cell.outputs]
    assert sum("image/gif" in each for each in data) == 2
    assert sum("image/jpeg" in each or "data:image" in str(each.get("text/html", "")) for each in data) >= 5
    texts = " ".join(str(each) for cell in notebook.cells if cell.cell_type == "code" for each in cell.outputs)
    assert all(word in texts for word in ("accuracy", "behind bars", "report.html"))


def test_no_machine_s_paths_are_in_it():
    found = ABSOLUTE.search(PATH.read_text(encoding="utf-8"))
    assert found is None, found


def test_paths_are_made_relative_and_stderr_is_left_out():
    text = "in /tmp/x9/out/a.png and /usr/lib/python3/site.py: 3/4 of it, see https://a.b/c/d"
    assert scrubbed(text, "/tmp/x9") == "in out/a.png and site.py: 3/4 of it, see https://a.b/c/d"
    cell = nbformat.v4.new_code_cell("1")
    cell.outputs = [nbformat.v4.new_output("stream", name=name, text="/tmp/x9/out") for name in ("stdout", "stderr")]
    made = nbformat.v4.new_notebook(cells=[cell])
    cleaned(made, "/tmp/x9")
    assert [(each["name"], each.text) for each in cell.outputs] == [("stdout", "out")]
