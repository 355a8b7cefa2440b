"""tests/on_keras on JAX; a file of its own, so that backends are tested side by side."""

import pytest

from tests.test_keras import need_green


@pytest.mark.slow
def test_keras_on_jax():
    need_green("jax")
