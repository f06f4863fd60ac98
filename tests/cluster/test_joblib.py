"""Members and folds on workers of Dask and Ray on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from joblib import parallel_config

from ensemble_runs import SMALL, contents, write_table
from glassnet import recipes, tuning
from small_packs import one_network

pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask's and Ray's own


@pytest.fixture(scope="module")
def dask() -> Iterator[None]:
    """Two worker processes."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        yield


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    ray.init(num_cpus=2, include_dashboard=False, logging_level="error", log_to_driver=False)
    register_ray()
    yield
    ray.shutdown()


@pytest.fixture(params=["dask", "ray", "loky", "threading"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param in ("dask", "ray"):
        request.getfixturevalue(request.param)
    return str(request.param)


@pytest.mark.parametrize("what", ["members", "folds"])
def test_workers_train_to_the_same_bits(
    what: str, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # the workers' folder is another
    if what == "members":
        recipe = recipes.load("digits", changes=[*SMALL, "ensemble=3"])
    else:
        write_table(tmp_path / "table.csv")
        recipe = one_network("table.csv", "answer", "training.epochs=2", "data.folds=3")
    recipes.train(recipe, Path("alone"))
    with parallel_config(backend):
        recipes.train(recipe, Path("run"), progress=True)
    assert contents(Path("run"), ".safetensors") == contents(Path("alone"), ".safetensors")
    told = [line for line in capsys.readouterr().err.splitlines() if "  epoch " in line]
    assert len(told) == len(set(told)) == 3 * recipe.training.epochs


def test_an_error_on_a_worker_is_one_line_with_the_member(backend: str, tmp_path: Path) -> None:
    recipe = recipes.load("digits", changes=["ensemble=2", "optimizer.lr=1e30"])
    with parallel_config(backend), pytest.raises(ArithmeticError, match=r"^.*run/member-\d: the loss became") as it:
        recipes.train(recipe, tmp_path / "run")
    assert "\n" not in str(it.value)


def test_workers_share_a_search(backend: str, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'trials.db'}" if backend in ("dask", "threading") else None
    recipe = recipes.load("digits", changes=[*SMALL, "tune.confirm=0"])
    with parallel_config(backend):
        found = tuning.tune(recipe, tmp_path / "out", trials=6, storage=storage)
    assert sum(count for state, count in found.summary["trials"].items() if state != "stopped") == 6
