"""Checks for readers of files: is the file there, and which name was meant."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from glassnet.files import regular

SHOWN = 8  # names listed in an error before it says "and n more"


def require_file(path: str | os.PathLike[str]) -> Path:
    """Give `path` as a Path. Raises FileNotFoundError if nothing is there, ValueError if it is no regular file."""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give the path of a file in it")
    if not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    return regular(path)


@contextmanager
def blaming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let a ValueError about what a file holds name the file."""
    try:
        yield
    except ValueError as error:
        if os.fspath(path) in str(error):
            raise
        raise ValueError(f"{os.fspath(path)}: {error}") from error


def closest_first(name: str, names: Iterable[str]) -> list[str]:
    """Sort `names` by their likeness to `name`, the most alike first."""
    from difflib import SequenceMatcher

    return sorted(names, key=lambda other: -SequenceMatcher(None, name.lower(), other.lower()).ratio())


def listed(names: Iterable[str], shown: int = SHOWN) -> str:
    """Write names in one line: the first few in full, the others as a number."""
    names = list(names)
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(repr(name) for name in names[:shown]) + more
