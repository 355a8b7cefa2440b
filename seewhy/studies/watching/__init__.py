"""Watching a training: heatmaps of the same pictures as the network learns, with numbers and an alarm."""

from seewhy.studies.watching.starting import watch
from seewhy.studies.watching.watcher import Watch

__all__ = ["Watch", "watch"]
