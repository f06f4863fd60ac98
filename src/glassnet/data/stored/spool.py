"""Rows that come in chunks, from Python: they are written down, because they are read twice."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from glassnet.data.dataset import Dataset
from glassnet.data.frames import as_polars, is_frame
from glassnet.data.stored.chunks import Chunks
from glassnet.data.stored.room import amount
from glassnet.data.stored.table import load_stored
from glassnet.extras import need
from glassnet.files import passing_folder

TARGET = "y"  # what the target of a pair of arrays is called


class _Owner:
    """What the folder goes with."""


def load_chunks(chunks: Iterable[Any], *, target: str | None, memory: str | None, **settings: Any) -> Dataset:
    """Load rows as `load_stored` does from chunks: data frames, or pairs of arrays x (n, width) and y (n,).

    The columns of x are called x0, x1, ..., and y is called "y". The chunks are written to local disk as they come, and
    removed with the dataset. Raises TypeError for chunks of another kind, ValueError if there are none.
    """
    need("tables", "polars")
    owner = _Owner()
    folder, remove = passing_folder(owner)
    try:
        for number, chunk in enumerate(chunks):
            file = io.BytesIO()
            _frame(chunk).write_parquet(file)
            content = file.getvalue()
            part = folder / f"{number:06}-{zlib.crc32(content):08x}.parquet"  # the same rows have the same name
            part.write_bytes(content)
            os.utime(part, (0, 0))
        if not any(folder.iterdir()):
            raise ValueError("there are no chunks of rows")
        data = load_stored(folder, target=target or TARGET, memory=memory or amount(), **settings)
    except BaseException:
        remove()
        raise
    data.name = "chunks"
    stored = data.train.stored
    assert isinstance(stored, Chunks)
    stored.source = owner  # whose folder is read once more
    return data


def _frame(chunk: Any) -> Any:
    """A chunk as a data frame."""
    import polars as pl

    if is_frame(chunk):
        return as_polars(chunk)
    if not (isinstance(chunk, tuple) and len(chunk) == 2):
        raise TypeError(f"a chunk is a data frame, or a pair of arrays (x, y), not {type(chunk).__name__}")
    x, y = map(np.asarray, chunk)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(f"a chunk has x of shape {x.shape} and y of {y.shape}; they are (n, width) and (n,)")
    columns = {f"x{j}": np.ascontiguousarray(x[:, j]) for j in range(x.shape[1])}
    return pl.DataFrame(columns | {TARGET: y})
