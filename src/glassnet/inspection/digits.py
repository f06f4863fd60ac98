"""The number of digits that distinguish two numbers."""

from __future__ import annotations

import math

import numpy as np

from glassnet.nn.layer import Array


def digits(values: Array, apart: Array, least: int = 4) -> int:
    """Return how many digits of `values` show `least` digits of differences such as `apart`: 13 for 1e9 and 1."""
    size, difference = (float(np.abs(a).max(initial=0)) for a in (values, apart))
    if not 0 < difference < size < math.inf:
        return least
    return min(17, least + math.floor(math.log10(size)) - math.floor(math.log10(difference)))
