"""Words of the command line made into what `explain` takes: model, targets, method options, labels, device."""

from __future__ import annotations

import json
from ast import literal_eval
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seewhy.errors import InputError, SeeWhyError
from seewhy.evidence import Model
from seewhy.explanation import layers as layers_of
from seewhy.images.preparing import preset
from seewhy.methods import Method
from seewhy.models.loading import FORMS, load
from seewhy.targets import Aim, Scores, Target, Top, against, probability, versus

TOP = 3


@dataclass(frozen=True)
class Highest:
    """The `count` highest-scored classes, or all where the model has fewer."""

    count: int

    def settle(self, scores: Scores, picture: int) -> list[Aim]:
        return Top(min(self.count, scores.classes)).settle(scores, picture)


def load_model(
    spec: str,
    *,
    weights: str = "default",
    labels: Path | None = None,
    prepare: str | None = None,
    device: str | None = None,
    trust_code: bool = False,
) -> Model:
    """The model that `--model` and the options about it tell of, on that device; None: where it is.

    Raises:
        InputError: it cannot be loaded, or one of the options cannot be used.
        MissingExtraError: the package that holds it is not installed.
    """
    told: dict[str, Any] = {}
    if labels is not None:
        told["labels"] = read_labels(labels)
    if prepare is not None:
        preset(prepare)  # a wrong name is told before the model is loaded
        told["prepare"] = prepare
    told["safe_mode"] = not trust_code
    try:
        model = load(spec, weights=None if weights.lower() == "none" else weights, **told)
    except SeeWhyError:
        raise
    except Exception as error:
        if ".py:" not in spec:
            raise
        raise InputError(
            f"{spec} failed: {type(error).__name__}: {error}",
            "a function without arguments that returns a model",
            "run it by itself to see where; --debug shows the traceback",
        ) from error
    if device is not None:
        model.to(device)  # type: ignore[attr-defined]
    return model


def no_model(example: str) -> InputError:
    """`--model` was left out."""
    return InputError(
        "no model",
        f"--model {FORMS} (a function that returns your model)",
        f"try the small network of the demo (pip install 'seewhy[demo]'): {example}",
    )


def read_labels(path: Path) -> list[str] | dict[int, str]:
    """Labels from a file: one a line, or JSON: a list, or {"0": "cat"}, also {"0": ["n02123045", "tabby"]}."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the labels in {str(path)!r} cannot be read: {error}", "a text file in UTF-8", "check the path"
        ) from error
    if path.suffix.lower() != ".json":
        labels = text.splitlines()
        while labels and not labels[-1].strip():
            labels.pop()
        return [label.strip() for label in labels]
    try:
        found = json.loads(text)
        if isinstance(found, dict):
            return {int(key): _label(value) for key, value in found.items()}
        if isinstance(found, list):
            return [_label(value) for value in found]
    except ValueError as error:
        raise InputError(
            f"the labels in {str(path)!r}: {error}", 'JSON: ["cat", "dog"] or {"0": "cat", "1": "dog"}', "mend the file"
        ) from error
    raise InputError(
        f"the labels in {str(path)!r} are a {type(found).__name__}", 'JSON: ["cat", "dog"] or {"0": "cat"}', "mend it"
    )


def _label(value: Any) -> str:
    return str(value[-1] if isinstance(value, list) and value else value)


def read_targets(
    model: Model,
    *,
    target: Sequence[str],
    rather: Sequence[tuple[str, str]],
    opposed: Sequence[str],
    probable: Sequence[str],
    top: int | None,
) -> list[Target | int | str]:
    """All that is asked of each picture, in order; the highest-scored classes where nothing else is."""

    def one(word: str) -> int | str:
        """A label, or digits that mean an index, unless the model has such a label."""
        number = word[1:] if word.startswith("-") else word
        return int(word) if number.isdecimal() and word not in (model.labels or ()) else word

    asked: list[Target | int | str] = [one(word) for word in target]
    asked += [versus(one(wanted), one(other)) for wanted, other in rather]
    asked += [against(one(word)) for word in opposed]
    asked += [probability(one(word)) for word in probable]
    if top is not None or not asked:
        asked.insert(0, Highest(TOP) if top is None else Top(top))
    return asked


def read_layers(model: Model, words: Sequence[str]) -> Any:
    """None, 'all', or a list of names and indices; digits are an index, unless the model has a layer of that name."""
    if not words:
        return None
    if "all" in words:
        return "all"
    if not any(word.removeprefix("-").isdecimal() for word in words):
        return list(words)
    names = {layer.name for layer in layers_of(model)}
    return [int(word) if word.removeprefix("-").isdecimal() and word not in names else word for word in words]


def read_layer(model: Model, word: str | None) -> Any:
    """None, or one layer by name or index; `audit` tells that there can be only one."""
    found = read_layers(model, [] if word is None else [word])
    return found[0] if isinstance(found, list) else found


def read_classes(words: Sequence[str] | None) -> dict[str, str | int | None] | None:
    """LABEL=CLASS as a mapping; 'none' stands for no label.

    Raises:
        InputError: a word without '='.
    """
    found: dict[str, str | int | None] = {}
    for word in words or ():
        label, equals, name = word.rpartition("=")
        if not equals or not label:
            raise InputError(f"--class {word}", "LABEL=CLASS", "as in --class dogs=dog")
        found[label] = None if name.lower() == "none" else int(name) if name.isdecimal() else name
    return found or None


def read_options(method: Method, words: Sequence[str]) -> Mapping[str, Any]:
    """NAME=VALUE as the method's options, with values as numbers, truth or text.

    Raises:
        InputError: a word without '=', or text where the method takes a number.
        UnknownNameError: the method has no option of that name.
    """
    options: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InputError(f"--option {word}", "NAME=VALUE", "`seewhy methods` lists each method's options")
        options[name.replace("-", "_")] = _value(value)
    return method.checked(options)


def _value(text: str) -> Any:
    try:
        return literal_eval(text.capitalize() if text.lower() in ("true", "false") else text)
    except (ValueError, SyntaxError):
        return text
