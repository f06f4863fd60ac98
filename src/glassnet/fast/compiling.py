"""The kernels as the user's C compiler makes them: once per machine, version and number type, and kept in the cache."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shlex
import shutil
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from glassnet.fast.flags import CLANG_X86, FLAGS, GCC
from glassnet.fast.library import NoKernelsError, opened
from glassnet.fast.structures import Library
from glassnet.files import cache_folder, holding, reason, replacing

SOURCES = Path(__file__).parent / "c"
X86 = platform.machine().lower() in ("x86_64", "amd64")
DIALECTS = (GCC, CLANG_X86 if X86 else [])  # a compiler that refuses the first is told the second
PATIENCE = 120  # seconds that a compiler has; it takes about three
REMEMBERED = 86_400  # seconds for which a failure is believed: what it lacked may have been installed since
LISTENED = 100_000  # bytes of its output that are searched for an error


class CompilerError(NoKernelsError):
    """The compiler was called, and failed. That is remembered."""


def load(dtype: np.dtype[Any]) -> Library:
    """Load the library from the user's cache, where one process puts it for all, or from this process's own folder.

    A RuntimeWarning says once if it isn't kept. Raises NoKernelsError if it can't be made. A failure of the compiler is
    remembered in the cache, so that no other process waits for it, until the compiler or the sources change.
    """
    compiler = _compiler()
    flags = [*FLAGS, "-march=native"]
    flags += ["-DDOUBLE"] if dtype == np.float64 else []
    flags += ["-static"] if sys.platform == "win32" else []  # MinGW's own libraries wouldn't be found
    name = _key(compiler, flags)
    try:
        folder = cache_folder() / "kernels"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fault = _exposed(folder, stat.S_ISDIR)
        if fault is None:
            found = _kept(folder, name)
            if found is not None:
                return found
            with holding(folder, 1.1 * PATIENCE):  # one process compiles for all, and the others hear how it ended
                return _kept(folder, name) or _compiled_for_all(compiler, flags, folder, name)
        _say(f"the compiled kernels aren't kept, so each process compiles its own: {fault}")
        with tempfile.TemporaryDirectory(prefix="glassnet-") as private:
            return _compiled(compiler, flags, Path(private), name)
    except BlockingIOError:
        raise NoKernelsError(f"another process hasn't compiled them within {PATIENCE} seconds") from None
    except OSError as error:
        raise NoKernelsError(f"the compiled kernels can't be kept or loaded: {reason(error)}") from None


@functools.cache
def _say(what: str) -> None:
    """Warn, once in a process."""
    warnings.warn(what, RuntimeWarning, stacklevel=4)


def _key(compiler: list[str], flags: list[str]) -> str:
    """A checksum of all that the library depends on: the compiler as it is now, the flags, processor and sources."""
    found = Path(compiler[0]).stat()
    key = hashlib.sha256(repr((compiler, found.st_size, found.st_mtime_ns, flags, DIALECTS, _processor())).encode())
    for source in sorted(SOURCES.iterdir()):
        key.update(source.read_bytes())
    return key.hexdigest()[:24]


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
    """Load the library that an earlier process kept. A file that changed since is removed.

    Raises NoKernelsError if an earlier process had no success.
    """
    for path in folder.glob(f"{name}-*.so"):
        fault = _exposed(path, stat.S_ISREG)
        if fault is None and path.name == _file_name(name, path):  # a library cut short would kill the process
            return _opened(path)
        _say(f"the kernels are compiled anew: {fault or f'{path} was damaged'}")
        path.unlink(missing_ok=True)
    failure = _failure(folder, name)
    if failure.is_file() and time.time() - failure.stat().st_mtime < REMEMBERED:
        said = failure.read_text(encoding="utf-8", errors="replace")
        raise NoKernelsError(f"{said} (an earlier attempt; remove {failure} to try again)")
    return None


def _failure(folder: Path, name: str) -> Path:
    """The file that says why a library couldn't be compiled."""
    return folder / f"{name}.failed"


def _file_name(name: str, path: Path) -> str:
    """The name of a library's file: a checksum of its sources, and one of its content."""
    return f"{name}-{hashlib.sha256(path.read_bytes()).hexdigest()[:24]}.so"


def _compiled_for_all(compiler: list[str], flags: list[str], folder: Path, name: str) -> Library:
    """Compile the library into the cache, or note there that it can't be, and why."""
    failure = _failure(folder, name)
    try:
        library = _compiled(compiler, flags, folder, name)
    except CompilerError as error:
        with replacing(failure) as part:
            part.write_text(str(error), encoding="utf-8")
        raise
    failure.unlink(missing_ok=True)
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


def _opened(path: Path) -> Library:
    """Load a library that was compiled here."""
    try:
        library = opened(path)
    except NoKernelsError as error:
        raise CompilerError(f"the C compiler's result can't be used: {error}") from None
    library.level = f"native {library.built().decode()}"
    return library


def _run(compiler: list[str], arguments: list[str]) -> None:
    """Run the compiler. Raises CompilerError, with its first error, if it fails or takes too long."""
    for dialect in DIALECTS:
        status, said = _tried([*compiler, *dialect, *arguments])
        if status == 0:
            return
    lines = said.splitlines()
    fault = next((line for line in lines if "error" in line), next(iter(lines), f"its exit status is {status}"))
    raise CompilerError(f"{shlex.join(compiler)} can't compile the kernels: {shorten(fault, 200, placeholder='...')}")


def _tried(command: list[str]) -> tuple[int, str]:
    """Run a command; return its exit status and what it said. Raises CompilerError if it takes too long."""
    import signal
    import subprocess

    failed = f"{shlex.join(command[:1])} can't compile the kernels"
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        except OSError as error:
            raise NoKernelsError(f"{failed}: {reason(error)}") from None
        try:
            status = process.wait(PATIENCE)
        except BaseException as error:  # Ctrl-C, too, ends all processes that the compiler has started
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise CompilerError(f"{failed}: it wasn't done within {PATIENCE} seconds") from None
            raise
        said.seek(0)
        return status, said.read(LISTENED).decode("utf-8", errors="replace")


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
