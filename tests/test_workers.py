"""Members and folds on the workers that `joblib.parallel_config` names."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from joblib import parallel_config

from ensemble_runs import SMALL, contents
from glassnet import recipes
from glassnet.fast.threads import available, sharing

pytestmark = pytest.mark.usefixtures("without_pictures")


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_members_on_workers_are_the_same(
    backend: str, three_seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = recipes.load("digits", seed=4, changes=[*SMALL, "ensemble=3"])
    with parallel_config(backend, n_jobs=2):
        recipes.train(recipe, tmp_path / "run", progress=True)
    lines = capsys.readouterr().err.splitlines()
    told = [line for line in lines if line.startswith("member-")]
    assert len(told) == len(set(told)) == 3 * recipe.training.epochs
    assert contents(tmp_path / "run") == contents(three_seeds)


def test_the_first_error_of_a_worker_is_raised_with_its_name(tmp_path: Path) -> None:
    recipe = recipes.load("digits", changes=["ensemble=2", "optimizer.lr=1e30"])
    with parallel_config("threading", n_jobs=1), pytest.raises(ArithmeticError, match=r"^.*run/member-0: the loss"):
        recipes.train(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_trainings_in_threads_share_the_cores() -> None:
    found = []
    with sharing(1):
        found.append(available())
        thread = threading.Thread(target=lambda: found.append(available()))
        thread.start()
        thread.join()
    assert found == [1, available()]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_share_a_search(backend: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("optuna")
    from glassnet import tuning

    changes = [*SMALL, "network.threads=1", "tune.confirm=1"]
    with parallel_config(backend, n_jobs=2):
        found = tuning.tune(recipes.load("digits", changes=changes), tmp_path / "out", trials=6, progress=True)
    assert sum(count for state, count in found.summary["trials"].items() if state != "stopped") == 6
    assert found.summary["finalists"]
    told = [line.split()[1] for line in capsys.readouterr().err.splitlines() if "(best" in line]
    assert len(told) == len(set(told)) == 6  # a stopped one has a number, too
