"""Seeds side by side: what a run directory of an ensemble holds, and what can be done with it."""

from __future__ import annotations

import csv
import json
import signal
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from threadpoolctl import threadpool_info

import glassnet as gn
from ensemble_runs import RUN, SMALL, command, write_table
from glassnet import recipes
from glassnet.fast.threads import VARIABLES, available
from glassnet.recipes import side_by_side
from glassnet.recipes.side_by_side import shares
from small_packs import one_network


@pytest.mark.parametrize(
    ("runs", "cores", "threads", "each"),
    [
        (5, 2, None, [1, 1]),
        (2, 8, None, [4, 4]),
        (3, 8, None, [3, 3, 2]),
        (1, 4, None, [4]),
        (0, 4, None, []),
        (5, 8, 3, [3, 3]),
        (5, 2, 4, [4]),
        (2, 8, 1, [1, 1]),
    ],
)
def test_cores_are_shared_among_trainings(runs: int, cores: int, threads: int | None, each: list[int]) -> None:
    assert shares(runs, cores, threads) == each


def test_a_training_keeps_to_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def look(*_: object, **__: object) -> None:
        seen.append((available(), {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}))

    for name in VARIABLES:
        monkeypatch.setenv(name, "64")  # which is put back, whatever the training sets
    monkeypatch.setattr(side_by_side, "train_one", look)
    before = signal.getsignal(signal.SIGINT)
    side_by_side._train(recipes.load("digits"), Path(), 1, Pipe()[1])
    signal.signal(signal.SIGINT, before)
    ((kernels, blas),) = seen
    assert kernels == 1
    assert blas <= {1}


@pytest.mark.usefixtures("without_pictures")
def test_members_are_what_they_would_be_alone(three_seeds: Path, tmp_path: Path) -> None:
    assert {path.name for path in three_seeds.iterdir()} == RUN | {"member-0", "member-1", "member-2"}
    for number in range(3):
        folder, alone = three_seeds / f"member-{number}", tmp_path / str(number)
        assert {path.name for path in folder.iterdir()} == RUN | {
            "history.csv",
            "thresholds.csv",
            "intervals.safetensors",
        }
        recipes.train(recipes.load("digits", seed=4 + number, changes=SMALL), alone)
        assert (folder / "model.safetensors").read_bytes() == (alone / "model.safetensors").read_bytes()
        assert recipes.load(folder / "recipe.toml").seed == 4 + number
    assert recipes.load(three_seeds / "recipe.toml").ensemble == 3


def test_the_run_says_how_good_they_are(three_seeds: Path) -> None:
    metrics = json.loads((three_seeds / "metrics.json").read_text())
    data, loss = gn.load("digits"), gn.CrossEntropy()
    ensemble = gn.Ensemble.load(three_seeds / "model.safetensors")
    assert [net.seed for net in ensemble.networks] == [4, 5, 6]
    for part in ("train", "val", "test"):
        assert metrics[part] == pytest.approx(gn.evaluate(ensemble, getattr(data, part), loss))
    assert metrics["baseline"] == pytest.approx(gn.baseline(data.train, data.test, loss))
    alone = [json.loads((three_seeds / f"member-{i}" / "metrics.json").read_text()) for i in range(3)]
    for member, its in zip(metrics["members"], alone, strict=True):
        for name in ("val", "test", "seed", "epochs", "best_epoch", "seconds", "parameters"):
            assert member[name] == its[name]
    assert metrics["seconds"] == pytest.approx(sum(its["seconds"] for its in alone))
    assert metrics["test"]["loss"] < np.mean([its["test"]["loss"] for its in alone])
    assert {path.name for path in (three_seeds / "plots").iterdir()} == {"curves.png", "confusion.png", "mistakes.png"}


