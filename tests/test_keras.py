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


@pytest.mark.slow
@pytest.mark.parametrize("backend", PACKAGES)
def test_keras(backend):
    ran = process(
        backend, "-m", "pytest", "-q", "-o", "filterwarnings=default", "-p", "no:cacheprovider", "tests/on_keras"
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]


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
