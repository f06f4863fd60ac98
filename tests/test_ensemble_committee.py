"""Committees: finished runs that answer together."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import glassnet as gn
from ensemble_runs import RUN, command, contents, write_table
from glassnet import recipes
from small_packs import SMALL_PACK


def test_a_committee_of_finished_runs(
    three_seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    recipes.train(recipes.load("digits", changes=["training.epochs=1", "network.hidden=[30, 20]"]), Path("wide"))
    assert command(monkeypatch, "ensemble", "wide", three_seeds / "member-2") == 0
    out = capsys.readouterr().out
    committee = tmp_path / "runs" / "ensemble"
    assert {path.name for path in committee.iterdir()} == RUN - {"recipe.toml"} | {"member-0", "member-1"}
    assert contents(committee / "member-1", "") == contents(three_seeds / "member-2", "")

    data = gn.load("digits")
    nets = [gn.Network.load(run / "model.safetensors") for run in (Path("wide"), three_seeds / "member-2")]
    p = (nets[0].predict_proba(data.test.x) + nets[1].predict_proba(data.test.x)) / 2
    accuracy = (p.argmax(axis=1) == data.test.y).mean()
    metrics = json.loads((committee / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] == pytest.approx(accuracy)
    assert [member["run"] for member in metrics["members"]] == ["wide", str(three_seeds / "member-2")]
    alone = [gn.evaluate(net, data.val, gn.CrossEntropy())["accuracy"] for net in nets]
    assert [member["val"]["accuracy"] for member in metrics["members"]] == pytest.approx(alone)
    for figure in (accuracy, *alone):
        assert f"{figure:.4f}" in out

    shutil.rmtree("wide")  # they are copies
    assert command(monkeypatch, "evaluate", committee) == 0
    assert f"{accuracy:.4f}" in capsys.readouterr().out
    assert recipes.export_run(committee, tmp_path / "model.onnx").startswith("x float32 (N, 64) -> y float32 (N, 10)")


def test_what_makes_no_committee(
    three_seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = three_seeds / "member-0", three_seeds / "member-1"
    table = str(write_table(tmp_path / "table.csv"))
    for seed in (0, 1):
        recipe = recipes.choose(table, target="answer", seed=seed, changes=SMALL_PACK)
        recipes.train(recipe, tmp_path / f"table-{seed}")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    before = {path.name for path in tmp_path.iterdir()}
    for runs, fault in (
        ([first], "a committee needs at least two run directories"),
        ([first, f"{first}/"], "is named twice"),
        (
            [first, "table-0"],
            "table-0 and " + str(first) + " weren't trained on the same data: they differ in features",
        ),
        (["table-0", "table-1"], "weren't trained on the same data: they differ in test rows"),
        ([first, tmp_path / "taken"], "is no run"),
        ([first, second, "--out", "taken"], "taken is not an empty folder"),
    ):
        assert command(monkeypatch, "ensemble", *runs) == 2
        error = capsys.readouterr().err
        assert fault in error
        assert error.count("\n") == 1
        assert {path.name for path in tmp_path.iterdir()} == before

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("glassnet.recipes.ensembles.draw_ensemble", full)
    assert command(monkeypatch, "ensemble", first, second, "--out", "new") == 2
    assert capsys.readouterr().err == "glassnet: new: No space left on device\n"
    assert {path.name for path in tmp_path.iterdir()} == before
