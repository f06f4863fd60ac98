"""Values as people write them: those of a column as they stand in the table, and those of a target in its unit."""

from __future__ import annotations

import math

import numpy as np

from glassnet.data.schema import Column

DECIMALS = 3  # of the leading digit of the spread, that are worth writing


def as_written(value: float, column: Column) -> str:
    """Write a value of a column: a category by its name, a date as one, a number plainly."""
    if math.isnan(value):
        return "missing"
    if column.kind == "category":
        return column.categories[int(value)] if 0 <= value < len(column.categories) else "another"
    if column.kind == "date":
        return str(np.datetime64(round(value * 86_400), "s")).replace("T00:00:00", "").replace("T", " ")
    if column.kind == "boolean" and value in (0, 1):
        return "true" if value else "false"
    if column.kind == "time":
        return str(np.datetime64(round(value * 86_400), "s"))[11:]
    return plain_number(value)


def plain_number(value: float) -> str:
    """Write a number without an exponent, if it has at most 15 digits, and without digits that rounding made."""
    if value == 0 or not 1e-4 <= abs(value) < 1e15:
        return f"{value:.6g}"
    digits = max(0, 9 - math.floor(math.log10(abs(value))))
    return np.format_float_positional(round(value, digits), trim="-")


def in_unit(value: float, spread: float, sign: bool = False) -> str:
    """Write a value of a target with the digits that tell apart values that lie `spread` apart: 31,251 or 2.417."""
    if not math.isfinite(value):
        return "-"
    plus = "+" if sign else ""
    if not 1e-9 < spread < 1e15:
        return f"{value:{plus},.4g}"
    decimals = max(0, DECIMALS - math.floor(math.log10(spread)))
    written = f"{value:{plus},.{decimals}f}"
    return written if any(digit in written for digit in "123456789") else f"{0:,.{decimals}f}"
