"""The weights of the first layer, drawn as images: they show what it looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .style import HEAD, WIDTH, signed, styled
from .tiles import draw_tiles, places, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 16  # units shown
SCALE = 0.8  # inches for the colour bar and its numbers


@styled()
def first_layer(W: ArrayLike, image_shape: tuple[int, int], heard: ArrayLike | None = None) -> Figure:
    """Draw the weights into each unit as an image, for the 16 units that count most in what follows.

    W            (h * w, units).
    image_shape  (h, w).
    heard        (units,), how large the weights from each unit are, by which units are chosen; by default the norm
                 of those into it. A unit that nothing listens to often shows noise.

    One colour scale for all, symmetric around zero; it ends at the 99.5th percentile of the absolute weights shown,
    so that a single pixel can't make all others pale.
    Raises ValueError if the shapes don't fit together or a weight is NaN or infinite.
    """
    from matplotlib.figure import Figure

    weights = np.asarray(W, dtype=np.float64)
    height, width = image_shape
    if weights.ndim != 2 or len(weights) != height * width or not weights.size:
        raise ValueError(
            f"weights of {height} x {width} pixels have shape ({height * width}, units), not {weights.shape}"
        )
    if not np.isfinite(weights).all():
        raise ValueError("a weight is NaN or infinite, and can't be drawn: the training went wrong")
    size = np.linalg.norm(weights, axis=0) if heard is None else np.asarray(heard, dtype=np.float64)
    if size.shape != weights.shape[1:]:
        raise ValueError(f"heard must have shape ({weights.shape[1]},), one number a unit, not {size.shape}")
    order = np.argsort(-size, kind="stable")[:MOST]
    shown = weights[:, order].T.reshape(-1, height, width)
    scale = float(np.quantile(np.abs(shown), 0.995)) or 1.0
    columns = 8
    rows = -(-len(shown) // columns)
    wide, ratio = (WIDTH - SCALE) / columns, height / width
    tall = wide * min(ratio, 2.0)
    figure = Figure(figsize=(WIDTH, HEAD + rows * tall + 0.1))
    where = places(len(shown), columns, HEAD, (wide, tall), 0.0, ratio)
    panel = sheet(figure)
    draw_tiles(panel, shown, where, cmap=signed(), vmin=-scale, vmax=scale)
    left, bottom, high = 1 - (SCALE - 0.1) / WIDTH, 0.1 / figure.get_figheight(), rows * tall / figure.get_figheight()
    bar = figure.add_axes((left, bottom, 0.1 / WIDTH, high))
    figure.colorbar(panel.images[0], cax=bar, label="weight", extend="both")
    figure.suptitle(
        f"First-layer weights, one image per unit (the {len(shown)} of {weights.shape[1]:,} that count most)",
        x=0.01,
        ha="left",
    )
    return figure
