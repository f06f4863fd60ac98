"""Sizes that depend on the number of training rows."""

from __future__ import annotations

from glassnet.checks import count

SMALLEST_BATCH = 8


def batch_size(rows: int, min_steps: int, most: int) -> int:
    """Return the size of batches of which an epoch has `min_steps` at least, from 8 to `most`."""
    return min(most, max(SMALLEST_BATCH, rows // min_steps))


def by_rows(rows: int, layers: int = 1, rows_per_unit: int = 4, least: int = 128, most: int = 256) -> list[int]:
    """Return the widths of hidden layers with a unit for each `rows_per_unit` training rows, from `least` to `most`."""
    numbers = {"layers": layers, "rows_per_unit": rows_per_unit, "least": least, "most": most}
    for name, value in numbers.items():
        count(value, name, 1)
    return [min(most, max(least, rows // rows_per_unit))] * layers
