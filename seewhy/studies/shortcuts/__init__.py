"""Shortcuts: found without masks, proven by covering and pasting. How: docs/explanation/shortcuts.md."""

from seewhy.studies.shortcuts.rechecking import open_findings, recheck
from seewhy.studies.shortcuts.searching import find_shortcuts

__all__ = ["find_shortcuts", "open_findings", "recheck"]
