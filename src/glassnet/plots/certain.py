"""How sure answers are: calibration of probabilities, and bounds around values."""

from __future__ import annotations

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
        axis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    legend_above(panel)
    figure.suptitle(short(f"{name}: probabilities of {what}", 70), x=0.01, ha="left")
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
