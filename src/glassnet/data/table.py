"""Tables: a CSV or Parquet file whose columns are numbers or categories, one of them the target."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from glassnet.data.checks import closest_first, listed
from glassnet.data.columns import find_columns, found, like_values, require_left, varying
from glassnet.data.csv_text import headless, read_text
from glassnet.data.dataset import Dataset, Split
from glassnet.data.dates import ORDERS, Order, read_dates
from glassnet.data.dialect import FRAMES, dialect_of, table_endings, table_stem
from glassnet.data.labels import Task, check_task, look_up
from glassnet.data.markers import is_text, without_markers
from glassnet.data.numbers import plain_columns, read_numbers
from glassnet.data.schema import Column, names_of
from glassnet.data.splits import SplitPlan, split_table
from glassnet.data.suspicious import suspicious
from glassnet.data.target import read_target
from glassnet.data.typed import refusing_damage, require_table, scan
from glassnet.data.values import read_booleans, values_of, values_without_gaps

if TYPE_CHECKING:
    import polars as pl

SPLIT = {"time": "are later than all others", "group": "have values of it that no other part has"}
MIN_ROWS = 10  # fewer rows can't be split into three useful parts


def load_table(
    path: str | os.PathLike[str],
    *,
    target: str | None,
    drop: Sequence[str] = (),
    task: Task | None = None,
    dates: Order | None = None,
    split: str | None = None,
    by: str | None = None,
    folds: int | None = None,
    fold: int | None = None,
    seed: int = 0,
) -> Dataset:
    """Load a table: x float64 (N, n_in), every column but `target` and those to `drop`, in order.

    The type of a column decides whether it holds numbers, dates, booleans or categories. For text, its values do (see
    `kind_of_text`). A category must occur in at least 3 training rows, or in 2 beyond the 100 most frequent. A column
    without any category, without a value, or with the same one in all rows is left out, which `notes` of the dataset
    say. A missing value is NaN.
    `read_target` decides the task, unless it is given. dates: "day-first", "month-first" or "year-first", for columns
    of dates whose values don't show their order. Rows without a target are left out. The rows are shuffled by `seed`
    and split 64/16/20, of each class alike. split="time" tests on the latest rows by the column `by`. split="group"
    keeps rows with one value of that column together, which is then no input. folds: deals the rows into so many parts,
    of which `fold`, counted from 0, is the test part. Raises ValueError, naming column and row, for infinite and
    misspelt values.
    """
    plan = SplitPlan(split, by, folds, fold, dates, seed)
    frame, read = _read(Path(path))
    if target is None:
        raise ValueError(f"name the target column of {path}: one of {listed(frame.columns)}{headless(frame.columns)}")
    _require_columns(frame, [target, *drop, *([] if by is None else [by])])
    if by == target:
        raise ValueError(f"{target!r} is the target, so the rows can't be split by it")
    if frame.height < MIN_ROWS:
        raise ValueError(f"{path} has {frame.height} rows; at least {MIN_ROWS} are needed to train and to test")
    unused = {target, *drop, *([by] if split == "group" else [])}
    features = [name for name in frame.columns if name not in unused]
    if not features:
        raise ValueError(f"{path} has no column to learn from besides the target {target!r}")
    if task is not None:
        check_task(task)
    if dates not in (None, *ORDERS):
        raise ValueError(f"dates is one of {listed(ORDERS)}, not {dates!r}")
    y, rows, said = read_target(frame[target], task, dates)
    if len(rows) < MIN_ROWS:
        raise ValueError(
            f"{path} has {len(rows)} rows with a target; at least {MIN_ROWS} are needed to train and to test"
        )
    classes = task == "classification" or y.dtype.kind != "f"
    parts, blocks = split_table(plan, y, classes, None if by is None else frame[by][rows])
    inputs, seen = plain_columns(frame.select(features)), parts[0] if folds is None else slice(None)
    schema, left_out, notes = find_columns(inputs, rows[seen], dates=dates)  # all folds see the same categories
    hint = headless(frame.columns) or like_values(schema)
    require_left(path, schema, left_out, notes, hint)
    schema, x = varying(schema, numeric_rows(inputs, schema)[rows], seen, left_out)
    try:
        data = Dataset.from_arrays(
            x,
            y,
            task=task,
            features=names_of(schema),
            name=table_stem(Path(path)),
            target=target,
            parts=parts,
            categories=[column.categories for column in schema],
        )
    except ValueError as error:
        raise ValueError(f"target column {target!r}: {error}") from error
    require_left(path, schema, left_out, notes, hint)
    data.test.rows = rows[parts[2]]
    data.schema, data.left_out = schema, left_out
    if blocks is not None:
        data.train.blocks, data.val.blocks = blocks[parts[0]], blocks[parts[1]]
        said.append(f"split by {split}, {by}: rows of the test part {SPLIT[split or '']}")
    if hint:
        said.insert(0, f"the first line was taken for the names of the columns{hint}")
    doubts = suspicious(schema, data.train.x, data.train.y)
    data.notes = (*read, *said, *notes, *found(schema, data.train.x, left_out), *doubts)
    return data


def load_labelled(
    path: str | os.PathLike[str],
    columns: Sequence[Column] | Sequence[str],
    target: str,
    task: Task,
    classes: Sequence[str] = (),
) -> tuple[Split, list[str]]:
    """Read the rows of a table that have a target, to evaluate a network on: see `numeric_rows` and `read_target`.

    classes: those of training. Returns the rows and notes on them. Raises ValueError for a class that isn't one of
    these, and if no row has a target.
    """
    frame, notes = _read(Path(path))
    _require_columns(frame, [target])
    y, rows, said = read_target(frame[target], task)
    if not len(rows):
        raise ValueError(f"{path}: no row has a target {target!r}")
    x = numeric_rows(frame, columns)[rows]
    if task == "classification":
        try:
            y = look_up(y, classes)
        except ValueError as error:
            raise ValueError(f"{path}, column {target!r}: {error}") from error
    return Split(x, y), [*notes, *said]


def read_table(path: str | os.PathLike[str]) -> pl.DataFrame:
    """Read a file of text with a header, or by their endings Parquet, Arrow (.feather, .arrow) and Excel (.xlsx).

    Text may be packed (.gz, or one file in a .zip), in UTF-8, UTF-16 or Windows-1252, and separated by commas,
    semicolons, tabs or bars, which is found out. An Excel file's first sheet is read.
    Space around text is dropped, and an empty value is missing. A column of text becomes one of numbers, of booleans or
    of points in time (in ISO 8601) if every known value is such. Numbers and dates in other notations stay text.
    Raises FileNotFoundError, or ValueError for a file that holds no rows or no table.
    """
    frame, _ = _read(Path(path))
    return frame.select(_typed(column) for column in frame)


def as_written_in_file(path: str | os.PathLike[str], rows: NDArray[np.int64]) -> tuple[pl.DataFrame, list[int] | None]:
    """Return some rows of a table, by their numbers counted from 0, with all columns, from text as they are written.

    With them come the lines on which they begin in a file of text, counted from 1 for the header, which values with
    line breaks are counted for; None for other files.
    """
    import polars as pl

    frame, _ = _read(Path(path))
    if table_endings(Path(path))[0] in FRAMES:
        return frame[rows], None
    breaks = (
        frame.select(pl.sum_horizontal(pl.all().str.count_matches("\n")))
        .to_series()
        .fill_null(0)
        .to_numpy()
        .astype(np.int64)
    )
    lines = np.arange(frame.height) + 2 + np.cumsum(breaks) - breaks
    return frame[rows], lines[rows].tolist()


def numeric_rows(
    frame: pl.DataFrame, columns: Sequence[Column] | Sequence[str], first: int = 1, dtype: DTypeLike = np.float64
) -> NDArray[Any]:
    """Pick columns by name, in that order, as an array (N, len(columns)) of a type; others are ignored.

    `values_of` turns each into numbers, with NaN for a missing value. A name in place of a `Column` takes a column of
    numbers, booleans or points in time, in which no value may be missing.
    Raises ValueError, naming column and row (the frame's first is row `first`), for columns that aren't there, and as
    `values_of` does.
    """
    _require_columns(frame, names_of(columns))
    numbers = [column.name for column in columns if isinstance(column, Column) and column.kind == "number"]
    if text := [name for name in numbers if is_text(frame[name])]:  # all at once: in CSV, all columns are text
        frame = frame.with_columns(plain_columns(frame.select(text)))
    return np.stack(
        [
            values_without_gaps(frame[column], first)
            if isinstance(column, str)
            else values_of(frame[column.name], column, first)
            for column in columns
        ],
        axis=1,
        dtype=dtype,
        casting="same_kind",
    )


def _read(path: Path) -> tuple[pl.DataFrame, list[str]]:
    """The table of a file, if it is text all as text, and notes on how it was read."""
    require_table(path)
    import polars as pl

    if table_endings(path)[0] not in FRAMES:
        dialect = dialect_of(path)
        return pl.concat(list(read_text(path, dialect)), rechunk=True), dialect.notes
    with refusing_damage(path):
        table, notes = scan(path)
        frame = table.collect()
    if frame.is_empty():
        raise ValueError(f"{path} has a header but no rows")
    return frame, notes


def _typed(column: pl.Series) -> pl.Series:
    """A column of text as the narrowest type that every known value of it can be read as."""
    import polars as pl

    if column.dtype != pl.String:
        return column
    known = without_markers(column)
    missing = known.null_count()
    for read in (lambda text: text.cast(pl.Int64, strict=False), read_numbers, read_booleans, read_dates):
        typed: pl.Series = read(known)
        if typed.null_count() == missing:
            return typed
    stripped = column.str.strip_chars()
    return stripped.set(stripped == "", None)


def _require_columns(frame: pl.DataFrame, names: Sequence[str]) -> None:
    columns = frame.columns
    known = set(columns)
    missing = [name for name in names if name not in known]
    if missing:
        there = listed(closest_first(missing[0], columns))
        plural = "s" if len(missing) > 1 else ""
        raise ValueError(f"the table has no column{plural} {listed(missing)}; it has {there}{headless(columns)}")
