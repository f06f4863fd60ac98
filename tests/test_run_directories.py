"""A run directory belongs to one training at a time, and what a killed one left doesn't stand in the way."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from ensemble_runs import command
from glassnet import recipes
from glassnet.files import holding
from glassnet.recipes.directory import new_directory

SMALL = ("--set", "training.epochs=1", "--set", "network.hidden=[8]")
ABANDONED = ".glassnet-0123456789abcdef.part"  # the folder in which a killed process was writing

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders are held on POSIX systems")
unpictured = pytest.mark.usefixtures("without_pictures")
pytestmark = pytest.mark.usefixtures("quick_members")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished ensemble of two."""
    run = tmp_path_factory.mktemp("runs") / "digits"
    with pytest.MonkeyPatch.context() as patch:
        assert command(patch, "train", "digits", *SMALL, "--set", "ensemble=2", "--out", run) == 0
    return run


@unpictured
def test_one_training_writes_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], digits: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(digits, "begun")
    (tmp_path / "begun" / "metrics.json").unlink()
    (tmp_path / "new").mkdir()
    for words, folder in (
        (("train", "digits", *SMALL, "--out", "new"), "new"),
        (("train", "digits", *SMALL, "--set", "ensemble=2", "--out", "new"), "new"),
        (("ensemble", digits / "member-0", digits / "member-1", "--out", "new"), "new"),
        (("train", "--out", "begun", "--resume"), "begun"),
    ):
        before = sorted(tmp_path.rglob("*"))
        with holding(tmp_path / folder):
            assert command(monkeypatch, *words) == 2
        error = capsys.readouterr().err
        assert f"{folder}: another training is writing there: wait until it has ended, or choose another" in error
        assert error.count("\n") == 1
        assert sorted(tmp_path.rglob("*")) == before
    with holding(tmp_path / "begun" / "member-1"):
        (tmp_path / "begun" / "member-1" / "metrics.json").unlink()
        monkeypatch.setattr("glassnet.recipes.side_by_side.MEMBER_PATIENCE", 0.0)
        run = tmp_path / "begun" / "member-1"
        assert command(monkeypatch, "train", "--out", run, "--resume") == 2
    assert "another training is writing there" in capsys.readouterr().err


def test_a_free_folder_is_given_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        given = [stack.enter_context(new_directory(tmp_path / "runs" / "digits")) for _ in range(3)]
        assert [folder.name for folder in given] == ["digits", "digits-2", "digits-3"]
        (given[1] / "recipe.toml").touch()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["digits-2"], "the others were left empty"
    with new_directory(tmp_path / "mine" / "digits") as folder:
        assert folder.is_dir()
    assert not (tmp_path / "mine").exists()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with new_directory(tmp_path / "link") as folder:
        assert folder.name == "link-2"


@unpictured
@pytest.mark.parametrize("how", [(), ("--resume",)])
def test_a_folder_with_nothing_but_half_a_recipe_is_an_empty_one(
    how: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    (run / ABANDONED).mkdir(parents=True)
    (run / ABANDONED / "recipe.toml").write_text("name = ")
    assert command(monkeypatch, "train", "--out", run, "--resume") == 2
    assert "run holds no run (there is no recipe.toml in it): name the recipe, to begin anew" in capsys.readouterr().err
    assert command(monkeypatch, "train", "digits", *SMALL, "--out", run, *how) == 0
    files = {
        "recipe.toml",
        "metrics.json",
        "history.csv",
        "model.safetensors",
        "intervals.safetensors",
        "thresholds.csv",
    }
    assert {path.name for path in run.iterdir()} == files


@unpictured
def test_what_was_left_at_the_very_end_goes_when_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], digits: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(digits / "member-0", run)
    before = sorted(run.rglob("*"))
    (run / ABANDONED).mkdir()
    (run / "checkpoint.safetensors").touch()
    assert command(monkeypatch, "train", "--out", run, "--resume") == 2
    assert "run is finished: there is nothing to resume" in capsys.readouterr().err
    assert sorted(run.rglob("*")) == before
    (tmp_path / ABANDONED).mkdir()  # of a committee, whose folder is made beside its place
    assert command(monkeypatch, "ensemble", digits / "member-0", digits / "member-1", "--out", run) == 2
    assert "run already holds a run: choose another --out" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [run]


@unpictured
@pytest.mark.parametrize("lost", ["recipe.toml", "history.csv", "model.safetensors", "all but what makes it a run"])
def test_a_member_that_lost_a_file_is_trained_again(
    lost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], digits: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(digits, run)
    member = run / "member-1"
    (run / "metrics.json").unlink()
    for name in ("recipe.toml", "history.csv", "model.safetensors"):
        if lost not in ("recipe.toml", "history.csv", "model.safetensors"):
            (member / name).write_text("")
        elif lost == name:
            (member / name).unlink()
    assert command(monkeypatch, "train", "--out", run, "--resume") == 0
    said = capsys.readouterr().err.splitlines()[0]
    assert str(member) in said
    assert said.endswith(f"so {member} is trained again")
    for name in ("model.safetensors", "member-1/model.safetensors", "member-1/recipe.toml"):
        assert (run / name).read_bytes() == (digits / name).read_bytes()


def test_nothing_is_written_through_a_link_in_a_run_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], digits: Path
) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copytree(digits, run)
    (run / "metrics.json").unlink()
    for name in ("plots", "member-1"):
        shutil.move(run / name, tmp_path / name)
        (run / name).symlink_to(elsewhere)
        assert command(monkeypatch, "train", "--out", run, "--resume") == 2
        assert f"{name} is a symbolic link, and nothing is written through one: remove it" in capsys.readouterr().err
        (run / name).unlink()
        shutil.move(tmp_path / name, run / name)
    for name in ("model.safetensors", "metrics.json"):
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(elsewhere / name)
    assert command(monkeypatch, "train", "--out", run, "--resume") == 0
    assert list(elsewhere.iterdir()) == []
    assert len(json.loads((run / "metrics.json").read_text())["members"]) == 2


def test_a_committee_appears_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Path) -> None:
    out = tmp_path / "committee"

    def during(*_: object) -> None:
        assert list(out.iterdir()) == []
        raise KeyboardInterrupt

    members = [digits / "member-0", digits / "member-1"]
    with monkeypatch.context() as patch:
        patch.setattr("glassnet.recipes.ensembles.draw_ensemble", during)
        with pytest.raises(KeyboardInterrupt):
            recipes.committee(members, out)
    assert list(tmp_path.iterdir()) == []
    recipes.committee(members, out)
    assert [path.name for path in tmp_path.iterdir()] == ["committee"]
