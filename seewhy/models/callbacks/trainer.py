"""A callback for the `Trainer` of Hugging Face's transformers."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from seewhy.models.callbacks import Watcher


class WatchCallback(TrainerCallback):  # type: ignore[misc]
    """Tells a watcher of each epoch and step, and adds its numbers to the trainer's history."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self.watcher.begin(state.num_train_epochs)

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        if self.watcher.by_step and self.watcher.due(state.global_step):
            self._told(state, control, self.watcher.step(state.global_step))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        stop = self.watcher.epoch(round(state.epoch or 0), step=state.global_step)
        self._told(state, control, stop)

    def _told(self, state: Any, control: Any, stop: bool) -> None:
        if numbers := self.watcher.numbers:
            state.log_history.append({"epoch": state.epoch, "step": state.global_step, **numbers})
        if stop:
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self.watcher.close()


def callback(watcher: Watcher) -> Any:
    return WatchCallback(watcher)
