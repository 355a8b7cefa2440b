"""A run's folder: run.json, the listing, the parts, the lock. Whatever is written is written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from seewhy.errors import InputError
from seewhy.results.record import FLOATING, REPEATING, SCHEMA_VERSION

ABOUT = "run.json"
LISTING = "listing.parquet"
PARTS = "parts"
SUMS = "parts.blake2b"
LOCK = "lock"
LOG = "log.jsonl"
_ROWS = 2_048  # of a row group


@dataclass(frozen=True)
class Store:
    """The folder of one run.

    Args:
        folder: made where it is not there.
    """

    folder: Path

    @property
    def exists(self) -> bool:
        return (self.folder / ABOUT).is_file()

    def about(self) -> dict[str, Any]:
        """What run.json holds.

        Raises:
            InputError: the folder holds no run, a damaged one, or one of a newer seewhy.
        """
        path = self.folder / ABOUT
        try:
            about: dict[str, Any] = json.loads(path.read_text("utf-8"))
            version = int(about["schema"])
            if version <= SCHEMA_VERSION and not {"key", "settings"} <= about.keys():
                raise ValueError("it lacks what was asked")
        except (FileNotFoundError, NotADirectoryError):
            if not self.folder.exists():
                came = f"no folder {str(self.folder)!r}"
            else:
                came = f"{str(self.folder)!r} holds no run: it has no {ABOUT}"
            if (self.folder / "study.json").is_file():
                raise InputError(
                    f"{str(self.folder)!r}, which holds a study of several runs",
                    "the folder of one run",
                    f"open_study({str(self.folder)!r}), or one of the folders in {str(self.folder / 'runs')!r}",
                ) from None
            raise InputError(
                came, "a folder that an audit wrote", "check the path, or make one: `seewhy audit`"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{str(path)!r} cannot be read: {error}",
                "what an audit wrote",
                "restore the file, or audit into another folder",
            ) from error
        if version > SCHEMA_VERSION:
            writer = about.get("versions", {}).get("seewhy", "of another version")
            raise InputError(
                f"a run of schema {version} in {str(self.folder)!r}, written by seewhy {writer}",
                f"schema {SCHEMA_VERSION} or older",
                "pip install -U seewhy",
            )
        return about

    def begin(self, about: Mapping[str, Any], listing: pa.Table | None) -> None:
        """Writes what the run is of, before its first part."""
        self._made()
        if listing is not None:
            write_whole(self.folder / LISTING, lambda file: pq.write_table(listing, file, compression="zstd"))
        text = json.dumps({"schema": SCHEMA_VERSION, **about}, indent=1, ensure_ascii=False)
        write_whole(self.folder / ABOUT, lambda file: file.write(text.encode()))

    def listing(self) -> pa.Table:
        return pq.read_table(self.folder / LISTING)

    def part(self, number: int) -> Path:
        return self.folder / PARTS / f"part-{number:06}.parquet"

    def parts(self) -> list[Path]:
        """All parts that are there, in order."""
        return sorted((self.folder / PARTS).glob("part-*.parquet"))

    def write_part(self, number: int, table: pa.Table) -> None:
        """Whole, or not at all: a part that has its name is complete and on the disk. Its checksum is kept beside."""
        held = pa.BufferOutputStream()
        pq.write_table(
            table,
            held,
            row_group_size=_ROWS,
            compression="zstd",
            use_dictionary=REPEATING,
            use_byte_stream_split=FLOATING,
            write_page_checksum=True,
        )
        data = held.getvalue()
        write_whole(self.part(number), lambda file: file.write(data))
        append(self.folder / SUMS, f"{_sum(data)}  {self.part(number).name}\n")

    def sound(self, key: str) -> set[int]:
        """The numbers of the parts of the run of that key whose bytes are as they were written."""
        try:
            lines = (self.folder / SUMS).read_text("ascii", "replace").splitlines()
        except FileNotFoundError:
            return set()
        sums = {line[34:]: line[:32] for line in lines}  # of a part written twice the last one counts
        found = set()
        for path in self.parts():
            with suppress(OSError, ValueError, pa.ArrowException):
                data = path.read_bytes()
                whole = _sum(data) == sums.get(path.name)
                if whole and (pq.read_schema(pa.BufferReader(data)).metadata or {}).get(b"run") == key.encode():
                    found.add(int(path.stem.removeprefix("part-")))
        return found

    def log(self, **said: Any) -> None:
        """A line for people: timings, and what happened on the way. No part depends on it."""
        with suppress(OSError), (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(said, ensure_ascii=False) + "\n")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While one process writes, no other does.

        Raises:
            InputError: another process writes here; its number is told.
        """
        self._made()
        with locked(self.folder, "audit"):
            try:
                yield
            finally:
                if not self.exists:  # nothing came of it
                    with suppress(OSError):
                        (self.folder / LOCK).unlink()
                        (self.folder / PARTS).rmdir()
                        self.folder.rmdir()

    def _made(self) -> None:
        try:
            (self.folder / PARTS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"the folder {str(self.folder)!r} cannot be made: {error.strerror or error}",
                "a folder that may be written to",
                "choose another place",
            ) from error


@contextmanager
def locked(folder: Path, doing: str) -> Iterator[None]:
    """While one process writes to a folder, no other does.

    Args:
        folder: that is there.
        doing: what writes, as a verb.
    Raises:
        InputError: another process writes there; its number is told.
    """
    with _told(folder / LOCK):
        file = (folder / LOCK).open("a+", encoding="utf-8")
    with file:
        if not _held(file):
            file.seek(0)
            raise InputError(
                f"another process ({file.read().strip() or 'unknown'}) is writing to {str(folder)!r}",
                "one at a time",
                f"wait for it or stop it, or {doing} into another folder",
            )
        file.seek(0)
        file.truncate()
        file.write(f"pid {os.getpid()}")
        file.flush()
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()


def _held(file: IO[str]) -> bool:
    """Takes the lock of an open file; the system gives it back when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:
        import msvcrt  # Windows

        file.seek(2**30)  # the bytes that are locked cannot be read by others, and the first ones tell who holds it
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def write_whole(path: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Writes a file under a hidden name, makes sure that it is on the disk, then gives it its own name.

    Raises:
        InputError: the disk is full or the folder cannot be written to; nothing is left behind.
    """
    hidden = path.with_name(f".{path.name}.tmp")
    with _told(path):
        try:
            with hidden.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(hidden, path)
        except OSError:
            with suppress(OSError):
                hidden.unlink()
            raise
        _sync_folder(path.parent)


def append(path: Path, text: str) -> None:
    """Adds lines to a file, at once, and makes sure that they are on the disk.

    Raises:
        InputError: as in `write_whole`.
    """
    with _told(path):
        torn = "\n" if path.exists() and not _ends_with_a_line(path) else ""
        with path.open("a", encoding="utf-8", newline="") as file:
            file.write(torn + text)
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the system says of a file that cannot be written, as an error that tells what to do."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise InputError(
            f"{str(path)!r} cannot be written: {error.strerror or error}",
            "room on the disk" if full else "a folder that may be written to",
            "what is done is kept: make room and give the same command again" if full else "check the folder",
        ) from error


def _ends_with_a_line(path: Path) -> bool:
    """False where the last line was torn by a kill; the next one must not be spoiled by it."""
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _sum(data: Any) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not possible on Windows
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def key_of(settings: Mapping[str, Any]) -> str:
    """What tells runs apart: the same for the same settings."""
    return hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=8).hexdigest()
