"""Predict tables of one and of ten lengths from the command line: rows a second, and the peak memory of the process.

    python benchmarks/stream.py                  # 1 and 10 million rows: CSV files of 0.2 and 1.8 GB; five minutes
    python benchmarks/stream.py --rows 200000    # smaller ones

The tables have an id, text, and eight features; the network is small, so that it is reading and writing that takes the
time. What is read and written lies in a temporary folder. Memory must not grow with the rows: the exit status is 1 if
ten times as many take more than 1.3 times as much (the allocator takes a while to find its level).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from glassnet import recipes
from race.processes import run

FEATURES = list("abcdefgh")
AT_ONCE = 100_000
GROWTH = 1.3
WAYS = [("csv", "csv"), ("csv", "parquet"), ("parquet", "csv"), ("parquet", "parquet"), ("npy", "parquet")]


def tables(rows: int, seed: int = 0) -> Iterator[pl.DataFrame]:
    """Yield a table of random numbers, some rows at a time."""
    rng = np.random.default_rng(seed)
    for start in range(0, rows, AT_ONCE):
        count = min(AT_ONCE, rows - start)
        x = rng.normal(size=(count, len(FEATURES)))
        identity = pl.Series("id", np.arange(start, start + count))
        yield pl.DataFrame(x, schema=FEATURES).select(identity, pl.lit("Ångström, Å").alias("name"), *FEATURES)


def make(folder: Path, rows: int) -> None:
    """Write the same table in each format."""
    array = np.lib.format.open_memmap(folder / "t.npy", mode="w+", dtype=np.float64, shape=(rows, len(FEATURES)))
    with (folder / "t.csv").open("wb") as file:
        for i, table in enumerate(tables(rows)):
            table.write_csv(file, include_header=i == 0)
            array[i * AT_ONCE :][: len(table)] = table.select(FEATURES).to_numpy()
    pl.scan_csv(folder / "t.csv").sink_parquet(folder / "t.parquet")


def train(folder: Path) -> Path:
    """Train a small network for an epoch on a thousand rows; return the run."""
    known = next(tables(1000, seed=1)).drop("id", "name").with_columns(y=pl.col("a") * pl.col("b") - pl.col("c"))
    known.write_csv(folder / "known.csv")
    changes = ["training.epochs=1", "network.hidden=[16]"]
    recipe = recipes.choose(str(folder / "known.csv"), target="y", changes=changes)
    recipes.train(replace(recipe, pack=None), folder / "run")
    return folder / "run"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    found: dict[tuple[str, str], list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = train(folder)
        print("| from | to | rows | MB read | rows/s | peak memory |")
        print("| --- | --- | ---: | ---: | ---: | ---: |")
        for rows in (options.rows, 10 * options.rows):
            make(folder, rows)
            for source, target in WAYS:
                table, out = folder / f"t.{source}", folder / f"out.{target}"
                command = [sys.executable, "-m", "glassnet", "predict", str(model), str(table), "--out", str(out)]
                done = run(command)
                found[source, target].append(done.megabytes)
                read = table.stat().st_size / 1e6
                print(
                    f"| {source} | {target} | {rows:,} | {read:,.0f} | {rows / done.seconds:,.0f}"
                    f" | {done.megabytes:.0f} MB |",
                    flush=True,
                )
    sys.exit(any(more > GROWTH * few for few, more in found.values()))


if __name__ == "__main__":
    main()