@pytest.mark.usefixtures("quick_members", "without_pictures")
def test_members_share_the_split_of_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "table.csv")
    recipe = one_network("table.csv", "answer", "training.epochs=2", seed=3, ensemble=2)
    recipes.train(recipe, tmp_path / "run")
    nets = gn.Ensemble.load(tmp_path / "run" / "model.safetensors").networks
    assert nets[0].info == nets[1].info
    assert not np.array_equal(nets[0].theta, nets[1].theta)
    x = gn.load("table.csv", target="answer", seed=3).test.x
    y = (nets[0].predict(x) + nets[1].predict(x))[:, 0] / 2

    recipes.train(recipes.load(tmp_path / "run" / "member-1" / "recipe.toml"), tmp_path / "alone")
    for file in ("model.safetensors", "recipe.toml"):
        assert (tmp_path / "alone" / file).read_bytes() == (tmp_path / "run" / "member-1" / file).read_bytes()

    with (tmp_path / "new.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["right", "left"], *x[:, ::-1].tolist()])
    recipes.predict_file(tmp_path / "run", tmp_path / "new.csv", tmp_path / "out.csv")
    found = [float(row["prediction"]) for row in csv.DictReader((tmp_path / "out.csv").read_text().splitlines())]
    np.testing.assert_allclose(found, y, rtol=1e-5)


def test_it_says_of_the_data_what_a_single_training_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("glassnet.recipes.run.fit", stop)
    monkeypatch.setattr("glassnet.recipes.training.train_side_by_side", stop)
    pairs = np.random.default_rng(0).normal(size=(500, 2)).tolist()
    rows = [["u", "v", "kind", "answer"], *([u, v, "ab"[u > v], u * v] for u, v in pairs)]
    (tmp_path / "table.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    said = []
    for members in (1, 2):
        recipe = one_network(tmp_path / "table.csv", "answer", "network.rotations=3", ensemble=members)
        with pytest.raises(KeyboardInterrupt):
            recipes.train(recipe, tmp_path / "run", progress=True)
        said.append(capsys.readouterr().out.splitlines())
    assert said[0] == said[1]
    assert said[1][-1] == "interact strongly, so rotated copies are added: u and v"
    assert any("kind" in line for line in said[1])


def test_commands_on_an_ensemble(
    three_seeds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data, ensemble = gn.load("digits"), gn.Ensemble.load(three_seeds / "model.safetensors")
    accuracy = gn.evaluate(ensemble, data.test, gn.CrossEntropy())["accuracy"]
    assert command(monkeypatch, "evaluate", three_seeds) == 0
    assert f"{accuracy:.4f}" in next(x for x in capsys.readouterr().out.splitlines() if x.startswith("accuracy"))

    np.save("rows.npy", data.test.x)
    assert command(monkeypatch, "predict", three_seeds, "rows.npy") == 0
    p = [float(row["p(3)"]) for row in csv.DictReader(capsys.readouterr().out.splitlines())]
    np.testing.assert_allclose(p, ensemble.predict_proba(data.test.x)[:, 3], rtol=1e-4, atol=1e-6)

    assert command(monkeypatch, "export", three_seeds, "model.onnx") == 0
    assert capsys.readouterr().out.startswith("x float32 (N, 64) -> y float32 (N, 10), probabilities")
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"x": data.test.x.astype(np.float32)})
    np.testing.assert_allclose(found, ensemble.predict_proba(data.test.x), atol=1e-5)

    member = three_seeds / "member-0"
    for words in (
        ("trace", three_seeds, "--row", 1),
        ("doctor", three_seeds),
        ("compare", three_seeds, member),
        ("explore", three_seeds, "--out", "x.html"),
        ("ensemble", three_seeds, member),
    ):
        assert command(monkeypatch, *words) == 2
        error = capsys.readouterr().err
        assert error == f"glassnet: {three_seeds} is an ensemble of 3 networks: name one of them, such as {member}\n"
    assert command(monkeypatch, "trace", member, "--row", 1) == 0
