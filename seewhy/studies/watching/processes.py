"""Which process of a distributed training this is: the first alone looks."""

from __future__ import annotations

import os


def rank() -> int:
    """As its launcher tells: torchrun, Lightning, accelerate and SLURM each set one of these."""
    told = (os.environ.get(name, "") for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"))
    return next((int(value) for value in told if value.isdecimal()), 0)


def is_first() -> bool:
    return rank() == 0
