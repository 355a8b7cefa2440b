"""A callback for Keras's `fit`, on TensorFlow, JAX and torch."""

from __future__ import annotations

from typing import Any

import keras

from seewhy.models.callbacks import Watcher


class WatchCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Tells a watcher of each epoch, and adds its numbers to Keras's logs."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.watcher.begin((self.params or {}).get("epochs"))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.watcher.epoch(epoch + 1, step=self._steps_done()):
            self.model.stop_training = True
        if logs is not None:
            logs.update(self.watcher.numbers)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.watcher.close()

    def _steps_done(self) -> int:
        return int(self.model.optimizer.iterations)


class StepCallback(WatchCallback):
    """Tells of each step, too. It is a class of its own as Keras waits for every step where one wants to be told."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.before = self._steps_done()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        step = self.before + batch + 1
        if not self.watcher.due(step):
            return
        if keras.backend.backend() == "jax":  # until then the weights are in the training loop alone
            self.model.jax_state_sync()
        if self.watcher.step(step):
            self.model.stop_training = True


def callback(watcher: Watcher) -> Any:
    return (StepCallback if watcher.by_step else WatchCallback)(watcher)
