"""A process that is the command line: stopped in one line, and not ended by a stream that can't be written.

On the ground floor, and imported before NumPy: from the first import on, a signal is one line on standard error. Only a
process that was started as `glassnet` or `python -m glassnet` is changed. The program of a library's user is not.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

STOPPED = 130  # the exit status after Ctrl-C, as of shells
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
THREADS = 16  # that reading a table starts on one core: Polars has a dozen of its own
M_ARENA_MAX = -8  # of GNU's mallopt: otherwise each thread reserves 64 MiB
SPACE = 512 << 20  # bytes of address space: training on a small table takes 440 MiB, see docs/explanation/limits.md
MOMENT = 0.02  # seconds between two looks at whether an import is over

begun: bool = False  # whether this process is the command line
stopping: bool = False  # whether a signal has asked for its end
_keeping = 0  # blocks that have something to keep or to clean up


def begin() -> None:
    """Take over signals and standard streams, if this process is the command line."""
    global begun
    name = os.path.basename(sys.argv[0]) if getattr(sys, "argv", None) else ""  # noqa: PTH119  pathlib isn't loaded yet
    named = name.removesuffix(".exe") == "glassnet" or (name == "-m" and "glassnet" in sys.orig_argv)
    if begun or not named or "--multiprocessing-fork" in sys.orig_argv:  # a member of an ensemble is ended by us
        return
    for number in SIGNALS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):  # what nohup or a shell's & ignore stays ignored
            signal.signal(number, _stop)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _interrupt)
    begun = True
    sys.unraisablehook = _unraisable
    if os.name == "posix":
        _open_missing()
        sys.stdout, sys.stderr = _lasting(1, sys.stdout), _lasting(2, sys.stderr)
        _fit_limits()
    else:
        _write_unicode()


def tell_version(version: str) -> None:
    """End this process if it is `glassnet --version`, which needs no library, and so loads none."""
    if not begun or sys.argv[1:] != ["--version"]:
        return
    need_output(True)
    try:
        print(f"glassnet {version}", flush=True)
    except OSError as error:
        if not reader_gone(error):
            _refuse(f"{error.filename}: {error.strerror}")
    finish(0)


def _fit_limits() -> None:
    """Work within the limits of this process, and say so if they are too tight: libraries hang or abort in imports.

    With few threads or little address space, the libraries get one thread each, because each thread takes address
    space.
    """
    import resource

    space = resource.getrlimit(resource.RLIMIT_AS)[0]
    if space != resource.RLIM_INFINITY:
        if space < SPACE:
            _refuse(f"the address space is limited to {space >> 20} MiB (ulimit -v), and {SPACE >> 20} MiB are needed")
        with suppress(ImportError, OSError, AttributeError):  # another C library than GNU's
            import ctypes

            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
        limited = True
    else:
        wanted = THREADS + 2 * (os.cpu_count() or 1)
        if (threads := _startable(wanted)) < THREADS:
            _refuse(f"the system lets this process start {threads} threads more, and {THREADS} are needed")
        limited = threads < wanted
    if limited:
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
            os.environ.setdefault(name, "1")


def _startable(wanted: int) -> int:
    """The number of threads, at most `wanted`, that can be started at the same time."""
    import _thread

    hold, started = _thread.allocate_lock(), 0
    with hold, suppress(RuntimeError):
        while started < wanted:
            _thread.start_new_thread(_wait, (hold,))
            started += 1
    return started


def _wait(hold: Any) -> None:
    with hold:
        pass


def _refuse(line: str) -> NoReturn:
    with suppress(OSError):
        os.write(2, f"glassnet: {line}\n".encode())
    os._exit(2)


@contextmanager
def keeping() -> Iterator[None]:
    """Let the first signal raise KeyboardInterrupt in the block, which has something to keep or to clean up.

    Outside of such a block, a signal ends the process. The second signal ends it everywhere.
    """
    global _keeping
    try:
        _keeping += 1
        yield
    finally:
        _keeping -= 1


def finish(status: int) -> NoReturn:
    """End with a status: the command line at once, with any threads, other programs by SystemExit."""
    if begun:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(status)
    sys.exit(status)


def _stop(number: int, frame: FrameType | None) -> None:
    global stopping
    if stopping:
        _leave()
    stopping = True
    _interrupt(number, frame)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, but not in an import, because a half-made module fails in other ways."""
    if not _keeping:
        _leave()
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>" and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, MOMENT)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _leave() -> NoReturn:
    with suppress(OSError):
        os.write(2, b"glassnet: stopped\n")
    os._exit(STOPPED)


def _unraisable(lost: Any) -> None:
    """Repeat an interrupt that came where nothing can be raised, such as in a finalizer."""
    if issubclass(lost.exc_type, KeyboardInterrupt) and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, MOMENT)
    else:
        sys.__unraisablehook__(lost)


# Streams -------------------------------------------------------------------------------------------------------------


class Stream(io.FileIO):
    """A standard stream that is given up when it can't be written: later output goes nowhere.

    needed: whether the first fault is raised. It must be if this stream is the only result of a command.
    """

    needed = False

    def write(self, data: Any) -> int:
        """Write as a file does."""
        try:
            written = super().write(data)
            if written is None:  # another process has set it not to wait for its reader
                os.set_blocking(self.fileno(), True)
                written = super().write(data)
            return written
        except OSError as error:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            if not self.needed:
                return memoryview(data).nbytes
            error.filename = "standard output"
            raise


def need_output(needed: bool) -> None:
    """Say whether standard output is this command's only result. Then it is an error if it can't be written."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, Stream):
        raw.needed = needed


def _write_unicode() -> None:
    """Write UTF-8 into files and pipes, as elsewhere: Windows' own encoding has the letters of one language."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Python may have been started without
            stream.reconfigure(encoding="utf-8")


def reader_gone(error: BaseException) -> bool:
    """Whether the reader of our output has gone, as in `glassnet recipes | head -1`, and needs no more."""
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _open_missing() -> None:
    """Open those of 0, 1, 2 that are closed. Otherwise the next file would get the number, and be printed into."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def _lasting(number: int, stream: Any) -> io.TextIOWrapper:
    """The same standard stream, given up when it can't be written."""
    return io.TextIOWrapper(
        io.BufferedWriter(Stream(number, "w", closefd=False)),
        encoding=getattr(stream, "encoding", "utf-8"),
        errors=getattr(stream, "errors", "backslashreplace"),
        line_buffering=number == 2 or os.isatty(number),
    )
