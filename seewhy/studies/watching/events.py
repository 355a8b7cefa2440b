"""Event files for TensorBoard, by its own record writer: no framework is needed to write them."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

from PIL import Image

from seewhy.errors import InputError, MissingExtraError
from seewhy.images.panels import png


class EventFile:
    """Scalars and images into one event file.

    Args:
        folder: what `tensorboard --logdir` is to find; made where it is not there.
    Raises:
        MissingExtraError: tensorboard is not installed.
        InputError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError as error:
            raise MissingExtraError(
                "tensorboard= without TensorBoard", "the package tensorboard", "pip install 'seewhy[tensorboard]'"
            ) from error
        self._event, self._summary = Event, Summary
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.seewhy"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._records = RecordWriter((folder / name).open("ab"))
        except OSError as error:
            came = f"{str(folder)!r} cannot be written: {error.strerror or error}"
            raise InputError(came, "a folder that may be written to", "name another one") from error
        self._write(file_version="brain.Event:2")

    def scalars(self, numbers: dict[str, float], step: int) -> None:
        value = self._summary.Value
        values = [value(tag=tag, simple_value=number) for tag, number in numbers.items()]
        self._write(step=step, summary=self._summary(value=values))

    def images(self, images: dict[str, Image.Image], step: int) -> None:
        def value(tag: str, image: Image.Image) -> Any:
            encoded = self._summary.Image(
                height=image.height, width=image.width, colorspace=3, encoded_image_string=png(image)
            )
            return self._summary.Value(tag=tag, image=encoded)

        self._write(step=step, summary=self._summary(value=[value(*one) for one in images.items()]))

    def _write(self, **what: Any) -> None:
        self._records.write(self._event(wall_time=time.time(), **what).SerializeToString())
        self._records.flush()  # what is written can be seen at once, and is there after a kill

    def close(self) -> None:
        self._records.close()
