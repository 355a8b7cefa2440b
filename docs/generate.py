"""Writes the reference pages from the code itself: public names, methods, commands, errors, columns.

`make docs` runs it; the tests check that the pages are up to date.
"""

import inspect
import sys
from pathlib import Path

import seewhy as sw

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- written by docs/generate.py; do not edit -->\n\n"
ERRORS = ("SeeWhyError", "InputError", "UnknownNameError", "EvidenceError", "MissingExtraError", "SeeWhyWarning")
ORDER = (
    *("explain", "explain_many", "compare_methods", "concepts", "layers", "wrap", "load", "list_methods"),
    *("top", "versus", "against", "probability", "output"),
    *("Explanation", "Explanations", "Failed"),
    *("check", "audit", "open", "Run", "keep_memory"),
    *("find_shortcuts", "Findings", "Finding", "open_findings", "recheck", "Rechecks", "Recheck"),
    *("compare", "Comparison"),
    *("watch", "Watch", "Watched"),
    *("study", "open_study", "Study", "transfer", "cover", "transplant", "swap_backgrounds"),
)


def api() -> str:
    assert set(ORDER) | set(ERRORS) == set(sw.__all__), "a public name has no place on the page"
    return NOTE + "# The Python API\n\n`import seewhy as sw`\n\n" + "\n".join(_section(name) for name in ORDER)


def _section(name: str) -> str:
    thing = getattr(sw, name)
    shown = "" if inspect.isclass(thing) else str(inspect.signature(thing)).replace("'", "")
    text = f"## {name}\n\n```text\nsw.{name}{shown}\n```\n\n{_documented(thing)}\n"
    if inspect.isclass(thing):
        members = inspect.getmembers(thing, lambda m: inspect.isfunction(m) or isinstance(m, property))
        for member, value in sorted(members, key=lambda pair: pair[0]):
            if not member.startswith("_") and (inspect.getdoc(value) or ""):
                function = value.fget if isinstance(value, property) else value
                call = "" if isinstance(value, property) else _arguments(function)
                text += f"\n### {name}.{member}{call}\n\n{_documented(value)}\n"
    return text


def _arguments(function: object) -> str:
    signature = inspect.signature(function)  # type: ignore[arg-type]
    kept = [p.replace(annotation=p.empty) for p in signature.parameters.values() if p.name != "self"]
    return str(inspect.Signature(kept))


def _documented(thing: object) -> str:
    """The docstring: its first paragraph as text, the sections as a block."""
    first, _, rest = (inspect.getdoc(thing) or "").partition("\n\n")
    return first + (f"\n\n```text\n{rest.strip()}\n```" if rest.strip() else "")


def methods() -> str:
    head = "| name | family | what it does | passes | needs | options | paper |\n|---|---|---|---|---|---|---|\n"
    rows = "".join(
        f"| `{m.name}` | {m.family} | {m.summary} | {m.passes} | {m.wants} | "
        f"{', '.join(f'`{k}={v!r}`' for k, v in m.options.items())} | {m.paper} |\n"
        for m in sw.list_methods()
    )
    details = "".join(f"\n## {m.name}\n\n```text\n{inspect.getdoc(m.function)}\n```\n" for m in sw.list_methods())
    return (
        f"{NOTE}# Methods\n\nEach is one function in `seewhy/methods/`, and once more, slowly, in `tests/papers.py`.\n"
        f"Maps are kept after ReLU unless `signed=True`.\n\n{head}{rows}\n"
        "Deep Feature Factorization is no `method=`, as it asks for no class and gives several maps:\n"
        f"[`sw.concepts(model, picture)`](api.md#concepts).\n{details}"
    )


def commands() -> str:
    from typer.main import get_command

    from seewhy.apps.cli import app

    root = get_command(app)
    text = f"{NOTE}# The command line\n"
    for name, command in sorted(root.commands.items()):  # type: ignore[attr-defined]
        text += f"\n## seewhy {name}\n\n{inspect.cleandoc(command.help or '')}\n\n| option | meaning |\n|---|---|\n"
        for parameter in command.params:
            spelled = ", ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.name.upper()
            text += f"| `{spelled}` | {getattr(parameter, 'help', None) or ''} |\n"
    return text


def errors() -> str:
    text = f"{NOTE}# Errors\n\nEach says what came, what was expected and what to do.\n"
    for name in ERRORS:
        text += f"\n## {name}\n\n{_documented(getattr(sw, name))}\n"
    return text


def columns() -> str:
    from seewhy.results.record import ALL, COLUMNS, TOP

    head = "| column | type | unit | meaning |\n|---|---|---|---|\n"
    rows = "".join(f"| `{each.name}` | {each.type} | {each.unit} | {each.meaning} |\n" for each in COLUMNS)
    return (
        f"{NOTE}# The columns of a run\n\n"
        "A run's rows lie in `parts/*.parquet`, one for each picture, and open as they are in pandas, polars, DuckDB\n"
        "and any other Parquet engine; `run.records()` is all of them as a lazy Arrow dataset. What is not known is\n"
        f"null. Of more than {ALL} classes the {TOP} highest scores are kept, and the label's.\n\n{head}{rows}"
    )


PAGES = {"api.md": api, "methods.md": methods, "command-line.md": commands, "errors.md": errors, "columns.md": columns}


def main() -> int:
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
