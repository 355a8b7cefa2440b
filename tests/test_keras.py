"""Keras chooses its backend when it is imported: tests/on_keras runs in a process of its own for each."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "on_keras"
PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}


def process(backend, *command, **more):
    for package in ("keras", PACKAGES[backend]):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    environment = {**os.environ, **QUIET, "KERAS_BACKEND": backend, **more}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment)


def need_green(backend):
    """All of tests/on_keras, on one backend."""
    ran = process(
        backend, "-m", "pytest", "-q", "-o", "filterwarnings=default", "-p", "no:cacheprovider", "tests/on_keras"
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]


@pytest.mark.slow
def test_keras_on_tensorflow():
    need_green("tensorflow")


FRAMEWORKS = """
import sys, numpy, keras, seewhy
before = {name for name in ("torch", "tensorflow", "jax") if name in sys.modules}
model = keras.Sequential([keras.Input((12, 12, 3)), keras.layers.Conv2D(4, 3), keras.layers.ReLU(),
                          keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)])
seewhy.explain(model, numpy.ones((12, 12, 3), numpy.float32))
after = {name for name in ("torch", "tensorflow", "jax") if name in sys.modules}
print(sorted(after - before), "torch" in after, "tensorflow" in after)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_no_other_framework_is_imported(backend):
    ran = process(backend, "-c", FRAMEWORKS)
    assert ran.stdout.split("\n")[0] == f"[] False {backend == 'tensorflow'}", ran.stdout + ran.stderr[-2000:]


FILES = """
import os, sys, keras, numpy
from PIL import Image
from keras import layers as L

def made(*more):
    return keras.Sequential([keras.Input((16, 16, 3)), L.Conv2D(4, 3), *more, L.ReLU(), L.GlobalAveragePooling2D(),
                             L.Dense(3)])

os.chdir(sys.argv[1])
made().save("model.keras")
made(L.Lambda(lambda x: 2 * x)).save("code.keras")
Image.fromarray(numpy.random.default_rng(0).integers(0, 255, (30, 40, 3), numpy.uint8)).save("cat.png")
"""

RUN = """
import sys
from seewhy.apps.cli import app
code = app(sys.argv[2:], standalone_mode=False)
backend = sys.argv[1]
loaded = {name for name in ("torch", "tensorflow", "jax") if name in sys.modules}
assert backend in loaded and ("torch" in loaded) == (backend == "torch"), loaded
assert backend != "jax" or "tensorflow" not in loaded, loaded
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow"])  # the others differ in models/keras alone, tested above
def test_the_command_line_takes_keras_models(backend, tmp_path):
    """From a file and by name, without another framework than the backend."""
    made = process(backend, "-c", FILES, str(tmp_path))
    assert made.returncode == 0, made.stderr[-2000:]

    def seewhy(*words):
        return process(backend, "-c", RUN, backend, *map(str, words))

    out = tmp_path / "out"
    picture, ready = tmp_path / "cat.png", ("--prepare", "-1..1", "--out", out)
    shown = seewhy("explain", picture, "--model", tmp_path / "model.keras", *ready)
    assert (shown.returncode, (out / "cat.why.png").is_file()) == (0, True), shown.stderr[-2000:]
    assert ", 3 classes, cpu; gradcam at layer " in shown.stdout
    listed = seewhy("layers", "--model", tmp_path / "model.keras")
    assert (listed.returncode, "14 × 14" in listed.stdout) == (0, True), listed.stderr[-2000:]
    named = seewhy("explain", picture, "--model", "keras:MobileNetV2", "--weights", "none", "--top", "1", "--out", out)
    assert (named.returncode, "1,000 classes" in named.stdout) == (0, True), named.stderr[-2000:]
    refused = seewhy("explain", picture, "--model", tmp_path / "code.keras", *ready)
    assert (refused.returncode, "if you trust who made it: --trust-code" in refused.stderr) == (2, True)
    assert seewhy("explain", picture, "--model", tmp_path / "code.keras", *ready, "--trust-code").returncode == 0
    placed = seewhy("explain", picture, "--model", tmp_path / "model.keras", *ready, "--device", "cpu")
    assert (placed.returncode, "error: the device 'cpu' for a Keras model\n" in placed.stderr) == (2, True)


@pytest.mark.slow
def test_the_example_runs_with_random_weights(tmp_path, monkeypatch):
    import skimage.data

    monkeypatch.chdir(tmp_path)
    picture = Path(skimage.data.__file__).parent / "chelsea.png"
    script = HERE.parents[1] / "examples" / "keras_vgg16.py"
    ran = process("tensorflow", str(script), str(picture), "--network", "Xception", "--random")
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert (tmp_path / "why-sunglasses.png").is_file()
    assert len(list(tmp_path.iterdir())) == 2
