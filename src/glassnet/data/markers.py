"""What in a column of text says that a value is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MISSING = ("", "?", "-", "na", "n/a", "nan", "null", "none")  # in any case


def is_text(column: pl.Series) -> bool:
    """Whether a column holds text, rather than numbers, booleans or points in time."""
    import polars as pl

    return column.dtype in (pl.String, pl.Categorical, pl.Enum)


def without_markers(column: pl.Series) -> pl.Series:
    """Return a column of text without space around the values, and without those that say that one is missing."""
    import polars as pl

    text = column.cast(pl.String).str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(MISSING), None)
