"""Arrays that begin at a cache line, where an array begins, and what becomes of memory that is free again."""

from __future__ import annotations

import ctypes
import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

CACHE_LINE = 64  # bytes
M_MMAP_THRESHOLD, LARGE = -3, 1 << 20  # an option of mallopt(3), and bytes


def aligned_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return zeros whose first entry lies at a multiple of 64 bytes.

    NumPy's own arrays begin 16 bytes after one, so that every second vector of 32 or 64 bytes spans two cache lines.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    memory = np.zeros(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def address(array: npt.NDArray[Any]) -> int:
    """The address of the first entry of a contiguous array. It takes a microsecond."""
    return int(array.__array_interface__["data"][0])


def give_back() -> None:
    """Let large arrays go back to the system as soon as they are free. It is for the rest of the process.

    glibc otherwise keeps arrays of up to 32 MB for each thread that has had some.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)
