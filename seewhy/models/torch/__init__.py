"""The PyTorch side: nothing outside this folder imports torch."""

from seewhy.models.torch.adapter import TorchModel

__all__ = ["TorchModel"]
