"""Tables: a CSV or Parquet file whose columns are numbers or categories, one of them the target."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.data.checks import closest_first, listed, require_file
from glassnet.data.columns import find_columns, found
from glassnet.data.csv_text import read_text
from glassnet.data.dataset import Dataset, shuffled_rows
from glassnet.data.dates import as_dates
from glassnet.data.labels import Task, check_task
from glassnet.data.markers import without_markers
from glassnet.data.parquet import reading
from glassnet.data.schema import Column, names_of
from glassnet.data.values import require_values, values_of, values_without_gaps

if TYPE_CHECKING:
    import polars as pl

MIN_ROWS = 10  # fewer can't be split into three parts that mean anything
MAX_CLASSES = 20  # a target of whole numbers with more distinct values than this is a value to predict


def load_table(
    path: str | os.PathLike[str],
    *,
    target: str | None,
    drop: Sequence[str] = (),
    task: Task | None = None,
    seed: int = 0,
) -> Dataset:
    """Load a CSV or Parquet file: x float64 (N, n_in), every column but `target` and those to `drop`, in order.

    The task, unless given: classification for a target of text, of booleans or of whole numbers with at most 20
    distinct values, the classes being those values; regression otherwise. The rows are shuffled by `seed` and
    split 64/16/20. Columns of text, unless most of it is numbers, and those whose type says so hold categories: those
    of at least 3 training rows, at most 100 of a column; a column without any is left out. If there are categories, or
    values missing, `categories` of the dataset isn't empty. Dates and points in time are days since 1970.
    Raises ValueError, naming column and row, on infinite values, misspelt numbers, and missing targets.
    """
    frame = read_table(path)
    if target is None:
        raise ValueError(f"name the target column of {path}: one of {listed(frame.columns)}")
    _require_columns(frame, [target, *drop])
    if frame.height < MIN_ROWS:
        raise ValueError(f"{path} has {frame.height} rows; at least {MIN_ROWS} are needed to train and to test")
    features = [name for name in frame.columns if name != target and name not in drop]
    if not features:
        raise ValueError(f"{path} has no column to learn from beside the target {target!r}")
    if task is not None:
        check_task(task)
    y = _target(frame[target], task)
    train = shuffled_rows(frame.height, seed=seed)[0]
    schema, left_out = find_columns(frame.select(features), train)
    if not schema:
        raise ValueError(f"{path} has no column to learn from: in {listed(left_out)}, no value occurs 3 times")
    x = numeric_rows(frame, schema)
    try:
        data = Dataset.from_arrays(
            x, y, task=task, features=[column.name for column in schema], name=Path(path).stem, target=target,
            seed=seed, categories=[column.categories for column in schema],
        )  # fmt: skip
    except ValueError as error:
        raise ValueError(f"target column {target!r}: {error}") from error
    data.schema = schema
    data.notes = tuple(found(schema, data.train.x, left_out))
    return data


def read_table(path: str | os.PathLike[str]) -> pl.DataFrame:
    """Read a Parquet file (by its ending, .parquet) or a CSV file in UTF-8 with a header.

    In CSV, space around values is dropped, an empty value is missing, and a column is of numbers or of booleans
    if every value in it is. In both, text of which every known value is a date becomes points in time.
    Raises FileNotFoundError, or ValueError on a file that holds no rows or no table.
    """
    path = require_file(path)
    frame = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    if frame.is_empty():
        raise ValueError(f"{path} has a header but no rows")
    return frame.with_columns(as_dates(column) for column in frame)


def numeric_rows(frame: pl.DataFrame, columns: Sequence[Column] | Sequence[str], first: int = 1) -> NDArray[np.float64]:
    """Pick columns by name, in that order, as an array (N, len(columns)); others are ignored.

    Each becomes what `values_of` says, NaN where a value is missing. A name in place of a `Column` takes a column of
    numbers, booleans or points in time, in which no value may be missing.
    Raises ValueError, naming column and row (the frame's first is row `first`), on columns that aren't there, and as
    `values_of` does.
    """
    _require_columns(frame, names_of(columns))
    return np.column_stack(
        [
            values_without_gaps(frame[column], first)
            if isinstance(column, str)
            else values_of(frame[column.name], column, first)
            for column in columns
        ]
    )


def _read_parquet(path: Path) -> pl.DataFrame:
    import polars as pl

    with reading(path):
        return pl.read_parquet(path, glob=False)


def _read_csv(path: Path) -> pl.DataFrame:
    import polars as pl

    text = pl.concat(list(read_text(path)), rechunk=True)
    return text.select([_typed(column) for column in text])


def stripped(column: pl.Series) -> pl.Series:
    """Return a column of text without space around the values; an empty one is missing."""
    column = column.str.strip_chars()
    return column.set(column == "", None)


def _typed(column: pl.Series) -> pl.Series:
    """The narrowest type that every value of a column of text can be read as."""
    import polars as pl

    column = stripped(column)
    known = without_markers(column)
    for dtype in (pl.Int64, pl.Float64):
        numbers = known.cast(dtype, strict=False)
        if numbers.null_count() == known.null_count():
            return numbers
    lower = column.str.to_lowercase()
    return lower == "true" if lower.drop_nulls().is_in(["true", "false"]).all() else column


def _require_columns(frame: pl.DataFrame, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        there = listed(closest_first(missing[0], frame.columns))
        plural = "s" if len(missing) > 1 else ""
        raise ValueError(f"the table has no column{plural} {listed(missing)}; it has {there}")


def _target(column: pl.Series, task: Task | None) -> NDArray[Any]:
    """The target as an array whose type says the task: text for classes, floating-point for values."""
    import polars as pl

    require_values(column)
    text = column.dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum)
    if task == "regression":
        return values_without_gaps(column)
    if text:
        names = column.cast(pl.String)
        if task is None and names.cast(pl.Float64, strict=False).count() > column.len() / 2:
            values_without_gaps(column)  # raises: numbers of which a few are misspelt are no classes
        if names.n_unique() > MAX_CLASSES and names.n_unique() > column.len() / 2:
            raise ValueError(
                f"column {column.name!r} holds text, {names.n_unique()} different values in {column.len()} rows, such"
                f" as {names[0]!r}: they name no classes; numbers are written plainly, such as 1234.5"
            )
        return np.array(names.to_list(), dtype=np.str_)
    if column.dtype.is_integer() and (task == "classification" or column.n_unique() <= MAX_CLASSES):
        return column.to_numpy()
    return values_without_gaps(column)
