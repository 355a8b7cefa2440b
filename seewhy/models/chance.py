"""Random states, which nothing that only looks may move."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def random_state_kept() -> Iterator[None]:
    """After it Python's and NumPy's random states are what they were."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


@contextmanager
def every_random_state_kept() -> Iterator[None]:
    """As `random_state_kept`, and PyTorch's where it is loaded: around a user's own code, which may draw from any."""
    torch = sys.modules.get("torch")
    with random_state_kept():
        if torch is None:
            yield
            return
        started = torch.cuda.is_available() and torch.cuda.is_initialized()  # to ask a state of it would start it
        with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if started else []):
            yield
