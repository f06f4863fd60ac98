"""The values of a column as numbers, by the column's kind: the same in training and in prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from glassnet.data.dates import read_dates, read_times
from glassnet.data.markers import is_text, without_markers
from glassnet.data.numbers import read_numbers
from glassnet.data.schema import Column, Kind

if TYPE_CHECKING:
    import polars as pl

NAMED: dict[Kind, str] = {
    "number": "numbers",
    "date": "dates",
    "span": "spans of time",
    "time": "times of the day",
    "boolean": "booleans",
    "category": "categories",
}


def known_values(column: pl.Series) -> int:
    """The number of values of a column that aren't missing."""
    if is_text(column):
        column = without_markers(column)
    empty = int(np.isnan(column.to_numpy()).sum()) - column.null_count() if column.dtype.is_float() else 0
    return column.count() - empty


def kind_of(column: pl.Series) -> Kind | None:
    """Return the kind of a column by its type: None if it is text, or has no value at all.

    Raises ValueError for types that are none of the kinds, such as lists.
    """
    import polars as pl

    dtype = column.dtype
    if dtype == pl.String or not known_values(column):
        return None
    kinds: dict[Kind, tuple[type[pl.DataType], ...]] = {
        "date": (pl.Date, pl.Datetime),
        "span": (pl.Duration,),
        "time": (pl.Time,),
        "boolean": (pl.Boolean,),
        "category": (pl.Categorical, pl.Enum),
    }
    for kind, types in kinds.items():
        if dtype in types:
            return kind
    if dtype.is_numeric():
        return "number"
    raise ValueError(
        f"column {column.name!r} holds values of type {dtype}; only numbers can be used: leave it out (--drop)"
    )


def values_of(values: pl.Series, column: Column, first: int = 1) -> NDArray[np.float64]:
    """Return the values of a column as numbers (N,), missing ones as NaN.

    Numbers are themselves, and booleans 0 and 1. Dates are days since 1970, with their time as a fraction, in UTC.
    Spans and times of the day are days. Categories are their place in `column.categories`, or -1 for any other. Text is
    read as the column's kind.
    Raises ValueError, naming column and row (the first is `first`), for values of another kind and for infinite ones.
    """
    import polars as pl

    kind = None if is_text(values) else kind_of(values)
    if column.kind == "category" and kind not in ("date", "span", "time"):
        return _codes(values, column)
    if is_text(values):
        read = _read_strictly(without_markers(values), column, first)
    elif kind is None:
        return np.full(len(values), np.nan)
    elif kind == column.kind:
        read = values
    else:
        raise ValueError(f"column {values.name!r} holds {NAMED[kind]}; in training it held {NAMED[column.kind]}")
    numbers = (_days(read) if read.dtype.is_temporal() else read).cast(pl.Float64)
    array = numbers.to_numpy()
    if (wrong := np.flatnonzero(np.isinf(array))).size:
        raise ValueError(at(values, first, int(wrong[0]), f"{array[wrong[0]]} is not a finite number"))
    return array


def values_without_gaps(values: pl.Series, first: int = 1) -> NDArray[np.float64]:
    """Return numbers, booleans or points in time as `values_of` does; a missing value is a ValueError."""
    require_values(values, first)
    kind = kind_of(values)
    array = values_of(values, Column(values.name, "number" if is_text(values) or kind is None else kind), first)
    if (gaps := np.flatnonzero(np.isnan(array))).size:
        raise ValueError(at(values, first, int(gaps[0]), "the value is missing; fill it in or drop the row"))
    return array


def require_values(column: pl.Series, first: int = 1) -> None:
    """Raise ValueError, naming the row, if a value is missing."""
    if column.null_count():
        row = column.is_null().arg_max() or 0
        raise ValueError(at(column, first, row, "the value is missing; fill it in or drop the row"))


