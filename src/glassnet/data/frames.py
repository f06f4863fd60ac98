"""Data frames of pandas and polars as one of polars, in which columns become what `numeric_rows` reads."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl


def is_frame(x: Any) -> bool:
    """Whether x is a data frame of pandas or polars; neither is imported for the question."""
    return any(isinstance(x, getattr(sys.modules.get(name), "DataFrame", ())) for name in ("pandas", "polars"))


def as_polars(frame: Any) -> pl.DataFrame:
    """Return a data frame of pandas or polars as one of polars, without the index.

    Columns keep their names, if all are text and no two alike; otherwise they are x0, x1, .... A column of objects
    becomes one of numbers, of booleans or of points in time if all of them are such, else one of text.
    """
    import polars as pl

    if isinstance(frame, pl.DataFrame):
        return frame
    names = list(frame.columns)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        names = [f"x{i}" for i in range(len(names))]
    return pl.DataFrame([_series(name, frame.iloc[:, i]) for i, name in enumerate(names)])


def _series(name: str, column: Any) -> pl.Series:
    """A column of pandas. pl.from_pandas would need pyarrow."""
    import polars as pl

    if column.dtype.kind in "biuf":
        return pl.Series(name, column.to_numpy(np.float64, na_value=np.nan))
    values = [None if gone else value for value, gone in zip(column.tolist(), column.isna(), strict=True)]
    declared = hasattr(column, "cat")
    if not declared:
        with suppress(TypeError, pl.exceptions.PolarsError):
            return pl.Series(name, values)
    text = [None if value is None else str(value) for value in values]
    return pl.Series(name, text, dtype=pl.Categorical if declared else pl.String)
