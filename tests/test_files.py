"""Files that are whole or not there, whatever ends the process that writes them."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from glassnet import files
from glassnet.files import holding, making, own_folder, reason, remove_abandoned, replacing

WRITING = """
import sys
from contextlib import ExitStack
from pathlib import Path
from glassnet.files import making, replacing

with {how}(Path({path!r})) as part:
    (part / "inside" if part.is_dir() else part).write_text("half of")
    print("writing", flush=True)
    sys.stdin.read()
"""


def writer(path: Path, how: str = "replacing") -> subprocess.Popen[str]:
    """A process that has half of a file, or of a folder, and waits until its standard input is closed."""
    code = WRITING.format(how=how, path=str(path))
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


@pytest.mark.skipif(os.name != "posix", reason="folders are held on POSIX systems")
@pytest.mark.parametrize("how", ["replacing", "making"])
def test_what_a_killed_process_was_writing_goes_at_the_next_use_of_the_folder(how: str, tmp_path: Path) -> None:
    with writer(tmp_path / "killed", how) as dead, writer(tmp_path / "alive", how) as alive:
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        assert len(list(tmp_path.iterdir())) == 2
        with replacing(tmp_path / "mine") as part:
            part.write_text("whole")
        assert len(list(tmp_path.iterdir())) == 2, "mine, and what the living one is writing"
        alive.communicate()
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "alive"}


def test_what_only_looks_like_it_stays(tmp_path: Path) -> None:
    name = ".glassnet-0123456789abcdef.part"
    elsewhere = tmp_path / "elsewhere"
    for folder in (f"{name}ner", f"x{name}", name.upper(), name.replace("f", "g"), "elsewhere"):
        (tmp_path / folder).mkdir()
    (tmp_path / name.replace("0", "1")).write_text("a file")
    (tmp_path / name).symlink_to(elsewhere)
    (elsewhere / "kept").touch()
    before = sorted(tmp_path.rglob("*"))
    remove_abandoned(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("fault", [ValueError("no"), KeyboardInterrupt()])
def test_after_an_error_everything_is_as_before(fault: BaseException, tmp_path: Path) -> None:
    (tmp_path / "old").write_text("as it was")

    def half(part: Path) -> None:
        (part / "half" if part.is_dir() else part).write_text("half of")
        raise fault

    with pytest.raises(type(fault)), replacing(tmp_path / "old") as part:
        half(part)
    with pytest.raises(type(fault)), making(tmp_path / "new") as part:
        half(part)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text() == "as it was"


def test_a_folder_takes_the_place_of_an_empty_one_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "diary").touch()
    with making(tmp_path / "empty") as part:
        (part / "content").touch()
    with pytest.raises(OSError, match="taken"), making(tmp_path / "taken") as part:
        (part / "content").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["content", "diary", "empty", "taken"]


def test_an_error_of_the_system_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    full = errno.ENOSPC, os.strerror(errno.ENOSPC)
    with pytest.raises(OSError, match="No space left") as found, replacing(tmp_path / "report.html"):
        raise OSError(*full)
    assert reason(found.value) == f"{tmp_path / 'report.html'}: No space left on device"
    with pytest.raises(OSError, match="No space left") as found, making(tmp_path / "run") as part:
        raise OSError(*full, part / "inside")
    assert reason(found.value) == f"{tmp_path / 'run'}: No space left on device"
    with pytest.raises(OSError, match="No space left") as found, replacing(tmp_path / "copy"):
        raise OSError(*full, "elsewhere")
    assert reason(found.value) == "elsewhere: No space left on device"
    with pytest.raises(OSError, match="nowhere"), replacing(tmp_path / "nowhere" / "deep" / "x"):
        pass
    assert reason(OSError("in words")) == "in words"


def test_a_long_name_is_no_obstacle(tmp_path: Path) -> None:
    with replacing(tmp_path / ("x" * 255)) as part:
        part.write_text("whole")
    assert (tmp_path / ("x" * 255)).read_text() == "whole"


@pytest.mark.skipif(os.name != "posix", reason="folders are held on POSIX systems")
def test_a_folder_is_held_once(tmp_path: Path) -> None:
    with holding(tmp_path) as held:
        assert held
        with pytest.raises(BlockingIOError), holding(tmp_path):
            pass
    with holding(tmp_path) as held:
        assert held
    with pytest.raises(FileNotFoundError), holding(tmp_path / "nowhere"):
        pass


@pytest.mark.skipif(os.name != "posix", reason="folders are held on POSIX systems")
def test_who_has_patience_gets_a_folder_that_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ExitStack()
    first.enter_context(holding(tmp_path))
    monkeypatch.setattr(files.time, "sleep", lambda seconds: first.close())
    with holding(tmp_path, patience=60) as held:
        assert held


class Kernel32:
    """What Windows gives for holding: names of objects that exist as long as a handle is open."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.error = 0
        self.CreateMutexW = lambda security, owned, name: self.create(name)
        self.CloseHandle = lambda handle: self.names.pop(handle)

    def create(self, name: str) -> int:
        self.error = files.ALREADY_EXISTS if name in self.names.values() else 0
        handle = max(self.names, default=0) + 1
        self.names[handle] = name
        return handle


def test_on_windows_a_folder_is_held_by_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel32()
    monkeypatch.setattr(ctypes, "WinDLL", lambda name, use_last_error: kernel, raising=False)
    monkeypatch.setattr(ctypes, "get_last_error", lambda: kernel.error, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    (tmp_path / "Jörg's data").mkdir()
    with holding(tmp_path / "Jörg's data") as held, holding(tmp_path):
        assert held
        with pytest.raises(BlockingIOError), holding(tmp_path / "Jörg's data" / ".." / "Jörg's data"):
            pass
        assert len(kernel.names) == 2
        assert all(name.isascii() and "\\" not in name for name in kernel.names.values())
    assert kernel.names == {}
    with pytest.raises(FileNotFoundError), holding(tmp_path / "nowhere"):
        pass
    with replacing(tmp_path / "file") as part:
        part.write_text("whole")
    assert kernel.names == {}


@pytest.mark.parametrize("refusals", [3, 10**9])
def test_windows_replaces_a_file_once_nobody_has_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    replace, now = Path.replace, [0.0]

    def refused(self: Path, target: Path) -> Path:
        if now[0] < refusals * files.PAUSE:
            raise PermissionError(errno.EACCES, "Access is denied", str(self), str(target))
        return replace(self, target)

    monkeypatch.setattr(files, "holding", lambda folder: nullcontext(False))
    monkeypatch.setattr(Path, "replace", refused)
    monkeypatch.setattr(files.time, "sleep", lambda seconds: now.append(now.pop() + seconds))
    monkeypatch.setattr(files.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys, "platform", "win32")
    (tmp_path / "history.csv").write_text("old")
    error = nullcontext() if refusals == 3 else pytest.raises(PermissionError)
    with error as found, replacing(tmp_path / "history.csv") as part:
        part.write_text("new")
    assert (tmp_path / "history.csv").read_text() == ("new" if refusals == 3 else "old")
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]
    if found is not None:
        said = f"{tmp_path / 'history.csv'}: another program has it open: close it there"
        assert reason(found.value) == said


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "plots").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").symlink_to(tmp_path / "elsewhere" / "file")
    with pytest.raises(FileExistsError, match="plots is a symbolic link"):
        own_folder(tmp_path / "plots")
    with replacing(tmp_path / "file") as part:
        part.write_text("here")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (tmp_path / "file").read_text() == "here"
