"""Numbers on their way to the page and back: JSON has no NaN, and long arrays travel as base64."""

from __future__ import annotations

import base64
import json
import math
import sys
from reprlib import repr as short
from typing import Any, TypeGuard

import numpy as np

from glassnet.nn.layer import Array


def json_number(value: float) -> float | None:
    """Return the value, or None if it is NaN or infinite."""
    return float(value) if math.isfinite(value) else None


def json_numbers(array: Array) -> list[Any]:
    """Return an array as a list, with None for NaN and infinity."""
    finite = np.isfinite(array)
    if finite.all():
        return array.tolist()
    values = array.astype(object)
    values[~finite] = None
    return values.tolist()


def is_finite(value: Any) -> TypeGuard[int | float]:
    """Whether a value of JSON is a number that a double can hold: neither true, NaN, infinite nor 10^400."""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def whole(value: Any, what: str) -> int:
    """Return a whole number of at least 0, as JSON or an address gives it. Raises ValueError for anything else."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{what} must be a whole number of at least 0, not {short(value)}")
    return value


def packed(array: Array) -> dict[str, Any]:
    """Return an array as {"shape": [...], "f32": base64 of little-endian float32}.

    It is "f64" if it has double precision, and "i64" for whole numbers of so many bits.
    """
    kind = {np.dtype(np.float64): "f64", np.dtype(np.int64): "i64"}.get(array.dtype, "f32")
    little_endian = np.ascontiguousarray(array, f"<{kind[0]}{int(kind[1:]) // 8}")
    return {"shape": list(array.shape), kind: base64.b64encode(little_endian.tobytes()).decode("ascii")}


def to_json(value: Any) -> str:
    """Write JSON that a browser reads, briefly. Raises ValueError for NaN and infinity."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
