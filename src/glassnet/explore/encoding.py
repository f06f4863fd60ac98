"""Numbers on their way to the page: JSON has no NaN, and long arrays travel as base64."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

from glassnet.nn.layer import Array


def number(value: float) -> float | None:
    """Return the value, or None if it is NaN or infinite."""
    return float(value) if math.isfinite(value) else None


def numbers(array: Array) -> list[Any]:
    """Return an array as a list, with None for NaN and infinity."""
    finite = np.isfinite(array)
    if finite.all():
        return array.tolist()
    values = array.astype(object)
    values[~finite] = None
    return values.tolist()


def packed(array: Array) -> dict[str, Any]:
    """Return an array as {"shape": [...], "f32": base64 of little-endian float32}; "f64" if it has double precision."""
    kind = "f64" if array.dtype == np.float64 else "f32"
    little_endian = np.ascontiguousarray(array, f"<{kind[0]}{int(kind[1:]) // 8}")
    return {"shape": list(array.shape), kind: base64.b64encode(little_endian.tobytes()).decode("ascii")}


def to_json(value: Any) -> str:
    """Write JSON that a browser reads, briefly. Raises ValueError for NaN and infinity."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
