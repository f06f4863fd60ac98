"""A run knows its data again: whatever of them is changed, every command that uses them says so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from ensemble_runs import command
from glassnet import recipes
from glassnet.recipes import run as run_module
from glassnet.recipes.identity import checksum, difference, info_of
from glassnet.report import compare
from small_packs import SMALL_PACK, one_network

PARTS = {"train": "training", "val": "validation", "test": "test"}
PAIRS = np.random.default_rng(0).normal(size=(120, 2)).round(4)


def write(file: Path, y: Callable[[float, float], float], factors: np.ndarray | None = None) -> None:
    scales = np.ones(len(PAIRS)) if factors is None else factors
    rows = [f"{a * scale},{b},{y(a, b):.4f}" for (a, b), scale in zip(PAIRS.tolist(), scales.tolist(), strict=True)]
    file.write_text("\n".join(["p,q,y", *rows]) + "\n")


def first(a: float, b: float) -> float:
    return a + b


def second(a: float, b: float) -> float:
    return -5 * a


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table and runs of it: run, again, and other, which saw other targets."""
    folder = tmp_path_factory.mktemp("identity")
    file = folder / "own.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "draw", lambda *_: None)
        for name, target in (("other", second), ("run", first), ("again", first)):
            write(file, target)
            recipes.train(one_network(file, "y"), folder / name)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """A copy of it, whose recipes name the table in the copy."""
    shutil.copytree(trained, tmp_path / "copy")
    for recipe in (tmp_path / "copy").glob("*/recipe.toml"):
        recipe.write_text(recipe.read_text().replace(str(trained), str(tmp_path / "copy")))
    return tmp_path / "copy"


def scaled(file: Path, part: str) -> np.ndarray:
    """100 for the rows of a part of the table, 1 for the others."""
    kept = {tuple(row) for row in getattr(gn.load(file, target="y"), part).x.tolist()}
    return np.array([100.0 if tuple(row) in kept else 1.0 for row in PAIRS.tolist()])


@pytest.mark.parametrize("changed", ["targets", "training rows", "validation rows", "test rows"])
def test_every_command_that_uses_the_data_names_what_changed(
    changed: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, run = folder / "own.csv", folder / "run"
    part = next((part for part, name in PARTS.items() if changed == f"{name} rows"), None)
    write(file, second if part is None else first, None if part is None else scaled(file, part))
    for words in (
        ("evaluate", run),
        ("trace", run, "--row", 0),
        ("doctor", run),
        ("explore", run, "--out", folder / "page.html"),
        ("ensemble", run, folder / "again", "--out", folder / "both"),
    ):
        assert command(monkeypatch, *words) == 2
        assert f"own.csv is not what {run} was trained on: its {changed} changed" in capsys.readouterr().err
    assert command(monkeypatch, "report", run) == 1
    assert f"its {changed} changed" in capsys.readouterr().err
    assert f"its {changed} changed" in (run / "report.html").read_text()
    assert {path.name for path in folder.iterdir()} == {"own.csv", "run", "again", "other"}


def test_runs_of_other_targets_make_no_committee_and_neither_is_best(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, "ensemble", folder / "run", folder / "other", "--out", folder / "both") == 2
    assert "weren't trained on the same data: they differ in targets" in capsys.readouterr().err
    assert command(monkeypatch, "compare", folder / "run", folder / "other") == 0
    assert "the data differ in targets, so no figure is called best" in capsys.readouterr().out
    assert all(figure.best == () for figure in compare([folder / "run", folder / "other"]).figures)
    assert compare([folder / "run", folder / "again"]).same_data


@pytest.mark.parametrize("members", [1, 2, "a pack"])
def test_a_training_does_not_go_on_with_other_data(
    members: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, file = folder / "begun", folder / "own.csv"
    if members == "a pack":
        recipe = recipes.choose(str(file), target="y", changes=SMALL_PACK)
    else:
        recipe = one_network(file, "y", ensemble=members)
    write(file, first)
    if members == 1:
        with monkeypatch.context() as patch:
            patch.setattr(run_module, "results", full_disk)
            with pytest.raises(OSError, match="No space left"):
                recipes.train(recipe, out)
    else:
        recipes.train(recipe, out)
        if members == 2:  # a pack goes on when it is finished, too
            (out / "metrics.json").unlink()
    write(file, second)
    assert command(monkeypatch, "train", "--resume", "--out", out) == 2
    assert "its targets changed" in capsys.readouterr().err


def full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_an_ensemble_knows_its_data_again(folder: Path) -> None:
    write(folder / "own.csv", first)
    recipes.committee([folder / "run", folder / "again"], folder / "both")
    recipes.evaluate_run(folder / "both")
    write(folder / "own.csv", second)
    with pytest.raises(ValueError, match="its targets changed"):
        recipes.evaluate_run(folder / "both")


def test_a_checksum_is_of_the_numbers_and_not_of_how_they_lie_in_memory() -> None:
    for dtype in ("f4", "f8", "i8", "u1"):
        x = np.arange(12, dtype=dtype).reshape(3, 4)
        for same in (x.astype(x.dtype.newbyteorder(">")), np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2]):
            assert checksum(same) == checksum(x)
        assert checksum(x[:0]) == 0
        assert checksum(x + x.dtype.type(1)) != checksum(x)
    assert checksum(np.arange(4.0)) == 0xE1EE77A9  # what another machine has to find, too


def test_one_changed_number_anywhere_is_a_difference() -> None:
    data = gn.load("diabetes")
    known = json.loads(json.dumps(info_of(data)))
    assert difference(known, info_of(data)) is None
    for part in PARTS:
        for name in ("x", "y"):
            split = getattr(data, part)
            values = getattr(split, name).copy()
            values.flat[-1] += 1e-9
            other = replace(data, **{part: replace(split, **{name: values})})
            expected = (
                "targets" if name == "y" else {"train": "training", "val": "validation"}.get(part, part) + " rows"
            )
            assert difference(known, info_of(other)) == expected
