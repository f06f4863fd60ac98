"""What shells offer after Tab. The shells' scripts are typer's; they ask through environment variables."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from glassnet import recipes
from glassnet.cli import main

HEAVY = "scipy sklearn polars pandas matplotlib PIL jinja2 requests pooch starlette uvicorn onnx onnxruntime"
SETS = {"mnist", "california", "digits", "diabetes"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with runs, tables, a recipe, and what is none of these."""
    monkeypatch.chdir(tmp_path)
    for run in ("runs/digits", "runs/digits-2", "other", "far/too/deep"):
        Path(run).mkdir(parents=True)
        Path(run, "metrics.json").touch()
    Path("runs/unfinished").mkdir()
    for file in ("table.csv", "trees.parquet", "my table.csv", "notes.txt", "own.toml", "far/away.csv"):
        Path(file).touch()
    return tmp_path


def asked(shell: str, line: str) -> dict[str, str]:
    """The variables by which a shell's script asks what may stand at the end of a line."""
    words = line.split(" ")
    answer = {"_GLASSNET_COMPLETE": f"complete_{shell}"}
    if shell == "bash":
        return answer | {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return answer | {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}


Offered = Callable[..., set[str]]


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offered:
    """Ask as a shell does; return what is offered, without what is said about it."""

    def offers(line: str, shell: str = "bash") -> set[str]:
        for name, value in asked(shell, line).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as done:
            main()
        assert not done.value.code
        out, err = capsys.readouterr()
        assert not err
        if shell == "zsh":
            return set(re.findall(r'^(?:_arguments .*\(\()?"([^"]+)"(?::"[^"]+")?', out, re.MULTILINE))
        return {offer.partition("\t")[0] for offer in out.splitlines() if offer}

    return offers


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("train", {"train"}),
        ("tra", {"train", "trace"}),
        ("train --ta", {"--target"}),
        ("train d", {"digits", "diabetes"}),
        ("train t", {"table", "table.csv", "trees.parquet"}),
        ("train far/", {"far/away.csv"}),
        ("gradcheck o", {"own.toml"}),
        ("recipes seed-", {"seed-mnist", "seed-california"}),
        ("evaluate ", {"other", "runs/digits", "runs/digits-2"}),
        ("evaluate ./o", {"./other"}),
        ("predict runs/", {"runs/digits", "runs/digits-2"}),
        ("predict runs/digits t", set()),  # nothing of ours: the shell offers files
        ("compare other runs/digits-", {"runs/digits-2"}),
        ("doctor o", {"own.toml", "other"}),
        ("explore runs", {"runs/digits", "runs/digits-2"}),
        ("data fetch ", SETS),
        ("data verify m", {"mnist"}),
    ],
)
def test_what_is_offered(line: str, expected: set[str], shell: str, folder: Path, offered: Offered) -> None:
    assert offered(f"glassnet {line}", shell) == expected


def test_all_recipes_are_offered(folder: Path, offered: Offered) -> None:
    assert offered("glassnet recipes ") == set(recipes.names())


def test_what_is_said_of_an_offer_stays_on_its_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in asked("fish", "glassnet train ").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(recipes.names()) + len(["own.toml", "table.csv", "trees.parquet"])
    assert all(re.fullmatch(r"[^\t ]+\t.+", line) for line in lines)


@pytest.mark.parametrize(("line", "status"), [("glassnet train d", 0), ("glassnet predict runs/digits t", 1)])
def test_fish_learns_from_the_status_whether_to_offer_files(
    line: str, status: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (asked("fish", line) | {"_TYPER_COMPLETE_FISH_ACTION": "is-args"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as done:
        main()
    assert (done.value.code or 0) == status


@pytest.mark.parametrize("line", ["glassnet train d", "glassnet evaluate ", "glassnet data fetch "])
def test_nothing_slow_is_imported(line: str, folder: Path) -> None:
    code = (
        "import sys\n"
        "from glassnet.cli import main\n"
        "try:\n    main()\n"
        f"finally:\n    print('loaded:', *set({HEAVY.split()}) & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    environment = os.environ | asked("bash", line)
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(shown) > 2
    assert shown[-1].split() == ["loaded:"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_in_bash(folder: Path) -> None:
    here = {k: v for k, v in os.environ.items() if not k.startswith("COMP_")}
    program = folder / "glassnet"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m glassnet "$@"\n')
    program.chmod(0o755)
    script = subprocess.run(
        [program], env=here | {"_GLASSNET_COMPLETE": "source_bash"}, capture_output=True, text=True, check=True
    ).stdout
    typed = "COMP_WORDS=(glassnet train di); COMP_CWORD=2; _glassnet_completion ./glassnet; echo ${COMPREPLY[*]}"
    shown = subprocess.run(["bash", "--norc", "-c", f"{script}\n{typed}"], env=here, capture_output=True, text=True)
    assert shown.stdout.split() == ["diabetes", "digits"]


def test_completion_is_installed_for_the_shell_that_asks(folder: Path) -> None:
    command = [sys.executable, "-m", "glassnet", "--install-completion"]
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{' '.join(command)}; exit $?"],
        env=os.environ | {"HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "bash completion installed" in done.stdout
    assert "_glassnet_completion" in (folder / ".bash_completions" / "glassnet.sh").read_text()
    assert "glassnet.sh" in (folder / ".bashrc").read_text()
