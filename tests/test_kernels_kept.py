"""The compiled kernels: made by one process for all, kept where nobody else writes, done without where they fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.fast import compiling, kernels, loading, structures, threads
from glassnet.fast.library import NoKernelsError

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="needs a C compiler, on Linux"
)

FLOAT = np.dtype(np.float32)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and a compiler that does little: the folder of the kernels, which isn't there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GLASSNET_KERNELS", "native")
    compiler(tmp_path, monkeypatch, 'echo . >> "$0.calls"; exec cc "$@" -O0 -w')
    compiling._say.cache_clear()
    return tmp_path / "cache" / "glassnet" / "kernels"


def compiler(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Make a shell script the C compiler."""
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="latin-1")
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))
    return path


def calls(cache: Path) -> int:
    """How often the compiler was called."""
    file = cache.parents[2] / "cc.calls"
    return len(file.read_text().split()) if file.exists() else 0


def load() -> object:
    """Load the kernels as a new process would."""
    return loading.load_kernels.__wrapped__(FLOAT)


def kept(cache: Path) -> list[Path]:
    return sorted(cache.iterdir())


def test_the_folder_and_the_file_are_the_users_alone(cache: Path) -> None:
    mask = os.umask(0)
    try:
        load()
    finally:
        os.umask(mask)
    (path,) = kept(cache)
    assert (cache.stat().st_mode | path.stat().st_mode) & 0o077 == 0
    load()
    assert calls(cache) == 1


def put(path: Path, content: bytes) -> None:
    """Put another file in its place: this process has mapped the old one, and looks into it at its end."""
    mode = path.stat().st_mode
    path.unlink()
    path.write_bytes(content)
    path.chmod(mode)


def open_folder(path: Path) -> None:
    path.parent.chmod(0o777)


def link_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to(path.parent.with_name("elsewhere"))


@pytest.mark.parametrize("expose", [open_folder, link_folder])
def test_a_folder_that_others_may_write_to_is_not_loaded_from(cache: Path, expose: Callable[[Path], None]) -> None:
    load()
    (path,) = kept(cache)
    put(path, b"not what was compiled")
    expose(path)
    with pytest.warns(RuntimeWarning, match=f"so each process compiles its own: .*{cache}"):
        assert not isinstance(load(), NoKernelsError)
    assert path.read_bytes() == b"not what was compiled"
    assert calls(cache) == 2


def open_file(path: Path) -> None:
    path.chmod(0o666)


def link_file(path: Path) -> None:
    path.rename(path.parent.parent / "moved")
    path.symlink_to(path.parent.parent / "moved")


