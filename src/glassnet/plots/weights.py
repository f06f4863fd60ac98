"""The weights of the first layer, drawn as images: they show what it looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .style import WIDTH, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 64  # units shown


@styled()
def first_layer(W: ArrayLike, image_shape: tuple[int, int]) -> Figure:
    """Draw the weights into each unit as an image, at most 64 units, those of the largest norm first.

    W            (h * w, units).
    image_shape  (h, w).

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
    order = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")[:MOST]
    shown = weights[:, order].T.reshape(-1, height, width)
    scale = float(np.quantile(np.abs(shown), 0.995)) or 1.0
    columns = 16 if len(shown) > 32 else 8
    rows = -(-len(shown) // columns)
    cell = (WIDTH - 0.8) / columns  # inches; the rest is the colour bar's
    figure = Figure(figsize=(WIDTH, 0.32 + rows * cell * min(height / width, 2.0)))
    figure.set_layout_engine("constrained", w_pad=0.02, h_pad=0.02, wspace=0, hspace=0, rect=(0.005, 0.02, 0.99, 0.96))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    for panel, unit in zip(panels, shown, strict=False):
        image = panel.imshow(unit, cmap="RdBu_r", vmin=-scale, vmax=scale)
    figure.colorbar(image, ax=panels, label="weight", extend="both", aspect=25, pad=0.01)
    figure.suptitle(
        f"First-layer weights, one image per unit ({len(shown)} of {weights.shape[1]:,}, the largest norm first)",
        x=0.01,
        ha="left",
    )
    return figure
