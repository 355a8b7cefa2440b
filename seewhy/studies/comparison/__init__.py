"""Models compared on the same pictures: what broke, what was mended, and where they look. How: docs/how-to."""

from seewhy.studies.comparison.comparing import compare
from seewhy.studies.comparison.result import Comparison

__all__ = ["Comparison", "compare"]
