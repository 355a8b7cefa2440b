"""A study's folder: study.json, a small file for each training that ended, and the run of each that succeeded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seewhy.errors import InputError
from seewhy.results.store import locked, write_whole

ABOUT, ENDED, RUNS, MADE, MODELS = "study.json", "trained", "runs", "made", "models"
SCHEMA = 1


@dataclass(frozen=True)
class Ended:
    """A training that ended.

    Args:
        share, seed: which one.
        pictures: trained on, those of the supplement among them.
        added: of the supplement.
        seconds: the training took.
        error: why it failed; None: it did not, and its run is there.
        unsaved: why the model could not be saved; None: it was, or was not to be.
        unmeasured: why what its run holds could not be measured, or not all of it; None: it was.
    """

    share: float
    seed: int
    pictures: int
    added: int
    seconds: float
    error: str | None = None
    unsaved: str | None = None
    unmeasured: str | None = None

    @property
    def name(self) -> str:
        return name_of(self.share, self.seed)


def name_of(share: float, seed: int) -> str:
    """The name of a training's files."""
    return f"share-{share:g}-seed-{seed}"


@dataclass(frozen=True)
class Folder:
    """The folder of one study.

    Args:
        path: made where it is not there.
    """

    path: Path

    @property
    def exists(self) -> bool:
        return (self.path / ABOUT).is_file()

    def about(self) -> dict[str, Any]:
        """What study.json holds.

        Raises:
            InputError: there is no study, a damaged one, or one of a newer seewhy.
        """
        path = self.path / ABOUT
        try:
            about: dict[str, Any] = json.loads(path.read_text("utf-8"))
            if about["schema"] > SCHEMA:
                raise ValueError(f"schema {about['schema']}, newer than {SCHEMA}; pip install -U seewhy")
            if not {"settings", "classes", "notes"} <= about.keys():
                raise ValueError("it lacks what was asked")
        except (FileNotFoundError, NotADirectoryError):
            came = f"{str(self.path)!r} holds no study" if self.path.exists() else f"no folder {str(self.path)!r}"
            raise InputError(came, "a folder that study(...) wrote", "check the path") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{str(path)!r} cannot be read: {error}", "what study(...) wrote", "give another folder"
            ) from error
        return about

    def begin(self, about: Mapping[str, Any]) -> None:
        text = json.dumps({"schema": SCHEMA, **about}, indent=1, ensure_ascii=False)
        write_whole(self.path / ABOUT, lambda file: file.write(text.encode()))

    def end(self, ended: Ended) -> None:
        """A training has ended, for good or not."""
        text = json.dumps(asdict(ended), indent=1, ensure_ascii=False)
        write_whole(self.path / ENDED / f"{ended.name}.json", lambda file: file.write(text.encode()))

    def ended(self) -> dict[tuple[float, int], Ended]:
        """The trainings that ended; one whose file is damaged did not."""
        found = {}
        for path in sorted((self.path / ENDED).glob("share-*.json")):
            try:
                one = Ended(**json.loads(path.read_text("utf-8")))
            except (OSError, ValueError, TypeError):
                continue
            found[one.share, one.seed] = one
        return found

    def run(self, share: float, seed: int) -> Path:
        """The folder of the run of a training."""
        return self.path / RUNS / name_of(share, seed)

    def model(self, share: float, seed: int) -> Path:
        """What the user's `save` is handed: a path without an ending, in a folder that is there."""
        (self.path / MODELS).mkdir(exist_ok=True)
        return self.path / MODELS / name_of(share, seed)

    def values(self, share: float, seed: int) -> Path:
        """The file of what was measured of a training's run."""
        return self.path / ENDED / f"{name_of(share, seed)}.parquet"

    def forget(self, share: float, seed: int) -> None:
        """Takes away what a training left that was stopped or failed."""
        shutil.rmtree(self.run(share, seed), ignore_errors=True)
        for path in (self.path / ENDED / f"{name_of(share, seed)}.json", self.values(share, seed)):
            path.unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While one process works, no other does.

        Raises:
            InputError: another one does, or the folder cannot be made.
        """
        try:
            (self.path / ENDED).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"the folder {str(self.path)!r} cannot be made: {error.strerror or error}",
                "a folder that may be written to",
                "choose another place with out=",
            ) from error
        with locked(self.path, "study"):
            yield
