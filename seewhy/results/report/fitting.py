"""A run as one HTML file that can be sent: it needs no network and no other file, and keeps to a size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from seewhy.errors import InputError
from seewhy.results.report.bundle import Cut, Material, bundled, gathered
from seewhy.results.report.viewer import embedded, page
from seewhy.results.store import write_whole

if TYPE_CHECKING:
    from seewhy.results.run import Run

Version: TypeAlias = tuple[dict[str, Any], dict[str, int], list[str]]  # a bundle, bytes by what they are for, left out
MEGABYTE = 1_000_000
_ENDINGS = (".html", ".htm")
_SETTLED = 5  # times at most that a page is made until it says its own size
_CUTS = (  # each smaller than the one before: first the pictures' quality, then how many, then what is listed
    Cut(),
    Cut(side=320),
    Cut(side=256, quality=75),
    Cut(side=208, quality=65),
    Cut(side=160, quality=60),
    Cut(pictures=120, side=160, quality=60),
    Cut(pictures=60, side=160, quality=60),
    Cut(rows=10_000, pictures=60, side=160, quality=60),
    Cut(rows=5_000, pictures=40, side=160, quality=55),
    Cut(rows=2_000, pictures=24, side=128, quality=55),
    Cut(rows=1_000, pictures=12, side=128, quality=50),
    Cut(rows=200, pictures=12, side=96, quality=50),
    Cut(rows=50, pictures=6, side=96, quality=40),
    Cut(rows=0, pictures=0, side=96, quality=0),
)


@dataclass(frozen=True)
class Report:
    """What was written.

    Args:
        path: of the file.
        bytes: its size.
        of: answered pictures of the run.
        rows, pictures: how many predictions are listed, and how many pictures are shown.
        how_rows, how_pictures: how they were chosen, as sentences.
        without_pictures: why pictures are missing; '' where none is.
        left_out: what had to go to keep the limit, as sentences.
        parts: bytes of photos, maps, table and page.
    """

    path: Path
    bytes: int
    of: int
    rows: int
    pictures: int
    how_rows: str
    how_pictures: str
    without_pictures: str
    left_out: tuple[str, ...]
    parts: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "path": str(self.path)}

    def __str__(self) -> str:
        lines = [f"{self.path}  {size(self.bytes)}"]
        lines.append(
            f"  pictures     {self.how_pictures}" + (f" {self.without_pictures}" if self.without_pictures else "")
        )
        lines.append(f"  predictions  {self.how_rows}")
        lines += [f"  left out     {each}" for each in self.left_out]
        lines.append("  size         " + ", ".join(f"{name} {size(n)}" for name, n in self.parts.items()))
        return "\n".join(lines)


def report(
    run: Run,
    path: str | Path = "report.html",
    max_mb: float = 15,
    images: bool = True,
    anonymise: bool = False,
    title: str | None = None,
    seed: int = 0,
) -> Report:
    """See `Run.report`."""
    place = place_of(path, max_mb)
    material = gathered(run, images, anonymise, title, seed=seed)
    html, made = fitted(_versions(material), max_mb)
    write_whole(place, lambda file: file.write(html))
    told = made["sampling"]
    return Report(
        place,
        len(html),
        told["of"],
        told["rows"],
        told["pictures"],
        told["how_rows"],
        told["how_pictures"],
        told["without_pictures"],
        tuple(made["size"]["left_out"]),
        made["size"]["parts"],
    )


def html_of(run: Run, max_mb: float = 15) -> str:
    """The page of a run as text, for a notebook."""
    html, _ = fitted(_versions(gathered(run)), max_mb)
    return html.decode()


def size(count: float) -> str:
    """'4.2 MB', '380 kB'."""
    return f"{count / MEGABYTE:.1f} MB" if count >= 0.95 * MEGABYTE else f"{count / 1000:.0f} kB"


def place_of(path: str | Path, max_mb: float) -> Path:
    """Where a report is to be written.

    Raises:
        InputError: it cannot be written there, or no size is left for it.
    """
    place = Path(path)
    if place.suffix.lower() not in _ENDINGS:
        raise InputError(f"the path {str(path)!r}", "a file that ends in .html", f"write {place.stem or 'report'}.html")
    if not place.parent.is_dir():
        raise InputError(
            f"no folder {str(place.parent)!r} to write {place.name} in", "a folder that is there", "make it first"
        )
    if place.is_dir():
        raise InputError(f"{str(path)!r} is a folder", "a file to write", "name a file in it")
    if not max_mb > 0:
        raise InputError(f"max_mb={max_mb}", "a size above 0, in megabytes", "leave it out for 15")
    return place


def fitted(versions: Iterable[Version], max_mb: float) -> tuple[bytes, dict[str, Any]]:
    """The first page that fits, and its bundle.

    Args:
        versions: each smaller than the one before; only as many are made as are needed.
        max_mb: the limit, in megabytes.
    Raises:
        InputError: not even the last one fits.
    """
    limit = max_mb * MEGABYTE
    needed = 0
    for made, parts, left_out in versions:
        html = b""
        for _ in range(_SETTLED):  # the file says how large it is, and saying so takes room
            told = len(html)
            made["size"] = {
                "total": told,
                "limit": int(limit) if isfinite(limit) else None,
                "parts": {**parts, "page": max(0, told - sum(parts.values()))},
                "left_out": left_out,
            }
            html = page(made).encode("utf-8", "replace")
            if len(html) == told or len(html) > limit:
                break
        if len(html) <= limit:
            return html, made
        needed = len(html)
    least = -(-needed // 10_000) / 100
    raise InputError(
        f"max_mb={max_mb:g}: the page alone, without pictures and predictions, takes {size(needed)}",
        f"{least:g} or more",
        f"write max_mb={least:g}; with pictures about 4",
    )


def weight(value: Any) -> int:
    """Bytes of a part of a bundle in the page."""
    return len(embedded(value).encode())


def _versions(material: Material) -> Iterator[Version]:
    for cut in _cuts(material):
        made = bundled(material, cut)
        yield made, _parts(made), _left_out(material, cut)


def _cuts(material: Material) -> Iterator[Cut]:
    """Those that differ for this run."""
    rows, pictures = len(material.sample.rows), len(material.sample.pictures)
    before = None
    for cut in _CUTS:
        cut = replace(cut, rows=min(cut.rows, rows), pictures=min(cut.pictures, pictures))
        if not material.photos:  # then no size of pictures matters
            cut = replace(cut, side=_CUTS[0].side, quality=_CUTS[0].quality)
        if cut != before:
            yield cut
        before = cut


def _left_out(material: Material, cut: Cut) -> list[str]:
    rows, pictures, whole = len(material.sample.rows), len(material.sample.pictures), _CUTS[0]
    said = []
    if cut.rows < rows:
        said.append(f"{rows - cut.rows:,} of {rows:,} predictions")
    if cut.pictures < pictures:
        said.append(f"{pictures - cut.pictures:,} of {pictures:,} pictures")
    if material.photos and cut.quality and cut.side < whole.side:
        said.append(f"detail: pictures of {cut.side} instead of {whole.side} pixels")
    return said


def _parts(made: dict[str, Any]) -> dict[str, int]:
    """Bytes of the bundle by what they are for."""
    shown, groups = made["shown"], made["clusters"]["list"]
    found = made["findings"]["list"]
    photos = sum(len(one["image"] or "") for one in shown)
    photos += sum(len(one["mean_picture"] or "") for one in (*groups, *found))
    photos += sum(len(image) for one in found for shot in one["shots"] for image in shot["images"].values())
    maps = sum(weight(one[name]) for one in shown for name in ("map", "label_map"))
    maps += len(made["pictures"]["coarse"]["values"]) + weight(made["focus"])
    maps += sum(weight(one["mean_map"]) for one in (*groups, *found))
    maps += sum(weight(one["map"]) for each in found for one in each["shown"])
    return {"photos": photos, "maps": maps, "table": weight(made) - photos - maps}
