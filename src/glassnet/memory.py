"""Arrays that begin at a cache line, and where an array begins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

CACHE_LINE = 64  # bytes


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
