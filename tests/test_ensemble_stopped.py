"""Ensembles that are stopped, go on, or fail."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path

import pytest

from ensemble_runs import command, contents
from glassnet import recipes
from glassnet.recipes.progress import TrainingsProgress


@pytest.mark.usefixtures("quick_members")
def test_finished_members_arent_trained_again(
    three_seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(three_seeds, run)
    for name in ("metrics.json", "model.safetensors", "plots", "member-1"):
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
    before = {path: path.stat().st_mtime_ns for path in (run / "member-0").rglob("*")}
    for used in ("evaluate", "export"):
        assert command(monkeypatch, used, run, *(["x.onnx"] if used == "export" else [])) == 2
        assert "was not finished: go on with --resume" in capsys.readouterr().err
    assert command(monkeypatch, "train", "digits", "--set", "ensemble=3", "--out", run, "--resume") == 2
    assert "was begun with another recipe: go on without naming one" in capsys.readouterr().err
    assert command(monkeypatch, "train", "--out", run, "--resume", "--set", "ensemble=1") == 2
    assert "was begun with another recipe: go on without naming one" in capsys.readouterr().err

    assert command(monkeypatch, "train", "--out", run, "--resume") == 0
    answer = capsys.readouterr()
    assert "3 members, " in answer.out
    assert {line.split()[0] for line in answer.err.splitlines()} == {"member-1"}
    assert contents(run) == contents(three_seeds)
    assert before == {path: path.stat().st_mtime_ns for path in (run / "member-0").rglob("*")}
    assert command(monkeypatch, "train", "--out", run, "--resume") == 2
    assert "run is finished: there is nothing to resume" in capsys.readouterr().err


def stopped(folder: Path, stop: Callable[[int], None], epochs: int) -> tuple[int, list[str]]:
    """Train two members in `folder`/run, stop them in their third or fourth epoch; status and what was printed last."""
    words = f"train digits --set training.epochs={epochs} --set network.hidden=[8] --set ensemble=2 --out run".split()
    command = [sys.executable, "-m", "glassnet", *words]
    with subprocess.Popen(command, cwd=folder, start_new_session=True, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while (line := process.stderr.readline()).split()[1:3] != ["epoch", f"3/{epochs}"]:
            assert line.startswith("member-"), line
        stop(process.pid)
        err = process.communicate()[1]  # until the last process that could write there has ended
    assert "Traceback" not in err
    assert not (folder / "run" / "metrics.json").exists()
    assert list(folder.glob("run/member-*/checkpoint.safetensors"))
    return process.returncode, err.splitlines()


def test_ctrl_c_ends_all_processes_and_keeps_their_checkpoints(tmp_path: Path) -> None:
    status, lines = stopped(tmp_path, lambda pid: os.killpg(pid, signal.SIGINT), 100_000)  # as a terminal does
    assert status == 130
    assert lines[-2:] == ["what was learned is kept in run: go on with --resume", "glassnet: stopped"]
    assert not list(tmp_path.rglob("metrics.json")), "a member was finished early"


@pytest.mark.parametrize("members", [1, 2])
def test_ctrl_c_before_anything_is_kept_promises_nothing(
    members: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("glassnet.recipes.run.load_data", stop)
    monkeypatch.setattr("glassnet.recipes.training.load_data", stop)
    for out in (tmp_path / "new", tmp_path):  # of which the second is there before
        with pytest.raises(KeyboardInterrupt):
            recipes.train(recipes.load("digits", changes=[f"ensemble={members}"]), out, progress=True)
        assert capsys.readouterr().err == ""
        assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("without_pictures")
def test_members_go_on_from_their_checkpoints(tmp_path: Path) -> None:
    status, _ = stopped(tmp_path, lambda pid: os.kill(pid, signal.SIGKILL), 40)
    assert status == -signal.SIGKILL
    run = tmp_path / "run"
    recipes.train(recipes.load(run / "recipe.toml"), run, resume=True)
    assert not list(run.rglob("*checkpoint*")) + list(run.rglob(".*"))
    for number in range(2):
        alone = tmp_path / str(number)
        recipes.train(recipes.load(run / f"member-{number}" / "recipe.toml"), alone)
        assert contents(alone) == contents(run / f"member-{number}")


def test_a_member_that_is_killed_ends_the_others(tmp_path: Path) -> None:
    def kill() -> None:
        while not list(tmp_path.glob("run/member-*/checkpoint.safetensors")):
            time.sleep(0.01)
        active_children()[0].kill()  # as the system does when memory runs out

    killer = threading.Thread(target=kill)
    killer.start()
    recipe = recipes.load("digits", changes=["ensemble=2", "training.epochs=100000", "network.hidden=[8]"])
    with pytest.raises(
        OSError, match=r"run/member-\d: its process ended with status -9; the training is kept in .*run"
    ):
        recipes.train(recipe, tmp_path / "run")
    killer.join()
    assert active_children() == []


def test_what_makes_no_sense_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for change, fault in (
        ("ensemble=0", "recipe: ensemble must be a whole number of at least 1, not 0"),
        ("ensemble=1.5", "recipe: ensemble must be a whole number, not 1.5"),
        ("ensemble=1000000", "recipe: ensemble must be at most 1000, not 1000000: each is a training"),
        ("data.seed=-1", "recipe: data.seed must be a whole number of at least 0, not -1"),
        ("network.hidden=[0]", "network.hidden: Dense: fan_out must be a whole number of at least 1, not 0"),
        ("optimizer.lr=1e30", r"run/member-\d: the loss became "),
    ):
        changes = ["--set", "ensemble=2"] if "ensemble" not in change else []
        assert command(monkeypatch, "train", "digits", *changes, "--set", change, "--out", "run") == 2
        error = capsys.readouterr().err
        assert re.search(fault.replace(".", r"\."), error)
        assert error.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


def test_a_bar_counts_all_epochs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    runs = {Path(f"run/member-{i}"): recipes.load("digits", changes=["training.epochs=4"]) for i in range(2)}
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with TrainingsProgress(runs, True) as show:
        show.epoch(Path("run/member-1"), 3, "loss 0.5")
        assert (show.bar.n, show.bar.total) == (3, 8)
        show.end(Path("run/member-1"))
        assert show.bar.n == 4
    assert "member-1, epoch 3/4" in capsys.readouterr().err


def test_a_member_ends_in_silence_when_nobody_hears_it() -> None:
    code = (
        "from multiprocessing import Pipe; from glassnet.recipes import side_by_side\n"
        "hears, says = Pipe(duplex=False); hears.close()\n"
        "side_by_side._report(says, (1, 'loss 0.5')); print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
