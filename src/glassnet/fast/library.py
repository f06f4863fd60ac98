"""The kernels as shared libraries, one for each number type: compiled once per machine and version, and kept."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.fast.structures import DECLARATIONS
from glassnet.files import cache_folder, replacing

SOURCES = Path(__file__).parent / "c"
# Not -ffast-math: NaN must stay NaN, and linking with it would change the arithmetic of the whole process.
# -O3 takes twice as long to compile, and gains nothing measurable.
FLAGS = [
    "-std=gnu11", "-O2", "-ftree-vectorize", "-fvect-cost-model=dynamic", "-march=native", "-fno-math-errno",
    "-fno-trapping-math", "-shared", "-fPIC", "-pthread",
]  # fmt: skip


class NoKernelsError(RuntimeError):
    """The kernels can't be had here; the message says why."""


@functools.cache
def load(dtype: np.dtype[Any]) -> ctypes.CDLL | NoKernelsError:
    """Return the kernels for float32 or float64, compiling them if this machine hasn't yet; or why that can't be."""
    try:
        library = ctypes.CDLL(os.fspath(_compiled([*FLAGS, "-DDOUBLE"] if dtype == np.float64 else FLAGS)))
        for name, (result, arguments) in DECLARATIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except NoKernelsError as error:
        return error
    except OSError as error:
        return NoKernelsError(f"the compiled kernels can't be kept or loaded: {error}")
    return library


def _compiled(flags: list[str]) -> Path:
    """The library's file in the user's cache, which is compiled if it isn't there."""
    import hashlib
    import subprocess

    command = _compiler()
    key = hashlib.sha256(repr((command, flags, _processor())).encode())
    for source in sorted(SOURCES.iterdir()):
        key.update(source.read_bytes())
    path = cache_folder() / "kernels" / f"{key.hexdigest()[:24]}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            parts = [*command, *flags, os.fspath(SOURCES / "program.c"), "-o", os.fspath(part), "-lm"]
            try:
                subprocess.run(parts, check=True, capture_output=True, text=True, timeout=120)
            except subprocess.CalledProcessError as error:
                fault = next((line for line in error.stderr.splitlines() if "error" in line), error.stderr[:200])
                raise NoKernelsError(f"{shlex.join(command)} can't compile the kernels: {fault.strip()}") from None
            except (OSError, subprocess.TimeoutExpired) as error:
                raise NoKernelsError(f"{shlex.join(command)} can't compile the kernels: {error}") from None
    return path


def _compiler() -> list[str]:
    """The C compiler's command: that of the environment variable CC, else the first that is installed."""
    given = shlex.split(os.environ.get("CC", ""))
    names = [given[0]] if given else ["cc", "gcc", "clang"]
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise NoKernelsError(f"there is no C compiler ({', '.join(names)})")
    return [found, *given[1:]]


def _processor() -> str:
    """What the compiled code depends on: -march=native uses all that this processor can do."""
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
            features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        features = platform.processor()
    return f"{platform.system()} {platform.machine()} {features}"
