"""The kernels that came with the wheel: a library for each level of the processor and number type.

hatch_build.py puts them there. An installation from the sources has none.
"""

from __future__ import annotations

import os
import sys
from ctypes import CDLL, c_char_p
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.fast.library import NoKernelsError, opened
from glassnet.fast.structures import Library

FOLDER = Path(__file__).parent / "built"
SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


def load(dtype: np.dtype[Any]) -> Library:
    """Load the best build that this processor can run. Raises NoKernelsError if there is none."""
    if not FOLDER.is_dir():
        raise NoKernelsError("no kernels came with this installation")
    for level in levels():
        path = FOLDER / f"{level}-{dtype.name}{SUFFIX}"
        if path.is_file():
            try:
                library = opened(path)
            except NoKernelsError as error:
                raise NoKernelsError(f"{path}, which came with this installation, can't be used: {error}") from None
            library.level = f"wheel {level}"
            return library
    raise NoKernelsError("the kernels that came with this installation are for other processors")


def levels() -> list[str]:
    """Return the levels that this processor can run, best first: probe.c asks it."""
    try:
        probe = CDLL(os.fspath(FOLDER / f"probe{SUFFIX}"))
    except OSError as error:
        raise NoKernelsError(f"the kernels that came with this installation can't be loaded: {error}") from None
    probe.levels.restype = c_char_p
    said: bytes = probe.levels()
    return said.decode().split()
