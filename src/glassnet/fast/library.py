"""A shared library of kernels, opened and compared with structures.py."""

from __future__ import annotations

import os
from pathlib import Path

from glassnet.fast.kernels import kind_names
from glassnet.fast.structures import Library, declare


class NoKernelsError(RuntimeError):
    """The kernels can't be had here; the message says why."""


def opened(path: Path) -> Library:
    """Load a library. Raises NoKernelsError if it can't be loaded, or isn't of this version."""
    try:
        library = Library(os.fspath(path))
        declare(library, kind_names())
    except (OSError, AttributeError, ValueError) as error:
        raise NoKernelsError(str(error).replace(f"{path}: ", "")) from None
    return library
