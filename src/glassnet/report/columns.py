"""The data as a section of the page: rows, columns, what is missing, what was left out."""

from __future__ import annotations

import numpy as np

from glassnet.data import Dataset
from glassnet.data.schema import Column
from glassnet.data.written import as_written
from glassnet.report.page import Table

MOST = 40  # columns that are shown
NAMES = 6  # of categories


def described(data: Dataset) -> Table | None:
    """Return the columns: their kind, the share that is missing, and their values; None for images."""
    if data.image_shape is not None:
        return None
    columns = list(data.schema) or [Column(name) for name in data.features]
    rows = [[c.name, *_of(c, data.train.x[:, j].astype(np.float64))] for j, c in enumerate(columns[:MOST])]
    more = f" The first {MOST} of {len(columns):,}." if len(columns) > MOST else ""
    return Table(
        f"The columns that it learned from, by the training rows.{more}", ["column", "kind", "missing", "values"], rows
    )


def _of(column: Column, values: np.ndarray) -> list[str]:
    known = values[~np.isnan(values)]
    missing = f"{np.isnan(values).mean():.1%}" if len(known) < len(values) else "none"
    if column.kind == "category":
        counts = np.bincount(known[known >= 0].astype(int), minlength=len(column.categories))
        order = np.argsort(-counts, kind="stable")
        named = [f"{column.categories[i]} ({counts[i] / max(1, len(known)):.0%})" for i in order[:NAMES]]
        rest = f" and {len(order) - NAMES} more" if len(order) > NAMES else ""
        return [f"{len(order)}\N{NO-BREAK SPACE}categories", missing, ", ".join(named) + rest]
    if not len(known):
        return [column.kind, missing, "-"]
    low, middle, high = (as_written(float(v), column) for v in np.quantile(known, [0, 0.5, 1], method="nearest"))
    if column.kind == "boolean":
        return ["true or false", missing, f"{known.mean():.0%} true"]
    return [column.kind, missing, f"{low} to {high}, half of them below {middle}"]
