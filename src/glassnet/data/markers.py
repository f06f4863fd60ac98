"""What in a column of text says that a value is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# What the readers of pandas and R take for missing, Excel's errors, the NULL of databases and languages; in any case.
CERTAIN = (
    "", "na", "n/a", "n.a.", "n.a", "<na>", "#n/a", "#na", "#n/a n/a", "nan", "-nan", "nan(ind)", "-nan(ind)",
    "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind", "nat", "null", "(null)", "[null]", "<null>", "\\n", "nil", "undefined",
    "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "#spill!", "#calc!",
)  # fmt: skip
# What else stands for it, or might be the name of a class: the points of SAS and Stata, dashes, words.
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
    """Return a column of text without space around the values, and without those that say that one is missing."""
    import polars as pl

    return column.to_frame().select(known_text(pl.first(), markers)).to_series()


def known_text(text: pl.Expr, markers: tuple[str, ...] = MARKERS) -> pl.Expr:
    """Return what `without_markers` does, of as many columns as the expression has."""
    import polars as pl

    text = text.cast(pl.String).str.strip_chars()
    return pl.when(~text.str.to_lowercase().is_in(markers)).then(text)
