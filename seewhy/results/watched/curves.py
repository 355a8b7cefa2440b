"""What was watched as curves over the training."""

from __future__ import annotations

from typing import Any

import numpy as np

from seewhy.results.tables import line

PANELS = {
    "probability": "probability of the class",
    "focus": "share of the map in {region}",
    "border": "share of the map at the border",
    "entropy": "entropy of the map (1: even)",
    "drift": "drift from the look before",
}
_MEAN, _ONE = "#2b5c9e", "#b9bdc2"


def curves(rows: dict[str, Any], names: list[str], about: dict[str, Any]) -> Any:
    """A matplotlib figure: for each number a thin line for each picture and a thick one for their mean.

    Args:
        rows: NumPy arrays by column, NaN where there is no number.
        names: of the pictures, by their number.
        about: of watch.json.
    """
    from matplotlib.figure import Figure  # without pyplot: no window, and nothing that stays open

    region = about.get("region")
    kept = [name for name in PANELS if np.isfinite(rows[name]).any()]
    time = "step" if about.get("unit") == "step" else "epoch"
    figure = Figure(figsize=(7.2, 0.5 + 1.75 * max(1, len(kept))), layout="constrained")
    for axes, name in zip(np.atleast_1d(figure.subplots(max(1, len(kept)), sharex=True)), kept, strict=False):
        for picture in range(len(names)):
            own = rows["picture"] == picture
            axes.plot(rows[time][own], rows[name][own], color=_ONE, linewidth=0.8)
        looks = np.unique(rows["look"])
        when = [rows[time][rows["look"] == look][0] for look in looks]
        axes.plot(when, [_mean(rows[name][rows["look"] == look]) for look in looks], color=_MEAN, marker="o", ms=3)
        if name == "focus" and region:
            for key, style in (("below", "--"), ("above", "--")):
                if (level := about.get("alarm", {}).get(key)) is not None:
                    axes.axhline(level, color="#d95f02", linewidth=1, linestyle=style, label=f"alarm {key} {level:g}")
            if region.get("even") is not None:
                axes.axhline(region["even"], color="#8a8d91", linewidth=1, linestyle=":", label="an even map")
            axes.legend(frameon=False, fontsize="small")
        axes.set_title(line(PANELS[name].format(region=(region or {}).get("words"))), fontsize="medium", loc="left")
        axes.set_ylim(0, None)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(time, fontsize="medium")
    return figure


def _mean(values: Any) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
