"""The mistakes that a classifier was surest of. Look at these first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .labels import percent, short
from .style import HEAD, ORANGE, WIDTH, styled
from .tiles import draw_tiles, places, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_IMAGES = 24
MOST_BARS = 12


@dataclass(frozen=True)
class Mistake:
    """One row that a classifier got wrong, with its confidence."""

    row: int
    true: str
    predicted: str
    confidence: float


@styled()
def mistakes(
    images: ArrayLike, true: ArrayLike, predicted: ArrayLike, confidence: ArrayLike, classes: Sequence[object]
) -> Figure:
    """Draw the images of the most confident mistakes, at most 24, the surest first.

    images           (N, h, w), high values drawn dark, as ink on paper, all on one scale.
    true, predicted  (N,), indices into `classes`; rows where they agree are left out.
    confidence       (N,), the probability given to the predicted class.
    classes          the names.

    Raises ValueError if the arrays differ in length or an index has no name.
    """
    from matplotlib.figure import Figure

    pictures = np.asarray(images)
    found, total = _surest(true, predicted, confidence, classes, MOST_IMAGES)
    if pictures.ndim != 3 or len(pictures) != np.size(true):
        raise ValueError(f"the images must have shape ({np.size(true)}, height, width), not {pictures.shape}")
    if not found:
        return _nothing()

    brief = all(len(mistake.true) <= 2 and len(mistake.predicted) <= 2 for mistake in found)
    columns, lines, form = (8, 1, "{} → {}  {}") if brief else (6, 3, "{}\n→ {}\n{}")
    rows = -(-len(found) // columns)
    shown = pictures[[mistake.row for mistake in found]]
    wide, words, ratio = WIDTH / columns, 0.16 * lines, shown.shape[1] / shown.shape[2]
    tall = min(wide * ratio, 2 * wide) + words
    figure = Figure(figsize=(WIDTH, HEAD + rows * tall))
    where = places(len(found), columns, HEAD, (wide, tall), words, ratio)
    panel = sheet(figure)
    draw_tiles(panel, shown, where, cmap="gray_r", vmin=shown.min(), vmax=shown.max())
    for (left, top, right, _), mistake in zip(where, found, strict=True):
        told = form.format(mistake.true, mistake.predicted, percent(mistake.confidence))
        panel.text((left + right) / 2, top - 0.02, told, fontsize=8, ha="center", va="bottom")
    figure.suptitle(_headline(len(found), total), x=0.01, ha="left")
    return figure


@styled()
def mistake_table(true: ArrayLike, predicted: ArrayLike, confidence: ArrayLike, classes: Sequence[object]) -> Figure:
    """Draw the most confident mistakes as bars, at most 12, the surest on top: row, true → predicted, confidence.

    The arguments are those of `mistakes`; a row's number is its place in them, from 0.
    Raises ValueError if the arrays differ in length or an index has no name.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    found, total = _surest(true, predicted, confidence, classes, MOST_BARS)
    if not found:
        return _nothing()

    figure = Figure(figsize=(WIDTH, 0.95 + 0.22 * len(found)), layout="constrained")
    panel = figure.subplots()
    panel.barh(range(len(found)), [mistake.confidence for mistake in found], height=0.7, color=ORANGE, alpha=0.85)
    panel.set_yticks(
        range(len(found)), [f"row {mistake.row}:  {mistake.true} → {mistake.predicted}" for mistake in found]
    )
    for place, mistake in enumerate(found):
        panel.text(mistake.confidence, place, f" {percent(mistake.confidence)}", va="center", fontsize=8)
    panel.tick_params(axis="y", length=0)
    panel.grid(visible=False, axis="y")
    panel.set(xlim=(0, 1), ylim=(len(found) - 0.4, -0.6), xlabel="confidence in the wrong class")
    panel.xaxis.set_major_formatter(PercentFormatter(1.0))
    figure.suptitle(_headline(len(found), total), x=0.01, ha="left")
    return figure


def _surest(
    true: ArrayLike, predicted: ArrayLike, confidence: ArrayLike, classes: Sequence[object], most: int
) -> tuple[list[Mistake], int]:
    """Give the mistakes to show, the surest first, and how many there are in all."""
    t, p, sure = np.asarray(true), np.asarray(predicted), np.asarray(confidence)
    if t.ndim != 1 or not t.shape == p.shape == sure.shape:
        raise ValueError(
            f"true, predicted and confidence must all have shape (N,), not {t.shape}, {p.shape} and {sure.shape}"
        )
    wrong = np.flatnonzero(t != p)
    order = wrong[np.argsort(-sure[wrong], kind="stable")][:most]
    indices = np.concatenate([t[order], p[order]])
    if indices.size and not 0 <= indices.min() <= indices.max() < len(classes):
        raise ValueError(f"a class index is outside 0..{len(classes) - 1}: give a name for every class")
    names = [short(name, 16) for name in classes]
    return [Mistake(int(row), names[t[row]], names[p[row]], float(sure[row])) for row in order], len(wrong)


def _headline(shown: int, total: int) -> str:
    which = f"The {shown} most confident of {total:,} mistakes" if shown < total else f"All {total} mistakes"
    return f"{'The only mistake' if total == 1 else which}: true → predicted, confidence"


def _nothing() -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 1.0))
    figure.text(0.5, 0.5, "no mistakes", ha="center", va="center", fontsize=11)
    return figure
