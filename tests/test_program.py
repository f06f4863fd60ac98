"""The command line as a process: signals at any moment, streams that can't be written, names that would speak to it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import glassnet.program
from glassnet.cli import main
from glassnet.terminal import doing, done, say, shown
from small_packs import SET_SMALL_PACK

Typed = Callable[..., tuple[object, str]]
TINY = ("--set", "training.epochs=3", "--set", "network.hidden=[8]")
AT = """
import os, signal, sys
NUMBERS, WHERE, CALLS = {numbers}, {where!r}, {calls}

def send():
    for number in NUMBERS:
        os.kill(os.getpid(), number)

class Finder:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == WHERE:
            send()

def count(frame, event, argument):
    global CALLS
    if not getattr(sys.modules.get("glassnet.program"), "begun", False):
        return  # Python itself is only starting
    CALLS -= 1
    if CALLS == 0:
        send()

if WHERE:
    sys.meta_path.insert(0, Finder)
if CALLS:
    sys.setprofile(count)
"""


def run(
    folder: Path,
    *arguments: object,
    at: str = "",
    calls: int = 0,
    numbers: tuple[int, ...] = (signal.SIGINT,),
    **options: object,
) -> subprocess.CompletedProcess[str]:
    """Run a command; at: it sends itself signals where that module is imported, or in its so many-th call."""
    environment = dict(os.environ)
    if at or calls:
        (folder / "early").mkdir()
        code = AT.format(numbers=tuple(map(int, numbers)), where=at, calls=calls)
        (folder / "early" / "sitecustomize.py").write_text(code)
        environment["PYTHONPATH"] = os.pathsep.join([str(folder / "early"), environment.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "glassnet", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(command, cwd=folder, env=environment, text=True, check=False, **pipes)  # type: ignore[call-overload]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Typed:
    """Run a command in this process, in a folder of the test; its status, and all that it printed."""
    monkeypatch.chdir(tmp_path)

    def type_in(*arguments: object) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
        return done.value.code or 0, "".join(capsys.readouterr())

    return type_in


def told(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines on standard error, but for those of a training's course and of what comes next."""
    return [line for line in done.stderr.splitlines() if not line.startswith(("epoch ", "next: "))]


# Signals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module",
    [
        "glassnet.nn",
        "numpy",
        "numpy._core._multiarray_umath",
        "glassnet.cli",
        "typer",
        "glassnet.recipes",
        "sklearn.datasets",
        "scipy.special",
        "matplotlib.figure",
    ],
)
def test_ctrl_c_in_an_import_is_one_line(tmp_path: Path, module: str) -> None:
    done = run(tmp_path, "train", "digits", *TINY, "--out", "run", at=module)
    if done.returncode == 0:  # in the training, which then ends in good order
        assert told(done) == []
        assert json.loads((tmp_path / "run" / "metrics.json").read_text())["interrupted"]
    else:
        kept = ["what was learned is kept in run: go on with --resume"] if (tmp_path / "run").exists() else []
        assert (done.returncode, told(done)) == (130, [*kept, "glassnet: stopped"])


