"""Images before and after augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .style import HEAD, WIDTH, styled
from .tiles import draw_tiles, places, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@styled()
def augmented(images: ArrayLike) -> Figure:
    """Draw images in rows: the originals first, and below each its augmented versions.

    images  (1 + times, N, h, w), high values drawn dark, as ink on paper, all on one scale.

    Raises ValueError for another number of axes, or if there is nothing below the originals.
    """
    from matplotlib.figure import Figure

    shown = np.asarray(images, dtype=np.float64)
    if shown.ndim != 4 or len(shown) < 2 or not shown.size:
        raise ValueError(f"the images must have shape (1 + times, N, height, width), not {shown.shape}")
    rows, columns, height, width = shown.shape
    ratio = height / width
    cell = (WIDTH / columns, WIDTH / columns * ratio)
    figure = Figure(figsize=(WIDTH, HEAD + rows * cell[1]))
    where = places(rows * columns, columns, HEAD, cell, 0.0, ratio)
    pictures = shown.reshape(-1, height, width)
    draw_tiles(sheet(figure), pictures, where, cmap="Greys", vmin=shown.min(), vmax=shown.max())
    figure.suptitle("Training images, and below each its augmented versions", x=0.01, ha="left")
    return figure
