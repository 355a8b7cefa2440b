"""The answer to a question about a picture: one explanation, several, or why there is none."""

from seewhy.explanation.answer.failed import Failed
from seewhy.explanation.answer.seen import Seen
from seewhy.explanation.answer.several import Explanations
from seewhy.explanation.answer.single import Explanation

__all__ = ["Explanation", "Explanations", "Failed", "Seen"]
