"""Reading what was watched during a training, while it runs or later."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from PIL import Image

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images import panels
from seewhy.images.animating import kind_of
from seewhy.images.resizing import Floats
from seewhy.results.arrays import floats, ints
from seewhy.results.tables import aligned, counted, number, percent
from seewhy.results.watched.curves import curves
from seewhy.results.watched.filming import Shot, Subject, film, filmstrip, strip
from seewhy.results.watched.keeping import COLUMNS, PICTURES, about_of, rows_of, unpacked

if TYPE_CHECKING:
    from seewhy.results.report.fitting import Report

_SHOWN = ("focus", "border", "entropy", "drift", "probability")


class Watched:
    """What `watch` kept of a training: numbers, maps and small pictures. It is read anew with each question.

    Args:
        folder: what `out=` named.
    Raises:
        InputError: it holds no watched training.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.about = about_of(self.folder)

    @property
    def names(self) -> list[str]:
        """The pictures' names, by their number."""
        return [str(one["name"]) for one in self.about["pictures"]]

    @cached_property
    def subjects(self) -> list[Subject]:
        """The pictures as they are drawn."""
        found = []
        for one in self.about["pictures"]:
            pixels = np.asarray(Image.open(self.folder / PICTURES / f"{one['file']}.png").convert("RGB"))
            region = self.folder / PICTURES / f"{one['file']}.region.png"
            outline = np.asarray(Image.open(region).convert("L")) > 0 if region.is_file() else None
            share = pixels.shape[1] / one["width"]
            left, top, right, bottom = (share * edge for edge in one["box"])
            found.append(
                Subject(one["name"], one.get("label"), one["file"], pixels, (left, top, right, bottom), outline)
            )
        return found

    def table(self, maps: bool = False) -> pa.Table:
        """A row for each look and picture.

        Args:
            maps: with the columns map (float16, over its maximum), map_scale, map_height and map_width.
        """
        return rows_of(self.folder, None if maps else COLUMNS)

    def means(self) -> list[dict[str, Any]]:
        """For each look its epoch and step, and each number as the mean over the pictures, None where no map has it."""
        rows = self._arrays()
        found = []
        for look in np.unique(rows["look"]):
            own = rows["look"] == look
            first = int(np.flatnonzero(own)[0])
            said = {name: _mean(rows[name][own]) for name in (*_SHOWN, "score")}
            times = {name: int(rows[name][first]) for name in ("look", "epoch", "step")}
            found.append({**times, "pictures": int(own.sum()), **said})
        return found

    def map(self, picture: int | str, look: int = -1) -> Floats:
        """A map as it was: float32 [h, w], unscaled.

        Args:
            picture: its number or name.
            look: the number of the look, as in `means`; -1 the last that has a map of it, -2 the one before ...
        Raises:
            InputError: that look has no map of it.
        """
        shots = {one.row["look"]: one for one in self._taken(self._place(picture))}
        number = look if look >= 0 else ([None] * -look + sorted(shots))[look]
        if number not in shots:
            known = f"{len(shots)} looks from {min(shots)} to {max(shots)}"
            raise InputError(f"look={look}", f"one of {known}, or from -1 backwards", "means() lists them")
        return shots[number].map

    def grid(self, columns: int = 10, tile: int = 112) -> Image.Image:
        """The filmstrip: rows are pictures, columns are looks.

        Args:
            columns: looks at most, evenly spread over all there are.
            tile: pixels of a picture's side.
        """
        return filmstrip(self.subjects, self._shots(), columns, tile)

    def strip(self, picture: int | str) -> Image.Image:
        """One picture over time, at most 24 looks."""
        place = self._place(picture)
        return strip(self.subjects[place], self._taken(place))

    def gif(self, picture: int | str, path: str | Path, seconds: float = 0.6) -> None:
        """Writes one picture over time as an animation, at most 24 looks.

        Args:
            picture: its number or name.
            path: ends in .gif, .webp, .png or .apng.
            seconds: how long each frame is shown.
        """
        place, kind = self._place(picture), kind_of(path)
        data = film(self.subjects[place], self._taken(place), kind, seconds)
        with panels.writing(path):
            Path(path).write_bytes(data)

    def report(
        self,
        path: str | Path = "watch.html",
        max_mb: float = 15,
        images: bool = True,
        anonymise: bool = False,
        title: str | None = None,
    ) -> Report:
        """Writes the training so far as one HTML file: the filmstrip with a slider, and the numbers as curves.

        It asks nothing of any network and can be sent. The training may still go on; write it again to see more.

        Args:
            path: ends in .html.
            max_mb: the most it may weigh; pictures get smaller and looks fewer until it fits.
            images: with the pictures; without them maps are drawn alone.
            anonymise: no names of files and folders.
            title: None: the names of the model and the folder.
        Returns:
            `Report`, which prints: how large it is, and what it holds.
        Raises:
            InputError: no look yet, a path that cannot be written, or a limit that not even the numbers fit in.
        """
        from seewhy.results.report.trained import report

        return report(self, path, max_mb, images, anonymise, title)

    def curves(self) -> Any:
        """A matplotlib figure of the numbers over the training: `watched.curves().savefig("curves.png")`."""
        return curves(self._arrays(), self.names, self.about)

    def _arrays(self) -> dict[str, Any]:
        table = self.table()
        if not table.num_rows:
            raise self._nothing()
        whole = ("look", "epoch", "step", "picture")
        return {name: ints(table[name]) for name in whole} | {name: floats(table[name]) for name in (*_SHOWN, "score")}

    def _shots(self) -> list[list[Shot]]:
        """By picture, in order of time."""
        shots: list[list[Shot]] = [[] for _ in self.about["pictures"]]
        for row in self.table(maps=True).to_pylist():
            by_step = self.about.get("unit") == "step"
            shots[row["picture"]].append(Shot(row["epoch"], row["step"], unpacked(row), row, by_step))
        if not any(shots):
            raise self._nothing()
        return shots

    def _taken(self, place: int) -> list[Shot]:
        shots = self._shots()[place]
        if not shots:
            raise self._nothing()
        return shots

    def _place(self, picture: int | str) -> int:
        names = self.names
        if isinstance(picture, str) and picture in names:
            return names.index(picture)
        if isinstance(picture, int) and 0 <= picture < len(names):
            return picture
        near = did_you_mean(str(picture), names, f"write one of 0 to {len(names) - 1}")
        raise UnknownNameError(f"no watched picture {picture!r}", f"a name or number of {len(names)} pictures", near)

    def _nothing(self) -> InputError:
        came = f"no look yet in {str(self.folder)!r}"
        return InputError(came, "a training that was looked at at least once", "wait for the first look")

    def __repr__(self) -> str:
        head = f"Watched({str(self.folder)!r}: {counted(len(self.names), 'picture')}"
        try:
            means = self.means()
        except InputError:
            return f"{head}, no look yet)"
        region = self.about.get("region")
        named = {"focus": f"in {region['words']}" if region else "", "probability": "probability"}
        shown = [name for name in _SHOWN if named.get(name, name)]
        times = ["epoch", "step"] if any(one["step"] for one in means) else ["epoch"]  # a loop may count no steps
        rows = [[*times, *(named.get(name, name) for name in shown)]]
        for one in means if len(means) <= 12 else [*means[:6], *means[-6:]]:
            shares = {name: percent(one[name]) for name in shown}
            shares |= {name: number(one[name], 2) for name in ("entropy", "drift")}
            rows.append([*(f"{one[time]:,}" for time in times), *(shares[name] for name in shown)])
        alarms = "".join(f"\n! {words}" for words in self.about.get("alarms", []))
        return f"{head}, {counted(len(means), 'look')})\n{aligned(rows, range(len(rows[0])))}{alarms}"


def _mean(values: Any) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
