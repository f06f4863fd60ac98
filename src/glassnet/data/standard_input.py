"""A table from standard input, as a file: it is read more than once."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glassnet.files import replacing

NAME = "-"  # names standard input in place of a file
MAGIC = {b"PAR1": ".parquet", b"ARROW1": ".arrow", b"\x1f\x8b": ".csv.gz", b"PK": ".xlsx"}  # how files begin


def keep(folder: Path) -> Path:
    """Write standard input to a file in a folder, named by what it holds. Raises ValueError if that is nothing."""
    if sys.stdin is None:
        raise ValueError("there is no standard input to read a table from: name a file")
    source = sys.stdin.buffer
    first = source.read(8)
    if not first:
        raise ValueError("standard input is empty: there is no table in it")
    ending = next((ending for magic, ending in MAGIC.items() if first.startswith(magic)), ".csv")
    path = folder / f"table{ending}"
    with replacing(path) as part, part.open("wb") as file:
        file.write(first)
        shutil.copyfileobj(source, file)
    return path


@contextmanager
def as_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give the path of a table; for "-" that of a file with what standard input holds, which is removed again."""
    if os.fspath(path) != NAME:
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="glassnet-") as folder:
        file = keep(Path(folder))
        try:
            yield file
        except ValueError as error:  # names the table as its user did
            raise ValueError(str(error).replace(str(file), table_name(path))) from error


def table_name(path: str | os.PathLike[str]) -> str:
    """Return how a table is named in a line for people."""
    return "standard input" if os.fspath(path) == NAME else str(path)
