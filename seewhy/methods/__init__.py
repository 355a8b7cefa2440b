"""The catalogue of explanation methods: one function each, from Evidence to a map.

A method is registered by the decorator `method`; what differs between methods is data in its entry, which docs, help
and tests read. Functions return signed maps: `explain` applies the ReLU, alike for all, unless `signed=True`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from numbers import Integral, Real
from typing import Any

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.evidence import Array, Layer
from seewhy.targets import Aim, Scores

_CATALOGUE: dict[str, Method] = {}
_HOMES = ("gradient", "activation", "contrast", "layered", "smoothed", "guided", "decomposition", "trial", "input")
_CONCEPTS = ("dff", "concepts", "deepfeaturefactorization")  # a call of its own, as it gives several maps
_IN_WORDS = {  # what Evidence must hold, for a person who chooses
    "gradients": "gradients",
    "head": "pooling and one linear layer right behind the layer",
    "edited": "runs of the rest of the network on other activations",
    "again": "runs on other images",
    "biases": "gradients and biases (PyTorch alone)",
}
_KINDS: dict[type, tuple[type, str]] = {  # of an option's default → of what may be given, and in words
    **{bool: (bool, "True or False"), str: (str, "a text")},
    **{int: (Integral, "a whole number"), float: (Real, "a number")},
}


@dataclass(frozen=True)
class Method:
    """One entry of the catalogue.

    Args:
        name: how to ask for it.
        function: Evidence (and the options) to a signed map [batch, height, width] in units of the target's score.
        family: 'gradient', 'activation', 'trial' or 'input'.
        paper: where it comes from.
        passes: what it costs, in passes through the model.
        needs: what Evidence must hold: 'gradients', 'head', 'edited', 'again', 'biases'.
        of_model: what it needs besides, in words.
        on_image: the map is of the image's own pixels; no layer is chosen.
        pixelwise: the map is of the image's own pixels, of which single ones can reach far above all others.
        signed: what speaks against the target is below zero; where it is not, nothing is, but for negative activations.
        beside: names further layers, out of all of a model's; the function then takes a list of Evidence: of the layer
            chosen, then of these. None where it takes Evidence of the layer chosen alone.
        aims: turns what was asked of one class into what is explained instead; None where that is the same.
        summary: one line.
        options: name and default of what can be set.
    """

    name: str
    function: Callable[..., Array]
    family: str
    paper: str
    passes: str
    needs: frozenset[str]
    of_model: str
    on_image: bool
    pixelwise: bool
    signed: bool
    beside: Callable[[Sequence[Layer]], list[str]] | None
    aims: Callable[..., Aim] | None
    summary: str
    options: Mapping[str, Any]

    @property
    def wants(self) -> str:
        """What the method needs, in words; '' where the activations are enough."""
        return ", ".join(
            [*(words for need, words in _IN_WORDS.items() if need in self.needs), *filter(None, [self.of_model])]
        )

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options as given, if the method has them all and they are of the same kind as their defaults.

        Raises:
            UnknownNameError: the method has no option of that name.
            InputError: as a text where the method takes a number, or a fraction where it takes a whole number.
        """
        for name, given in options.items():
            if name not in self.options:
                own = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
                raise UnknownNameError(
                    f"{self.name} has no option {name!r}",
                    f"one of its options: {own}" if own else "no option at all",
                    did_you_mean(name, [*self.options, "target", "method", "layer", "signed"], "leave it out"),
                )
            usual = self.options[name]
            kind, words = _KINDS.get(type(usual), (object, "an option"))
            if not isinstance(given, kind) or (kind in (Integral, Real) and isinstance(given, bool)):
                raise InputError(f"{name}={given!r} for {self.name}", words, f"the default is {name}={usual!r}")
        return dict(options)

    def map(self, evidence: Any, options: Mapping[str, Any]) -> Array:
        """Signed map [batch, height, width]."""
        return self.function(evidence, **{name: options[name] for name in _options(self.function) if name in options})

    def aimed(self, aim: Aim, scores: Scores, picture: int, options: Mapping[str, Any]) -> Aim:
        """What is explained for a picture of the batch of which `aim` was asked."""
        if self.aims is None:
            return aim
        return self.aims(
            aim, scores, picture, **{name: options[name] for name in _options(self.aims) if name in options}
        )


def method(
    name: str,
    *,
    family: str,
    paper: str,
    passes: str,
    needs: tuple[str, ...] = (),
    of_model: str = "",
    on_image: bool = False,
    pixelwise: bool | None = None,
    signed: bool = True,
    beside: Callable[[Sequence[Layer]], list[str]] | None = None,
    aims: Callable[..., Aim] | None = None,
) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """Registers a function of Evidence as a method; keyword-only parameters, its own and of `aims`, are its options.

    `pixelwise` is that of `on_image`, unless it is told.
    """

    def register(function: Callable[..., Array]) -> Callable[..., Array]:
        summary = (inspect.getdoc(function) or "").splitlines()[0]
        options = _options(function) | (_options(aims) if aims else {})
        _CATALOGUE[name] = Method(
            name=name,
            function=function,
            family=family,
            paper=paper,
            passes=passes,
            needs=frozenset(needs),
            of_model=of_model,
            on_image=on_image,
            pixelwise=on_image if pixelwise is None else pixelwise,
            signed=signed,
            beside=beside,
            aims=aims,
            summary=summary,
            options=options,
        )
        return function

    return register


def _options(function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def list_methods() -> Methods:
    """All methods: name, one line, family, paper, passes and needs; prints as a table.

    Returns:
        A list of `Method`, those of one family together.
    """
    for home in _HOMES:
        import_module(f"seewhy.methods.{home}")
    found = sorted(_CATALOGUE.values(), key=lambda entry: _HOMES.index(entry.function.__module__.rpartition(".")[2]))
    families = list(dict.fromkeys(entry.family for entry in found))
    return Methods(sorted(found, key=lambda entry: families.index(entry.family)))


class Methods(list[Method]):
    """A list of methods that prints as a table."""

    def __repr__(self) -> str:
        rows = [("name", "family", "passes", "needs", "paper", "what it does")]
        rows += [(m.name, m.family, m.passes, m.wants, m.paper, m.summary) for m in self]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def find_method(name: str) -> Method:
    """The entry of a method; case, spaces, hyphens and underscores do not matter.

    Raises:
        UnknownNameError: there is no such method; the nearest are named.
    """
    if not isinstance(name, str):
        raise InputError(f"a method of type {type(name).__name__}", "the name of a method", "look at list_methods()")
    entries = {_plain(entry.name): entry for entry in list_methods()}
    if _plain(name) in _CONCEPTS:
        raise UnknownNameError(
            f"no method is called {name!r}",
            f"one of {', '.join(entry.name for entry in entries.values())}",
            "write sw.concepts(model, picture): it takes a layer apart into several maps and asks for no class",
        )
    if _plain(name) not in entries:
        names = [entry.name for entry in entries.values()]
        raise UnknownNameError(
            f"no method is called {name!r}",
            f"one of {', '.join(names)}",
            did_you_mean(name, names, "look at list_methods()"),
        )
    return entries[_plain(name)]


def is_pixelwise(name: str) -> bool:
    """Whether a map of the method is of single pixels; not where the name is of no method, as of fused maps."""
    return any(entry.pixelwise for entry in list_methods() if entry.name == name)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