def read_booleans(known: pl.Series) -> pl.Series:
    """Return a column of text as booleans, null for values that are neither true nor false."""
    import polars as pl

    return known.str.to_lowercase().replace_strict(
        {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
    )


def read_as(known: pl.Series, column: Column) -> pl.Series:
    """Return a column of text read as the column's kind, null for values that can't be read so."""
    import polars as pl

    if column.kind == "number":
        return read_numbers(known, column.notation)
    if column.kind == "date":
        return read_dates(known, column.notation)
    if column.kind == "time":
        return read_times(known)
    if column.kind == "boolean":
        return read_booleans(known)
    return pl.Series(known.name, [None] * len(known), pl.Float64)


def _read_strictly(known: pl.Series, column: Column, first: int) -> pl.Series:
    """Read a column of text as its kind. Raises ValueError for the first value that can't be read so."""
    read = read_as(known, column)
    wrong = read.is_null() & known.is_not_null()
    if wrong.any():
        row = wrong.arg_max() or 0
        written = "" if column.kind == "boolean" else f"; they are written {example(column.kind, column.notation)}"
        raise ValueError(
            at(known, first, row, f"{known[row]!r} is {no(column.kind)}, as the others in training were{written}")
        )
    return read


def no(kind: Kind) -> str:
    """Say of a value that it isn't of its column's kind."""
    return {"boolean": "neither true nor false", "number": "not a number", "time": "not a time of the day"}.get(
        kind, f"not a {kind}"
    )


def example(kind: Kind, notation: str) -> str:
    """Show how values of a kind are written."""
    plain: dict[Kind, str] = {
        "number": "1234.5",
        "date": "2003-03-10 or 2003-03-10 12:30:00",
        "time": "18:30 or 18:30:05",
        "span": "as a type of Parquet",
    }
    return f"like {notation}" if notation else plain[kind]


def _codes(values: pl.Series, column: Column) -> NDArray[np.float64]:
    """The number of each value's category, -1 for any other value, NaN if it is missing. Equal texts are read once."""
    import polars as pl

    if values.dtype != pl.Categorical:
        values = values.cast(pl.String).cast(pl.Categorical)
    codes = values.to_physical()
    if codes.null_count():
        codes = codes.fill_null(1 + int(np.nan_to_num(codes.to_numpy()).max()))
    places = codes.to_numpy()
    row = np.full(int(places.max(initial=0)) + 1, -1)  # of each code: a row that has it
    row[places] = np.arange(len(places))
    number = np.empty(len(row))
    number[row >= 0] = _numbers(without_markers(values[row[row >= 0]]), column.categories)
    return number[places]


def _numbers(known: pl.Series, categories: Sequence[str]) -> NDArray[np.float64]:
    """The place of each text among the categories, the first if two are the same; -1 for any other, NaN for null."""
    import polars as pl

    found = _places(known, categories)
    if -1 in found:  # a whole number may be written as a float: 1.0 is the category 1, unless "1.0" is one
        whole = _places(_whole(known), _whole(pl.Series(categories, dtype=pl.String)).to_list())
        found = np.where(found == -1, whole, found)
    return found


def _places(known: pl.Series, names: Sequence[str]) -> NDArray[np.float64]:
    place = dict(zip(reversed(names), range(len(names) - 1, -1, -1), strict=True))
    return np.array([math.nan if text is None else place.get(text, -1) for text in known.to_list()], np.float64)


def _whole(values: pl.Series) -> pl.Series:
    """Text in which whole numbers are written without a fraction."""
    return values.str.replace(r"^([+-]?\d+)\.0*$", "$1")


def _days(column: pl.Series) -> pl.Series:
    """Points in time as days since 1970, spans and times of the day in days, for any unit that they are stored in."""
    import polars as pl

    whole = column.to_physical()  # in that unit; a cast would panic or overflow for a year with too many digits
    unit = getattr(column.dtype, "time_unit", "ns" if column.dtype == pl.Time else "days")
    return whole // 1000 / 86400e6 if unit == "ns" else whole / {"us": 86400e6, "ms": 86400e3, "days": 1}[unit]


def at(column: pl.Series, first: int, row: int, fault: str) -> str:
    """Name the place of a fault in a table."""
    return f"column {column.name!r}, row {first + row}: {fault}"
