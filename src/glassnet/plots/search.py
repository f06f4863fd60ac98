"""A search for hyperparameters: trial after trial, their importance, and a map of two of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .labels import short
from .style import BLUE, FAINT, GREY, INK, ORANGE, WIDTH, legend_above, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AxisRange = tuple[float, float, bool]  # low, high, and whether the axis is logarithmic
Points = NDArray[np.float64]

CELLS = 100  # of the heat map, along each side
REACH = 0.07  # the reach of a trial into its surroundings, as a share of the map's side (std of a Gaussian)
BLANK = 2.5  # times that: farther from any trial the map says nothing
SHOWN = 75  # per cent of the trials that the colours distinguish; the worst ones share the palest


@styled()
def search_history(
    numbers: ArrayLike, values: ArrayLike, broken_off: ArrayLike, label: str, *, higher: bool, chosen: int
) -> Figure:
    """Draw the value of each finished trial, and the best so far.

    numbers     (N,) of the finished trials, in order; values (N,), their results. At least one.
    broken_off  (M,) numbers of the trials that were pruned or failed: ticks at the lower edge.
    label       what the values are. higher: whether larger is better. chosen: the trial that was chosen.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    x, y = np.asarray(numbers), np.asarray(values, dtype=np.float64)
    ticks = np.asarray(broken_off)
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    panel = figure.subplots()
    panel.plot(x, y, "o", color=BLUE, markersize=4, label="trial")
    best = np.maximum.accumulate(y) if higher else np.minimum.accumulate(y)
    end = max(x.max(), ticks.max(initial=0))
    panel.step([*x, end], [*best, best[-1]], where="post", color=ORANGE, label="best so far")
    panel.plot([chosen], y[x == chosen][:1], "o", color="none", markeredgecolor=INK, markersize=9, label="chosen")
    if ticks.size:
        edge = panel.get_xaxis_transform()
        panel.plot(ticks, np.full(len(ticks), 0.02), "|", color=GREY, transform=edge, label="pruned or failed")
    _spare_the_worst(panel, y, higher)
    panel.set_xlabel("trial")
    panel.set_ylabel(label)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_above(panel)
    return figure


