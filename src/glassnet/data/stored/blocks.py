"""A table of any size, some rows at a time, in constant memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet.data.arrays import array_in, rows_of_array
from glassnet.data.csv_text import read_text
from glassnet.data.dialect import FRAMES, TEXT, dialect_of, table_endings
from glassnet.data.typed import refusing_damage, require_table, scan
from glassnet.meanwhile import ahead
from glassnet.terminal import bar_fits

if TYPE_CHECKING:
    import polars as pl

CELLS = 1 << 21  # values in a block
READ = 3  # blocks that are read at once. More take more memory. With fewer, a group of rows is unpacked more often.
STREAMED = (".parquet", ".arrow", ".feather")
ARRAY = ".npy"


def files_of(path: Path) -> list[Path]:
    """Return the files of a table: itself, those in a folder, or those that fit a pattern such as part-*.parquet."""
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if read_in_pieces(each))
    elif is_pattern(path):
        found = sorted(path.parent.glob(path.name))
    else:
        return [require_table(path)]
    if not found:
        raise ValueError(f"{path} holds no table, such as a .parquet, .csv or .npy file")
    return [require_table(each) for each in found]


def read_in_pieces(file: Path) -> bool:
    """Whether a file is of a kind that needn't be read whole."""
    return table_endings(file)[0] in (*STREAMED, *TEXT) or file.suffix.lower() == ARRAY


def is_pattern(path: Path) -> bool:
    """Whether a path is a pattern for the names of files, and not a file that is called so."""
    return any(letter in path.name for letter in "*?[") and not path.exists()


def blocks(path: Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of a table in order. Those of text are text, as written. An array's columns are x0, x1, ....

    Raises ValueError for files of other kinds, damaged ones, and files in a folder that have other columns, or columns
    of another kind. Numbers are of the type that holds those of all files.
    """
    files = files_of(path)
    types = _common_types(files)
    schema: pl.Schema | None = None
    for file in files:
        for frame in _blocks_of(file):
            frame = frame.with_columns(frame[name].cast(kind) for name, kind in types.items() if name in frame.columns)
            schema = schema or frame.schema
            if frame.columns != schema.names():
                raise ValueError(f"{file} has other columns than the files before it: {', '.join(frame.columns)}")
            for name, kind in frame.schema.items():
                if kind != schema[name]:
                    raise ValueError(
                        f"{file}: column {name!r} is of type {kind}, and of type {schema[name]} in the files before it:"
                        " write it alike in all of them"
                    )
            yield frame


def _common_types(files: Sequence[Path]) -> dict[str, pl.DataType]:
    """Return the type that holds the values of all files, of columns whose types differ and are of one kind."""
    import polars as pl

    if len(files) == 1:
        return {}
    found: dict[str, set[pl.DataType]] = {}
    for file in files:
        if table_endings(file)[0] in STREAMED:
            with refusing_damage(file):
                for name, kind in _scan(file).collect_schema().items():
                    found.setdefault(name, set()).add(kind)
    kinds: tuple[Callable[[pl.DataType], bool], ...] = (
        lambda kind: kind.is_numeric(),
        lambda kind: kind.is_temporal(),
        lambda kind: kind in (pl.String, pl.Categorical, pl.Enum),
    )
    return {
        name: pl.concat([pl.DataFrame(schema={name: each}) for each in types], how="vertical_relaxed").schema[name]
        for name, types in found.items()
        if len(types) > 1 and any(all(each == pl.Null or alike(each) for each in types) for alike in kinds)
    }


def _scan(file: Path) -> pl.LazyFrame:
    if table_endings(file)[0] == ".parquet":
        return scan(file)[0]
    import polars as pl

    return pl.scan_ipc(file)  # in pieces, not whole


def _blocks_of(file: Path) -> Iterator[pl.DataFrame]:
    ending = table_endings(file)[0]
    if file.suffix.lower() == ARRAY:
        yield from _of_array(file)
        return
    if ending in TEXT:
        yield from ahead(read_text(file, dialect_of(file)))
        return
    if ending not in STREAMED:
        kinds = f"{FRAMES[ending]} file" if ending in FRAMES else "file of this kind"
        raise ValueError(f"{file}: a {kinds} is read whole, so it must fit into memory; write it as Parquet")
    with refusing_damage(file):
        table = _scan(file)
        rows = max(1, CELLS // max(1, len(table.collect_schema())))
    for frame in ahead(_slices(file, table, READ * rows)):
        yield from frame.iter_slices(rows)


def _slices(file: Path, table: pl.LazyFrame, rows: int) -> Iterator[pl.DataFrame]:
    for start in itertools.count(0, rows):
        with refusing_damage(file):
            frame = table.slice(start, rows).collect()
        if not frame.is_empty():
            yield frame
        if frame.height < rows:
            return


def _of_array(file: Path) -> Iterator[pl.DataFrame]:
    import polars as pl

    array = array_in(file)
    if array.ndim != 2 or array.dtype.kind not in "buif" or not array.size:
        raise ValueError(
            f"{file} is an array of {array.dtype}, {array.shape}; numbers of shape (N, columns) are needed"
        )
    names = [f"x{j}" for j in range(array.shape[1])]
    rows = max(1, CELLS // len(names))
    for start in range(0, len(array), rows):
        values = rows_of_array(file, array, start, min(start + rows, len(array)))
        yield pl.DataFrame({name: np.ascontiguousarray(values[:, j]) for j, name in enumerate(names)})


def rows_known(path: Path) -> int | None:
    """Return how many rows a table has, if its files say so without being read."""
    import polars as pl

    total = 0
    for file in files_of(path):
        if file.suffix.lower() == ARRAY:
            total += len(array_in(file))
        elif file.suffix.lower() == ".parquet":
            with refusing_damage(file):
                total += int(_scan(file).select(pl.len()).collect().item())
        else:
            return None
    return total


def with_bar(path: Path, what: str, rows: int | None = None) -> Iterator[pl.DataFrame]:
    """Yield the blocks of a table, and where a bar fits show how many rows went by, how fast, and the time left.

    rows: how many there are, if that is known; otherwise files that say so are asked.
    """
    if not bar_fits():
        yield from blocks(path)
        return
    from tqdm import tqdm

    total = rows_known(path) if rows is None else rows
    with tqdm(total=total, desc=what, unit=" rows", unit_scale=True, leave=False) as bar:
        for frame in blocks(path):
            yield frame
            bar.update(frame.height)
