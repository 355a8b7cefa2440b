"""The Keras 3 side, on TensorFlow, JAX or torch: nothing outside this folder imports Keras."""

from seewhy.models.keras.adapter import KerasModel

__all__ = ["KerasModel"]
