"""The default for a table beside a linear model and gradient boosting, and honestly so."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from glassnet import recipes
from glassnet.cli import main
from glassnet.recipes.leaderboard import SAID
from small_packs import SET_SMALL_PACK, SMALL_PACK, one_network

N = 400


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A linear target, which a network trained for two epochs doesn't find, with gaps, categories and dates."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, N))
    town = rng.choice(["Ulm", "Genf", "Wien"], N)
    value = 10 * a + 5 * b + 3 * (town == "Ulm") + rng.normal(size=N)
    frame = {
        "a": a,
        "b": [None if gone else float(each) for gone, each in zip(rng.random(N) < 0.1, b, strict=True)],
        "town": town,
        "day": (np.datetime64("2024-01-01") + rng.integers(0, 90, N)).astype(str),
        "value": value,
        "kind": np.where(value > 8, "high", np.where(value < -8, "low", "middle")),
    }
    pl.DataFrame(frame).write_csv(tmp_path / "t.csv")
    return tmp_path / "t.csv"


@pytest.mark.parametrize("target", ["value", "kind"])
def test_another_model_that_is_better_is_called_so(table: Path, target: str) -> None:
    drop = {"kind": "value", "value": "kind"}[target]
    found = recipes.leaderboard(recipes.choose(str(table), target=target, drop=[drop], changes=SMALL_PACK))
    models = {model["model"]: model for model in found["models"]}
    assert next(iter(models)) == "linear model"
    assert models.keys() == {"glassnet", "linear model", "HistGradientBoosting", "baseline"}
    assert models["linear model"]["lead"]["low"] > 0
    assert models["glassnet"]["lead"] == {"value": 0, "low": 0, "high": 0}
    assert "linear model" in found["verdict"].split(";")[0]
    assert f"better than glassnet by {SAID[found['judged_by']]}: prefer it" in found["verdict"]
    assert all(("pinball" in model["figures"]) == (target == "value") for model in models.values())
    baseline = models["baseline"]["figures"]
    assert all(of["value"] == pytest.approx(of["baseline"], nan_ok=True) for of in baseline.values())
    assert all(model["seconds"] >= 0 for model in models.values())


def test_our_figures_are_those_of_training(table: Path, tmp_path: Path) -> None:
    recipe = one_network(table, "value", 'data.drop=["kind"]')
    ours = next(m for m in recipes.leaderboard(recipe)["models"] if m["model"] == "glassnet")
    trained = recipes.train(recipe, tmp_path / "run")["figures"]
    assert "pinball" in trained
    assert {name: of["value"] for name, of in ours["figures"].items()} == {n: of["value"] for n, of in trained.items()}


@pytest.mark.parametrize("pack", [False, True])
def test_a_training_that_was_stopped_is_not_compared(table: Path, monkeypatch: pytest.MonkeyPatch, pack: bool) -> None:
    name, stopped = "fit_recipe" if pack else "fit", SimpleNamespace(interrupted=True)
    result = SimpleNamespace(ensemble=None, history=stopped) if pack else stopped
    monkeypatch.setattr(import_module("glassnet.recipes.leaderboard"), name, lambda *_, **__: result)
    options: dict[str, Any] = {"target": "value", "drop": ["kind"], "changes": SMALL_PACK}
    recipe = recipes.choose(str(table), **options) if pack else one_network(table, "value", 'data.drop=["kind"]')
    with pytest.raises(KeyboardInterrupt):
        recipes.leaderboard(recipe)


def test_the_command_compares_models_on_a_table_or_runs(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*words: str) -> tuple[str, str]:
        monkeypatch.setattr("sys.argv", ["glassnet", "compare", *words])
        with pytest.raises(SystemExit):
            main()
        printed = capsys.readouterr()
        return printed.out, printed.err

    options = ["--target", "kind", "--drop", "value", *SET_SMALL_PACK]
    assert "HistGradientBoosting" in run(str(table), *options)[0]
    assert json.loads(run(str(table), *options, "--json")[0])["judged_by"] == "log_loss"
    assert "--out writes a page about runs" in run(str(table), *options, "--out", "page.html")[1]
    assert "name another" in run(str(tmp_path))[1]
    assert "are for a table, and these are runs" in run(str(tmp_path), str(tmp_path), "--json")[1]
