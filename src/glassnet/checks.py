"""Checks of constructors' arguments."""

from __future__ import annotations

import math

import numpy as np


def count(value: int, what: str, least: int = 0) -> int:
    """Return `value` as an int; raise ValueError if it is no whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{what} must be a whole number of at least {least}, not {value!r}")
    return int(value)


def positive_int(value: int, what: str) -> int:
    """Return `value` as an int; raise ValueError if it is no whole number of at least 1."""
    return count(value, what, 1)


def number(value: float, what: str, low: float = -math.inf, below: float = math.inf) -> float:
    """Return `value` as a float; raise ValueError if it is no finite number, less than `low`, or not below `below`."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise ValueError(f"{what} must be a number, not {value!r}")
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number beyond all floating-point numbers
        finite = False
    if not (finite and low <= value < below):
        at_least = f" of at least {low:g}" if low > -math.inf else ""
        and_below = f" and below {below:g}" if below < math.inf else ""
        raise ValueError(f"{what} must be a number{at_least}{and_below}, not {value!r}")
    return float(value)


def positive(value: float, what: str) -> float:
    """Return `value` as a float; raise ValueError if it is no finite number above 0."""
    if number(value, what) <= 0:
        raise ValueError(f"{what} must be a number above 0, not {value!r}")
    return float(value)