@pytest.mark.parametrize("calls", [1, 10_000, 60_000, 150_000, 250_000, 400_000])
def test_ctrl_c_anywhere_is_one_line_or_a_finished_run(tmp_path: Path, calls: int) -> None:
    done = run(tmp_path, "train", "digits", *TINY, "--out", "run", calls=calls)
    assert done.returncode in (0, 130)
    assert set(told(done)) <= {"glassnet: stopped", "what was learned is kept in run: go on with --resume"}
    assert (done.returncode == 0) == (tmp_path / "run" / "metrics.json").exists() == (not told(done))


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    done = run(tmp_path, "train", "digits", *TINY, "--out", "run", at="scipy.special", numbers=(signal.SIGINT,) * 2)
    assert (done.returncode, told(done)) == (130, ["glassnet: stopped"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_finish_a_training_as_ctrl_c_does(tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "glassnet", "train", "digits", "--set", "training.epochs=100000", "--out", "run"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("the signal is ignored here, as after nohup")
    with subprocess.Popen(command, cwd=tmp_path, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stderr.readline().startswith("epoch 1/100000")
        process.send_signal(number)
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert "stopped early" in out
    assert (tmp_path / "run" / "metrics.json").exists()


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "os.execv(sys.executable, [sys.executable, '-m', 'glassnet', *sys.argv[1:]])"
    )
    command = [sys.executable, "-c", code, "train", "digits", *TINY, "--out", "run"]
    with subprocess.Popen(command, cwd=tmp_path, text=True, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("epoch 1/3")
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0
    assert not json.loads((tmp_path / "run" / "metrics.json").read_text())["interrupted"]


def test_another_program_keeps_its_signals_and_streams() -> None:
    code = (
        "import signal, sys; before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), sys.stdout\n"
        "import glassnet, glassnet.cli\n"
        "assert before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), sys.stdout)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not glassnet.program.begun


# Streams -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-", "2>/dev/full", "1>/dev/full", "2>&1 | true"]
)
def test_a_stream_that_can_not_be_written_is_given_up_the_training_is_not(tmp_path: Path, closed: str) -> None:
    command = f"{sys.executable} -m glassnet train digits {' '.join(TINY).replace('[8]', '[8,8]')} --out run {closed}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert (tmp_path / "run" / "metrics.json").exists()
    assert {line.split()[0] for line in done.stderr.splitlines()} <= {"epoch", "next:"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_what_only_prints_fails_where_it_can_not_print(tmp_path: Path) -> None:
    for command in (("recipes",), ("recipes", "digits"), ("data", "list"), ("--help",)):
        with Path("/dev/full").open("w") as full:
            done = run(tmp_path, *command, stdout=full)
        assert (done.returncode, done.stderr) == (2, "glassnet: standard output: No space left on device\n")


def test_a_library_user_without_standard_error_trains() -> None:
    code = (
        "import glassnet as gn, numpy as np; x = np.arange(40.0).reshape(20, 2)\n"
        "data, net = gn.Dataset.from_arrays(x, x[:, 0]), gn.Network([gn.Standardize(), gn.Dense(2, 1)])\n"
        "gn.fit(net, data, gn.MSE(), gn.SGD(lr=0.01), epochs=1, progress=True); print('done')"
    )
    for closed in ("2>&-", "2>/dev/full"):
        done = subprocess.run(
            ["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, code], capture_output=True, text=True, check=False
        )
        assert done.stdout == "done\n"


# Names ---------------------------------------------------------------------------------------------------------------

EVIL = "a\x1b[31mred\x1b]0;title\x07\u202eb"


def test_what_is_shown_has_no_control_characters() -> None:
    assert shown(EVIL) == r"a\x1b[31mred\x1b]0;title\x07\u202eb"
    assert shown("café\n数字\N{NO-BREAK SPACE}12") == "café\n数字\N{NO-BREAK SPACE}12"
    assert shown("日本", "ascii") == r"\u65e5\u672c"
    assert shown("run\udcff") == r"run\udcff"


def test_names_in_a_table_reach_nobodys_terminal(typed: Typed, tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 7},{i % 3},{EVIL}{i % 2}" for i in range(60))
    (tmp_path / "t.csv").write_text(f"{EVIL},{EVIL}2,{EVIL}y\n{rows}\n")
    commands = [
        ("train", "t.csv", "--target", f"{EVIL}y", *SET_SMALL_PACK, "--out", "run"),
        ("train", "t.csv", "--target", "y"),
        ("train", "t.csv", "--target", f"{EVIL}y", "--drop", EVIL + "3"),
        ("evaluate", "run"),
        ("trace", "run", "--row", 0),
        ("doctor", "run"),
        ("train", EVIL),
        (EVIL,),
        ("--debug", "evaluate", EVIL),
        ("train", "t.csv", f"--{EVIL}"),
        ("compare", "run", "run"),
        ("report", EVIL),
        ("recipes", EVIL),
    ]
    for command in commands:
        assert not set(typed(*command)[1]) & {"\x1b", "\x07", "\u202e"}, command


# What isn't a file ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_not_waited_for(typed: Typed, tmp_path: Path) -> None:
    assert typed("train", "digits", *TINY, "--out", "run")[0] == 0
    for name in ("t.csv", "t.parquet", "t.npy", "t.png", "t.toml"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "r.toml").write_text('name = "x"\n[data]\nsource = "t.csv"\ntarget = "y"\n')
    commands = [("train", "t.csv", "--target", "y"), ("train", "t.parquet", "--target", "y"), ("train", "t.toml")]
    commands += [("train", "r.toml"), ("doctor", "t.toml"), ("gradcheck", "t.toml"), ("explore", "t.toml")]
    commands += [("predict", "run", name) for name in ("t.csv", "t.parquet", "t.npy", "t.png")]
    commands += [("predict", "run", "run/history.csv", "--out", "t.csv")]
    for command in commands:
        status, said = typed(*command)
        assert status == 2, command
        assert "no regular file" in said
    for name in ("recipe.toml", "metrics.json", "history.csv", "model.safetensors"):
        kept = (tmp_path / "run" / name).read_bytes()
        (tmp_path / "run" / name).unlink()
        os.mkfifo(tmp_path / "run" / name)
        for command in (("report", "run", "--no-doctor"), ("compare", "run", "run")):
            status, said = typed(*command)
            assert (status, said.count("\n")) == (2, 1), (command, name)
        (tmp_path / "run" / name).unlink()
        (tmp_path / "run" / name).write_bytes(kept)


def test_a_mistake_of_ours_is_one_line_and_status_1(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import json; del json.loads, json.dumps")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "glassnet", "train", "digits", *TINY]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert told(done)[-1].startswith("glassnet: AttributeError: module 'json' has no attribute")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited so on Linux")
@pytest.mark.parametrize(("space", "status"), [(300 << 20, 2), (700 << 20, 0)])
def test_little_address_space_is_enough_or_one_line(tmp_path: Path, space: int, status: int) -> None:
    command = f"ulimit -v {space >> 10}; exec {sys.executable} -m glassnet train digits {' '.join(TINY)} --out run"
    command = command.replace("[8]", "'[8]'")
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert len(told(done)) == (status == 2)


def test_what_is_printed_on_windows_is_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file := io.BytesIO(), encoding="cp1252"))
    monkeypatch.setattr(sys, "stderr", None)
    glassnet.program._write_unicode()
    say("Ελλάδα → 日本")
    assert file.getvalue().decode().split() == ["Ελλάδα", "→", "日本"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_takes_its_time_is_said_at_once_on_a_terminal_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, seen in ((Terminal(), "reading a\\x1bb ...\r" + " " * 18 + "\rdone\n"), (io.StringIO(), "done\n")):
        monkeypatch.setattr(sys, "stderr", stream)
        doing("reading a\x1bb")
        say("done", error=True)
        assert stream.getvalue() == seen
    monkeypatch.setattr(sys, "stderr", narrow := Terminal())
    monkeypatch.setenv("COLUMNS", "10")
    doing("reading\nmany things")
    assert narrow.getvalue() == "reading m\r"
    done()
    assert narrow.getvalue().endswith(" \r")


def test_all_that_people_read_is_printed_in_one_place() -> None:
    source = Path(glassnet.program.__file__).parent
    for room in ("cli", "recipes", "train", "tuning", "report", "data"):
        for path in (source / room).glob("*.py"):
            assert not re.search(r"(?<![\w.])print\(", path.read_text(encoding="utf-8")), path


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
def test_a_command_shows_that_it_lives_before_any_library_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('this is what came next')", encoding="utf-8")
    ours, theirs = os.openpty()
    path = os.pathsep.join([str(tmp_path), str(Path(glassnet.program.__file__).parents[1])])
    command = [sys.executable, "-m", "glassnet", "recipes"]
    env = {**os.environ, "PYTHONPATH": path}
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, env=env, check=False)
    os.close(theirs)
    seen = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert seen.startswith("starting ...\r")
    assert "this is what came next" in seen


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["data"], ["recipes"], ["nothing"]])
def test_nothing_is_left_of_the_first_line(words: list[str]) -> None:
    ours, theirs = os.openpty()
    subprocess.run([sys.executable, "-m", "glassnet", *words], stdout=theirs, stderr=theirs, check=False)
    os.close(theirs)
    seen = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert seen.startswith("starting ...\r            \r")
