"""The output of the commands: tables and numbers."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from glassnet.files import finite
from glassnet.terminal import done, say, shown


def plain_figure(value: float | str | None) -> str:
    """Write a figure as in reports, but shares not in percent."""
    from glassnet.report.words import figure

    return figure(value)


def seconds(text: str) -> float:
    """Read a length of time such as 90s, 10m or 1.5h; a plain number counts seconds. Raises ValueError for others."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smh]?)", text.strip())
    length = float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]] if found else 0.0
    if not length > 0:
        raise ValueError(f"--time takes a length of time such as 90s, 10m or 2h, not {text!r}")
    return length


def print_json(found: Any) -> None:
    """Print what a program reads: None stands for NaN, which JSON doesn't know."""
    say(json.dumps(finite(found), indent=2))


def print_table(head: list[str], rows: list[list[str]]) -> None:
    """Print a table, on a terminal at its width, elsewhere at the width that it needs."""
    from rich.console import Console
    from rich.table import Table

    def cell(text: str) -> str:
        return shown(text, sys.stdout.encoding or "utf-8")

    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(head):
        numeric = all(row[i][:1] in "-0123456789" for row in rows)
        table.add_column(cell(name), justify="right" if numeric else "left", no_wrap=numeric or i == 0)
    for row in rows:
        table.add_row(*map(cell, row))
    done()
    Console(width=None if sys.stdout.isatty() else 160, markup=False, highlight=False, soft_wrap=False).print(table)
