"""Which kernels are used: those of the wheel, else those that a compiler makes. Without either, NumPy does the work."""

from __future__ import annotations

import functools
import os
import warnings
from typing import Any

import numpy as np

from glassnet.fast import compiling, shipped
from glassnet.fast.library import NoKernelsError
from glassnet.fast.structures import Library

VARIABLE = "GLASSNET_KERNELS"
SOURCES = {"": (shipped, compiling), "wheel": (shipped,), "native": (compiling,), "none": ()}


@functools.cache
def load_kernels(dtype: np.dtype[Any]) -> Library | NoKernelsError:
    """Return the kernels for float32 or float64, compiled now if there are none yet, or the reason why there are none.

    GLASSNET_KERNELS in the environment may ask for "wheel", "native" or "none". Raises ValueError if it says another.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in SOURCES:
        raise ValueError(
            f"the environment variable {VARIABLE} is {wanted!r}: it must be native, wheel or none, or unset"
        )
    faults = []
    for source in SOURCES[wanted]:
        try:
            return source.load(dtype)
        except NoKernelsError as error:
            faults.append(str(error))
    return NoKernelsError("; ".join(faults) or f"{VARIABLE} is {wanted}")


def level(dtype: np.dtype[Any]) -> str:
    """Say which build of the kernels there is for this type. Another's results differ in their last bits."""
    library = load_kernels(dtype)
    return "NumPy" if isinstance(library, NoKernelsError) else library.level


def missing(dtype: np.dtype[Any]) -> str | None:
    """Say why there are no kernels. None if there are, or if nobody wants them."""
    library = load_kernels(dtype)
    return str(library) if isinstance(library, NoKernelsError) and os.environ.get(VARIABLE) != "none" else None


@functools.cache
def tell_slow(why: str) -> None:
    """Warn, once in a process, that a training takes longer than it would with kernels, and what helps."""
    warnings.warn(
        f"NumPy trains and predicts, slower than compiled kernels would: {why}. Install a wheel of glassnet for this"
        " platform, which brings them, or a C compiler, such as gcc; the environment variable CC may name it",
        RuntimeWarning,
        stacklevel=2,
    )
