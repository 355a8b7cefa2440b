"""One answer: asking a model about a picture, and what is said and drawn in reply."""

from seewhy.explanation.answer import Explanation, Explanations, Failed
from seewhy.explanation.asking import explain, explain_many, layers
from seewhy.explanation.comparing import compare_methods
from seewhy.explanation.factoring import concepts

__all__ = ["Explanation", "Explanations", "Failed", "compare_methods", "concepts", "explain", "explain_many", "layers"]
