"""seewhy: why an image model says what it says, whether for the right reason, and what to do when not."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Comparison": "studies.comparison",
    "EvidenceError": "errors",
    "Explanation": "explanation",
    "Explanations": "explanation",
    "Failed": "explanation",
    "Finding": "results.findings",
    "Findings": "results.findings",
    "InputError": "errors",
    "MissingExtraError": "errors",
    "Recheck": "results.findings",
    "Rechecks": "results.findings",
    "Run": "results.run",
    "SeeWhyError": "errors",
    "SeeWhyWarning": "errors",
    "Study": "studies.supplement",
    "UnknownNameError": "errors",
    "Watch": "studies.watching",
    "Watched": "results.watched",
    "against": "targets",
    "audit": "studies.auditing",
    "check": "studies.checking",
    "compare": "studies.comparison",
    "compare_methods": "explanation",
    "concepts": "explanation",
    "cover": "studies.supplement",
    "explain": "explanation",
    "explain_many": "explanation",
    "find_shortcuts": "studies.shortcuts",
    "keep_memory": "studies.memory",
    "layers": "explanation",
    "list_methods": "methods",
    "load": "models.loading",
    "open": "results.run",
    "open_findings": "studies.shortcuts",
    "open_study": "studies.supplement",
    "output": "targets",
    "probability": "targets",
    "recheck": "studies.shortcuts",
    "study": "studies.supplement",
    "swap_backgrounds": "studies.supplement",
    "top": "targets",
    "transfer": "models.transferring",
    "transplant": "studies.supplement",
    "versus": "targets",
    "watch": "studies.watching",
    "wrap": "models",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'seewhy' has no attribute {name!r}")
    return getattr(import_module(f"seewhy.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


if TYPE_CHECKING:
    from seewhy.errors import EvidenceError as EvidenceError
    from seewhy.errors import InputError as InputError
    from seewhy.errors import MissingExtraError as MissingExtraError
    from seewhy.errors import SeeWhyError as SeeWhyError
    from seewhy.errors import SeeWhyWarning as SeeWhyWarning
    from seewhy.errors import UnknownNameError as UnknownNameError
    from seewhy.explanation import Explanation as Explanation
    from seewhy.explanation import Explanations as Explanations
    from seewhy.explanation import Failed as Failed
    from seewhy.explanation import compare_methods as compare_methods
    from seewhy.explanation import concepts as concepts
    from seewhy.explanation import explain as explain
    from seewhy.explanation import explain_many as explain_many
    from seewhy.explanation import layers as layers
    from seewhy.methods import list_methods as list_methods
    from seewhy.models import wrap as wrap
    from seewhy.models.loading import load as load
    from seewhy.models.transferring import transfer as transfer
    from seewhy.results.findings import Finding as Finding
    from seewhy.results.findings import Findings as Findings
    from seewhy.results.findings import Recheck as Recheck
    from seewhy.results.findings import Rechecks as Rechecks
    from seewhy.results.run import Run as Run
    from seewhy.results.run import open as open
    from seewhy.results.watched import Watched as Watched
    from seewhy.studies.auditing import audit as audit
    from seewhy.studies.checking import check as check
    from seewhy.studies.comparison import Comparison as Comparison
    from seewhy.studies.comparison import compare as compare
    from seewhy.studies.memory import keep_memory as keep_memory
    from seewhy.studies.shortcuts import find_shortcuts as find_shortcuts
    from seewhy.studies.shortcuts import open_findings as open_findings
    from seewhy.studies.shortcuts import recheck as recheck
    from seewhy.studies.supplement import Study as Study
    from seewhy.studies.supplement import cover as cover
    from seewhy.studies.supplement import open_study as open_study
    from seewhy.studies.supplement import study as study
    from seewhy.studies.supplement import swap_backgrounds as swap_backgrounds
    from seewhy.studies.supplement import transplant as transplant
    from seewhy.studies.watching import Watch as Watch
    from seewhy.studies.watching import watch as watch
    from seewhy.targets import against as against
    from seewhy.targets import output as output
    from seewhy.targets import probability as probability
    from seewhy.targets import top as top
    from seewhy.targets import versus as versus
