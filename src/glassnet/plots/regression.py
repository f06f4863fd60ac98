"""Predicted values against true ones, and the residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .labels import short
from .numbers import written_number
from .style import BLUE, INK, ORANGE, WIDTH, legend_above, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values = NDArray[np.float64]

CUT = 0.002  # the share of the residuals beyond each end of the axis
MANY = 2000  # points: beyond this number their density says more


@styled()
def predictions(true: ArrayLike, predicted: ArrayLike, target: str, mean: float | None = None) -> Figure:
    """Draw predicted against true values (left) and the distribution of the residuals (right).

    true, predicted  (N,), in units of the target.
    target           its name, for the axes.
    mean             what the baseline predicts for every row: the mean of the training targets, or else of `true`.

    The title gives the root of the mean squared error (RMSE) and R² = 1 - (RMSE / standard deviation of `true`)².
    Raises ValueError if the arrays aren't (N,) with N >= 1, or hold a NaN or an infinity.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    t, y = np.asarray(true, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if t.ndim != 1 or t.shape != y.shape or not t.size:
        raise ValueError(f"true and predicted values must both have shape (N,), not {t.shape} and {y.shape}")
    if not (np.isfinite(t).all() and np.isfinite(y).all()):
        raise ValueError("a true or predicted value is NaN or infinite, and can't be drawn: leave such rows out")
    residuals, centred = y - t, (t.mean() if mean is None else mean) - t
    rmse, baseline = _rms(residuals), _rms(centred)
    r2 = f"{1 - rmse**2 / t.var():.3f}" if t.var() > 0 else "undefined"

    name = short(target, 30)
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_agreement(figure, left, t, y)
    left.set(xlabel=f"true {name}", ylabel=f"predicted {name}")
    _draw_residuals(right, residuals, centred)
    right.set(xlabel=f"predicted minus true\n{name}", ylabel="rows")
    for panel in (left, right):
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(FuncFormatter(written_number))
        panel.xaxis.set_major_locator(MaxNLocator(5))
    told = f"RMSE {written_number(rmse)},  R² {r2}    (predicting the mean: RMSE {written_number(baseline)})"
    figure.suptitle(told, x=0.01, ha="left")
    return figure


def _rms(values: Values) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _draw_agreement(figure: Figure, panel: Axes, t: Values, y: Values) -> None:
    from matplotlib.ticker import FuncFormatter

    low, high = min(t.min(), y.min()), max(t.max(), y.max())
    margin = 0.04 * (high - low) or 0.5
    limits = (low - margin, high + margin)
    if t.size > MANY:
        bins = panel.hexbin(
            t, y, gridsize=45, extent=(*limits, *limits), bins="log", mincnt=1, cmap="Blues", linewidths=0.1
        )
        bar = figure.colorbar(bins, ax=panel, label="rows per cell", pad=0.02, aspect=40)
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        bar.ax.minorticks_off()
        bar.outline.set_visible(False)
    else:
        panel.plot(t, y, "o", color=BLUE, alpha=0.9 if t.size < 100 else 0.35, markersize=4, markeredgewidth=0)
    panel.axline((0, 0), slope=1, color=INK, linewidth=0.9, linestyle="--", label="predicted = true")
    panel.set(xlim=limits, ylim=limits)
    legend_above(panel)


def _draw_residuals(panel: Axes, residuals: Values, centred: Values) -> None:
    from matplotlib.ticker import MaxNLocator

    # One row far out would squeeze all others into a bar: those beyond count in the last bins.
    low, high = np.quantile(np.concatenate([residuals, centred]), [CUT, 1 - CUT])
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    residuals, centred = np.clip(residuals, low, high), np.clip(centred, low, high)
    number = int(np.clip(2 * np.sqrt(residuals.size), 8, 60))
    edges = np.histogram_bin_edges([low, high], bins=number).tolist()
    panel.hist(residuals, edges, color=BLUE, alpha=0.8, label="network")
    panel.hist(centred, edges, histtype="step", color=ORANGE, linewidth=1.2, label="predicting the mean")
    panel.axvline(0, color=INK, linewidth=0.9, linestyle="--")
    panel.yaxis.set_major_locator(MaxNLocator(integer=True))
    legend_above(panel)