@styled()
def importance(names: Sequence[str], shares: Sequence[float], label: str) -> Figure:
    """Draw the share of the results' variance that each hyperparameter explains: bars, the first on top.

    names (N,), and their shares (N,), which sum to 1; label: the name of the results.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=(0.75 * WIDTH, 1.0 + 0.35 * len(names)), layout="constrained")
    panel = figure.subplots()
    rows = np.arange(len(names))
    bars = panel.barh(rows, shares, color=BLUE, height=0.6)
    panel.bar_label(bars, [f"{share:.0%}" for share in shares], padding=3, color=INK)
    panel.set_yticks(rows, [short(name, 40) for name in names])
    panel.invert_yaxis()
    panel.grid(axis="y", visible=False)
    panel.set_xlim(0, 1.15)
    panel.xaxis.set_major_formatter(PercentFormatter(1.0))
    panel.set_xticks(np.linspace(0, 1, 6))
    panel.set_xlabel(f"share of the variance of the {label}\namong finished trials (fANOVA)")
    return figure


@styled()
def heatmap(
    points: ArrayLike,
    values: ArrayLike,
    *,
    names: Sequence[str],
    ranges: Sequence[AxisRange],
    label: str,
    higher: bool,
    broken_off: ArrayLike,
    chosen: Sequence[float],
) -> Figure:
    """Draw results over the plane of two hyperparameters, as a smoothed map with the trials on it.

    points      (N, 2), where the finished trials lie; values (N,), their results. At least one.
    names       of the two axes. ranges: (low, high, logarithmic) of each.
    label       what the values are. higher: whether larger is better.
    broken_off  (M, 2), where trials were pruned or failed: crosses, which count as the worst colour.
    chosen      (2,), where the chosen trial lies.

    The map is a mean of the results, each weighted by a Gaussian of its distance; blank where no trial is near.
    """
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    at, crosses = np.reshape(points, (-1, 2)).astype(float), np.reshape(broken_off, (-1, 2)).astype(float)
    y = np.asarray(values, dtype=np.float64)
    figure = Figure(figsize=(0.8 * WIDTH, 4.4), layout="constrained")
    panel = figure.subplots()
    low, high = _colour_range(y, higher)
    look: dict[str, Any] = {"cmap": "viridis" if higher else "viridis_r", "norm": Normalize(low, high)}
    edges = [_spread(np.linspace(0, 1, CELLS + 1), each) for each in ranges]
    everywhere = np.concatenate([at, crosses])
    unit = np.column_stack([_unit(everywhere[:, axis], each) for axis, each in enumerate(ranges)])
    shown = np.concatenate([np.clip(y, low, high), np.full(len(crosses), low if higher else high)])
    mesh = panel.pcolormesh(*edges, _smooth(unit, shown), linewidth=0, rasterized=True, **look)
    panel.plot(*crosses.T, "x", color="white", markersize=4, markeredgewidth=0.9, label="pruned or failed")
    panel.scatter(at[:, 0], at[:, 1], c=y, s=26, edgecolors="white", linewidths=0.6, zorder=3, label="finished", **look)
    panel.plot(
        *np.reshape(chosen, (2, 1)),
        "o",
        color="none",
        markeredgecolor=ORANGE,
        markeredgewidth=1.8,
        markersize=10,
        zorder=4,
        label="chosen",
    )
    panel.set(
        xlabel=short(names[0], 40),
        ylabel=short(names[1], 40),
        xlim=ranges[0][:2],
        ylim=ranges[1][:2],
        xscale="log" if ranges[0][2] else "linear",
        yscale="log" if ranges[1][2] else "linear",
        facecolor=FAINT,
    )
    for axis, each in zip((panel.xaxis, panel.yaxis), ranges, strict=True):
        if each[2]:
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if each[1] < 100 * each[0] else (1,)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.grid(visible=False)
    cut = (y < low).any() or (y > high).any()
    ends = "neither" if not cut else "min" if higher else "max"
    bar = figure.colorbar(mesh, ax=panel, label=label, extend=ends)
    bar.outline.set_visible(False)
    legend = panel.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2, columnspacing=1.4)
    legend.get_lines()[0].set_markeredgecolor(GREY)  # white shows on the map alone
    return figure


def _smooth(unit: Points, values: Points) -> Any:
    """The weighted means (CELLS, CELLS) at the middles of the cells, masked where no trial is near."""
    middle = (np.arange(CELLS) + 0.5) / CELLS
    grid = np.stack(np.meshgrid(middle, middle), axis=-1)[:, :, None, :]  # (row: y, column: x, 1, 2)
    distance = np.linalg.norm(grid - unit, axis=-1)
    weight = np.exp(-0.5 * (distance / REACH) ** 2)
    mean = (weight * values).sum(axis=-1) / np.maximum(weight.sum(axis=-1), 1e-300)
    return np.ma.array(mean, mask=distance.min(axis=-1) > BLANK * REACH)


def _unit(values: Points, each: AxisRange) -> Points:
    low, high, log = each
    return np.log(values / low) / np.log(high / low) if log else (values - low) / (high - low)


def _spread(unit: Points, each: AxisRange) -> Points:
    low, high, log = each
    return low * (high / low) ** unit if log else low + (high - low) * unit


def _colour_range(values: Points, higher: bool) -> tuple[float, float]:
    """From the best value to one that most trials reach, so that a few bad ones don't take all colours."""
    worst = float(np.percentile(values, 100 - SHOWN if higher else SHOWN))
    best = float(values.max() if higher else values.min())
    return (worst, best) if higher else (best, worst)


def _spare_the_worst(panel: Axes, values: Points, higher: bool) -> None:
    """Cut off values that are far worse than most, as `_colour_range` does."""
    low, high = _colour_range(values, higher)
    room = 0.5 * (high - low)
    if room > 0:
        panel.set_ylim(max(low - room, values.min() - 0.2 * room), min(high + room, values.max() + 0.2 * room))
