"""Rows to predict, from files of any size: some at a time, in the file's order, so that memory stays the same."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glassnet.data.arrays import array_in, rows_of_array
from glassnet.data.checks import blaming, require_file
from glassnet.data.csv_text import read_text
from glassnet.data.dialect import FRAMES, TEXT, dialect_of, table_endings
from glassnet.data.image import read_digit
from glassnet.data.noticed import Noticed
from glassnet.data.schema import Column, names_of
from glassnet.data.table import numeric_rows
from glassnet.data.typed import refusing_damage, require_table, scan
from glassnet.extras import need

if TYPE_CHECKING:
    import polars as pl

CELLS, MOST = 1 << 21, 1 << 17  # numbers, and most rows, that are read at a time, except from CSV
PICTURES = (".png", ".jpg", ".jpeg")


class FileRows(NamedTuple):
    """Some rows: the network's inputs x (n, n_in), and the columns beside them (n values each), such as an id."""

    x: NDArray[np.float64] | NDArray[np.uint8]
    beside: list[pl.Series]


def read_rows(
    path: str | os.PathLike[str],
    columns: Sequence[Column] | Sequence[str],
    image_shape: tuple[int, int] | None = None,
    image_maximum: int = 255,
    noticed: Noticed | None = None,
) -> Iterator[FileRows]:
    """Yield the rows of a table, of an array or of pictures, some at a time.

    a table          `columns` are picked by their names, and become numbers as in `numeric_rows`. All others come
                     beside them, in the table's order and as they are written, those of text as text.
    .npy             an array (N, n_in) whose columns are in the order of `columns`, or with an `image_shape` an array
                     (N, height, width). Nothing comes beside it.
    a folder         its PNG and JPEG pictures, each read by `read_digit`, in the order of their names with numbers by
                     their value. Their names come beside them, as the column "file".
    other files      one picture.

    A value means the same as in training (see `read_table`), no matter which rows are read together. `noticed` sees
    them all. Raises FileNotFoundError, or ValueError on a file that holds no such rows, blaming column and row (the
    first is 1), or that another program writes meanwhile.
    """
    need("tables", "polars")
    path, noticed = Path(path), noticed or Noticed(columns)
    return _unchanged(path, _rows(path, columns, image_shape, image_maximum, noticed))


def _rows(
    path: Path,
    columns: Sequence[Column] | Sequence[str],
    image_shape: tuple[int, int] | None,
    image_maximum: int,
    noticed: Noticed,
) -> Iterator[FileRows]:
    ending = table_endings(path)[0]
    if ending in TEXT:
        dialect = dialect_of(require_table(path))
        noticed.notes += dialect.notes
        return _table_rows(read_text(path, dialect), columns, noticed)
    if ending in FRAMES:
        return _table_rows(_frames(require_table(path), noticed), columns, noticed)
    if path.suffix.lower() == ".npy":
        return _array_rows(require_file(path), columns, image_shape, noticed)
    if image_shape is None:
        raise ValueError(
            f"{path}: this run was trained on a table, so it predicts the rows of tables, such as .csv and .parquet,"
            " and of .npy files"
        )
    if path.is_dir():
        return _pictures(path, image_shape, image_maximum)
    return iter([FileRows(read_digit(path, image_shape, image_maximum), [])])


def _unchanged(path: Path, blocks: Iterator[FileRows]) -> Iterator[FileRows]:
    """Yield blocks of a file as long as it stays the one that was opened. Rows of two files would be no answer."""
    before = _stamp(path)
    while True:
        try:
            with blaming(path):
                rows = next(blocks, None)
        except (OSError, ValueError):
            if _stamp(path) == before:
                raise
            rows = None
        if _stamp(path) != before:
            raise ValueError(f"{path} was changed while it was read: predict it again when no program writes it")
        if rows is None:
            return
        yield rows


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Marks of a file that show whether it was replaced or written; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _table_rows(
    frames: Iterable[pl.DataFrame], columns: Sequence[Column] | Sequence[str], noticed: Noticed
) -> Iterator[FileRows]:
    """Take the columns from a table, some rows at a time, with the others beside them."""
    first = 1
    for frame in frames:
        x = numeric_rows(frame, columns, first)
        noticed.see(x, frame)
        yield FileRows(x, frame.drop(names_of(columns)).get_columns())
        first += frame.height


def _frames(path: Path, noticed: Noticed) -> Iterator[pl.DataFrame]:
    with refusing_damage(path):
        table, notes = scan(path)
        noticed.notes += notes
        count = _at_once(len(table.collect_schema()))
    for start in itertools.count(0, count):
        with refusing_damage(path):
            frame = table.slice(start, count).collect()
        if not frame.is_empty():
            yield frame
        elif start == 0:
            raise ValueError(f"{path} has a header but no rows")
        if frame.height < count:
            return


def _at_once(width: int) -> int:
    """How many rows of that width to read at a time."""
    return min(MOST, max(1, CELLS // max(1, width)))


def _array_rows(
    path: Path, columns: Sequence[Column] | Sequence[str], image_shape: tuple[int, int] | None, noticed: Noticed
) -> Iterator[FileRows]:
    features, width = names_of(columns), len(columns)
    tables = [column for column in columns if not isinstance(column, str)]
    if named := [column.name for column in tables if column.kind == "category"]:
        raise ValueError(
            f"{path} holds numbers, but column {named[0]!r} is one of categories: give a .csv or .parquet file"
        )
    array = array_in(path)
    shape, dtype = array.shape, array.dtype
    fitting = [(width,), *([tuple(image_shape)] if image_shape is not None else [])]
    if dtype.kind not in "buif" or shape[1:] not in fitting:
        wanted = " or ".join(f"(N, {', '.join(map(str, each))})" for each in fitting)
        raise ValueError(f"{path} is an array of {dtype}, {shape}; numbers of shape {wanted} are needed")
    if not shape[0]:
        raise ValueError(f"{path} has no rows")
    count = _at_once(width)
    for start in range(0, shape[0], count):
        x = rows_of_array(path, array, start, min(start + count, shape[0])).astype(np.float64).reshape(-1, width)
        wrong = np.argwhere(np.isinf(x) if tables else ~np.isfinite(x))  # in a table, NaN is a missing value
        if wrong.size:
            row, column = wrong[0]
            value = f"{x[row, column]} is not a finite number"
            raise ValueError(f"column {features[column]!r}, row {start + row + 1}: {value}")
        noticed.see(x)
        yield FileRows(x, [])


def _pictures(folder: Path, image_shape: tuple[int, int], maximum: int) -> Iterator[FileRows]:
    import polars as pl

    files = sorted((file for file in folder.iterdir() if file.suffix.lower() in PICTURES), key=_by_numbers)
    if not files:
        raise ValueError(f"{folder} is a folder without PNG or JPEG pictures")
    count = _at_once(image_shape[0] * image_shape[1])
    for start in range(0, len(files), count):
        some = files[start : start + count]
        x = np.concatenate([read_digit(file, image_shape, maximum) for file in some])
        yield FileRows(x, [pl.Series("file", [file.name for file in some])])


def _by_numbers(file: Path) -> tuple[list[str | int], str]:
    """A key that sorts digit-2.png before digit-10.png."""
    parts = re.split(r"([0-9]+)", file.name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], file.name
