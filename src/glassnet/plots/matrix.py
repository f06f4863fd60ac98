"""The confusion matrix: true classes against predicted ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .labels import short
from .style import FAINT, INK, ORANGE, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.image import AxesImage

Shades = NDArray[np.float64]  # (C, C, 4): red, green, blue and opacity

PALE = "#B8B8B8"  # a count of zero
MOST_NUMBERED = 20  # classes beyond which the counts would be too small to read
MOST_NAMED = 60  # classes beyond which only every second, third, ... name fits


@styled()
def confusion(matrix: ArrayLike, classes: Sequence[object]) -> Figure:
    """Draw a confusion matrix: the counts in the cells, each cell shaded by its share of its row.

    matrix   (C, C) counts, rows the true classes, columns the predicted ones.
    classes  the C names.

    Right answers are blue. Wrong ones are orange on a scale of their own. It follows the square root of the share, so
    that rare mistakes show beside a diagonal that holds nearly everything. Raises ValueError if the shapes don't fit
    together.
    """
    from matplotlib.colors import LinearSegmentedColormap, Normalize, PowerNorm
    from matplotlib.figure import Figure

    counts = np.asarray(matrix)
    size = len(classes)
    if size == 0 or counts.shape != (size, size):
        raise ValueError(f"{size} classes need a confusion matrix of shape ({size}, {size}), not {counts.shape}")
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    diagonal = np.eye(size, dtype=bool)
    worst = float(share[~diagonal].max(initial=0.0)) or 1.0

    names = [short(name, 18) for name in classes]
    room = 0.07 * max(map(len, names))  # inches that the names take
    cell = _cell(size, counts)
    side = size * cell
    upright = room > cell
    below = room if upright else 0.15
    figure = Figure(figsize=(side + room + 1.75, side + below + 0.65), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[side, 0.14])
    panel = figure.add_subplot(grid[:, 0])
    oranges = LinearSegmentedColormap.from_list("oranges", ["white", "#F5B895", ORANGE, "#8F3E00"])
    right = panel.imshow(np.ma.array(share, mask=~diagonal), cmap="Blues", norm=Normalize(0, 1))
    wrong = panel.imshow(np.ma.array(share, mask=diagonal), cmap=oranges, norm=PowerNorm(0.5, 0, worst))
    _add_scale(figure, grid[0, 1], right, "right, % of the row", [0, 0.5, 1])
    _add_scale(figure, grid[1, 1], wrong, "wrong, % of the row", [0, worst / 4, worst])
    _name_axes(panel, names, upright=upright)
    if size <= MOST_NUMBERED:
        _write_counts(panel, counts, right.to_rgba(share), wrong.to_rgba(share))
    total, hits = int(counts.sum()), int(counts.trace())
    panel.set_title(f"{hits:,} of {total:,} right" + (f" ({hits / total:.2%})" if total else ""), loc="left")
    return figure


def _cell(size: int, counts: NDArray[np.int_]) -> float:
    """Inches of a cell's side: room for the longest count, or without counts a picture of 6.5 inches."""
    if size > MOST_NUMBERED:
        return 6.5 / size
    return max(0.42, 2.6 / size, 0.085 * len(f"{counts.max():d}"))


def _add_scale(figure: Figure, place: SubplotSpec, image: AxesImage, label: str, ticks: list[float]) -> None:
    bar = figure.colorbar(image, cax=figure.add_subplot(place), label=label)
    bar.set_ticks(ticks, labels=[f"{100 * tick:.3g}" for tick in ticks])
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)


def _name_axes(panel: Axes, names: list[str], *, upright: bool) -> None:
    step = -(-len(names) // MOST_NAMED)
    places = range(0, len(names), step)
    size = 8 if len(names) <= 40 else 6
    panel.set_xticks(places, names[::step], rotation=90 if upright else 0, fontsize=size)
    panel.set_yticks(places, names[::step], fontsize=size)
    panel.tick_params(length=0)
    panel.set(xlabel="predicted class", ylabel="true class")
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    lines = np.arange(len(names) - 1) + 0.5
    for draw in (panel.vlines, panel.hlines):
        draw(lines, -0.5, len(names) - 0.5, color=FAINT, linewidth=0.6)


def _write_counts(panel: Axes, counts: NDArray[np.int_], right: Shades, wrong: Shades) -> None:
    for (row, column), n in np.ndenumerate(counts):
        shade = (right if row == column else wrong)[row, column]
        dark = shade[:3] @ (0.299, 0.587, 0.114) < 0.6  # luma, ITU-R BT.601
        color = "white" if dark else INK if n else PALE
        count = panel.text(column, row, f"{n:d}", color=color, ha="center", va="center", fontsize=8)
        count.set_in_layout(False)  # it is inside its cell: asking for its size would take most of the time
