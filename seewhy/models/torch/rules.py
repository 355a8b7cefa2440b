"""Another rule for the way back through a PyTorch model, without touching the model."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from seewhy.models.outputs import guided_note, no_relu

_aten = torch.ops.aten
_SMOOTH = {  # what stands in the place of ReLU and is left as it is
    _aten.silu_backward: "SiLU",
    _aten.gelu_backward: "GELU",
    _aten.elu_backward: "ELU",
    _aten.leaky_relu_backward: "LeakyReLU",
    _aten._prelu_kernel_backward: "PReLU",
    _aten.hardswish_backward: "Hardswish",
    _aten.mish_backward: "Mish",
    _aten.softplus_backward: "Softplus",
}


class Guided(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Around a backward pass: what a ReLU hands back is positive, or nothing (Springenberg et al. 2014).

    It sits below autograd, where modules, functions and operations in place all come to the same few steps back.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.relus = 0
        self.others: set[str] = set()

    def __torch_dispatch__(  # type: ignore[no-untyped-def]
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ):
        found = function(*args, **(kwargs or {}))
        step = function.overloadpacket
        if step in _SMOOTH:
            self.others.add(_SMOOTH[step])
        # of ReLU6 the way back is hardtanh's, between 0 and 6
        if step is _aten.threshold_backward or (step is _aten.hardtanh_backward and args[2] == 0):
            self.relus += 1
            return found.clamp_min(0)
        return found

    def notes(self) -> tuple[str, ...]:
        """What the user should know about the pass.

        Raises:
            EvidenceError: there was no ReLU.
        """
        if not self.relus:
            raise no_relu(self.others)
        return guided_note(self.others)
