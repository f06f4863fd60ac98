"""What is kept of every fit, in results.json: one line each, so that a difference shows what was fitted anew."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glassnet.files import holding, replacing
from tables.kinds import Fit

FILE = Path(__file__).with_name("results.json")
DIGITS = 6  # significant ones

Records = dict[Fit, dict[str, Any]]


def load(file: Path = FILE) -> Records:
    """Return the figures of every fit so far."""
    if not file.exists():
        return {}
    found: Records = {}
    for record in json.loads(file.read_text(encoding="utf-8")):
        fit = Fit(**{name: record.pop(name) for name in Fit._fields if name in record})
        found[fit] = record
    return found


def keep(fit: Fit, figures: dict[str, Any], file: Path = FILE) -> None:
    """Add a fit, or replace it. Several processes may do so at once."""
    with alone(file.parent):
        records = load(file) | {fit: figures}
        with replacing(file) as part:
            part.write_text(_text(records), encoding="utf-8")


def _text(records: Records) -> str:
    lines = [json.dumps(_named(fit) | _rounded(figures)) for fit, figures in sorted(records.items(), key=_order)]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _order(item: tuple[Fit, dict[str, Any]]) -> tuple[Any, ...]:
    fit = item[0]
    return fit.inner, fit.rows or 0, fit.table, fit.contender, fit.split


def _named(fit: Fit) -> dict[str, Any]:
    """The fields of a fit but those that are as they are by default."""
    return {name: value for name, value in fit._asdict().items() if value != Fit._field_defaults.get(name, ...)}


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {key: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value for key, value in figures.items()}


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder for this block, as soon as others let go of it."""
    while True:
        hold = holding(folder)
        try:
            hold.__enter__()
            break
        except BlockingIOError:
            time.sleep(0.05)
    try:
        yield
    finally:
        hold.__exit__(None, None, None)
