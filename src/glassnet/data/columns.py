"""The columns of a table: which are numbers and which are categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnet.data.markers import is_text, without_markers
from glassnet.data.schema import Column, Schema
from glassnet.data.values import kind_of

if TYPE_CHECKING:
    import polars as pl

MIN_ROWS = 3  # a category of fewer training rows is treated as one that isn't known
MAX_CATEGORIES = 100  # of a column: the most frequent


def mostly_numbers(column: pl.Series) -> bool:
    """Whether more than half of the values that a column of text has are numbers."""
    import polars as pl

    known = column.drop_nulls()
    return known.cast(pl.Float64, strict=False).count() > known.len() / 2


def find_columns(frame: pl.DataFrame, train: NDArray[np.int64]) -> tuple[Schema, list[str]]:
    """Return the columns to learn from, and the names of the others.

    Categories are what a column declares to be such, and text, unless most of it is numbers; a column without any that
    is frequent in the training rows is left out, see `find_categories`.
    """
    kept, left_out = [], []
    for column in frame:
        kind = kind_of(column)
        if is_text(column) and kind != "category":
            kind = "number" if mostly_numbers(without_markers(column)) else "category"
        names = find_categories(column, train) if kind == "category" else ()
        if kind == "category" and not names:
            left_out.append(column.name)
        else:
            kept.append(Column(column.name, kind or "number", names))
    return tuple(kept), left_out


def find_categories(column: pl.Series, train: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the categories of a column of text, in order: those that are frequent in the training rows.

    None, if no value occurs at least 3 times: the column names its rows, or is free text.
    """
    counts = without_markers(column)[train].drop_nulls().value_counts(sort=True).rows()
    return tuple(sorted(name for name, rows in counts[:MAX_CATEGORIES] if rows >= MIN_ROWS))


def found(schema: Schema, x: NDArray[np.float64], left_out: Sequence[str]) -> list[str]:
    """Say in a few lines what the columns of training rows x are."""
    dates = [column.name for column in schema if column.kind == "date"]
    kinds = [f"{column.name} ({len(column.categories)})" for column in schema if column.kind == "category"]
    missing = [
        f"{column.name} ({share:.1%})" for column, share in zip(schema, np.isnan(x).mean(axis=0), strict=True) if share
    ]
    if not (dates or kinds or missing or left_out):
        return []
    lines = [f"numbers: {len(schema) - len(kinds) - len(dates)} columns"]
    if dates:
        lines.append(f"dates: {', '.join(dates)}")
    if kinds:
        lines.append(f"categories: {', '.join(kinds)}")
    if missing:
        lines.append(f"missing values: {', '.join(missing)}")
    if left_out:
        lines.append(f"left out, as no value in them occurs {MIN_ROWS} times: {', '.join(left_out)}")
    return lines
