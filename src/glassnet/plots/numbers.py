"""Numbers on axes, as people write them."""

from __future__ import annotations


def written_number(value: float, _: object = None) -> str:
    """Write a number: 250,000 or 0.25, never 2.5e5."""
    size = abs(value)
    return f"{value:,.0f}" if 1000 <= size < 1e15 else f"{value:.4g}"
