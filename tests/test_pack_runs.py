"""A pack as a recipe, and its run directory on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import glassnet as gn
from ensemble_runs import command
from glassnet import recipes
from glassnet.pack.training import PackTraining
from small_packs import SET_SMALL_PACK, SMALL_PACK

MINIMAL: dict[str, Any] = {"name": "mine", "data": {"source": "my.csv"}}
TRAIN = ("train", "my.csv", "--target", "price", *SET_SMALL_PACK)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, and two packs trained on it: run, and other, of another seed."""
    folder = tmp_path_factory.mktemp("packs")
    rng = np.random.default_rng(0)
    town, size = np.array(["hill", "port"])[rng.integers(2, size=90)], rng.normal(size=90).round(3)
    table = pl.DataFrame({"town": town, "size": size, "price": size + (town == "port")})
    table.with_columns(size=pl.when(pl.int_range(90) % 9 > 0).then("size")).write_csv(folder / "my.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, seed in (("run", 0), ("other", 1)):
            recipe = recipes.choose("my.csv", target="price", changes=[*SMALL_PACK, "data.seed=0"], seed=seed)
            recipes.train(recipe, folder / name)
    return folder


@pytest.fixture
def here(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_pictures: None) -> Path:
    """A copy of it as the working folder."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    for recipe in tmp_path.glob("*/recipe.toml"):
        recipe.write_text(recipe.read_text().replace(str(trained), str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def metrics(run: str) -> dict[str, Any]:
    return dict(json.loads(Path(run, "metrics.json").read_text()))


@pytest.mark.parametrize(
    ("pack", "fault"),
    [
        ({"network": 3}, r"there is no pack\.network \(did you mean networks\?\)"),
        ({"networks": 0}, r"pack\.networks must be a whole number of at least 1, not 0"),
        ({"batch_size": -1}, r"pack\.batch_size must be a whole number of at least 1, not -1"),
        (
            {"candidates": {"a": {"network": {"dropuot": 0.1}}}},
            r"candidates\.a: there is no network\.dropuot \(",
        ),
        ({"candidates": {"a": {"network": {"dropout": "x"}}}}, r"candidates\.a: network\.dropout must be a number"),
        ({"candidates": {"a": {"training": {"epochs": 3}}}}, r"candidates\.a: training\.epochs is the same for all"),
        ({"candidates": {"a": {"seed": 3}}}, r"candidates\.a: seed is the same for all"),
        ({"candidates": {"a": {"task": "counting"}}}, r"candidates\.a: task is one of classification, regression, not"),
        ({"candidates": {"a": 3}}, r"candidates\.a: it is a table of settings, not 3"),
        ({"space": {"network": {"dropout": {"low": 0.5, "high": 0.1}}}}, r"pack\.space\.network\.dropout: low must be"),
    ],
)
def test_settings_of_a_pack_are_refused_with_their_place(pack: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=f"^recipe: .*{fault}"):
        recipes.from_dict(MINIMAL | {"pack": pack})


def test_a_pack_is_no_ensemble_of_packs() -> None:
    with pytest.raises(ValueError, match="a pack is an ensemble already"):
        recipes.from_dict(MINIMAL | {"pack": {}, "ensemble": 2})


def test_a_recipe_of_a_pack_settles_on_one_network(trained: Path) -> None:
    data = gn.load(trained / "my.csv", target="price")
    made = recipes.load("table", changes=SMALL_PACK).settle(data)
    assert isinstance(made.net, gn.Network)
    assert gn.gradcheck(made.net, data.train.x[:4], data.train.y[:4], made.loss).passed


def test_a_pack_trained_again_is_the_same(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(monkeypatch, *TRAIN, "--set", "data.seed=0", "--out", "again") == 0
    assert (here / "again" / "model.safetensors").read_bytes() == (here / "run" / "model.safetensors").read_bytes()
    assert (here / "other" / "model.safetensors").read_bytes() != (here / "run" / "model.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("evaluate run", "regression of price"),
        ("predict run my.csv", "price,prediction"),
        ("trace run --row 1", "the network with the largest share of the answer"),
        ("doctor run", ""),
        ("report run", "report.html"),
        ("compare run other", "seed"),
        ("compare run other --out both.html", "both.html"),
        ("export run run.onnx", "run.onnx"),
        ("ensemble run other --out both", "2 members"),
    ],
)
def test_every_command_reads_a_pack(
    words: str, said: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, *words.split()) == 0
    assert said in "".join(capsys.readouterr())


def test_a_committee_of_packs_answers_the_mean(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(monkeypatch, "ensemble", "run", "other", "--out", "both") == 0
    x = gn.load("my.csv", target="price").test.x
    run, other, both = (gn.Ensemble.load(here / name / "model.safetensors") for name in ("run", "other", "both"))
    np.testing.assert_allclose(both.predict(x), (run.predict(x) + other.predict(x)) / 2, rtol=1e-5)
    assert command(monkeypatch, "evaluate", "both") == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["training.epochs=3"], "training.epochs does nothing for a pack: set pack.ends=[N], or --epochs N"),
        (
            ["training.batch_size=8", "training.monitor=r2"],
            "training.batch_size, training.monitor do nothing for a pack: set pack.batch_size=N, or --batch-size N",
        ),
        (["training.monitor=r2"], "training.monitor does nothing for a pack: leave it out"),
        ([], ""),
    ],
)
def test_settings_that_a_pack_does_not_go_by_are_named(
    changes: list[str], said: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for change in changes for word in ("--set", change)]
    assert command(monkeypatch, *TRAIN, *words, "--out", f"new-{len(said)}") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "for a pack" in line]
    assert lines == ([said] if said else [])


def test_with_time_a_pack_looks_for_more(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command(monkeypatch, *TRAIN, "--set", "data.seed=0", "--time", "0.3s", "--out", "long") == 0
    assert metrics("long")["epochs"] >= metrics("run")["epochs"]
    assert len(metrics("long")["parts"]) >= 1


def test_a_finished_pack_goes_on(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (here / "run" / "model.safetensors").read_bytes()
    assert command(monkeypatch, "train", "--resume", "--out", "run") == 0
    assert (here / "run" / "model.safetensors").read_bytes() == before  # without more time, there is nothing to add
    assert command(monkeypatch, "train", "--resume", "--out", "run", "--time", "0.3s") == 0
    assert not metrics("run")["interrupted"]


@pytest.mark.parametrize("time", ["0", "-1s", "ten", "5d", "", "1e3", "inf", "nan"])
def test_a_time_that_is_none_is_refused(
    time: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(monkeypatch, *TRAIN, "--time", time, "--out", "new") == 2
    assert f"--time takes a length of time such as 90s, 10m or 2h, not {time!r}" in capsys.readouterr().err
    assert not (here / "new").exists()


def test_a_recipe_of_one_network_takes_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, "train", "digits", "--time", "1m") == 2
    assert "digits is of no pack, so it takes no time limit: set training.epochs" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_ctrl_c_keeps_what_was_found_and_resume_goes_on(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    train, choose, calls = (*TRAIN, "--set", "data.seed=0"), PackTraining._choose, iter(range(9))

    def stopping(self: PackTraining) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt
        choose(self)

    with monkeypatch.context() as patch:
        patch.setattr(PackTraining, "_choose", stopping)
        assert command(monkeypatch, *train, "--out", "stopped") == 0
    assert "(stopped early, by Ctrl-C)" in capsys.readouterr().out
    assert metrics("stopped")["interrupted"]
    assert metrics("stopped")["epochs"] < metrics("run")["epochs"]
    assert command(monkeypatch, "evaluate", "stopped") == 0
    assert command(monkeypatch, "train", "--resume", "--out", "stopped") == 0
    assert (here / "stopped" / "model.safetensors").read_bytes() == (here / "run" / "model.safetensors").read_bytes()


def test_ctrl_c_before_anything_was_found_leaves_what_resume_needs(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: PackTraining) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("glassnet.pack.pack.SAVED", 0)  # networks are kept as soon as they end a cycle
        patch.setattr(PackTraining, "_choose", stop)
        assert command(monkeypatch, *TRAIN, "--set", "data.seed=0", "--out", "stopped") == 130
    assert command(monkeypatch, "train", "--resume", "--out", "stopped") == 0
    assert (here / "stopped" / "model.safetensors").read_bytes() == (here / "run" / "model.safetensors").read_bytes()


def test_other_networks_than_the_recipes_are_not_gone_on_with(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(here / "other" / "pack.safetensors", here / "run" / "pack.safetensors")
    assert command(monkeypatch, "train", "--resume", "--out", "run") == 2
    assert "was written by another training" in capsys.readouterr().err
    (here / "run" / "pack.safetensors").write_bytes(b"")
    assert command(monkeypatch, "train", "--resume", "--out", "run") == 2
    assert "pack.safetensors" in capsys.readouterr().err
