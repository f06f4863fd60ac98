"""Dates written as text, ISO 8601, as points in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnet.data.markers import without_markers

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
    if not read_dates(known.drop_nulls().head(1)).count():  # which tells it of most, without reading them five times
        return column
    read = read_dates(known)
    return read if read.count() == known.count() else column


def read_dates(text: pl.Series) -> pl.Series:
    """Points in time, in UTC where an offset is given, each read by itself; null for what isn't one."""
    import polars as pl

    value = pl.when(pl.first().str.contains(ISO)).then(pl.first().str.replace("T", " ", literal=True))
    tries = [value.str.to_datetime(form, time_unit="us", strict=False).cast(pl.Datetime("us")) for form in FORMATS]
    return text.to_frame().select(pl.coalesce(tries).alias(text.name)).to_series()
