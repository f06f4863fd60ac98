"""Files and folders that are either whole or not there. The floor of the house: every room may stand on it."""

from __future__ import annotations

import errno
import math
import os
import re
import shutil
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from glassnet.program import keeping

CACHES = {  # a variable with the folder of a user's caches, and where that is if it isn't set
    "linux": ("XDG_CACHE_HOME", "~/.cache"),
    "darwin": ("XDG_CACHE_HOME", "~/Library/Caches"),
    "win32": ("LOCALAPPDATA", "~/AppData/Local"),
}
PAUSE = 0.02  # seconds between two tries
MOMENT = 1.0  # seconds for which a program such as a virus scanner may have a file open
ALREADY_EXISTS = 183  # Windows' error of that name
TEMPORARY = re.compile(r"\.glassnet-[0-9a-f]{16}\.part")  # a folder in which a file, or a folder, is made whole


def cache_folder() -> Path:
    """The folder for downloads and compiled kernels, which can be made again: ~/.cache/glassnet on Linux.

    Raises FileNotFoundError if there is none, as for a user without a name and a home.
    """
    variable, usual = CACHES.get(sys.platform, CACHES["linux"])
    folder = os.environ.get(variable) or os.path.expanduser(usual)  # noqa: PTH111  it leaves a ~ that means nothing
    if not os.path.isabs(folder):  # noqa: PTH117  the place would depend on the current folder
        raise FileNotFoundError(f"there is no folder for caches: set HOME or {variable} to a whole path")
    return Path(folder, "glassnet")


def regular(path: str | os.PathLike[str]) -> Path:
    """Return `path` as a Path, for reading. Raises ValueError for a pipe or a device, which may wait or go on for ever.

    A missing file or a folder raises its error when it is opened.
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError(f"{path} is no regular file but a pipe or a device: copy its content into a file")
    return path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path with the same name; rename it to `path` if the block succeeds, remove it if not.

    The rename is atomic, so a reader, or a process killed at any moment, finds the old file or the new one,
    never half of one. Raises ValueError if `path` is a folder or a device, OSError if the file can't be written, or if
    on Windows another program has it open for longer than a moment.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is {'a folder' if path.is_dir() else 'no regular file'}: name the file to write")
    with _temporary_folder(path) as folder:
        part = folder / path.name
        part.touch()
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        _put(part, path)


def _put(part: Path, path: Path) -> None:
    """Rename a file. While another program has `path` open, Windows refuses that."""
    end = time.monotonic() + MOMENT
    while True:
        try:
            part.replace(path)
            return
        except PermissionError:
            if sys.platform != "win32":
                raise
            if time.monotonic() >= end:
                raise PermissionError(errno.EACCES, "another program has it open: close it there", path) from None
            time.sleep(PAUSE)


@contextmanager
def making(path: Path) -> Iterator[Path]:
    """Do the same for a folder, which is empty at first. Raises OSError if `path` holds anything at the end."""
    with _temporary_folder(path) as folder:
        part = folder / path.name
        part.mkdir()
        yield part
        if os.name == "nt" and path.is_dir():  # only elsewhere a folder is renamed over an empty one
            path.rmdir()
        part.rename(path)


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder for this block, which nobody else can read. A killed process's is removed at the next use."""
    import tempfile

    with _temporary_folder(Path(tempfile.gettempdir()) / "glassnet") as folder:
        yield folder


def own_folder(path: Path) -> None:
    """Make a folder unless it is there. Raises OSError if it is a link."""
    refuse_link(path)
    path.mkdir(exist_ok=True)


def refuse_link(path: Path) -> None:
    """Raise OSError if `path` is a symbolic link, which could lead a write anywhere."""
    if path.is_symlink():
        raise FileExistsError(f"{path} is a symbolic link, and nothing is written through one: remove it")


