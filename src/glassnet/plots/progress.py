"""The course of a training: the loss and the validation metric over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .style import BLUE, INK, ORANGE, PALE_BLUE, WIDTH, legend_above, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Series = NDArray[np.float64]

# The main validation metric is the first of these columns that a history has: its label, and how to write a value.
MAIN_METRICS = {
    "val_accuracy": ("validation accuracy", ".2%"),
    "val_rmse": ("validation RMSE (units of the target)", ".4g"),
    "val_mae": ("validation MAE (units of the target)", ".4g"),
    "val_r2": ("validation R² (1 is perfect)", ".4g"),
}
LOSSES = {  # their labels and colours
    "train_loss": ("training", BLUE),
    "train_eval_loss": ("training, without noise", BLUE),
    "val_loss": ("validation", ORANGE),
}
WIDE = 30.0  # the ratio of largest to smallest value beyond which only a logarithmic axis shows both


@styled()
def curves(
    history: Mapping[str, Sequence[float]],
    step_losses: ArrayLike | None = None,
    best_epoch: int | None = None,
) -> Figure:
    """Draw the loss (left) and the main validation metric (right) over the epochs, the best epoch marked.

    history      columns of equal length, one entry per epoch: "epoch", "train_loss", "train_eval_loss", "val_loss" and
                 "val_accuracy", "val_rmse", "val_mae" or "val_r2". One that is missing, or all NaN, isn't drawn. Nor is
                 "train_loss" beside "train_eval_loss", which is measured as "val_loss" is.
    step_losses  (steps,), the loss of each step, spread evenly over the epochs; or None.
    best_epoch   an entry of "epoch", or None.

    Raises ValueError if columns differ in length or `best_epoch` isn't among the epochs.
    """
    from matplotlib.figure import Figure

    columns = drawable(history)
    length = max((len(column) for column in columns.values()), default=0)
    epochs = columns.pop("epoch", np.arange(1.0, length + 1))
    if best_epoch is not None and best_epoch not in epochs:
        raise ValueError(f"the history has no epoch {best_epoch}: best_epoch must be one of its epochs, or None")
    steps = np.asarray([] if step_losses is None else step_losses, dtype=np.float64)

    metric = next((name for name in MAIN_METRICS if name in columns), None)
    figure = Figure(figsize=(WIDTH if metric else 0.6 * WIDTH, 3.2), layout="constrained")
    panels = figure.subplots(1, 2 if metric else 1, squeeze=False)[0]
    _draw_losses(panels[0], epochs, columns, steps)
    if metric:
        _draw_metric(panels[1], epochs, columns[metric], metric, best_epoch)
    elif best_epoch is not None:
        panels[0].plot([], [], ":", color=INK, linewidth=0.8, label=f"kept: epoch {best_epoch}")
    for panel in panels:
        _finish(panel, epochs, best_epoch)
    return figure


def drawable(history: Mapping[str, Sequence[float]]) -> dict[str, Series]:
    """Return the columns of a history that can be drawn, as arrays; raise ValueError if they differ in length."""
    names = ("epoch", *LOSSES, *MAIN_METRICS)
    columns = {name: np.asarray(history[name], dtype=np.float64) for name in names if name in history}
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise ValueError(f"the columns of a history must be equally long, but their lengths are: {lengths}")
    return {name: column for name, column in columns.items() if np.isfinite(column).any()}


def _draw_losses(panel: Axes, epochs: Series, columns: dict[str, Series], steps: Series) -> None:
    if steps.size:
        # Epoch e reaches from e - 1 to e: its steps lie in between, its own figures stand at its end.
        start, span = (epochs[0] - 1, len(epochs)) if len(epochs) else (0.0, 1)
        ends = start + span * np.arange(1, steps.size + 1) / steps.size
        steps = _smooth(steps)
        panel.plot(ends, steps, color=PALE_BLUE, linewidth=0.9, label="steps, smoothed")
    drawn = [steps]
    for name, (label, color) in LOSSES.items():
        if name in columns and not (name == "train_loss" and "train_eval_loss" in columns):
            _draw_line(panel, epochs, columns[name], color, label)
            drawn.append(columns[name])
    panel.set_ylabel("loss")
    use_log_if_wide(panel, np.concatenate(drawn))
    if steps.size and len(drawn) > 1 and panel.get_yscale() == "linear":  # the first steps would flatten all others
        _spare_the_first_steps(panel, np.concatenate(drawn[1:]), steps)


def _smooth(steps: Series) -> Series:
    """The mean of each step's loss and those around it, of a hundredth of all: a batch is too few rows to look at."""
    width = max(1, len(steps) // 100) | 1
    around = np.pad(steps, width // 2, mode="edge")
    return np.convolve(around, np.full(width, 1 / width), mode="valid")


def _spare_the_first_steps(panel: Axes, epochs: Series, steps: Series) -> None:
    """Cut the axis above what the epochs, and nearly all steps, reach."""
    known = np.concatenate([epochs[np.isfinite(epochs)], steps[np.isfinite(steps)]])
    top = max(float(np.max(epochs[np.isfinite(epochs)], initial=-np.inf)), float(np.quantile(known, 0.98)))
    low, high = panel.get_ylim()
    room = 0.08 * (top - float(known.min()))
    if room > 0 and top + room < high:
        panel.set_ylim(low, top + room)


def _draw_metric(panel: Axes, epochs: Series, values: Series, name: str, best_epoch: int | None) -> None:
    from matplotlib.ticker import PercentFormatter

    label, form = MAIN_METRICS[name]
    _draw_line(panel, epochs, values, ORANGE)
    panel.set_ylabel(label)
    if name == "val_accuracy":
        panel.yaxis.set_major_formatter(PercentFormatter(1.0))
        low, high = panel.get_ylim()
        panel.set_ylim(max(low, 0.0), min(high, 1.0))
    elif name != "val_r2":
        use_log_if_wide(panel, values)
    if best_epoch is not None:
        best = float(values[epochs == best_epoch][0])
        told = f"kept: {best:{form}} after epoch {best_epoch}"
        panel.plot([best_epoch], [best], "o", color=INK, markersize=5, zorder=3, clip_on=False, label=told)


def _draw_line(panel: Axes, epochs: Series, values: Series, color: str, label: str = "") -> None:
    marker = "o" if len(epochs) <= 20 else ""  # a line through one point would be invisible
    panel.plot(epochs, values, color=color, marker=marker, markersize=3.5, clip_on=False, label=label)


def use_log_if_wide(panel: Axes, values: Series) -> None:
    """Turn to a logarithmic axis if the values span too much for a linear one. Zeros are then left out."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    values = values[np.isfinite(values)]
    positive = values[values > 0]
    if not positive.size or (values < 0).any() or positive.max() <= WIDE * positive.min():
        return
    panel.set_yscale("log", nonpositive="mask")
    few = positive.max() < 1e3 * positive.min()
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def _finish(panel: Axes, epochs: Series, best_epoch: int | None) -> None:
    from matplotlib.ticker import MaxNLocator

    if best_epoch is not None:
        panel.axvline(best_epoch, color=INK, linewidth=0.8, linestyle=":")
    panel.set_xlabel("epoch")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(epochs) <= 1:
        end = epochs[0] if len(epochs) else 1
        panel.set_xlim(end - 1, end + 0.2)
    legend_above(panel)
