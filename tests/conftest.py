"""What all tests share: where the real data lies, and calm threads on small machines."""

import os
from pathlib import Path

import pytest

# Before PyTorch is loaded: two workers share two cores, and threads that wait for each other burn the time of both.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

REAL = Path(os.environ.get("SEEWHY_REAL", Path(__file__).parents[2] / "shared" / "real"))


@pytest.fixture(scope="session")
def real():
    """The folder of real models and pictures; tests that need it skip where it is absent."""
    if not REAL.is_dir():
        pytest.skip(f"no real models and pictures at {REAL} (SEEWHY_REAL names the folder)")
    return REAL
