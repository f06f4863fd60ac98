"""How sure answers are: calibration of probabilities, and bounds around values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .labels import short
from .numbers import written_number
from .style import BLUE, GREY, INK, ORANGE, PALE_BLUE, WIDTH, legend_above, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 10  # with as many rows in each
SHOWN = 80  # rows with their bounds


@styled()
def calibration(probability: ArrayLike, right: ArrayLike, what: str, name: str) -> Figure:
    """Draw how often something is true, by the probability that was given: a reliability diagram.

    probability (N,), right (N,): whether it was true. what: that something; name: of the data. Bins hold as many rows
    each. The lines are intervals of 95% (Wilson 1927). Points on the diagonal are right.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    p, hit = np.asarray(probability, np.float64), np.asarray(right, np.float64)
    figure = Figure(figsize=(0.6 * WIDTH, 3.8), layout="constrained")
    panel, below = figure.subplots(2, 1, sharex=True, height_ratios=(5, 1))
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    given, share = (np.array([of[part].mean() for part in parts]) for of in (p, hit))
    n, z = np.array([len(part) for part in parts]), 1.96
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    top = min(1.0, 1.15 * max(given.max(), (middle + half).max()))
    low = 0.0 if given.min() < 0.4 else max(0.0, min(given.min(), (middle - half).min()) - 0.05)
    panel.plot([0, 1], [0, 1], "--", color=INK, linewidth=0.9, label="given = true")
    panel.vlines(given, middle - half, middle + half, color=BLUE, linewidth=1.2)
    panel.plot(given, share, "o-", color=BLUE, markersize=5, label="test rows, a tenth each")
    panel.set(xlim=(low, top), ylim=(low, top), ylabel=f"share for which\n{short(what, 24)} is true")
    below.hist(p, np.linspace(low, top, 41).tolist(), color=GREY)
    below.set_yticks([])
    below.set_ylabel("rows", fontsize=8)
    below.grid(visible=False)
    below.set_xlabel(f"given probability of {short(what, 40)}")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0 if top > 0.2 else 1))
    legend_above(panel)
    figure.suptitle(short(f"{name}: probabilities of {what}", 70), x=0.01, ha="left")
    return figure


@styled()
def thresholds(columns: Mapping[str, ArrayLike], at: float, what: str, name: str) -> Figure:
    """Draw precision, recall and F1 over the threshold of a probability, and the two curves that follow from it.

    columns: "threshold", "precision", "recall", "f1" and "false_positive_rate", each (k,). at: the threshold in use.
    what: the class whose probability it is. name: of the data.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    t, precision, recall, f1, wrong = (
        np.asarray(columns[each], np.float64)
        for each in ("threshold", "precision", "recall", "f1", "false_positive_rate")
    )
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.5, 1, 1))
    for values, color, style, label in (
        (precision, BLUE, "-", "precision"),
        (recall, ORANGE, "--", "recall"),
        (f1, INK, ":", "F1"),
    ):
        left.plot(t, values, style, color=color, label=label)
    left.axvline(at, color=GREY, linewidth=1)
    here = int(np.abs(t - at).argmin())
    end = max(at, float(t[recall > 0].max(initial=0.0)))  # no row of the class exceeds it
    left.set(xlabel=f"threshold of p({short(what, 20)})", xlim=(0, min(1.0, 1.1 * end)))
    middle.step(recall, precision, where="post", color=BLUE)
    middle.plot(recall[here], precision[here], "o", color=INK, markersize=5)
    middle.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    right.plot([0, 1], [0, 1], "--", color=INK, linewidth=0.8)
    right.plot(wrong, recall, color=BLUE)
    right.plot(wrong[here], recall[here], "o", color=INK, markersize=5)
    right.set(xlabel="false positive rate", ylabel="recall (ROC curve)", xlim=(0, 1), ylim=(0, 1.02))
    for panel in (left, middle, right):
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    legend_above(left)
    figure.suptitle(short(f"{name}: what each threshold of {what} finds (● in use)", 100), x=0.01, ha="left")
    return figure


@styled()
def bounds(true: ArrayLike, predicted: ArrayLike, low: ArrayLike, high: ArrayLike, target: str, name: str) -> Figure:
    """Draw the true values (N,) of rows in the order of their predictions, and the bounds around these.

    At most 80 rows, evenly taken. Those outside are orange.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    t, y, below, above = (np.asarray(each, np.float64) for each in (true, predicted, low, high))
    order = np.argsort(y, kind="stable")
    order = order[np.unique(np.linspace(0, len(order) - 1, SHOWN).astype(int))]
    places = np.arange(len(order))
    figure = Figure(figsize=(0.8 * WIDTH, 3.6), layout="constrained")
    panel = figure.subplots()
    panel.vlines(places, below[order], above[order], color=PALE_BLUE, linewidth=3, label="bounds")
    panel.plot(places, y[order], "_", color=BLUE, markersize=5, label="predicted")
    inside = (below <= t)[order] & (t <= above)[order]
    for chosen, color, what in ((inside, INK, "true"), (~inside, ORANGE, "true, outside")):
        panel.plot(places[chosen], t[order][chosen], "o", color=color, markersize=3, label=what)
    panel.set_xticks([])
    panel.set(xlabel="test rows, by their prediction", ylabel=short(target, 40))
    panel.yaxis.set_major_formatter(FuncFormatter(written_number))
    legend_above(panel)
    figure.suptitle(short(f"{name}: {target} between its bounds", 70), x=0.01, ha="left")
    return figure
