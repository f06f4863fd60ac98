"""Images before and after augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .style import WIDTH, styled

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
    cell = WIDTH / columns
    figure = Figure(figsize=(WIDTH, 0.35 + rows * cell * height / width))
    figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0, hspace=0.02, rect=(0, 0, 1, 0.98))
    panels = figure.subplots(rows, columns, squeeze=False)
    for line, pictures in zip(panels, shown, strict=True):
        for panel, picture in zip(line, pictures, strict=True):
            panel.set_axis_off()
            panel.imshow(picture, cmap="Greys", vmin=shown.min(), vmax=shown.max())
    figure.suptitle("Training images, and below each its augmented versions", x=0.01, ha="left")
    return figure
