"""Rows on disk, dealt at random into chunks that fit into memory."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glassnet.data.dataset import Split, T
from glassnet.files import making, passing_folder
from glassnet.meanwhile import ahead

ManyRows = Iterator[tuple[NDArray[Any], NDArray[Any]]]  # some x (n, width) and y (n,) at a time


class Form(NamedTuple):
    """How rows are stored: how many values one has, and the types of x and y."""

    width: int
    x: str
    y: str

    @property
    def row_bytes(self) -> int:
        """The bytes of a row."""
        return self.width * np.dtype(self.x).itemsize + np.dtype(self.y).itemsize


class Chunks:
    """Rows in chunks, in a folder that is written when a chunk is first read.

    Each block of rows is dealt out evenly, at random by the seed, so a chunk is a random sample of the table, and its
    rows stand in the table's order. rows: reads them all. sizes: rows in each chunk. fingerprint: of the rows and how
    they are dealt. cache: a folder that keeps them; otherwise they are removed when this object, or its process, ends.
    """

    def __init__(
        self, rows: Callable[[], ManyRows], total: int, form: Form, most: int, fingerprint: str, seed: int,
        cache: Path | None = None,
    ) -> None:  # fmt: skip
        count = max(1, -(-total // most))
        self.rows = rows
        self.form = form
        self.fingerprint = f"{fingerprint} in {count} chunks"
        self.sizes: list[int] = [(total - number + count - 1) // count for number in range(count)]
        self.seed = seed
        self.cache = cache
        self.networks: int = 1
        self.class_weights: NDArray[np.float64] | None = None
        self.source: object = None  # something that the rows need for as long as they may be read
        self._lock = threading.Lock()
        self._folder: Path | None = None

    def read_ahead(self, numbers: Sequence[int], ready: Callable[[Split], T]) -> Iterator[T]:
        """Yield what `ready` makes of the chunks with these numbers. A thread makes the next one meanwhile."""
        folder = self._prepared()
        return ahead(ready(self._read(folder, number)) for number in numbers)

    @property
    def size(self) -> int:
        """The bytes that they take on disk."""
        return sum(self.sizes) * self.form.row_bytes

    def _read(self, folder: Path, number: int) -> Split:
        n = self.sizes[number]
        x = np.fromfile(folder / f"x-{number}", self.form.x).reshape(n, self.form.width)
        y = np.fromfile(folder / f"y-{number}", self.form.y, n)
        return Split(x, y, weights=None if self.class_weights is None else self.class_weights[y])

    def _prepared(self) -> Path:
        """The folder, which is whole or not there."""
        with self._lock:
            if self._folder is not None:
                return self._folder
            if self.cache is not None:
                name = f"{self.fingerprint} {self.form} {self.seed}"
                folder = self.cache / f"glassnet-{hash_of(name)}"
                if not folder.is_dir():
                    self.cache.mkdir(parents=True, exist_ok=True)
                    with making(folder) as part:
                        self._write(part)
            else:
                folder, remove = passing_folder(self)
                try:
                    self._write(folder)
                except BaseException:
                    remove()
                    raise
            self._folder = folder
            return folder

    def _write(self, folder: Path) -> None:
        """Deal all rows into the files of the chunks. Raises OSError if the disk has too little room."""
        disk = os.statvfs(folder) if hasattr(os, "statvfs") else None
        if disk is not None and disk.f_bavail * disk.f_frsize < self.size:
            need, there = self.size / 1e9, disk.f_bavail * disk.f_frsize / 1e9
            fault = f"the rows need {need:.1f} GB of disk, and {there:.1f} GB are free: name another disk with --cache"
            raise OSError(errno.ENOSPC, fault, os.fspath(folder.parent))
        rng, count, dealt = np.random.default_rng([self.seed, 1]), len(self.sizes), 0
        for x, y in self.rows():
            order = rng.permutation(len(y))
            for number in range(count):
                own = np.sort(order[(number - dealt) % count :: count])
                for name, values, kind in (("x", x, self.form.x), ("y", y, self.form.y)):
                    with (folder / f"{name}-{number}").open("ab") as file:
                        values[own].astype(kind, copy=False).tofile(file)
            dealt += len(y)
        if dealt != sum(self.sizes):
            raise ValueError(f"the table was changed while it was read: {dealt} rows in place of {sum(self.sizes)}")
        (folder / "chunks.json").write_text(json.dumps({"sizes": self.sizes, **self.form._asdict()}), encoding="utf-8")


def hash_of(text: str) -> str:
    """Return a short name for a text."""
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()[:16]
