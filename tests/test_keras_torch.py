"""tests/on_keras on torch; a file of its own, so that backends are tested side by side."""

import pytest

from tests.test_keras import need_green


@pytest.mark.slow
def test_keras_on_torch():
    need_green("torch")
