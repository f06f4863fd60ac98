"""Tables that don't fit into memory: what training on them takes. Run a command below with --help for its options.

python benchmarks/beyond.py make big.parquet --gb 10     a table from a seed, written in pieces
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

NUMBERS, PER_GROUP = 40, 250_000  # columns of numbers, and rows in a group of a Parquet file
ROW_BYTES = 8 * NUMBERS + 8 + 2 + 1 + 8  # about, as Parquet holds them: random bits can't be packed
PLACES = np.array([f"place {i}" for i in range(60)])
KINDS = np.array(["red", "green", "blue"])


def pieces(rows: int, seed: int) -> Iterator[pl.DataFrame]:
    """Yield rows of a table whose target depends on its columns in ways that a line can't follow."""
    effects = np.random.default_rng(seed).normal(size=len(PLACES))
    for number, start in enumerate(range(0, rows, PER_GROUP)):
        n, rng = min(PER_GROUP, rows - start), np.random.default_rng([seed, number])
        x = rng.normal(size=(n, NUMBERS))
        place, kind, day = (
            rng.integers(len(PLACES), size=n),
            rng.integers(len(KINDS), size=n),
            rng.integers(3650, size=n),
        )
        y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * x[:, 3:10].sum(axis=1) + effects[place] + (kind == 1)
        y += np.cos(day / 7) + 0.3 * rng.normal(size=n)
        columns: dict[str, Any] = {f"x{j}": x[:, j] for j in range(NUMBERS)}
        columns |= {"place": PLACES[place], "kind": KINDS[kind], "day": day.astype("datetime64[D]"), "y": y}
        yield pl.DataFrame(columns)


def make(out: Path, gb: float, seed: int = 0) -> None:
    """Write a table of about so many GB, in constant memory."""
    tables = pieces(int(gb * 1e9 / ROW_BYTES), seed)
    first = next(tables)

    def source(*_: Any) -> Iterator[pl.DataFrame]:
        yield first
        yield from tables

    register_io_source(source, schema=first.schema).sink_parquet(out, row_group_size=PER_GROUP)


def main() -> None:
    """Carry out a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in {"make": make}.items():
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("out", type=Path)
        command.add_argument("--gb", type=float, default=0.1)
    options = vars(parser.parse_args())
    options.pop("command")
    options.pop("run")(**options)


if __name__ == "__main__":
    main()
