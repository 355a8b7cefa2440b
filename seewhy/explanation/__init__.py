"""One answer: asking a model about a picture, and what is said and drawn in reply."""

from seewhy.explanation.answer import Explanation, Explanations, Failed
from seewhy.explanation.asking import explain, explain_many, layers

__all__ = ["Explanation", "Explanations", "Failed", "explain", "explain_many", "layers"]
