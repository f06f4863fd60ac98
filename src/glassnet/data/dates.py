"""Dates written as text, ISO 8601, as points in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from glassnet.data.columns import is_text, without_markers

if TYPE_CHECKING:
    import polars as pl

ISO = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d|$)"  # all digits are there: 3-2-1 is no date, and neither is 10-03-99
FORMATS = ("%F", "%F %R", "%F %T%.f", "%F %R%#z", "%F %T%.f%#z")


def as_dates(column: pl.Series) -> pl.Series:
    """Return a column of text as points in time if all that is known in it is dates; any other column as it is."""
    import polars as pl

    if column.dtype != pl.String:
        return column
    known = without_markers(column)
    if not _read(known.drop_nulls().head(1)).count():  # which tells it of most columns, without reading them five times
        return column
    read = _read(known)
    return read if read.count() == known.count() else column


def date_columns(frame: pl.DataFrame, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the columns named that hold dates or points in time."""
    import polars as pl

    return tuple(name for name in names if frame.schema[name] in (pl.Date, pl.Datetime))


def require_dates(column: pl.Series, first: int) -> pl.Series:
    """Return a column of dates, if it is text, as points in time. Raises ValueError on a value that is no date."""
    if not is_text(column):
        return column
    known = without_markers(column)
    read = _read(known)
    wrong = read.is_null() & known.is_not_null()
    if wrong.any():
        row = wrong.arg_max() or 0
        raise ValueError(
            f"column {column.name!r}, row {first + row}: {known[row]!r} is not a date, as the others in training were;"
            " dates are written 2003-03-10 or 2003-03-10 12:30:00"
        )
    return read


def _read(text: pl.Series) -> pl.Series:
    """Points in time, in UTC where an offset is given, each read by itself; null for what isn't one."""
    import polars as pl

    value = pl.when(pl.first().str.contains(ISO)).then(pl.first().str.replace("T", " ", literal=True))
    tries = [value.str.to_datetime(form, time_unit="us", strict=False).cast(pl.Datetime("us")) for form in FORMATS]
    return text.to_frame().select(pl.coalesce(tries).alias(text.name)).to_series()
