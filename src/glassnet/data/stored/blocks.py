"""A table of any size, some rows at a time, in constant memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.data.csv_text import read_text
from glassnet.data.dialect import FRAMES, TEXT, dialect_of, table_endings
from glassnet.data.typed import refusing_damage, require_table

if TYPE_CHECKING:
    import polars as pl

CELLS = 1 << 21  # values in a block
READ = 3  # blocks that are read at once. More take more memory. With fewer, a group of rows is unpacked more often.
STREAMED = (".parquet", ".arrow", ".feather")


def files_of(path: Path) -> list[Path]:
    """Return the files of a table: itself, those in a folder, or those that fit a pattern such as part-*.parquet."""
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if table_endings(each)[0] in (*STREAMED, *TEXT))
    elif is_pattern(path):
        found = sorted(path.parent.glob(path.name))
    else:
        return [require_table(path)]
    if not found:
        raise ValueError(f"{path} holds no table, such as a .parquet or .csv file")
    return [require_table(each) for each in found]


def is_pattern(path: Path) -> bool:
    """Whether a path is a pattern for the names of files, and not a file that is called so."""
    return any(letter in path.name for letter in "*?[") and not path.exists()


def blocks(path: Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of a table in order. Those of text are text, as written.

    Raises ValueError for files of other kinds, damaged ones, and files in a folder that have other columns.
    """
    columns: list[str] = []
    for file in files_of(path):
        for frame in _blocks_of(file):
            columns = columns or frame.columns
            if frame.columns != columns:
                raise ValueError(f"{file} has other columns than the files before it: {', '.join(frame.columns)}")
            yield frame


def _blocks_of(file: Path) -> Iterator[pl.DataFrame]:
    import polars as pl

    ending = table_endings(file)[0]
    if ending in TEXT:
        yield from read_text(file, dialect_of(file))
        return
    if ending not in STREAMED:
        kinds = f"{FRAMES[ending]} file" if ending in FRAMES else "file of this kind"
        raise ValueError(f"{file}: a {kinds} is read whole, so it must fit into memory; write it as Parquet")
    with refusing_damage(file):
        parquet = ending == ".parquet"
        table = pl.scan_parquet(file, glob=False, hive_partitioning=False) if parquet else pl.scan_ipc(file)
        rows = max(1, CELLS // max(1, len(table.collect_schema())))
    for start in itertools.count(0, READ * rows):
        with refusing_damage(file):
            frame = table.slice(start, READ * rows).collect()
        if not frame.is_empty():
            yield from frame.iter_slices(rows)
        if frame.height < READ * rows:
            return
