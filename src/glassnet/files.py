"""Files that are either whole or not there. The floor of the house: every room may stand on it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """The folder for what can be had again, downloads and compiled kernels: ~/.cache/glassnet on Linux."""
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("glassnet"))


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` if the block succeeds, remove it if not.

    The rename is atomic, so a reader, or a process killed at any moment, finds the old file or the new one,
    never half of one. Raises ValueError if `path` is a folder, OSError if the file can't be written.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name the file to write")
    part = path.with_name(f".{path.stem}-{os.urandom(4).hex()}.part{path.suffix}")
    try:
        part.touch(exist_ok=False)
    except OSError as error:
        error.filename = os.fspath(path)  # the temporary file's name would tell nobody anything
        raise
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        try:
            part.replace(path)
        except OSError as error:
            error.filename, error.filename2 = os.fspath(path), None
            raise
    finally:
        part.unlink(missing_ok=True)


def finite(value: Any) -> Any:
    """Return the same, dicts and lists to any depth, with None for NaN and infinity, which JSON doesn't know."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
