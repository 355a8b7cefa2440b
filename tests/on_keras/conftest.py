"""Tests of Keras models, for one backend a process: `KERAS_BACKEND=jax pytest tests/on_keras`."""

import os

import pytest

if "KERAS_BACKEND" not in os.environ:
    collect_ignore_glob = ["test_*.py"]  # tests/test_keras.py starts a process for each backend


@pytest.fixture(autouse=True)
def seeded():
    import keras

    keras.utils.set_random_seed(3)
