"""An explanation as text, as tables, and as pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data.written import as_written, in_unit
from glassnet.files import finite
from glassnet.inspection.why.dependence import Dependence, Interaction
from glassnet.inspection.why.reasons import PAIRS, Reasons
from glassnet.inspection.why.tables import write_csv
from glassnet.plots.explained import along, joint, ranked
from glassnet.plots.style import save as save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 20  # columns that are printed
WEAK = 0.01  # an interaction's share of the variance that isn't worth a picture

Rows = list[list[Any]]


def error_name(reasons: Reasons) -> str:
    """Return the name of the error that shuffling increases."""
    return "log loss" if reasons.of is not None else "mean absolute error"


def names(reasons: Reasons, columns: Sequence[int]) -> str:
    """Name some columns."""
    return " + ".join(reasons.columns[j].name for j in columns)


def increase(reasons: Reasons, value: float, sign: bool = True) -> str:
    """Write an error, or what is added to it."""
    return in_unit(value, reasons.spread / 10 if reasons.of is not None else reasons.spread, sign)


def notes(reasons: Reasons) -> list[str]:
    """Say which rows were looked at, and which columns go together."""
    rows, whole = len(reasons.rows), reasons.part_rows
    looked = f"{rows:,} {reasons.part} rows" + (f" of {whole:,}, chosen at random" if rows < whole else "")
    error = f"their {error_name(reasons)} is {increase(reasons, reasons.usual, False)}"
    lines = [f"Looked at {looked}; {error}"]
    for group in reasons.groups:
        least = min(reasons.association[i, j] for i in group for j in group if i != j)
        lines.append(
            f"{names(reasons, group)} go together (association of {least:.2f} or more): one stands in for the other, so"
            " they are shuffled as a group, too"
        )
    return lines


def importance_table(reasons: Reasons) -> tuple[list[str], Rows]:
    """Return the head and the rows of the table of importance, as text."""
    rows = [
        [names(reasons, each.columns), increase(reasons, each.increase), increase(reasons, each.std, False)]
        for each in reasons.importance
    ]
    return ["column", f"{error_name(reasons)}, if shuffled", "±"], rows


def along_in_words(reasons: Reasons, found: Dependence) -> str:
    """Say in a line how the mean answer follows a column."""
    column, known = reasons.columns[found.column], found.mean[~_missing(found)]
    if not len(known):
        return f"{column.name}: no value is known"
    values = found.values[~_missing(found)]
    low, high = int(known.argmin()), int(known.argmax())
    parts = [
        f"{in_unit(float(known[i]), reasons.spread)} at {as_written(float(values[i]), column)}" for i in (low, high)
    ]
    said = f"{column.name}: the mean of {reasons.what} goes from {' to '.join(parts)}"
    if _missing(found).any():
        said += f"; {in_unit(float(found.mean[-1]), reasons.spread)} where it is missing"
    return said


def text(reasons: Reasons) -> str:
    """Return the explanation as text."""
    head, rows = importance_table(reasons)
    table = [head, *rows[:SHOWN]]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in table
    ]
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} more")
    lines += ["", *(along_in_words(reasons, reasons.dependence(j)) for j in reasons.leading)]
    for each in reasons.interactions[:PAIRS]:
        lines.append(
            f"{names(reasons, each.columns)}: {each.strength:.1%} of what both do to the answer is more than the sum of"
            " what each does"
        )
    return "\n".join([*notes(reasons), "", *lines])


def as_dict(reasons: Reasons) -> dict[str, Any]:
    """Return the explanation as dicts and lists."""
    found: dict[str, Any] = finite(
        {
            "of": reasons.what,
            "error": error_name(reasons),
            "usual": reasons.usual,
            "rows": len(reasons.rows),
            "part": reasons.part,
            "groups": [[reasons.columns[j].name for j in group] for group in reasons.groups],
            "importance": [
                {
                    "columns": [reasons.columns[j].name for j in each.columns],
                    "increase": each.increase,
                    "std": each.std,
                    "each": each.each.tolist(),
                }
                for each in reasons.importance
            ],
            "dependence": [_dependence(reasons, reasons.dependence(j)) for j in reasons.leading],
            "interactions": [
                {
                    "columns": [reasons.columns[j].name for j in each.columns],
                    "strength": each.strength,
                    "values": [
                        [as_written(float(v), reasons.columns[j]) for v in values]
                        for j, values in zip(each.columns, each.values, strict=True)
                    ],
                    "mean": each.mean.tolist(),
                }
                for each in reasons.interactions[:PAIRS]
            ],
        }
    )
    return found


def figures(reasons: Reasons) -> dict[str, Figure]:
    """Return the pictures by their names: importance, then the columns and pairs, the most important first."""
    found = {"importance": importance_figure(reasons)}
    for j in reasons.leading:
        found[f"dependence-{_plain(reasons.columns[j].name)}"] = dependence_figure(reasons, reasons.dependence(j))
    for each in reasons.interactions[:PAIRS]:
        if each.strength > WEAK:
            found[f"interaction-{_plain(names(reasons, each.columns))}"] = interaction_figure(reasons, each)
    return found


def importance_figure(reasons: Reasons) -> Figure:
    """Draw what shuffling each column costs."""
    shown = reasons.importance[:SHOWN]
    return ranked(
        [names(reasons, each.columns) for each in shown],
        [each.increase for each in shown],
        [each.std for each in shown],
        label=f"increase of the {error_name(reasons)} when the column is shuffled",
        title=f"{reasons.data.name}: what {reasons.data.target} is learned from",
    )


def dependence_figure(reasons: Reasons, found: Dependence) -> Figure:
    """Draw how the answer follows a column."""
    column = reasons.columns[found.column]
    return along(
        found.values,
        found.mean,
        found.rows,
        found.shares,
        (found.edges, found.local),
        words=[as_written(float(v), column) for v in found.values] if column.kind in ("category", "boolean") else None,
        dates=column.kind == "date",
        name=column.name,
        label=reasons.what,
        title=f"{reasons.data.name}: {reasons.what} along {column.name}",
    )


def interaction_figure(reasons: Reasons, each: Interaction) -> Figure:
    """Draw how the answer follows two columns."""
    columns = [reasons.columns[j] for j in each.columns]
    return joint(
        [[as_written(float(v), c) for v in values] for c, values in zip(columns, each.values, strict=True)],
        each.mean,
        names=[column.name for column in columns],
        label=reasons.what,
        title=f"{reasons.data.name}: {reasons.what} by {columns[0].name} and {columns[1].name}",
    )


def save(reasons: Reasons, folder: Path, form: str) -> list[Path]:
    """Write the tables as CSV, and the pictures."""
    paths = []
    for name, rows in _tables(reasons).items():
        paths.append(folder / f"{name}.csv")
        write_csv(paths[-1], rows)
    for name, figure in figures(reasons).items():
        paths.append(folder / f"{name}.{form}")
        save_figure(figure, paths[-1])
    return paths


def _tables(reasons: Reasons) -> dict[str, Rows]:
    importance: Rows = [["columns", "increase", "std", *(f"repeat {i + 1}" for i in range(5))]]
    importance += [[names(reasons, e.columns), e.increase, e.std, *e.each.tolist()] for e in reasons.importance]
    mean: Rows = [["column", "value", "mean", "share of training rows"]]
    single: Rows = [["column", "value", "row", "answer"]]
    local: Rows = [["column", "value", "effect"]]
    for j in reasons.leading:
        found, column = reasons.dependence(j), reasons.columns[j]
        values = [as_written(float(v), column) for v in found.values]
        mean += [[column.name, *each] for each in zip(values, found.mean.tolist(), found.shares.tolist(), strict=True)]
        for i, row in enumerate(found.rows.tolist()):
            single += [[column.name, value, i, answer] for value, answer in zip(values, row, strict=True)]
        edges = [as_written(float(v), column) for v in found.edges]
        local += [[column.name, value, effect] for value, effect in zip(edges, found.local.tolist(), strict=True)]
    pairs: Rows = [["column", "value", "other column", "other value", "mean", "strength"]]
    for each in reasons.interactions[:PAIRS]:
        (i, j), (a, b) = each.columns, each.values
        one, two = reasons.columns[i], reasons.columns[j]
        pairs += [
            [one.name, as_written(float(v), one), two.name, as_written(float(w), two), float(m), each.strength]
            for v, row in zip(a, each.mean, strict=True)
            for w, m in zip(b, row, strict=True)
        ]
    found_tables = {"importance": importance, "dependence": mean, "single-rows": single, "interactions": pairs}
    return found_tables | ({"local-effects": local} if len(local) > 1 else {})


def _dependence(reasons: Reasons, found: Dependence) -> dict[str, Any]:
    column = reasons.columns[found.column]
    return {
        "column": column.name,
        "values": [as_written(float(v), column) for v in found.values],
        "mean": found.mean.tolist(),
        "rows": found.rows.tolist(),
        "shares": found.shares.tolist(),
        "edges": [as_written(float(v), column) for v in found.edges],
        "local": found.local.tolist(),
    }


def _missing(found: Dependence) -> Any:
    return np.isnan(found.values)


def _plain(name: str) -> str:
    """A name that any file may have."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "column"