def cut_file(path: Path) -> None:
    put(path, path.read_bytes()[: path.stat().st_size // 2])


def replace_file(path: Path) -> None:
    put(path, b"\x7fELF" + bytes(1000))


@pytest.mark.parametrize("spoil", [open_file, link_file, cut_file, replace_file])
def test_a_library_that_others_wrote_or_that_is_damaged_is_compiled_anew(
    cache: Path, spoil: Callable[[Path], None]
) -> None:
    load()
    (path,) = kept(cache)
    spoil(path)
    with pytest.warns(RuntimeWarning, match=f"the kernels are compiled anew: .*{path}"):
        assert not isinstance(load(), NoKernelsError)
    assert calls(cache) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load()
    assert calls(cache) == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_what_belongs_to_another_user_is_not_loaded_from(cache: Path) -> None:
    load()
    os.chown(cache, 54321, -1)
    with pytest.warns(RuntimeWarning, match="belongs to another user"):
        assert not isinstance(load(), NoKernelsError)


def test_many_processes_compile_once(cache: Path) -> None:
    code = "import numpy, sys; from glassnet.fast import loading; print(loading.load_kernels(numpy.dtype('float32')))"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [process.communicate()[0] for process in started]
    assert all("Library" in answer for answer in answers)
    assert calls(cache) == 1
    assert len(kept(cache)) == 1


def test_a_killed_compilation_leaves_nothing_for_ever(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler(tmp_path, monkeypatch, 'echo . >> "$0.calls"; exec sleep 600')
    code = "import numpy; from glassnet.fast import loading; loading.load_kernels(numpy.dtype('float32'))"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    while calls(cache) == 0:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert kept(cache)
    compiler(tmp_path, monkeypatch, 'exec cc "$@" -O0 -w')
    load()
    assert [path.suffix for path in kept(cache)] == [".so"]


BROKEN = {
    "latin-1": ("printf 'x.c:1: error: unbekannte Gr\\366\\337e\\n' >&2; exit 1", "x.c:1: error: unbekannte Gr"),
    "silent": ("exit 3", "its exit status is 3"),
    "killed": ("kill -9 $$", "its exit status is -9"),
    "talkative": ("yes 'a long word' | head -c 5000000 >&2; exit 1", "a long word"),
    "one long line": ("head -c 5000000 /dev/zero >&2; exit 1", "can't compile"),
    "idle": ("exit 0", "the C compiler's result can't be used"),
    "wrong": ('for a; do [ "$o" = -o ] && echo garbage > "$a"; o=$a; done', "the C compiler's result can't be used"),
    "empty library": (
        'echo "int x;" > "$0.c"; exec cc -shared -fPIC "$0.c" $(echo "$@" | grep -o -e "-o [^ ]*")',
        "used",
    ),
    "hanging": ("sleep 600", "it wasn't done within 0.2 seconds"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_compiler_that_fails_is_asked_once_and_numpy_does_the_work(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    script, fault = BROKEN[kind]
    compiler(tmp_path, monkeypatch, f'echo . >> "$0.calls"; {script}')
    monkeypatch.setattr(compiling, "PATIENCE", 0.2 if kind == "hanging" else 120)
    found = load()
    asked = calls(cache)
    again = load()
    for error in (found, again):
        assert isinstance(error, NoKernelsError)
        assert fault in str(error)
        assert len(str(error)) < 1000
        assert "\n" not in str(error)
    (remembered,) = kept(cache)
    assert f"remove {remembered} to try again" in str(again)
    assert calls(cache) == asked


def remove(failure: Path, cc: Path) -> None:
    failure.unlink()


def let_a_day_pass(failure: Path, cc: Path) -> None:
    os.utime(failure, (0, time.time() - 100_000))


def touch_compiler(failure: Path, cc: Path) -> None:
    os.utime(cc, (0, 0))


def change_sources(failure: Path, cc: Path) -> None:
    with (compiling.SOURCES / "base.h").open("a") as file:
        file.write("/* */")


@pytest.mark.parametrize("change", [remove, let_a_day_pass, touch_compiler, change_sources])
def test_a_failure_is_forgotten_when_what_it_came_from_changes(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, Path], None]
) -> None:
    monkeypatch.setattr(compiling, "SOURCES", Path(shutil.copytree(compiling.SOURCES, tmp_path / "c")))
    cc = compiler(tmp_path, monkeypatch, '[ -e "$0.ready" ] || exit 1; exec cc "$@" -O0 -w')
    assert isinstance(load(), NoKernelsError)
    (tmp_path / "cc.ready").touch()
    assert isinstance(load(), NoKernelsError)
    change(*kept(cache), cc)
    assert isinstance(load(), structures.Library)


def test_a_compiler_is_told_in_words_that_it_knows(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picky = 'case "$*" in *vect-cost-model*) echo "error: unknown argument" >&2; exit 1;; esac; exec cc "$@" -O0 -w'
    compiler(tmp_path, monkeypatch, picky)
    assert isinstance(load(), structures.Library)


@pytest.mark.skipif(not shutil.which("clang"), reason="clang isn't here")
def test_clang_makes_kernels_and_the_level_names_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "clang -O0")
    found = load()
    assert isinstance(found, structures.Library)
    assert re.fullmatch(r"native [\w-]+, clang [\d.]+", found.level)


@pytest.mark.parametrize("command", ["nowhere", "gcc '-O2", "/"])
def test_a_compiler_that_cannot_be_called_is_told_of(
    cache: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("CC", command)
    found = load()
    assert isinstance(found, NoKernelsError)
    assert command in str(found)


def test_without_a_home_nothing_is_kept_or_loaded_below_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLASSNET_KERNELS", "native")
    assert "there is no folder for caches: set HOME or XDG_CACHE_HOME" in str(load())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["²", "-1", "0", "1e9", "many", "0,2"])
def test_a_number_of_threads_that_is_none_is_passed_over_and_said_once(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    most = threads.available()
    threads._parsed.cache_clear()
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    with pytest.warns(RuntimeWarning, match=f"OMP_NUM_THREADS is '{value}'") as warned:
        assert threads.available() == threads.available() == most
    assert len(warned) == 1


@pytest.mark.parametrize("value", ["", " ", "1000000000", "9" * 5000])
def test_as_many_threads_as_there_are_cores_are_used_at_most(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    most = threads.available()
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if len(value) > 100 else "error")
        assert threads.available() == most
    assert threads.limit(gn.Network([gn.Dense(2, 1)], threads=10**9)) == structures.MAX_THREADS - 1


def test_kernels_of_another_layout_are_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value, found in (
        ("CLayer", structures.CLoss, r"Layer \d+"),
        ("FORMATS", ("BYTES", "REALS", "READY"), "REALS 0"),
        ("CHUNK", 1, "CHUNK 4096"),
        ("MAX_THREADS", 9, "MAX_THREADS 64"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(structures, name, value)
            assert re.search(f"the compiled kernels have {found}, where this glassnet has", str(load()))
            kept(cache)[-1].unlink()  # the failure


def test_kernels_without_one_of_the_kinds_are_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wave(gn.Layer):
        pass

    monkeypatch.setitem(kernels.KERNELS, Wave, kernels.Kernel())
    assert "the compiled kernels have no Wave" in str(load())
