"""One file for each thing that is measured: `measure` does it, `table` shows it, on the terminal and in the README."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Table:
    """Rows of text; the first column names the row, the others hold figures."""

    title: str
    head: list[str]
    rows: list[list[str]]
