"""What is audited: folders, manifests, data sets and streams of pictures with their labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seewhy.errors import InputError
from seewhy.studies.data.files import Files, of_folder, of_manifest
from seewhy.studies.data.items import Indexed, Sample, Stream, names_in

__all__ = ["Data", "Files", "Indexed", "Sample", "Stream", "as_data"]

Data = Files | Indexed | Stream
_MANIFESTS = (".csv", ".tsv", ".parquet")
_EXPECTED = (
    "a folder, a manifest (.csv, .parquet), a data set of PyTorch or Hugging Face, or a stream of (picture, label)"
)


def as_data(given: Any, *, labelled: bool = True, split: str | None = None, leave_out: Path | None = None) -> Data:
    """What the user names as data, listed.

    Args:
        given: a folder (of folders, whose names are the labels), a manifest, a map-style data set, a tf.data.Dataset,
            or any other iterable of (picture, label) or of batches of these; data listed before are handed back.
        labelled: use the labels.
        split: only rows of a manifest with this split.
        leave_out: a folder of results that may lie inside.
    Raises:
        InputError: it is none of these, there is no such file, or it holds no picture.
    """
    if isinstance(given, Files | Indexed | Stream):
        return given
    if isinstance(given, str | Path):
        path = Path(given)
        if path.is_dir():
            if split is not None:
                raise InputError(
                    f"split={split!r} for a folder", "a manifest with a column 'split'", f"name {path / split}"
                )
            return of_folder(path, labelled, leave_out)
        if path.suffix.lower() in _MANIFESTS:
            return of_manifest(path, labelled, split)
        came = f"the file {str(path)!r}" if path.exists() else f"no file or folder {str(path)!r}"
        raise InputError(came, _EXPECTED, "check the path; one picture is explained by explain(model, picture)")
    if split is not None:
        raise InputError(f"split={split!r} for a {type(given).__name__}", "a manifest", "hand over that split alone")
    if isinstance(given, Mapping | bytes) or given is None:
        raise InputError(f"data of type {type(given).__name__}", _EXPECTED, "of several splits, hand over one")
    if hasattr(given, "__len__") and hasattr(given, "__getitem__") and not hasattr(given, "element_spec"):
        return Indexed(given, names_in(given), labelled)
    if hasattr(given, "__iter__"):
        return Stream(given, names_in(given), labelled)
    raise InputError(f"data of type {type(given).__name__}", _EXPECTED, "check what is handed over")
