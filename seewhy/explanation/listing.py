"""The layers of a model as a table for a person who chooses one."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from seewhy.evidence import Layer

ADVICE = (
    "→ is the default, right for methods with one weight for each channel: Grad-CAM, CAM, Score-CAM, Ablation-CAM.\n"
    "Methods that weigh each place by itself (LayerCAM, HiResCAM) can be taken earlier, too, where maps are finer."
)


class Layers(list[Layer]):
    """A list of layers that prints as a table."""

    def __repr__(self) -> str:
        lines = ["  ".join(row).rstrip() for row in _aligned(self.rows())]
        return "\n".join([*lines, ADVICE] if any(layer.default for layer in self) else lines)

    def rows(self, unusable: bool = True) -> list[tuple[str, ...]]:
        """The table's cells, headings first."""
        table: list[tuple[str, ...]] = [("", "index", "name", "kind", "output", "parameters", "map")]
        index = 0
        for layer in self:
            number = str(index) if layer.usable else ""
            index += layer.usable
            if not layer.usable and not unusable:
                continue
            shape = " × ".join(map(str, layer.shape))
            map_words = "{} × {}".format(*layer.grid) if layer.usable and layer.grid else f"none: {layer.why_not}"
            mark = "→" if layer.default else ""
            parameters = f"{layer.parameters:,}"
            table.append((mark, number, layer.name, layer.kind, shape, parameters, map_words))
        return table

    def _repr_html_(self) -> str:
        head, *rows = self.rows()
        cells = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return (
            "<table><tr>"
            + "".join(f"<th>{cell}</th>" for cell in head)
            + f"</tr>{cells}</table><p>{escape(ADVICE)}</p>"
        )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[list[str]]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
