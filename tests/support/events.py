"""Reads TensorBoard's event files, record by record, as its own loader would."""

import io
import struct
from collections import defaultdict
from pathlib import Path

from PIL import Image


def events(folder):
    """({tag: [(step, PIL image)]}, {tag: [(step, value)]}) of all event files in a folder."""
    from tensorboard.compat.proto.event_pb2 import Event

    images, scalars = defaultdict(list), defaultdict(list)
    for path in sorted(Path(folder).glob("events.out.tfevents.*")):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event, data = Event.FromString(data[12 : 12 + length]), data[16 + length :]
            for value in event.summary.value:
                if value.WhichOneof("value") == "image":
                    images[value.tag].append((event.step, Image.open(io.BytesIO(value.image.encoded_image_string))))
                else:
                    scalars[value.tag].append((event.step, value.simple_value))
    return dict(images), dict(scalars)
