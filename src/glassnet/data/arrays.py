"""Arrays in .npy files, read in pieces."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


def rows_of_array(path: Path, array: np.memmap, start: int, stop: int) -> NDArray[Any]:
    """Return rows of the array of a file. They are read: a mapped file that another program cuts kills the process."""
    rows, per_row = stop - start, math.prod(array.shape[1:])
    with path.open("rb") as file:
        if array.flags.c_contiguous:
            values = _numbers(file, array, start * per_row, rows * per_row)
            return values.reshape(rows, *array.shape[1:])
        columns = [_numbers(file, array, column * array.shape[0] + start, rows) for column in range(per_row)]
    return np.stack(columns).reshape(*array.shape[:0:-1], rows).T


def _numbers(file: BinaryIO, array: np.memmap, first: int, count: int) -> NDArray[Any]:
    """Some numbers of the file of an array, in the file's order."""
    file.seek(array.offset + first * array.itemsize)
    content = file.read(count * array.itemsize)
    return np.frombuffer(content, array.dtype, count)


def array_in(path: Path) -> np.memmap:
    """Return the array of a file, of which only the header is read.

    Raises ValueError for objects, which only pickle could load, and for other files.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # for a header that Python 2 wrote
            return np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # the header is Python's syntax: its parser and dtype raise many kinds of errors
        if isinstance(error, OSError) and error.filename:
            raise
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} can't be read as an array of numbers ({reason})") from None
