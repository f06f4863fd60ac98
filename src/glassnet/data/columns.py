"""The columns of a table: which are numbers and which are categories, and both as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

Categories = tuple[tuple[str, ...], ...]

MISSING = ("", "?", "-", "na", "n/a", "nan", "null", "none")  # text that says a value is missing, in any case
MIN_ROWS = 3  # a category of fewer training rows is treated as one that isn't known
MAX_CATEGORIES = 100  # of a column: the most frequent


def is_text(column: pl.Series) -> bool:
    """Whether a column holds text, rather than numbers, booleans or points in time."""
    import polars as pl

    return column.dtype in (pl.String, pl.Categorical, pl.Enum)


def without_markers(column: pl.Series) -> pl.Series:
    """Return a column of text in which whatever says that a value is missing is missing."""
    import polars as pl

    text = column.cast(pl.String)
    return text.set(text.str.strip_chars().str.to_lowercase().is_in(MISSING), None)


def mostly_numbers(column: pl.Series) -> bool:
    """Whether more than half of the values that a column of text has are numbers."""
    import polars as pl

    known = column.drop_nulls()
    return known.cast(pl.Float64, strict=False).count() > known.len() / 2


def find_columns(frame: pl.DataFrame, train: NDArray[np.int64]) -> tuple[list[str], list[tuple[str, ...]], list[str]]:
    """Return the columns to learn from, the names of each one's categories (none, if it holds numbers), and the others.

    Categories are what a column declares to be such, and text, unless most of it is numbers; a column without any that
    is frequent in the training rows is left out, see `find_categories`.
    """
    import polars as pl

    kept: dict[str, tuple[str, ...]] = {}
    left_out = []
    for column in frame:
        declared = column.dtype in (pl.Categorical, pl.Enum)
        named = declared or (is_text(column) and not mostly_numbers(without_markers(column)))
        names = find_categories(column, train) if named else ()
        if named and not names:
            left_out.append(column.name)
        else:
            kept[column.name] = names
    return list(kept), list(kept.values()), left_out


def find_categories(column: pl.Series, train: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the categories of a column of text, in order: those that are frequent in the training rows.

    None, if no value occurs at least 3 times: the column names its rows, or is free text.
    """
    counts = without_markers(column)[train].drop_nulls().value_counts(sort=True).rows()
    return tuple(sorted(name for name, rows in counts[:MAX_CATEGORIES] if rows >= MIN_ROWS))


def codes(column: pl.Series, names: Sequence[str]) -> NDArray[np.float64]:
    """Return the number of each value's category, -1 for any other value, NaN where it is missing."""
    import polars as pl

    values = without_markers(column)
    numbers = values.replace_strict(list(names), list(range(len(names))), default=-1, return_dtype=pl.Float64)
    return np.where(values.is_null(), np.nan, numbers)


def found(
    features: Sequence[str],
    categories: Sequence[Sequence[str]],
    dates: Sequence[str],
    x: NDArray[np.float64],
    left_out: Sequence[str],
) -> list[str]:
    """Say in a few lines what the columns of training rows x are."""
    kinds = [(name, names) for name, names in zip(features, categories, strict=True) if names]
    lines = [f"numbers: {len(features) - len(kinds) - len(dates)} columns"]
    if dates:
        lines.append(f"dates: {', '.join(dates)}")
    if kinds:
        lines.append("categories: " + ", ".join(f"{name} ({len(names)})" for name, names in kinds))
    shares = np.isnan(x).mean(axis=0)
    if shares.any():
        missing = [f"{name} ({share:.1%})" for name, share in zip(features, shares, strict=True) if share]
        lines.append(f"missing values: {', '.join(missing)}")
    if left_out:
        lines.append(f"left out, as no value in them occurs {MIN_ROWS} times: {', '.join(left_out)}")
    return lines
