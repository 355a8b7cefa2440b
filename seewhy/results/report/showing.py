"""A picture with its maps and highest scores, in the bundle's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from seewhy.results.drawn import thumbnails

if TYPE_CHECKING:
    from seewhy.results.run import Run

NEEDED = (
    *("id", "predicted_index", "label_index", "scores", "classes", "probability", "width", "height", "box", "path"),
    *("map", "map_scale", "map_height", "map_width", "label_map", "label_map_scale"),
)
Top: TypeAlias = list[tuple[int, float, float | None]]  # class, score, probability


def top_of(run: Run, row: dict[str, Any]) -> Top:
    """The five highest scores and the label's: class, score, probability (where a softmax gave it)."""
    scores = np.asarray(row["scores"] if row["scores"] is not None else [], np.float64)
    classes = np.asarray(row["classes"]) if row["classes"] is not None else np.arange(len(scores))
    model = run.settings.get("model", {})
    if model.get("outputs") == 1 and len(scores) == 1:
        scores, classes = np.array([-scores[0], scores[0]]), np.array([0, 1])
        chances = 1 / (1 + np.exp(-np.clip(scores, -500, 500)))
    elif model.get("several"):
        chances = 1 / (1 + np.exp(-np.clip(scores, -500, 500)))
    else:  # p(j) = p(predicted) exp(s_j - s_predicted), exact also where not all scores are kept
        said = scores[classes == row["predicted_index"]]
        chances = (row["probability"] or 0) * np.exp(scores - said[0]) if len(said) else np.full(len(scores), np.nan)
    order = np.lexsort((classes, -scores))
    kept = [k for place, k in enumerate(order) if place < 5 or classes[k] == row["label_index"]]
    return [(int(classes[k]), float(scores[k]), float(min(1.0, chances[k]))) for k in kept]


def shown_of(
    row: dict[str, Any],
    photo: Image.Image | None,
    top: Top,
    place: dict[int, int],
    number: int,
    side: int,
    quality: int,
) -> dict[str, Any]:
    """An entry of the bundle's `shown`.

    Args:
        row: with the columns `NEEDED`.
        photo: the whole picture; None: it is not shown.
        top: as `top_of` gives it.
        place: of each class in the bundle's labels.
        number: of the row in the bundle's table.
        side, quality: of the thumbnail, in pixels and as JPEG names it; quality 0: none.
    """
    image = None
    whole = (row["width"], row["height"]) if row["width"] and row["height"] else None
    size = thumbnails.size(whole or (side, side), side)
    if photo is not None and quality:
        small = thumbnails.fitted(photo, side)
        image, size = thumbnails.jpeg(small, quality), small.size
    box = row["box"]
    result = {
        "row": number,
        "image": image,
        "width": size[0],
        "height": size[1],
        "original": list(whole) if whole else None,
        "box": [box[k] / whole[k % 2] for k in range(4)] if box is not None and whole else None,
        "map": thumbnails.map_of(row, "map"),
        "label_map": thumbnails.map_of(row, "label_map"),
        "top": [[place[index], round(score, 3), chance] for index, score, chance in top],
    }
    return result
