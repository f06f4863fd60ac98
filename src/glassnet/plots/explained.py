"""Why a model answers as it does: bars of importance, the answer along a column or two, the parts of one answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .labels import short
from .numbers import written_number
from .style import BLUE, GREY, INK, NEGATIVE, ORANGE, PALE_BLUE, POSITIVE, WIDTH, legend_above, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = NDArray[np.float64]


@styled()
def ranked(
    names: Sequence[str], values: Sequence[float], spreads: Sequence[float], *, label: str, title: str
) -> Figure:
    """Draw bars, the first on top, each with its standard deviation."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(0.8 * WIDTH, 1.1 + 0.28 * len(names)), layout="constrained")
    panel = figure.subplots()
    rows = np.arange(len(names))
    colors = [BLUE if value >= 0 else GREY for value in values]
    panel.barh(rows, values, xerr=spreads, color=colors, height=0.62, error_kw={"ecolor": INK, "elinewidth": 1})
    panel.set_yticks(rows, [short(name, 36) for name in names])
    panel.invert_yaxis()
    panel.grid(axis="y", visible=False)
    panel.axvline(0, color=INK, linewidth=0.8)
    panel.xaxis.set_major_formatter(FuncFormatter(written_number))
    panel.set_xlabel(label)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


@styled()
def along(
    values: ArrayLike,
    mean: ArrayLike,
    rows: ArrayLike,
    shares: ArrayLike,
    local: tuple[ArrayLike, ArrayLike] = ((), ()),
    *,
    words: Sequence[str] | None = None,
    dates: bool = False,
    name: str,
    label: str,
    title: str,
) -> Figure:
    """Draw the mean answer along a column, the answers of single rows, and where the training rows lie.

    values (g,): where; NaN, the last, stands for missing values. mean (g,), rows (n, g): the answers. shares (g,): of
    the training rows. local: edges (k,) and accumulated local effects (k,). words (g,): names of categories, which
    stand side by side. dates: whether values are days since 1970. name, label: of the column and of the answer.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    where, average, single, share = (np.asarray(a, np.float64) for a in (values, mean, rows, shares))
    figure = Figure(figsize=(0.8 * WIDTH, 3.6), layout="constrained")
    panel, below = figure.subplots(2, 1, sharex=True, height_ratios=(6, 1))
    if words is None:
        _draw_line(panel, below, where, average, single, share, local)
        _name_ends(below, where, dates)
    else:
        places = np.arange(len(words))
        for line in single:
            panel.plot(places, line, "o", color=PALE_BLUE, markersize=3, alpha=0.6, markeredgewidth=0)
        panel.plot(places, average, "o", color=BLUE, markersize=7, label="mean answer")
        panel.plot([], [], "o", color=PALE_BLUE, markersize=3, label="single rows")
        below.bar(places, share, color=GREY, width=0.6)
        turned = max(map(len, words), default=0) * len(words) > 70
        labels = [short(word, 18) for word in words]
        below.set_xticks(places, labels, rotation=40 if turned else 0, ha="right" if turned else "center")
    panel.set_ylabel(short(label, 40))
    panel.yaxis.set_major_formatter(FuncFormatter(written_number))
    below.set_yticks([])
    below.set_ylabel("rows", fontsize=8)
    below.grid(visible=False)
    below.set_xlabel(short(name, 60))
    legend_above(panel)
    figure.suptitle(short(title, 90), x=0.01, ha="left")
    return figure


def _draw_line(
    panel: Axes,
    below: Axes,
    where: Values,
    average: Values,
    single: Values,
    share: Values,
    local: tuple[ArrayLike, ArrayLike],
) -> None:
    known = ~np.isnan(where)
    if single.size:
        panel.plot(where[known], single[:, known].T, color=PALE_BLUE, linewidth=0.6, alpha=0.7)
        panel.plot([], [], color=PALE_BLUE, label="single rows")
    panel.plot(where[known], average[known], color=BLUE, linewidth=2.2, label="mean answer")
    edges, effects = (np.asarray(each, np.float64) for each in local)
    if len(edges):
        panel.plot(edges, effects, "--", color=ORANGE, linewidth=1.8, label="local effects")
    if not known.all():
        panel.axhline(average[-1], color=INK, linewidth=1, linestyle=":", label="if missing")
    low, high = float(np.min(single, initial=average.min())), float(np.max(single, initial=average.max()))
    if single.size:  # a row far out would flatten all others
        low, high = (float(np.quantile(single, q)) for q in (0.02, 0.98))
        low, high = min(low, *average, *effects), max(high, *average, *effects)
    room = 0.06 * (high - low) or 0.5
    panel.set_ylim(low - room, high + room)
    places = where[known]
    if len(places) > 1:
        middles = (places[1:] + places[:-1]) / 2
        ends = np.concatenate([[places[0]], middles, [places[-1]]])
        widths = np.maximum(np.diff(ends), 1e-12)
        below.bar(ends[:-1], share[known] / widths, width=widths, align="edge", color=GREY, linewidth=0)


def _name_ends(below: Axes, where: Values, dates: bool) -> None:
    from matplotlib import dates as of_dates
    from matplotlib.ticker import FuncFormatter

    if dates:
        untyped: Any = of_dates
        locator = untyped.AutoDateLocator()
        below.xaxis.set_major_locator(locator)
        below.xaxis.set_major_formatter(untyped.ConciseDateFormatter(locator, show_offset=False))
        return
    known = where[~np.isnan(where)]
    years = len(known) and (known % 1 == 0).all() and known.min() > 999 and known.max() < 3000
    below.xaxis.set_major_formatter(FuncFormatter((lambda v, _: f"{v:.10g}") if years else written_number))


@styled()
def joint(words: Sequence[Sequence[str]], mean: ArrayLike, *, names: Sequence[str], label: str, title: str) -> Figure:
    """Draw the mean answer (g, h) over values of two columns as a map. words: how the values (g,) and (h,) are written.

    A value of the second column is a row, the smallest at the bottom.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    values = np.asarray(mean, np.float64).T
    figure = Figure(figsize=(0.8 * WIDTH, 1.6 + 0.34 * len(values)), layout="constrained")
    panel = figure.subplots()
    drawn = panel.imshow(values, origin="lower", aspect="auto", cmap="viridis")
    for axis, own, set_ticks in zip(("x", "y"), words, (panel.set_xticks, panel.set_yticks), strict=True):
        turned = axis == "x" and len("".join(own)) > 60
        ends = "right" if turned or axis == "y" else "center"
        set_ticks(np.arange(len(own)), [short(word, 18) for word in own], rotation=40 if turned else 0, ha=ends)
    panel.grid(visible=False)
    panel.set(xlabel=short(names[0], 40), ylabel=short(names[1], 40))
    bar = figure.colorbar(drawn, ax=panel, label=short(label, 40))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(written_number))
    bar.outline.set_visible(False)
    figure.suptitle(short(title, 90), x=0.01, ha="left")
    return figure


