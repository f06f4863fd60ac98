"""Rows to predict, from files of any size: some at a time, in the file's order, so that memory stays the same."""

from __future__ import annotations

import itertools
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glassnet.data.checks import naming, require_file
from glassnet.data.csv_text import read_text
from glassnet.data.image import read_digit
from glassnet.data.parquet import reading
from glassnet.data.schema import Column, names_of
from glassnet.data.table import numeric_rows

if TYPE_CHECKING:
    import polars as pl

CELLS, MOST = 1 << 21, 1 << 17  # numbers, and rows at most, that are read at a time, but from CSV
PICTURES = (".png", ".jpg", ".jpeg")


class Rows(NamedTuple):
    """Some rows: what a network takes, x (n, n_in), and the columns beside it (n values each), such as an id."""

    x: NDArray[np.float64] | NDArray[np.uint8]
    beside: list[pl.Series]


def read_rows(
    path: str | os.PathLike[str],
    columns: Sequence[Column] | Sequence[str],
    image_shape: tuple[int, int] | None = None,
    image_maximum: int = 255,
) -> Iterator[Rows]:
    """Yield the rows of a table, of an array or of pictures, some at a time.

    .csv, .parquet   `columns` are picked by their names, and become numbers as `numeric_rows` says; all others come
                     beside them, in the table's order and as they are written: those of CSV as text.
    .npy             an array (N, n_in) whose columns are in the order of `columns`, or with an `image_shape` an array
                     (N, height, width); nothing comes beside it.
    a folder         its PNG and JPEG pictures, each read by `read_digit`, in the order of their names with numbers by
                     their value; their names come beside them, as the column "file".
    other files      one picture.

    A value means what it means in training (see `read_table`), whatever rows are read together. Raises
    FileNotFoundError, or ValueError on a file that holds no such rows, naming column and row (the first is 1).
    """
    path = Path(path)
    with naming(path):
        yield from _rows(path, columns, image_shape, image_maximum)


def _rows(
    path: Path, columns: Sequence[Column] | Sequence[str], image_shape: tuple[int, int] | None, image_maximum: int
) -> Iterator[Rows]:
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


def _csv_rows(path: Path, columns: Sequence[Column] | Sequence[str]) -> Iterator[Rows]:
    first = 1
    for frame in read_text(path):
        yield _split(frame, columns, first)
        first += frame.height


def _split(frame: pl.DataFrame, columns: Sequence[Column] | Sequence[str], first: int) -> Rows:
    """Take the columns from a table, whose first row is row `first` of the file; leave the others beside them."""
    x = numeric_rows(frame, columns, first)
    return Rows(x, frame.drop(names_of(columns)).get_columns())


def _parquet_rows(path: Path, columns: Sequence[Column] | Sequence[str]) -> Iterator[Rows]:
    import polars as pl

    table = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    with reading(path):
        count = _at_once(len(table.collect_schema()))
    for start in itertools.count(0, count):
        with reading(path):
            frame = table.slice(start, count).collect()
        if not frame.is_empty():
            yield _split(frame, columns, start + 1)
        elif start == 0:
            raise ValueError(f"{path} has a header but no rows")
        if frame.height < count:
            return


def _at_once(width: int) -> int:
    """How many rows of that width to read at a time."""
    return min(MOST, max(1, CELLS // max(1, width)))


def _array_rows(
    path: Path, columns: Sequence[Column] | Sequence[str], image_shape: tuple[int, int] | None
) -> Iterator[Rows]:
    features, width = names_of(columns), len(columns)
    tables = [column for column in columns if not isinstance(column, str)]
    if named := [column.name for column in tables if column.kind == "category"]:
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
        wrong = np.argwhere(np.isinf(x) if tables else ~np.isfinite(x))  # of a table, NaN is a missing value
        if wrong.size:
            row, column = wrong[0]
            value = f"{x[row, column]} is not a finite number"
            raise ValueError(f"column {features[column]!r}, row {start + row + 1}: {value}")
        yield Rows(x, [])


def _mapped(path: Path) -> np.memmap:
    """The array of a file, none of which is read yet. Objects, which only pickle could load, are refused."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of a header by Python 2
            return np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # the header is Python's syntax: what its parser, or dtype, raises is of many kinds
        if isinstance(error, OSError) and error.filename:
            raise
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} can't be read as an array of numbers ({reason})") from None


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
