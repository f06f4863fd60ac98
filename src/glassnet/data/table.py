"""Tables: a CSV or Parquet file whose columns are numbers or categories, one of them the target."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from glassnet.data.checks import closest_first, listed, require_file
from glassnet.data.columns import codes, find_columns, found, is_text, without_markers
from glassnet.data.csv_text import read_text
from glassnet.data.dataset import Dataset, shuffled_rows
from glassnet.data.dates import as_dates, date_columns, require_dates
from glassnet.data.labels import Task, check_task

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
    features, categories, left_out = find_columns(frame.select(features), train)
    if not features:
        raise ValueError(f"{path} has no column to learn from: in {listed(left_out)}, no value occurs 3 times")
    x = numeric_rows(frame, features, categories)
    dates = date_columns(frame, features)
    try:
        data = Dataset.from_arrays(
            x, y, task=task, features=features, name=Path(path).stem, target=target, seed=seed,
            categories=categories if any(categories) or left_out or np.isnan(x).any() else (),
        )  # fmt: skip
    except ValueError as error:
        raise ValueError(f"target column {target!r}: {error}") from error
    data.dates = dates
    if data.categories or dates:
        data.notes = tuple(found(features, categories, dates, data.train.x, left_out))
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


def numeric_rows(
    frame: pl.DataFrame,
    features: Sequence[str],
    categories: Sequence[Sequence[str]] = (),
    first: int = 1,
    dates: Collection[str] = (),
) -> NDArray[np.float64]:
    """Pick the columns named `features`, in that order, as an array (N, len(features)).

    With `categories`, the names of each column's categories or none for one of numbers, a category becomes its number
    (any other text -1), and a missing value NaN. Booleans are 0 and 1, points in time are days since 1970, spans days.
    Text in the columns named in `dates` is read as points in time. Other columns are ignored.
    Raises ValueError, naming column and row (the frame's first is row `first`), on columns that aren't there, text that
    isn't a number or a date, infinite values, and without `categories` missing ones.
    """
    _require_columns(frame, features)
    frame = frame.with_columns(require_dates(frame[name], first) for name in dates)
    if not categories:
        return np.column_stack([_numbers(frame[name], first) for name in features])
    return np.column_stack(
        [
            codes(frame[name], names) if names else _numbers(frame[name], first, missing=True)
            for name, names in zip(features, categories, strict=True)
        ]
    )


def _read_parquet(path: Path) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.read_parquet(path, glob=False)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} can't be read as Parquet ({reason})") from error


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


def _numbers(column: pl.Series, first: int = 1, missing: bool = False) -> NDArray[np.float64]:
    """The column as numbers; those that are missing, if that is allowed, as NaN."""
    import polars as pl

    kind = column.dtype
    if is_text(column):
        column = without_markers(column) if missing else column.cast(pl.String)
    if not missing:
        _require_values(column, first)
    known = kind.is_numeric() or kind.is_temporal() or kind in (pl.Boolean, pl.Null) or is_text(column)
    if not known:
        raise ValueError(f"column {column.name!r} holds values of type {kind}; only numbers can be used")
    text = _days(column) if kind.is_temporal() else column
    numbers = text.cast(pl.Float64, strict=False)
    wrong_text = numbers.is_null() & text.is_not_null()
    if wrong_text.any():
        row = wrong_text.arg_max() or 0
        raise ValueError(
            f"column {column.name!r}, row {first + row}: {text[row]!r} is not a number, and a column that mostly"
            " holds numbers must hold nothing else: correct it, leave the column out, or if its numbers are names,"
            " write them as text, such as 'n7'"
        )
    values = numbers.fill_null(np.nan).to_numpy() if missing else numbers.to_numpy()
    wrong = np.flatnonzero(np.isinf(values) if missing else ~np.isfinite(values))
    if wrong.size:
        row = int(wrong[0])
        fault = f"{values[row]} is not a finite number"
        if np.isnan(values[row]):
            fault = "the value is missing; fill it in or drop the row"
        raise ValueError(f"column {column.name!r}, row {first + row}: {fault}")
    return values


def _days(column: pl.Series) -> pl.Series:
    """Points in time as days since 1970, spans and times of the day in days, whichever unit they are stored in."""
    import polars as pl

    column = column.cast(pl.Datetime("us") if column.dtype in (pl.Date, pl.Datetime) else pl.Duration("us"))
    return column.to_physical() / 86400e6


def _target(column: pl.Series, task: Task | None) -> NDArray[Any]:
    """The target as an array whose type says the task: text for classes, floating-point for values."""
    import polars as pl

    _require_values(column)
    text = column.dtype in (pl.String, pl.Boolean, pl.Categorical, pl.Enum)
    if task == "regression":
        return _numbers(column)
    if text:
        names = column.cast(pl.String)
        if task is None and names.cast(pl.Float64, strict=False).count() > column.len() / 2:
            _numbers(column)  # raises: a column of numbers in which a few are misspelt, not a column of classes
        if names.n_unique() > MAX_CLASSES and names.n_unique() > column.len() / 2:
            raise ValueError(
                f"column {column.name!r} holds text, {names.n_unique()} different values in {column.len()} rows, such"
                f" as {names[0]!r}: they name no classes; numbers are written plainly, such as 1234.5"
            )
        return np.array(names.to_list(), dtype=np.str_)
    if column.dtype.is_integer() and (task == "classification" or column.n_unique() <= MAX_CLASSES):
        return column.to_numpy()
    return _numbers(column)


def _require_values(column: pl.Series, first: int = 1) -> None:
    if column.null_count():
        row = first + (column.is_null().arg_max() or 0)
        raise ValueError(f"column {column.name!r}, row {row}: the value is missing; fill it in or drop the row")