@styled()
def parts(
    names: Sequence[str], values: Sequence[float], written: Sequence[str], start: float, *, label: str, title: str
) -> Figure:
    """Draw how the parts of an answer lead from `start` to it, one below the other.

    names, values, written (n,): the parts, and how each is written beside its bar. label: the name of the answer.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    added = np.asarray(values, np.float64)
    begins = start + np.concatenate([[0.0], np.cumsum(added)[:-1]])
    end = start + float(added.sum())
    figure = Figure(figsize=(0.8 * WIDTH, 1.3 + 0.3 * len(names)), layout="constrained")
    panel = figure.subplots()
    rows = np.arange(len(names))
    bars = panel.barh(rows, added, left=begins, color=[POSITIVE if v > 0 else NEGATIVE for v in added], height=0.62)
    panel.bar_label(bars, written, padding=3, color=INK, fontsize=8)
    for line, style, what in ((start, ":", "mean answer"), (end, "-", "this answer")):
        panel.axvline(line, color=INK, linewidth=1, linestyle=style, label=what, zorder=0)
    panel.set_yticks(rows, [short(name, 44) for name in names])
    panel.invert_yaxis()
    panel.grid(axis="y", visible=False)
    panel.margins(x=0.16)
    panel.xaxis.set_major_formatter(FuncFormatter(written_number))
    panel.set_xlabel(short(label, 60))
    legend_above(panel)
    figure.suptitle(short(title, 90), x=0.01, ha="left")
    return figure
