"""Marks of missing values in a column of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# The marks of pandas and R, Excel's errors, and the NULL of databases and languages, in any case.
CERTAIN = (
    "", "na", "n/a", "n.a.", "n.a", "<na>", "#n/a", "#na", "#n/a n/a", "nan", "-nan", "nan(ind)", "-nan(ind)",
    "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind", "nat", "null", "(null)", "[null]", "<null>", "\\n", "nil", "undefined",
    "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "#spill!", "#calc!",
)  # fmt: skip
# Other marks, which might also be names of classes: the points of SAS and Stata, dashes, words.
LIKELY = (
    "?", "-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "*", "none", "<none>", "(none)",
    "missing", "(missing)", "<missing>", "(blank)", *(f".{letter}" for letter in "_abcdefghijklmnopqrstuvwxyz"),
)  # fmt: skip
MARKERS = CERTAIN + LIKELY


def is_text(column: pl.Series) -> bool:
    """Whether a column holds text, rather than numbers, booleans or points in time."""
    import polars as pl

    return column.dtype in (pl.String, pl.Categorical, pl.Enum)


def without_markers(column: pl.Series, markers: tuple[str, ...] = MARKERS) -> pl.Series:
    """Return a column of text without space around the values, and without marks of missing values."""
    import polars as pl

    return column.to_frame().select(known_text(pl.first(), markers)).to_series()


def known_text(text: pl.Expr, markers: tuple[str, ...] = MARKERS) -> pl.Expr:
    """Do as `without_markers` for all columns of an expression."""
    import polars as pl

    text = text.cast(pl.String).str.strip_chars()
    return pl.when(~text.str.to_lowercase().is_in(markers)).then(text)
