"""A search whose trials are in a database or behind a server: shared, killed, and gone on with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.database import free_port
from cluster.killed_workers import RECIPE, search
from glassnet import recipes, tuning
from glassnet.cli import main

STORAGES = ["journal", "postgresql", "grpc"]


@pytest.fixture
def grpc(tmp_path: Path) -> Iterator[str]:
    """The URL of a proxy before a SQLite file."""
    pytest.importorskip("grpc")
    port = free_port()
    code = (
        "import sys; from optuna.storages import RDBStorage, run_grpc_proxy_server\n"
        f"run_grpc_proxy_server(RDBStorage('sqlite:///{tmp_path}/behind.db'), host='127.0.0.1', port={port})"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as server:
        yield f"grpc://127.0.0.1:{port}"
        server.kill()


@pytest.fixture
def storage(request: pytest.FixtureRequest) -> str | None:
    return None if request.param == "journal" else request.getfixturevalue(request.param)


@pytest.mark.parametrize("storage", STORAGES, indirect=True)
def test_killed_workers_lose_no_trial_and_none_counts_twice(storage: str | None, tmp_path: Path) -> None:
    changes = [*RECIPE, f"seed={len(str(storage))}"]
    found, kills = search(tmp_path, storage=storage, workers=3, trials=25, every=1.5, seed=1, changes=changes)
    assert kills >= 2
    assert sum(count for state, count in found.items() if state != "stopped") == 25


@pytest.mark.parametrize("storage", STORAGES[1:], indirect=True)
def test_a_search_goes_on_from_another_folder(storage: str, tmp_path: Path) -> None:
    recipe = recipes.load("digits", changes=[*RECIPE, "training.epochs=1"])
    first = tuning.tune(recipe, tmp_path / "first", trials=3, storage=storage)
    second = tuning.tune(recipe, tmp_path / "second", trials=5, storage=storage)
    again = tuning.tune(recipe, tmp_path / "first", trials=5, storage=storage)
    assert [sum(each.summary["trials"].values()) for each in (first, second, again)] == [3, 5, 5]
    assert (tmp_path / "first" / "recipe.toml").read_bytes() == (tmp_path / "second" / "recipe.toml").read_bytes()
    assert not list(tmp_path.glob("*/study.journal"))


def test_the_password_is_shown_nowhere(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = [word for change in [*RECIPE, "training.epochs=1"] for word in ("--set", change)]
    monkeypatch.setattr(sys, "argv", ["glassnet", "tune", "digits", "--trials", "2", *changes, "--storage", postgresql])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main()
    said = "".join(capsys.readouterr())
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for word in ("se:cret", "cret/word", "se%3Acret", "word@"):
        assert word not in said
        assert word.encode() not in written
    refused = r"--storage postgresql://127\.0\.0\.1:\d+/postgres: .*authentication failed"
    wrong = postgresql.replace("se%3Acret", "wrong%3Aone")
    with pytest.raises(OSError, match=refused) as it:
        tuning.tune(recipes.load("digits"), tmp_path / "out", trials=2, storage=wrong)
    assert "wrong" not in str(it.value)


def test_a_proxy_that_does_not_answer_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("grpc")
    monkeypatch.setattr("glassnet.tuning.storage.PATIENCE", 0.2)
    with pytest.raises(OSError, match=r"^--storage grpc://127\.0\.0\.1:1: .*timeout$"):
        tuning.tune(recipes.load("digits"), tmp_path / "out", storage="grpc://127.0.0.1:1")
    assert not (tmp_path / "out").exists()