@contextmanager
def holding(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Hold a folder, or a file, for this block alone. The system lets go of it when the process ends in any way.

    Gives whether it is held: some file systems (NFS) have no locks for folders. Raises BlockingIOError if it is held
    already, here or by another process, and still is after `patience` seconds; FileNotFoundError if it isn't there.
    """
    end = time.monotonic() + patience
    while True:
        try:
            let_go = _held_by_name(path) if sys.platform == "win32" else _held(path)
            break
        except BlockingIOError:
            if time.monotonic() >= end:
                raise
            time.sleep(PAUSE)
    try:
        yield let_go is not None
    finally:
        if let_go is not None:
            let_go()


def _held(path: Path) -> Callable[[], object] | None:
    """Hold a folder or a file; return what lets go of it, or None if there are no locks for it."""
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return partial(os.close, descriptor)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError | FileNotFoundError):
            raise
        return None
    os.close(descriptor)  # it was removed and made again in between
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))


def _held_by_name(path: Path) -> Callable[[], object]:
    """Do the same on Windows, which has no locks for folders, by a named object that one process makes at a time."""
    import ctypes
    from hashlib import sha256

    path.stat()
    place = os.path.normcase(path.resolve())
    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined, unused-ignore]
    kernel.CreateMutexW.restype = ctypes.c_void_p
    kernel.CreateMutexW.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_wchar_p]
    kernel.CloseHandle.argtypes = [ctypes.c_void_p]
    handle = kernel.CreateMutexW(None, 0, f"glassnet-{sha256(place.encode('utf-8', 'surrogatepass')).hexdigest()}")
    error: int = ctypes.get_last_error()  # type: ignore[attr-defined, unused-ignore]
    if not handle:
        raise OSError(errno.EACCES, f"it can't be locked (Windows' error {error})", os.fspath(path))
    if error == ALREADY_EXISTS:
        kernel.CloseHandle(handle)
        raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK), os.fspath(path))
    return partial(kernel.CloseHandle, handle)


def remove_abandoned(folder: Path) -> None:
    """Remove the leftovers of killed processes in `folder`. A lock holds files that are being written, so they stay."""
    try:
        with os.scandir(folder) as entries:
            found = [Path(e.path) for e in entries if TEMPORARY.fullmatch(e.name) and e.is_dir(follow_symlinks=False)]
    except OSError:  # it isn't there, or not ours to read
        return
    for each in found:
        with suppress(OSError), holding(each) as held:
            if held:
                shutil.rmtree(each, ignore_errors=True)


def passing_folder(owner: object) -> tuple[Path, Callable[[], object]]:
    """Make a folder among the caches that goes with `owner`, or with this process; return it, and what removes it.

    A killed process's is removed at the next use.
    """
    where = cache_folder()
    where.mkdir(parents=True, exist_ok=True)
    remove_abandoned(where)
    folder = where / f".glassnet-{os.urandom(8).hex()}.part"
    folder.mkdir(0o700)
    stack = ExitStack()
    stack.enter_context(holding(folder))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder, weakref.finalize(owner, stack.close)


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let an error of the system in this block name `path` if it names no file or a temporary one."""
    try:
        yield
    except OSError as error:
        named = "" if error.filename is None else os.fsdecode(error.filename)
        if error.strerror and (not named or any(TEMPORARY.fullmatch(part) for part in Path(named).parts)):
            error.filename, error.filename2 = os.fspath(path), None
        raise


def reason(error: Exception) -> str:
    """Return the message of an error as one line. An error of the system names its file."""
    if isinstance(error, OSError) and error.strerror:
        name = error.filename2 or error.filename  # of two, the one that was to be written
        return f"{name}: {error.strerror}" if name else error.strerror
    return str(error) or type(error).__name__


@contextmanager
def _temporary_folder(path: Path) -> Iterator[Path]:
    """Give a folder beside `path` to make `path` in. It is held, because a folder that nobody holds was abandoned."""
    remove_abandoned(path.parent)
    with keeping(), naming(path), ExitStack() as stack:
        while True:
            folder = path.with_name(f".glassnet-{os.urandom(8).hex()}.part")
            folder.mkdir(0o700)
            try:
                stack.enter_context(holding(folder))
                break
            except (BlockingIOError, FileNotFoundError):  # another process took it for abandoned, and removes it
                continue
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def finite(value: Any) -> Any:
    """Return the same, dicts and lists to any depth, with None for NaN and infinity, which JSON doesn't know."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
