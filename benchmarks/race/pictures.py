"""The pictures of a measurement: images per second, and cost against work."""

from __future__ import annotations

from pathlib import Path

from glassnet.plots.style import BLUE, GREY, INK, ORANGE, WIDTH, legend_above, save, styled
from race.goals import Found
from race.rounds import noisy
from race.sections import training

COLOURS = dict(zip(training.CONTENDERS, (BLUE, INK, ORANGE, "#E5A382", GREY), strict=True))


@styled()
def speed(cases: Found, path: Path) -> None:
    """Draw each case's images per second as multiples of JAX's; what is noisy has no bar."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    panel = figure.subplots()
    width = 0.8 / len(COLOURS)
    for place, (name, colour) in enumerate(COLOURS.items()):
        offset = (place - (len(COLOURS) - 1) / 2) * width
        heights = [
            0.0 if noisy([found[name], found["JAX"]]) else found["JAX"]["median"] / found[name]["median"]
            for found in cases.values()
        ]
        drawn = panel.bar([x + offset for x in range(len(cases))], heights, 0.9 * width, color=colour, label=name)
        panel.bar_label(drawn, [f"{height:.2f}" if height else "-" for height in heights], fontsize=6, padding=1)
    panel.axhline(1, color=GREY, linewidth=0.8)
    panel.set_xticks(range(len(cases)), [name.replace(", ", "\n") for name in cases])
    panel.tick_params(axis="x", length=0)
    panel.grid(visible=False, axis="x")
    panel.set_ylabel("images per second, JAX = 1")
    panel.set_title("Training on MNIST", loc="left")
    panel.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(COLOURS), borderaxespad=0.2)
    save(figure, path)


@styled()
def scaling(cases: Found, path: Path) -> None:
    """Draw the time of an epoch, and of one operation, against the operations of an epoch, but for noisy points."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    whole, each = figure.subplots(1, 2)
    for (name, found), colour, mark in zip(cases.items(), (BLUE, ORANGE, INK), "osD", strict=True):
        sure = [timing for timing in found.values() if not timing["noisy"]]
        work, seconds = [timing["flops"] / 1e9 for timing in sure], [timing["median"] for timing in sure]
        whole.plot(work, seconds, marker=mark, markersize=4, color=colour, label=f"more {name}")
        costs = [1e3 * second / size for second, size in zip(seconds, work, strict=True)]
        each.plot(work, costs, marker=mark, markersize=4, color=colour)
    whole.set(xscale="log", yscale="log", ylabel="seconds per epoch")
    each.set(xscale="log", ylabel="milliseconds per GFLOP")
    for axis in (whole.xaxis, whole.yaxis, each.xaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    each.set_ylim(bottom=0)
    for panel in (whole, each):
        panel.set_xlabel("GFLOP per epoch")
    legend_above(whole)
    save(figure, path)
