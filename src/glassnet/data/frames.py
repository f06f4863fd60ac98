"""Data frames of pandas and polars as one of polars, with columns that `numeric_rows` reads."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.data.markers import is_text
from glassnet.extras import need

if TYPE_CHECKING:
    import polars as pl


def is_frame(x: Any) -> bool:
    """Whether x is a data frame of pandas or polars. Neither is imported for it."""
    return any(isinstance(x, getattr(sys.modules.get(name), "DataFrame", ())) for name in ("pandas", "polars"))


def as_polars(frame: Any, categories: Collection[str] = ()) -> pl.DataFrame:
    """Return a data frame of pandas or polars as one of polars, without the index.

    Columns keep their names if all names are text. Otherwise they are x0, x1, .... A column of objects becomes one of
    numbers, of booleans or of points in time if all of its objects are such. Otherwise, or if it has none, it becomes
    text. Columns named in `categories` become text unless they hold times, so that 1, 1.0 and "1" are one category.
    Raises ValueError if two columns have one name, or one holds periods of time.
    """
    need("tables", "polars")
    import polars as pl

    if isinstance(frame, pl.DataFrame):
        return frame.with_columns(
            pl.Series(c.name, _words(list(c.to_numpy()) if c.dtype.is_float() else c.to_list()), pl.String)
            for c in frame
            if c.name in categories and not is_text(c) and not c.dtype.is_temporal()
        )
    names = list(frame.columns)
    if twice := frame.columns[frame.columns.duplicated()].tolist():
        raise ValueError(f"X has several columns named {twice[0]!r}; rename all but one")
    if not all(isinstance(name, str) for name in names):
        names = [f"x{i}" for i in range(len(names))]
    columns = (column for _, column in frame.items())
    return pl.DataFrame([_series(name, each, name in categories) for name, each in zip(names, columns, strict=True)])


def from_objects(x: NDArray[np.object_], names: Sequence[str], categories: Collection[str] = ()) -> pl.DataFrame:
    """Return an array of objects (N, columns), such as a data frame becomes in scikit-learn, as a data frame.

    Columns are called by `names`, those named in `categories` become text, as in `as_polars`.
    """
    need("tables", "polars")
    import polars as pl

    columns = []
    for name, column in zip(names, x.T, strict=True):
        values = [None if _is_missing(value) else value for value in column.tolist()]
        columns.append(pl.Series(name, _words(values), pl.String) if name in categories else pl.Series(name, values))
    return pl.DataFrame(columns)


def _series(name: str, column: Any, category: bool) -> pl.Series:
    """A column of pandas. pl.from_pandas would need pyarrow."""
    import polars as pl

    kind = column.dtype.kind
    category = hasattr(column, "cat") or (category and kind not in "mM")
    if kind in "iuf" and not category:
        return pl.Series(name, column.to_numpy(np.float64, na_value=np.nan))
    if kind == "m" and not category:  # spans: older versions of polars take them for text
        return pl.Series(name, column.to_numpy("m8[us]"))
    if str(column.dtype).startswith("period") and not category:
        raise ValueError(
            f"column {name!r} holds periods of time: turn them into points in time with .dt.to_timestamp()"
        )
    if kind == "O" and (text := _text(name, column, pl.Categorical if category else pl.String)) is not None:
        return text
    dtype = column.cat.categories.dtype if hasattr(column, "cat") else column.dtype
    floats = dtype.kind == "f"
    values = list(column.to_numpy(f"f{dtype.itemsize}", na_value=np.nan)) if floats else column.tolist()
    values = [None if gone else value for value, gone in zip(values, column.isna(), strict=True)]
    if not category:
        with suppress(TypeError, pl.exceptions.PolarsError):
            made = pl.Series(name, values)
            if made.dtype != pl.Null:
                return made
    return pl.Series(name, _words(values), pl.Categorical if category else pl.String)


def _text(name: str, column: Any, dtype: type[pl.DataType]) -> pl.Series | None:
    """A column of pandas that holds nothing but text and missing values. Equal texts are looked at once."""
    import polars as pl

    try:
        codes, found = column.factorize()
    except TypeError:  # lists, which have no hash
        return None
    texts = list(found)
    if hasattr(column, "cat") or not all(type(text) is str for text in texts):
        return None
    return pl.Series(name, [*texts, None], dtype)[np.where(codes < 0, len(texts), codes)]


def _is_missing(value: Any) -> bool:
    """Whether an object stands for a missing value: None, NaN, or NA and NaT of pandas, which may not be installed."""
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _words(values: list[Any]) -> list[str | None]:
    """The names of categories."""
    return [None if value is None else _word(value) for value in values]


def _word(value: Any) -> str:
    """A whole number has the same name as a float. Any other is named as in its type: 0.1 in float32 is "0.1"."""
    if not isinstance(value, float | np.floating):
        return str(value)
    return str(int(value) if value.is_integer() else float(str(value)))
