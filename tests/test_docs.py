"""What README and docs show runs and prints what they say; the reference is up to date."""

import contextlib
import importlib.util
import io
import re
import shutil
from pathlib import Path

import pytest
import skimage.data

import seewhy as sw
from tests.test_keras import process

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```(?:\n+```text\n(.*?)^```)?", re.MULTILINE | re.DOTALL)
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))]
ON_KERAS = [page for page in WITH_CODE if "import keras" in page.read_text("utf-8")]


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """The pictures that the pages speak of, in the working directory."""
    folder = Path(skimage.data.__file__).parent
    for name, source in {"coffee.png": "coffee.png", "cat.png": "chelsea.png"}.items():
        shutil.copy(folder / source, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in WITH_CODE if p not in ON_KERAS], ids=lambda p: str(p.relative_to(ROOT)))
def test_python_blocks_run_and_print_what_they_say(page, pictures):
    """Blocks of a page run one after the other; a text block right behind one is what it prints."""
    names = {}
    for code, printed in BLOCK.findall(page.read_text("utf-8")):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, str(page), "exec"), names)
        if printed:
            assert out.getvalue().strip() == printed.strip()


@pytest.mark.slow
@pytest.mark.parametrize("page", ON_KERAS, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_on_keras_run_in_a_process_of_their_own(page, pictures):
    found = BLOCK.findall(page.read_text("utf-8"))
    ran = process("tensorflow", "-c", "".join(code for code, _ in found))
    assert ran.stdout.strip() == "".join(printed for _, printed in found).strip(), ran.stderr[-3000:]


def test_the_reference_is_up_to_date():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, page in generate.PAGES.items():
        assert (generate.REFERENCE / name).read_text("utf-8") == page(), f"{name} is stale: run `make docs`"


@pytest.mark.parametrize("page", ["README.md", "docs/explanation/which-method.md", "docs/reference/methods.md"])
def test_concepts_can_be_found(page):
    text = (ROOT / page).read_text("utf-8")
    assert "sw.concepts(" in text
    assert "Deep Feature Factorization" in text


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_version_stands_in_the_changelog():
    assert f"## {sw.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_nothing_speaks_of_this_machine():
    """No machine paths in what users read."""
    for page in PAGES:
        assert not re.search(r"/(work|root|home|tmp)/", page.read_text("utf-8")), page
