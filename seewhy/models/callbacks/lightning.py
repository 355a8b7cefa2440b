"""A callback for Lightning's `Trainer`, under either of the names that Lightning is installed by."""

from __future__ import annotations

import sys
from typing import Any

from seewhy.models.callbacks import Watcher

if "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules:
    from pytorch_lightning import Callback  # the two do not take each other's callbacks
else:
    from lightning.pytorch import Callback


class WatchCallback(Callback):  # type: ignore[misc]
    """Tells a watcher of each epoch and step, and logs its numbers."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.watcher.begin(trainer.max_epochs)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        if self.watcher.by_step and self.watcher.due(trainer.global_step):
            self._told(trainer, pl_module, self.watcher.step(trainer.global_step), by_step=True)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        stop = self.watcher.epoch(trainer.current_epoch + 1, step=trainer.global_step)
        self._told(trainer, pl_module, stop, by_step=False)

    def _told(self, trainer: Any, pl_module: Any, stop: bool, by_step: bool) -> None:
        if numbers := self.watcher.numbers:
            pl_module.log_dict(numbers, on_step=by_step, on_epoch=not by_step, rank_zero_only=True, batch_size=1)
        if trainer.strategy.reduce_boolean_decision(stop, all=False):  # of several processes one alone looks
            trainer.should_stop = True

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self.watcher.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self.watcher.close()


def callback(watcher: Watcher) -> Any:
    return WatchCallback(watcher)
