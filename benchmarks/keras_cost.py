"""What an explanation costs on Keras's backends: Grad-CAM beside the model's own `model(x, training=False)`.

The plain pass runs in the mode that seewhy runs in: under `jax.jit` or `tf.function` on JAX and TensorFlow, eagerly
under `no_grad` on torch. Pairs as in cost.py. Peers (tf-keras-vis, tf-explain, xplique) run on TensorFlow where they
are installed and run at all; what they say where they do not is printed. Without KERAS_BACKEND all three backends run,
each in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

LIMIT, TARGET, MANY = 1.3, 281, 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=15)
    asked = parser.parse_args()
    if "KERAS_BACKEND" in os.environ:
        return measure(asked.batch, asked.pairs)
    late = 0
    for backend in ("tensorflow", "jax", "torch"):
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend}
        late |= subprocess.run([sys.executable, *sys.argv], env={**os.environ, **quiet}).returncode
    return late


def measure(batch: int, pairs: int) -> int:
    import keras
    from nets import real, real_folder

    import seewhy as sw

    sw.keep_memory()
    backend = keras.backend.backend()
    model = real().keras_model() if real_folder() else keras.applications.MobileNetV2(weights=None)
    images = np.random.default_rng(0).normal(size=(batch, 224, 224, 3)).astype(np.float32)
    array = keras.ops.convert_to_tensor(images)
    plain = plain_pass(model, array)
    wrapped = sw.wrap(model)

    def ours(layer: Any = None, target: Any = TARGET) -> Callable[[], Any]:
        return lambda: list(sw.explain_many(wrapped, images, batch_size=batch, target=target, layer=layer))

    contenders = {
        "seewhy, one target": ours(),
        "seewhy, ten targets": ours(target=list(range(280, 290))),
        "seewhy, one target, blocks": ours(layer=[f"block_{n}_project_BN" for n in range(1, 17)]),
        **(peers(model, images) if backend == "tensorflow" else {}),
    }
    print(f"Keras {keras.__version__} on {backend}, MobileNetV2, batch {batch}, {pairs} pairs, wall clock")
    late = 0
    for name, run in contenders.items():
        ratios, seconds = paired(run, plain, pairs)
        low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
        print(f"  {name:28} × {middle:5.2f} ({low:.2f}-{high:.2f}), {1000 * seconds:6.0f} ms")
        late |= name == "seewhy, one target" and middle > LIMIT
    engines = wrapped._known.engines.values()  # type: ignore[attr-defined]
    before = sum(sum(engine.traces.values()) for engine in engines)
    for _ in sw.explain_many(wrapped, (images[n % batch] for n in range(MANY - 3)), batch_size=batch, target=TARGET):
        pass
    traced = sum(sum(engine.traces.values()) for engine in engines) - before
    print(f"  {MANY - 3} more pictures, the last batch smaller: traced anew {traced} times")
    return int(late)


def plain_pass(model: Any, array: Any) -> Callable[[], Any]:
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        compiled = tf.function(lambda x: model(x, training=False))
        return lambda: compiled(array).numpy()
    if keras.backend.backend() == "jax":
        import jax

        values = [[v.value for v in some] for some in (model.trainable_variables, model.non_trainable_variables)]
        jitted = jax.jit(lambda t, n, x: model.stateless_call(t, n, x, training=False)[0])
        return lambda: jitted(*values, array).block_until_ready()
    import torch

    def run() -> Any:
        with torch.no_grad():
            return model(array, training=False)

    return run


def peers(model: Any, images: Any) -> dict[str, Callable[[], Any]]:
    """Contenders that ran once; the others say why not."""
    found: dict[str, Callable[[], Any]] = {}
    for name, make in {"tf-keras-vis": _tf_keras_vis, "tf-explain": _tf_explain, "xplique": _xplique}.items():
        try:
            run = make(model, images)
            run()
            found[name] = run
        except Exception as error:
            print(f"{name} does not run: {type(error).__name__}: {str(error).strip().splitlines()[0][:150]}")
    return found


def _tf_keras_vis(model: Any, images: Any) -> Callable[[], Any]:
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore

    explainer = Gradcam(model, clone=False)
    score = CategoricalScore([TARGET] * len(images))
    return lambda: explainer(score, images, penultimate_layer="out_relu", expand_cam=False)


def _tf_explain(model: Any, images: Any) -> Callable[[], Any]:
    from tf_explain.core.grad_cam import GradCAM

    return lambda: GradCAM().explain((images, None), model, class_index=TARGET, layer_name="out_relu")


def _xplique(model: Any, images: Any) -> Callable[[], Any]:
    from xplique.attributions import GradCAM

    explainer = GradCAM(model, batch_size=len(images), conv_layer="out_relu")
    targets = np.eye(1000, dtype=np.float32)[[TARGET] * len(images)]
    return lambda: explainer(images, targets)


def paired(run: Callable[[], Any], plain: Callable[[], Any], pairs: int) -> tuple[list[float], float]:
    """Ratios to the plain pass run directly before or after, by turns; the median of the run's own seconds."""
    for _ in range(2):
        run(), plain()
    ratios, own = [], []
    for number in range(pairs):
        first, second = (run, plain) if number % 2 else (plain, run)
        times = [_seconds(first), _seconds(second)]
        mine, theirs = times if number % 2 else times[::-1]
        ratios.append(mine / theirs)
        own.append(mine)
    return ratios, float(np.median(own))


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
