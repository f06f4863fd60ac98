"""A trace as a table for the terminal, as HTML for a notebook, and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np

from glassnet.files import finite
from glassnet.inspection.norms import norm
from glassnet.inspection.step import TracedStep
from glassnet.nn.layer import Array
from glassnet.nn.written import brief, numeral

SHOWN = 8  # values of a row that HTML writes out
LEFT = 2  # columns of text; those after them hold numbers

Cells = list[list[str]]  # the first row is the head


def text(trace: TracedStep) -> str:
    """Return the step as plain tables: layer by layer, then the parameters."""
    return "\n\n".join(
        [
            _lines(_layers(trace)),
            _lines(_parameters(trace)),
            "\n".join([*_summary(trace), "|...| is the Euclidean norm"]),
        ]
    )


def html(trace: TracedStep) -> str:
    """Return the same as HTML, with the numbers of the first row, in the colours of the page around it."""
    values = (
        f"<details><summary>the numbers of row 0{_first(trace)}</summary>"
        f"{_html_table(_values(trace), left=3)}</details>"
    )
    parts = [_html_table(_layers(trace), LEFT), values, _html_table(_parameters(trace), LEFT)]
    parts += [f"<div>{escape(line)}</div>" for line in _summary(trace)]
    return f'<div style="overflow-x:auto;line-height:1.5">{"".join(parts)}</div>'


def as_dict(trace: TracedStep, arrays: Callable[[Array], Any] | None = None) -> dict[str, Any]:
    """Return all numbers as nested dicts and lists, each array converted by `arrays` if that is given."""

    def convert(array: Array | None) -> Any:
        return array if array is None or arrays is None else arrays(array)

    layers = [
        {
            "index": layer.index,
            "name": layer.name,
            "kind": layer.kind,
            "derivative": layer.derivative,
            **{name: convert(getattr(layer, name)) for name in ("input", "output", "local", "dy", "dx")},
        }
        for layer in trace.layers
    ]
    parameters = {
        name: {
            **{each: convert(getattr(p, each)) for each in ("before", "gradient", "step_gradient", "after")},
            "velocity": {slot: convert(vector) for slot, vector in p.velocity.items()},
            "update_ratio": p.update_ratio,
        }
        for name, p in trace.parameters.items()
    }
    return {
        "x": convert(trace.x),
        "t": convert(trace.t),
        "objective": repr(trace.objective),
        "loss": trace.loss,
        "loss_terms": convert(trace.loss_terms),
        "loss_after": trace.loss_after,
        "penalty": trace.penalty,
        "optimizer": repr(trace.optimizer),
        "layers": layers,
        "parameters": parameters,
    }


def as_json(trace: TracedStep) -> str:
    """Return `as_dict` as JSON: arrays as nested lists, NaN and infinity as null."""
    return json.dumps(finite(as_dict(trace, lambda array: array.tolist())))


def _summary(trace: TracedStep) -> list[str]:
    """The effect of the step on the loss."""
    rows = "1 row" if len(trace.x) == 1 else f"{len(trace.x):,} rows"
    lines = [
        f"one step of {trace.optimizer!r} on {rows}",
        f"{trace.objective!r}: {trace.loss:.6g} before the step, {trace.loss_after:.6g} after it",
    ]
    if not math.isfinite(trace.loss):
        lines.append("the loss isn't finite, so nothing was moved")
    if trace.penalty:
        lines.append(f"L2 penalty before it: {trace.penalty:.6g}")
    return lines


def _layers(trace: TracedStep) -> Cells:
    """Forward, downwards: the statistics of each output; backward, upwards: the norms of the gradients."""
    table = [["", "layer", "output", "mean", "std", "min", "max", "|dL/dy|", "|dL/dx|"]]
    for layer in trace.layers:
        y = layer.output.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            statistics = [y.mean(), y.std(), y.min(), y.max(), norm(layer.dy), norm(layer.dx)]
        table.append([str(layer.index), brief(layer.name), _shape(y), *map(numeral, statistics)])
    return table


def _parameters(trace: TracedStep) -> Cells:
    """Each parameter's norms before, in and after the step."""
    slots = list(next(iter(trace.parameters.values())).velocity) if trace.parameters else []
    stepped = any(p.step_gradient is not None for p in trace.parameters.values())
    head = ["|gradient|", *(["|step gradient|"] if stepped else []), *(f"|{slot}|" for slot in slots)]
    table = [["", "shape", "|before|", *head, "|after|", "|update|/|before|"]]
    for name, p in trace.parameters.items():
        used = [p.gradient if p.step_gradient is None else p.step_gradient] if stepped else []
        arrays = [p.before, p.gradient, *used, *p.velocity.values(), p.after]
        ratio = numeral(p.update_ratio) if math.isfinite(p.update_ratio) else "-"
        table.append([name, _shape(p.before), *(numeral(norm(array)) for array in arrays), ratio])
    return table


def _values(trace: TracedStep) -> Cells:
    """The first values of the first row in each layer: forward, the local derivative, and backward."""
    width = min(SHOWN, max(layer.output.shape[1] for layer in trace.layers))
    table = [["", "layer", "", *map(str, range(width))]]
    for layer in trace.layers:
        for what, array in (("y", layer.output), ("dy/dx", layer.local), ("dL/dy", layer.dy)):
            if array is not None:
                start = [str(layer.index), brief(layer.name)] if what == "y" else ["", ""]
                row = [numeral(value) for value in array[0, :width].tolist()]
                table.append([*start, what, *row, *[""] * (width - len(row))])
    return table


def _first(trace: TracedStep) -> str:
    """Say that not all are shown, if so."""
    return f", at most {SHOWN} of each layer" if max(layer.output.shape[1] for layer in trace.layers) > SHOWN else ""


def _lines(table: Cells) -> str:
    """The table as text: words to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < LEFT else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def _html_table(table: Cells, left: int) -> str:
    def row(cells: list[str], tag: str) -> str:
        made = [
            f'<{tag} style="padding:1px 8px;text-align:{"left" if i < left else "right"}">{escape(cell)}</{tag}>'
            for i, cell in enumerate(cells)
        ]
        return f'<tr style="border-top:1px solid rgba(128,128,128,.35)">{"".join(made)}</tr>'

    head, *body = table
    rows = "".join([f"<thead>{row(head, 'th')}</thead><tbody>", *(row(cells, "td") for cells in body), "</tbody>"])
    return f'<table style="border-collapse:collapse;font-variant-numeric:tabular-nums;margin:6px 0">{rows}</table>'


def _shape(array: Array) -> str:
    return " x ".join(map(str, array.shape))
