"""Every look at glassnet's errors on part B: when, with which commit, for which decision, and what was seen."""

from __future__ import annotations

import time
from pathlib import Path

from glassnet.files import replacing
from tables.contenders import commit

FILE = Path(__file__).with_name("looks.md")


def add(what: str, seen: str) -> None:
    """Add a look, the last."""
    cells = time.strftime("%Y-%m-%d"), commit(), what, seen
    text = FILE.read_text(encoding="utf-8") + f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"
    with replacing(FILE) as part:
        part.write_text(text, encoding="utf-8")


def table() -> str:
    """Return all looks as a table of Markdown."""
    return FILE.read_text(encoding="utf-8").strip()
