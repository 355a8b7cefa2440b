"""The shape of the package: imports go down, the front door is cheap, public names agree everywhere."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import seewhy as sw
from seewhy.errors import InputError, MissingExtraError, SeeWhyError, UnknownNameError

ROOT = Path(sw.__file__).parent
STATIONS = [
    ["errors"],
    ["targets", "images"],
    ["evidence"],
    ["models", "methods"],
    ["explanation"],
    ["results"],
    ["studies"],
    ["apps"],
]
RANK = {name: rank for rank, names in enumerate(STATIONS) for name in names}
MODULES = sorted(path.relative_to(ROOT).with_suffix("") for path in ROOT.rglob("*.py"))


def imports_of(source, here):
    """The seewhy stations a module imports, with the line."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "seewhy" and len(parts) > 1 and parts[1] in (*RANK, "scenes"):
                yield parts[1], node.lineno


def upward(source, station):
    found = []
    for other, line in imports_of(source, station):
        if "scenes" in (other, station):  # beside the way: they take pictures and errors, and are for apps alone
            if other != station and other not in ("errors", "images") and station != "apps":
                found.append((other, line))
            continue
        beside = other != station and RANK[other] == RANK[station] and {other, station} == {"models", "methods"}
        if RANK[other] > RANK[station] or beside:
            found.append((other, line))
    return found


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] in (*RANK, "scenes")], ids=str)
def test_imports_only_go_down(module):
    assert not upward((ROOT / module.with_suffix(".py")).read_text(), module.parts[0])


def test_the_import_test_can_fail():
    assert upward("from seewhy.explanation import explain", "methods") == [("explanation", 1)]
    assert upward("import seewhy.models.torch", "methods") == [("models", 1)]
    assert upward("from seewhy import errors\nfrom seewhy.targets import Aim", "evidence") == []
    assert upward("from seewhy import scenes", "studies") == [("scenes", 1)]
    assert upward("from seewhy import scenes", "apps") == []
    assert upward("from seewhy.images.reading import read\nfrom seewhy.targets import Aim", "scenes") == [
        ("targets", 2)
    ]


def only_models_import_frameworks(source):
    names = {name.split(".")[0] for name, _ in _absolute(source)}
    return names & {"torch", "keras", "tensorflow", "jax"}


def _absolute(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module, node.lineno


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] not in ("models", "apps")], ids=str)
def test_only_models_import_a_framework(module):
    assert not only_models_import_frameworks((ROOT / module.with_suffix(".py")).read_text())


def fresh(code):
    environment = {**os.environ, "PYTHONPATH": str(ROOT.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_loads_nothing_heavy():
    heavy = (
        "torch",
        "keras",
        "tensorflow",
        "jax",
        "pyarrow",
        "matplotlib",
        "sklearn",
        "skimage",
        "scipy",
        "pandas",
        "PIL",
    )
    assert fresh(f"import sys, seewhy; print([m for m in {heavy} if m in sys.modules])") == "[]"


def test_explain_itself_loads_no_framework():
    assert fresh("import sys, seewhy; seewhy.explain; print('torch' in sys.modules, 'matplotlib' in sys.modules)") == (
        "False False"
    )


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_imports_first(module):
    name = ".".join(("seewhy", *module.parts)).removesuffix(".__init__")
    fresh(f"import importlib; importlib.import_module({name!r})")


def test_every_public_name_is_there_and_documented():
    for name in sw.__all__:
        assert (getattr(sw, name).__doc__ or "").strip(), name
    assert set(sw.__all__) <= set(dir(sw))
    with pytest.raises(AttributeError, match="no attribute 'explian'"):
        sw.explian  # noqa: B018


def test_editors_see_the_same_names():
    tree = ast.parse((ROOT / "__init__.py").read_text())
    guarded = next(n for n in tree.body if isinstance(n, ast.If))
    names = {alias.asname for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert names == set(sw.__all__)


def test_errors_are_what_one_would_expect_and_survive_pickling():
    import pickle

    error = pickle.loads(pickle.dumps(UnknownNameError("no layer 'a'", "a name", "did you mean 'b'?")))
    assert str(error) == "no layer 'a'\n  expected: a name\n  to do: did you mean 'b'?"
    assert all(isinstance(error, kind) for kind in (SeeWhyError, InputError, ValueError, LookupError))
    assert issubclass(InputError, ValueError)
    assert issubclass(MissingExtraError, ImportError)


@pytest.mark.parametrize("entry", sw.list_methods(), ids=lambda entry: entry.name)
def test_every_method_says_what_it_is(entry):
    assert entry.summary.endswith(".")
    assert any(character.isdigit() for character in entry.paper)
    for heading in ("Args:", "Returns:", "Paper:"):
        assert heading in entry.function.__doc__, (entry.name, heading)
    assert entry.name in repr(sw.list_methods())
