"""What the commands print: tables and numbers."""

from __future__ import annotations

import sys


def number(value: float | None) -> str:
    """Write a figure with the digits that say something."""
    if value is None or value != value:  # a class that was never predicted has no precision
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4f}" if abs(value) >= 0.01 else f"{value:.3g}"


def print_table(head: list[str], rows: list[list[str]]) -> None:
    """Print a table: on a terminal as wide as that is, elsewhere as wide as needed."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(head):
        numeric = all(row[i][:1] in "-0123456789" for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=numeric or i == 0)
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False, soft_wrap=False).print(table)
