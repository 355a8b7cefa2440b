"""A ready-made training: a network that is there already, and a new linear head on what it sees."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from seewhy.errors import InputError
from seewhy.evidence import Model
from seewhy.images.hashing import content_hash
from seewhy.images.reading import as_numpy, is_picture, read
from seewhy.models import as_model, wrap
from seewhy.models.heads import Floats, fitted
from seewhy.models.loading import load

EPOCHS, BATCH = 30, 32
RATE = 1e-4  # of the last block
_AHEAD = 3  # batches


def transfer(
    backbone: Any,
    *,
    weights: str | Path | None = "default",
    epochs: int = EPOCHS,
    tune: int = 0,
    device: str | None = None,
    progress: Any = None,
) -> Transfer:
    """A training for `study`: transfer learning by a new linear head on a network that stays as it is.

    Each picture goes through the network once, however many heads are trained. The same seed and the same pictures give
    the same model on the same machine.

    Args:
        backbone: a name as `load` takes it ('torchvision:mobilenet_v3_small', 'timm:...', 'keras:MobileNetV2', 'demo:',
            'mycode.py:make_model'), or a model whose preparation is known. It is not changed.
        weights: as in `load`: 'default', a file, or None for random ones.
        epochs: of the head's training.
        tune: afterwards, epochs in which the last block learns with the head; norms keep their statistics.
        device: 'cpu', 'cuda', 'auto'; None: where the model is.
        progress: called with pictures done and all pictures while they go through the network.
    Returns:
        A callable train(data, seed) -> model, where data is a list of (picture, label).
    Raises:
        InputError: epochs that cannot be, or, when called, a network of which no head can be taken off.
    """
    for name, value, least in (("epochs", epochs, 1), ("tune", tune, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InputError(f"{name}={value!r}", f"a whole number, {least} or more", "leave it out for the default")
    return Transfer(backbone, weights, epochs, tune, device, progress)


class Transfer:
    """See `transfer`; called with (data, seed) it trains."""

    def __init__(
        self, backbone: Any, weights: str | Path | None, epochs: int, tune: int, device: str | None, progress: Any
    ) -> None:
        self.backbone, self.weights, self.epochs, self.tune = backbone, weights, epochs, tune
        self.device, self.progress = device, progress
        self._held: Any = None
        self._features: dict[str, Floats] = {}

    @property
    def name(self) -> str:
        return f"{self.backbone if isinstance(self.backbone, str) else self.model.name} + linear head"

    @property
    def settings(self) -> Mapping[str, Any]:
        """What decides over the trained models, for a study that goes on."""
        known = self.backbone if isinstance(self.backbone, str) else self.model.fingerprint()
        weights = None if self.weights is None else str(self.weights)
        return {"backbone": known, "weights": weights, "epochs": self.epochs, "tune": self.tune}

    @property
    def model(self) -> Model:
        """The network as it came, wrapped."""
        return self._body.model  # type: ignore[no-any-return]

    def __call__(self, data: Any, seed: int) -> Model:
        """The trained model of a list of (picture, label).

        Raises:
            InputError: one class alone, or a picture that cannot be read.
        """
        sources, labels = zip(*data, strict=True) if len(data) else ((), ())
        classes = list(getattr(data, "classes", None) or sorted(set(labels)))
        if len(classes) < 2:
            raise InputError(f"pictures of the classes {classes}", "two classes or more", "check the data")
        places = np.array([classes.index(label) for label in labels])
        weights, bias = fitted(self._seen(sources), places, len(classes), seed, self.epochs)
        module = self._body.headed(weights, bias)
        told = self.model.told | {"labels": [str(name) for name in classes], "name": self.name, "layer": None}
        trained = wrap(module, **{key: value for key, value in told.items() if value is not None})
        if self.tune:
            self._body.tune(module, self._batches, sources, places, seed, self.tune)
        return trained

    @property
    def _body(self) -> Any:
        if self._held is None:
            given = self.backbone
            model = load(given, weights=self.weights) if isinstance(given, str) else as_model(given)
            if model.prepare is None:
                raise InputError(
                    f"{model.name}, whose preparation is not known",
                    "a network that tells how pictures are prepared",
                    "wrap(model, prepare='imagenet') (--prepare on the command line)",
                )
            if self.device is not None:
                model.to(self.device)  # type: ignore[attr-defined]
            framework = "keras" if type(model).__name__ == "KerasModel" else "torch"
            self._held = import_module(f"seewhy.models.{framework}.transfer").Backbone(model)
        return self._held

    def _seen(self, sources: Sequence[Any]) -> Floats:
        """float32 [n, d]: what the network makes of pictures; of each once."""
        keys = [_key(source) for source in sources]
        new = {key: source for key, source in zip(keys, sources, strict=True) if key not in self._features}
        names, done = list(new), 0
        for images, rows in self._batches(list(new.values()), np.arange(len(new))):
            found = self._body.features(images)
            self._features.update({names[row]: values for row, values in zip(rows.tolist(), found, strict=True)})
            done += len(rows)
            if self.progress is not None:
                self.progress(done, len(new))
        return np.stack([self._features[key] for key in keys])

    def _batches(self, sources: Sequence[Any], order: Any) -> Iterator[tuple[list[Any], Any]]:
        """Prepared images in batches, read by threads, with their places."""
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "seewhy") as pool:
            parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
            waiting = [pool.map(self._prepared, [sources[i] for i in part]) for part in parts[:_AHEAD]]
            for number, part in enumerate(parts):
                images = list(waiting.pop(0))
                if number + _AHEAD < len(parts):
                    waiting.append(pool.map(self._prepared, [sources[i] for i in parts[number + _AHEAD]]))
                yield images, part

    def _prepared(self, source: Any) -> Any:
        if not is_picture(source):
            return source
        assert self.model.prepare is not None
        return self.model.prepare(read(source))


def _key(source: Any) -> str:
    """The same for the same picture."""
    if isinstance(source, str | Path):
        told = os.stat(source)
        return f"{Path(source).resolve()} {told.st_mtime_ns} {told.st_size}"
    pixels = np.ascontiguousarray(read(source) if is_picture(source) else as_numpy(source))
    return f"{pixels.shape} {content_hash(pixels.tobytes())}"
