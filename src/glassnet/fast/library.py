"""The kernels as shared libraries, one for each number type: compiled once per machine and version, and kept."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shlex
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from glassnet.fast.kernels import kind_names
from glassnet.fast.structures import Library, declare
from glassnet.files import cache_folder, holding, reason, replacing

SOURCES = Path(__file__).parent / "c"
# Not -ffast-math: NaN must stay NaN, and linking with it would change the arithmetic of the whole process.
# -O3 takes twice as long to compile, and gains nothing measurable.
FLAGS = [
    "-std=gnu11",
    "-O2",
    "-ftree-vectorize",
    "-fvect-cost-model=dynamic",
    "-march=native",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-shared",
    "-fPIC",
    "-pthread",
]
PATIENCE = 120  # seconds that a compiler has; it takes about three
LISTENED = 100_000  # bytes of its output that are searched for an error


class NoKernelsError(RuntimeError):
    """The kernels can't be had here; the message says why."""


@functools.cache
def load_kernels(dtype: np.dtype[Any]) -> Library | NoKernelsError:
    """Return the kernels for float32 or float64, compiled now if they aren't yet, or the reason why there are none.

    A RuntimeWarning says once if NumPy does the work instead, or if the kernels aren't kept.
    """
    try:
        return _library([*FLAGS, "-DDOUBLE"] if dtype == np.float64 else FLAGS)
    except NoKernelsError as error:
        _say(
            f"NumPy trains and predicts, slower than compiled kernels would: {error}. Kernels need a C compiler that"
            " works, such as gcc: install one, or name it in the environment variable CC"
        )
        return error


@functools.cache
def _say(what: str) -> None:
    """Warn, once in a process."""
    warnings.warn(what, RuntimeWarning, stacklevel=4)


def _library(flags: list[str]) -> Library:
    """Load the library from the user's cache, where one process puts it for all, or from this process's own folder."""
    compiler = _compiler()
    key = hashlib.sha256(repr((compiler, flags, _processor())).encode())
    for source in sorted(SOURCES.iterdir()):
        key.update(source.read_bytes())
    name = key.hexdigest()[:24]
    try:
        folder = cache_folder() / "kernels"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fault = _exposed(folder, stat.S_ISDIR)
        if fault is None:
            found = _kept(folder, name)
            if found is not None:
                return found
            with holding(folder, PATIENCE):  # one process compiles for all
                return _kept(folder, name) or _compiled(compiler, flags, folder, name)
        _say(f"the compiled kernels aren't kept, so each process compiles its own: {fault}")
        with tempfile.TemporaryDirectory(prefix="glassnet-") as private:
            return _compiled(compiler, flags, Path(private), name)
    except BlockingIOError:
        raise NoKernelsError(f"another process hasn't compiled them within {PATIENCE} seconds") from None
    except OSError as error:
        raise NoKernelsError(f"the compiled kernels can't be kept or loaded: {reason(error)}") from None


def _exposed(path: Path, kind: Callable[[int], bool]) -> str | None:
    """Say why code can't be loaded from a file or folder, because others may have written it."""
    found = path.lstat()
    if not kind(found.st_mode):
        return f"{path} is a link, or no {'folder' if kind is stat.S_ISDIR else 'file'}; remove it"
    if hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), 0):
        return f"{path} belongs to another user; remove it"
    if os.name != "nt" and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write to {path}; remove it"
    return None


def _kept(folder: Path, name: str) -> Library | None:
    """Load the library that an earlier process kept. A file that changed since is removed."""
    for path in folder.glob(f"{name}-*.so"):
        fault = _exposed(path, stat.S_ISREG)
        if fault is None and path.name == _file_name(name, path):  # a library cut short would kill the process
            return _opened(path)
        _say(f"the kernels are compiled anew: {fault or f'{path} was damaged'}")
        path.unlink(missing_ok=True)
    return None


def _file_name(name: str, path: Path) -> str:
    """The name of a library's file: a checksum of its sources, and one of its content."""
    return f"{name}-{hashlib.sha256(path.read_bytes()).hexdigest()[:24]}.so"


def _opened(path: Path) -> Library:
    """Load a library, and compare its structures with those of structures.py."""
    try:
        library = Library(os.fspath(path))
        declare(library, kind_names())
    except (OSError, AttributeError, ValueError) as error:
        fault = str(error).replace(f"{path}: ", "")  # it is a temporary name
        raise NoKernelsError(f"the C compiler's result can't be used: {fault}") from None
    return library


def _compiled(compiler: list[str], flags: list[str], folder: Path, name: str) -> Library:
    """Compile the library into a folder, and load it."""
    path = folder / f"{name}.so"
    with replacing(path) as part:
        _run(compiler, [*flags, os.fspath(SOURCES / "program.c"), "-o", os.fspath(part), "-lm"])
        part.chmod(0o700)  # independent of the umask
        library = _opened(part)
    path.rename(folder / _file_name(name, path))
    return library


def _run(compiler: list[str], arguments: list[str]) -> None:
    """Run the compiler. Raises NoKernelsError, with its first error, if it fails or takes too long."""
    import signal
    import subprocess

    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                [*compiler, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        except OSError as error:
            raise NoKernelsError(f"{shlex.join(compiler)} can't compile the kernels: {reason(error)}") from None
        try:
            status = process.wait(PATIENCE)
        except BaseException as error:  # Ctrl-C, too, ends all processes that the compiler has started
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                fault = f"it wasn't done within {PATIENCE} seconds"
                raise NoKernelsError(f"{shlex.join(compiler)} can't compile the kernels: {fault}") from None
            raise
        if status != 0:
            said.seek(0)
            lines = said.read(LISTENED).decode("utf-8", errors="replace").splitlines()
            fault = next((line for line in lines if "error" in line), next(iter(lines), f"its exit status is {status}"))
            fault = shorten(fault, 200, placeholder="...")
            raise NoKernelsError(f"{shlex.join(compiler)} can't compile the kernels: {fault}")


def _compiler() -> list[str]:
    """The C compiler's command: that of the environment variable CC, else the first that is installed."""
    variable = os.environ.get("CC", "")
    try:
        given = shlex.split(variable)
    except ValueError as error:
        raise NoKernelsError(f"the environment variable CC is {variable!r}: {error}") from None
    names = [given[0]] if given else ["cc", "gcc", "clang"]
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise NoKernelsError(f"there is no C compiler ({', '.join(names)})")
    return [found, *given[1:]]


def _processor() -> str:
    """The processor's features, which the compiled code depends on: -march=native uses all of them."""
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
            features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    except OSError:
        features = platform.processor()
    return f"{platform.system()} {platform.machine()} {features}"
