"""The learning curves of several runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .labels import short
from .progress import MAIN_METRICS, drawable, use_log_if_wide
from .style import BLUE, GREY, INK, ORANGE, WIDTH, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, without their yellow, which is lost on white. Dashes distinguish the lines without colour.
COLORS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#56B4E9", INK, GREY)
DASHES = ("-", "--", "-.", ":")


@styled()
def overlay(histories: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Draw the validation loss (left) and the main validation metric (right) of several runs over the epochs.

    histories  the columns of each run, by its name, as `curves` takes them. Where all lack a validation loss, the
               training loss is drawn; the metric is the first that any of them has.

    Raises ValueError if there are no runs, or the columns of one differ in length.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    if not histories:
        raise ValueError("there is no history to draw: give at least one run")
    runs = {name: drawable(history) for name, history in histories.items()}
    loss = "val_loss" if any("val_loss" in columns for columns in runs.values()) else "train_loss"
    metric = next((name for name in MAIN_METRICS if any(name in columns for columns in runs.values())), None)
    shown = {loss: "validation loss" if loss == "val_loss" else "training loss"}
    if metric:
        shown[metric] = MAIN_METRICS[metric][0]

    figure = Figure(figsize=(WIDTH, 3.4 + 0.2 * -(-len(runs) // 4)), layout="constrained")
    panels: list[Axes] = list(figure.subplots(1, len(shown), squeeze=False)[0])
    for panel, (column, label) in zip(panels, shown.items(), strict=True):
        for i, (name, columns) in enumerate(runs.items()):
            if column not in columns:
                continue
            values = columns[column]
            epochs = columns.get("epoch", np.arange(1.0, len(values) + 1))
            panel.plot(
                epochs,
                values,
                DASHES[i % len(DASHES)],
                color=COLORS[i % len(COLORS)],
                label=short(name, 24),
                marker="o" if len(epochs) == 1 else "",
                markersize=3.5,
            )
        panel.set(xlabel="epoch", ylabel=label)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        drawn = [columns[column] for columns in runs.values() if column in columns]
        if drawn and column != "val_r2":
            use_log_if_wide(panel, np.concatenate(drawn))
        if column == "val_accuracy":
            panel.yaxis.set_major_formatter(PercentFormatter(1.0))
    lines = {line.get_label(): line for panel in panels for line in panel.get_lines()}
    figure.legend(handles=list(lines.values()), loc="outside upper left", ncols=4)
    return figure
