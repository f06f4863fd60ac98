"""What follows from the threshold for a class's probability: the ROC curve, precision and recall, and costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .labels import short
from .style import BLUE, INK, ORANGE, WIDTH, legend_above, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled()
def thresholds(curves: Mapping[str, ArrayLike], positive: str, chosen: float = 0.5) -> Figure:
    """Draw the ROC curve, precision over recall, and F1 or the mean cost over the threshold.

    curves: columns (k,) "threshold", "recall", "false_positive_rate", "precision", "f1" and maybe "cost", one value for
    each threshold, as in a run's thresholds.csv. positive: the class whose probability must exceed the threshold.
    chosen: the threshold that answers, which is marked.
    """
    from matplotlib.figure import Figure

    column = {name: np.asarray(values, np.float64) for name, values in curves.items() if name != "class"}
    name = short(positive, 20)
    at = int(np.abs(column["threshold"] - chosen).argmin())
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    roc, precise, over = figure.subplots(1, 3)
    roc.plot([0, 1], [0, 1], "--", color=INK, linewidth=0.9)
    by = "cost" if "cost" in column else "f1"
    for panel, x, y in (
        (roc, "false_positive_rate", "recall"),
        (precise, "recall", "precision"),
        (over, "threshold", by),
    ):
        panel.plot(column[x], column[y], color=BLUE)
        panel.plot(column[x][at], column[y][at], "o", color=ORANGE, label=f"threshold {chosen:.3g}")
    roc.set(xlabel="false alarms: share of others", ylabel=f"share of {name} found")
    precise.set(xlabel=f"share of {name} found", ylabel=f"share of those called {name} that are", ylim=(0, 1.02))
    over.set(xlabel=f"threshold of p({name})", ylabel="mean cost of a row" if by == "cost" else f"F1 of {name}")
    legend_above(roc)
    figure.suptitle(f"Thresholds for {short(positive, 40)}, on the test rows", x=0.01, ha="left")
    return figure
