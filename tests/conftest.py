"""What all tests share: where the real data lies, and calm threads on small machines."""

import os
from pathlib import Path

import pytest

REAL = Path(os.environ.get("SEEWHY_REAL", Path(__file__).parents[2] / "shared" / "real"))


@pytest.fixture(scope="session")
def real():
    """The folder of real models and pictures; tests that need it skip where it is absent."""
    if not REAL.is_dir():
        pytest.skip(f"no real models and pictures at {REAL} (SEEWHY_REAL names the folder)")
    return REAL
