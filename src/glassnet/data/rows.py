"""Rows to predict, from files of any size: some at a time, in the file's order, so that memory stays the same."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glassnet.data.checks import require_file
from glassnet.data.columns import without_markers
from glassnet.data.csv_text import read_text
from glassnet.data.image import read_digit
from glassnet.data.table import numeric_rows, stripped

if TYPE_CHECKING:
    import polars as pl

CELLS, MOST = 1 << 21, 1 << 17  # numbers, and rows at most, that are read at a time, but from CSV
PICTURES = (".png", ".jpg", ".jpeg")


class Rows(NamedTuple):
    """Some rows: what a network takes, x (n, n_in), and the columns beside it (n values each), such as an id."""

    x: NDArray[np.float64] | NDArray[np.uint8]
    beside: list[pl.Series]


class Columns(NamedTuple):
    """What a network takes: columns by name, the names of each one's categories, and the dates, as in `Dataset`."""

    features: Sequence[str]
    categories: Sequence[Sequence[str]] = ()
    dates: Collection[str] = ()

    def split(self, frame: pl.DataFrame, first: int) -> Rows:
        """Take the columns from a table, whose first row is row `first` of the file; leave the others beside them."""
        x = numeric_rows(frame, self.features, self.categories, first, self.dates)
        return Rows(x, frame.drop(self.features).get_columns())


def read_rows(
    path: str | os.PathLike[str],
    features: Sequence[str],
    categories: Sequence[Sequence[str]] = (),
    image_shape: tuple[int, int] | None = None,
    image_maximum: int = 255,
    dates: Collection[str] = (),
) -> Iterator[Rows]:
    """Yield the rows of a table, of an array or of pictures, some at a time.

    .csv, .parquet   columns are picked by the names in `features`, and become numbers as `numeric_rows` says; all
                     others come beside them, in the table's order and as they are written: those of CSV as text.
                     Columns named in `dates` are read as dates, as they were in training.
    .npy             an array (N, n_in) whose columns are in the order of `features`, or with an `image_shape` an array
                     (N, height, width); nothing comes beside it.
    a folder         its PNG and JPEG pictures, each read by `read_digit`, in the order of their names with numbers by
                     their value; their names come beside them, as the column "file".
    other files      one picture.

    A value means what it means in training (see `read_table`), whatever rows are read together. Raises
    FileNotFoundError, or ValueError on a file that holds no such rows, naming column and row (the first is 1).
    """
    path = Path(path)
    columns = Columns(features, categories, dates)
    ending = path.suffix.lower()
    if ending == ".csv":
        return _csv_rows(require_file(path), columns)
    if ending == ".parquet":
        return _parquet_rows(require_file(path), columns)
    if ending == ".npy":
        return _array_rows(require_file(path), columns, image_shape)
    if image_shape is None:
        raise ValueError(
            f"{path}: this run was trained on a table, so it predicts the rows of .csv, .parquet and .npy files"
        )
    if path.is_dir():
        return _pictures(path, image_shape, image_maximum)
    return iter([Rows(read_digit(path, image_shape, image_maximum), [])])


def _csv_rows(path: Path, columns: Columns) -> Iterator[Rows]:
    numbers = {name for i, name in enumerate(columns.features) if not (columns.categories and columns.categories[i])}
    boolean: dict[str, bool] = {}  # as in training, a column is of booleans or of numbers: its first value decides
    first = 1
    for frame in read_text(path):
        typed, there = [], set(frame.columns)
        for name in filter(there.__contains__, columns.features):
            column = stripped(frame[name])
            if name in numbers:
                column = without_markers(column)
                if name not in boolean and name not in columns.dates and column.count():
                    boolean[name] = _is_boolean(column.drop_nulls().head(1)).all()
                if boolean.get(name):
                    column = _booleans(column, first)
            typed.append(column)
        yield columns.split(frame.with_columns(typed), first)
        first += frame.height


def _is_boolean(column: pl.Series) -> pl.Series:
    return column.str.to_lowercase().is_in(["true", "false"])


def _booleans(column: pl.Series, first: int) -> pl.Series:
    """A column of text whose first value is true or false."""
    wrong = ~_is_boolean(column) & column.is_not_null()
    if wrong.any():
        row = wrong.arg_max() or 0
        raise ValueError(
            f"column {column.name!r}, row {first + row}: {column[row]!r} is neither true nor false, as the column began"
        )
    return column.str.to_lowercase() == "true"


def _parquet_rows(path: Path, columns: Columns) -> Iterator[Rows]:
    import polars as pl

    try:
        table = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        count = _at_once(len(table.collect_schema()))
        for start in itertools.count(0, count):
            frame = table.slice(start, count).collect()
            if not frame.is_empty():
                yield columns.split(frame, first=start + 1)
            elif start == 0:
                raise ValueError(f"{path} has a header but no rows")
            if frame.height < count:
                return
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path} can't be read as Parquet ({reason})") from error


def _at_once(width: int) -> int:
    """How many rows of that width to read at a time."""
    return min(MOST, max(1, CELLS // max(1, width)))


def _array_rows(path: Path, columns: Columns, image_shape: tuple[int, int] | None) -> Iterator[Rows]:
    features, width = columns.features, len(columns.features)
    if named := [name for name, names in zip(features, columns.categories, strict=False) if names]:
        raise ValueError(
            f"{path} holds numbers, but column {named[0]!r} is one of categories: give a .csv or .parquet file"
        )
    shape, dtype = _mapped(path).shape, _mapped(path).dtype
    fitting = [(width,), *([tuple(image_shape)] if image_shape is not None else [])]
    if dtype.kind not in "buif" or shape[1:] not in fitting:
        wanted = " or ".join(f"(N, {', '.join(map(str, each))})" for each in fitting)
        raise ValueError(f"{path} is an array of {dtype}, {shape}; numbers of shape {wanted} are needed")
    if not shape[0]:
        raise ValueError(f"{path} has no rows")
    count = _at_once(width)
    for start in range(0, shape[0], count):
        # Mapped anew each time: what a map has read stays in memory for as long as the map does.
        x = np.array(_mapped(path)[start : start + count], dtype=np.float64).reshape(-1, width)
        wrong = np.argwhere(np.isinf(x) if columns.categories else ~np.isfinite(x))  # with them, NaN is a missing value
        if wrong.size:
            row, column = wrong[0]
            value = f"{x[row, column]} is not a finite number"
            raise ValueError(f"column {features[column]!r}, row {start + row + 1}: {value}")
        yield Rows(x, [])


def _mapped(path: Path) -> np.memmap:
    """The array of a file, none of which is read yet. Objects, which only pickle could load, are refused."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except ValueError as error:
        raise ValueError(f"{path} can't be read as an array of numbers ({error})") from error


def _pictures(folder: Path, image_shape: tuple[int, int], maximum: int) -> Iterator[Rows]:
    import polars as pl

    files = sorted((file for file in folder.iterdir() if file.suffix.lower() in PICTURES), key=_by_numbers)
    if not files:
        raise ValueError(f"{folder} is a folder without PNG or JPEG pictures")
    count = _at_once(image_shape[0] * image_shape[1])
    for start in range(0, len(files), count):
        some = files[start : start + count]
        x = np.concatenate([read_digit(file, image_shape, maximum) for file in some])
        yield Rows(x, [pl.Series("file", [file.name for file in some])])


def _by_numbers(file: Path) -> tuple[list[str | int], str]:
    """A key that sorts digit-2.png before digit-10.png."""
    parts = re.split(r"([0-9]+)", file.name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], file.name
