"""What was watched during a training: its folder, reading it, and drawing it."""

from seewhy.results.watched.reading import Watched

__all__ = ["Watched"]
