"""Tables that don't fit into memory: what training on them takes.

python benchmarks/beyond.py make big.parquet --gb 10     # a table from a seed, written in pieces
python benchmarks/beyond.py memory big.parquet           # the most memory that the default takes
python benchmarks/beyond.py prepare big.parquet          # the rate of both passes beside that of the parser
python benchmarks/beyond.py epoch two.parquet            # an epoch beside one of the same rows in memory
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

import glassnet as gn
from glassnet.data.stored.blocks import blocks

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


def make(table: Path, gb: float = 0.1, seed: int = 0) -> None:
    """Write a table of about so many GB, in constant memory."""
    tables = pieces(int(gb * 1e9 / ROW_BYTES), seed)
    first = next(tables)

    def source(*_: Any) -> Iterator[pl.DataFrame]:
        yield first
        yield from tables

    register_io_source(source, schema=first.schema).sink_parquet(table, row_group_size=PER_GROUP)


def memory(table: Path, limit: str = "30s", amount: str = "1GB") -> None:
    """Train the default pack, and print the most memory that its process had."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["train", str(table), "--target", "y", "--memory", amount, "--time", limit, "--quiet"]
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "glassnet", *command, "--out", f"{folder}/run"], check=True)
        seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"{table.stat().st_size / 1e9:.1f} GB of Parquet, memory {amount}: at most {most:.2f} GB, {seconds:.0f} s")


def prepare(table: Path, amount: str = "1GB") -> None:
    """Print how fast a table is read, and how fast it becomes a sample and chunks."""
    gigabytes = table.stat().st_size / 1e9
    parsing = seconds_of(lambda: [None for _ in blocks(table)])
    loaded: list[gn.Dataset] = []
    sample = seconds_of(lambda: loaded.append(gn.load(table, target="y", memory=amount)))
    stored = loaded[0].train.stored
    assert stored is not None
    dealing = seconds_of(lambda: next(stored.read_ahead([0], lambda rows: rows)))
    for name, taken in (("parser alone", parsing), ("sample", sample), ("chunks", dealing)):
        print(f"{name:12} {taken:6.1f} s  {gigabytes / taken:.2f} GB/s  {parsing / taken:.2f} of the parser's rate")


def epoch(table: Path, rounds: int = 3, amount: str = "1GB") -> None:
    """Print the seconds of an epoch of one network on rows in chunks, beside the same rows in memory."""
    stored = gn.load(table, target="y", memory=amount)
    assert stored.train.stored is not None
    chunks = list(stored.train.stored.read_ahead(range(len(stored.train.sizes)), lambda rows: rows))
    rows = gn.Split(np.concatenate([each.x for each in chunks]), np.concatenate([each.y for each in chunks]))
    del chunks
    taken: dict[str, list[float]] = {"in memory": [], "in chunks": []}
    for _ in range(rounds):
        for name, data in (("in memory", replace(stored, train=rows)), ("in chunks", stored)):
            columns = gn.Columns(**stored.columns())
            width = columns.width_out(None)
            assert width is not None
            net = gn.Network([columns, gn.Dense(width, 128), gn.ReLU(), gn.Dense(128, 1), gn.Unstandardize()])
            net.fit_preprocessing(stored.train.x, stored.train.y)
            history = gn.fit(net, data, gn.MSE(), gn.AdamW(lr=1e-3), epochs=1, batch_size=256, validate=False)
            taken[name].append(history["seconds"][-1])
    memory, disk = (statistics.median(each) for each in taken.values())
    print(f"{len(rows):,} rows: {memory:.2f} s in memory, {disk:.2f} s in chunks, {disk / memory:.2f} times")


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Carry out a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for run in (make, memory, prepare, epoch):
        command = commands.add_parser(run.__name__, help=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("table", type=Path)
        for name, each in list(signature(run).parameters.items())[1:]:
            command.add_argument(f"--{name}", type=type(each.default), default=each.default)
    options = vars(parser.parse_args())
    options.pop("command")
    options.pop("run")(**options)


if __name__ == "__main__":
    main()
