"""Files whose columns have types: Parquet, Arrow and Excel. A damaged file is an error of one line."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from glassnet.data.checks import require_file
from glassnet.data.dialect import FRAMES
from glassnet.extras import need

if TYPE_CHECKING:
    import polars as pl

ONE_AT_A_TIME = threading.Lock()


def require_table(path: Path) -> Path:
    """Return the path of a table if it is there, and what reads it is installed."""
    need("tables", "polars")
    if path.suffix.lower() == ".xlsx":
        need("excel", "openpyxl")
    return require_file(path)


def scan(path: Path) -> tuple[pl.LazyFrame, list[str]]:
    """Open a file, by its ending, and return what it holds, to be read when it is collected, and notes on it."""
    import polars as pl

    ending = path.suffix.lower()
    if ending == ".parquet":
        return pl.scan_parquet(path, glob=False, hive_partitioning=False), []
    if ending != ".xlsx":
        return pl.read_ipc(path.read_bytes()).lazy(), []  # whole: another program may change a mapped file
    sheets = pl.read_excel(path, sheet_id=0, engine="openpyxl", raise_if_empty=False)
    name, frame = next(iter(sheets.items()))
    return frame.lazy(), [f"of its {len(sheets)} sheets the first was read, {name!r}"] if len(sheets) > 1 else []


@contextmanager
def refusing_damage(path: Path) -> Iterator[None]:
    """Raise ValueError, naming the file, for Polars' errors and its panics, which aren't subclasses of `Exception`."""
    import polars as pl

    try:
        with _quiet():
            yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, BadZipFile, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} can't be read as {FRAMES[path.suffix.lower()]} ({reason})") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the lines from standard error that a thread of Rust writes when it panics. No setting turns them off."""
    with ONE_AT_A_TIME:  # or one would restore the other's replacement
        try:
            stderr = os.dup(2)
        except OSError:  # closed
            yield
            return
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
