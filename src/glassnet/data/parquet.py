"""Parquet files as Polars reads them. A damaged file is an error of one line."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ONE_AT_A_TIME = threading.Lock()


@contextmanager
def refusing_damage(path: Path) -> Iterator[None]:
    """Raise ValueError, naming the file, for Polars' errors and its panics, which aren't subclasses of `Exception`."""
    import polars as pl

    try:
        with _quiet():
            yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} can't be read as Parquet ({reason})") from None


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
