"""Networks that answer together: the mean itself, seeds trained side by side, and committees of finished runs."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import Pipe, active_children
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from threadpoolctl import threadpool_info

import glassnet as gn
from glassnet import recipes
from glassnet.cli import main
from glassnet.export import to_onnx
from glassnet.fast.threads import VARIABLES, available
from glassnet.recipes import run as run_module
from glassnet.recipes import side_by_side
from glassnet.recipes.progress import Progress
from glassnet.recipes.side_by_side import shares

SMALL = ["training.epochs=3", "network.hidden=[16]"]
RUN = {"recipe.toml", "metrics.json", "model.safetensors", "plots"}
rng = np.random.default_rng(0)


def network(n_out: int = 3, *last: gn.Layer, width: int = 5, dtype: str = "float32", **info: Any) -> gn.Network:
    """A network with weights of its own, which takes rows of 4."""
    layers = [gn.Standardize(), gn.Dense(4, width), gn.ReLU(), gn.Dense(width, n_out), *last]
    net = gn.Network(layers, dtype=dtype, seed=width)
    net.fit_preprocessing(rng.normal(size=(50, 4)), rng.normal(size=50))
    net.info = info
    return net


# Networks ------------------------------------------------------------------------------------------------------------

X = 3 * rng.normal(size=(200, 4))


def softmax(y: np.ndarray) -> np.ndarray:
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_values_are_the_mean_of_the_networks() -> None:
    nets = [network(2, gn.Unstandardize(), width=5), network(2, gn.Unstandardize(), width=9, dtype="float64")]
    ensemble = gn.Ensemble(nets, "regression")
    y = ensemble.predict(X)
    assert y.dtype == ensemble.dtype == np.float64
    np.testing.assert_allclose(y, (nets[0].predict(X) + nets[1].predict(X)) / 2, rtol=1e-6)
    assert (ensemble.n_in, ensemble.n_out, ensemble.info) == (4, 2, {"task": "regression"})
    assert ensemble.predict(X[:0]).shape == (0, 2)


@pytest.mark.parametrize("n_out", [1, 3])
def test_classes_are_those_of_the_mean_probabilities(n_out: int) -> None:
    nets = [network(n_out, width=width, dtype="float64", task="classification") for width in (5, 9, 2)]
    ensemble = gn.Ensemble(nets)
    p = np.mean([net.predict_proba(X) for net in nets], axis=0)
    assert p.shape == (200, max(2, n_out))
    np.testing.assert_allclose(ensemble.predict_proba(X), p, atol=1e-12)
    y = ensemble.predict(X)
    scores = np.hstack([np.zeros_like(y), y]) if n_out == 1 else y
    np.testing.assert_allclose(softmax(scores), p, atol=1e-12)
    classes = rng.integers(0, p.shape[1], 200)
    loss = gn.BinaryCrossEntropy() if n_out == 1 else gn.CrossEntropy()
    split = gn.Split(X, classes)
    found = gn.evaluate(ensemble, split, loss)
    assert found["loss"] == pytest.approx(-np.log(p[np.arange(200), classes]).mean())
    assert found["accuracy"] == pytest.approx((p.argmax(axis=1) == classes).mean())


def test_a_sure_mistake_costs_what_it_should() -> None:
    """A probability of 1 - 1e-13, which in float32 would be 1."""
    net = gn.Network([gn.Dense(1, 1)])
    net.theta[...] = (30.0, 0.0)
    assert gn.Ensemble([net, net.copy()], "classification").predict([[1.0]])[0, 0] == pytest.approx(30, rel=1e-5)


@pytest.mark.parametrize("last", [gn.Softmax, gn.Sigmoid])
def test_probabilities_stay_probabilities(last: type[gn.Layer]) -> None:
    nets = [network(3, last(), width=width) for width in (5, 9)]
    ensemble = gn.Ensemble(nets, "classification")
    mean = (nets[0].predict(X) + nets[1].predict(X)) / 2
    np.testing.assert_allclose(ensemble.predict(X), mean, atol=1e-6)
    if last is gn.Softmax:
        np.testing.assert_allclose(ensemble.predict_proba(X), mean, atol=1e-6)


ABOUT: dict[str, Any] = {"task": "classification", "classes": ["a", "b", "c"], "features": list("wxyz"), "target": "t"}


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        (lambda: network(2, **ABOUT), "n_out of network 0 is 3, that of network 1 2$"),
        (lambda: gn.Network([gn.Dense(5, 3)]), "task of network 0 is 'classification', that of network 1 None$"),
        (lambda: network(**ABOUT | {"task": "regression"}), "task of network 0 is 'classification'"),
        (lambda: network(**ABOUT | {"classes": ["a", "c", "b"]}), r"classes of network 0 is \['a', 'b', 'c'\]"),
        (lambda: network(**ABOUT | {"features": list("wxzy")}), "features of network 0"),
        (lambda: network(**ABOUT | {"target": "u"}), "target of network 0 is 't', that of network 1 'u'$"),
        (lambda: network(3, gn.Softmax(), **ABOUT), "last layer of network 0 is 'one that gives scores'"),
    ],
)
def test_networks_that_dont_fit_are_named(other: Callable[[], gn.Network], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        gn.Ensemble([network(**ABOUT), other()])


def test_what_makes_no_ensemble() -> None:
    with pytest.raises(ValueError, match="at least one network"):
        gn.Ensemble([])
    with pytest.raises(TypeError, match="network 1 of the ensemble is 3, not"):
        gn.Ensemble([network(**ABOUT), 3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="don't say what they are for: give task='classification' or 'regression'"):
        gn.Ensemble([network()])
    with pytest.raises(ValueError, match="task must be classification or regression, not 'values'"):
        gn.Ensemble([network()], "values")
    with pytest.raises(ValueError, match="task must be classification, not 'regression'"):
        gn.Ensemble([network(**ABOUT)], "regression")


def test_a_file_holds_all_of_it(tmp_path: Path) -> None:
    nets = [network(**ABOUT, width=5, seen=1, rows=9), network(**ABOUT, width=12, dtype="float64", seen=2, rows=9)]
    ensemble = gn.Ensemble(nets)
    assert ensemble.info == ABOUT | {"rows": 9}
    path = tmp_path / "ensemble.safetensors"
    ensemble.save(path)
    loaded = gn.Ensemble.load(path)
    assert repr(loaded) == repr(ensemble)
    assert loaded.info == ensemble.info
    assert [net.info["seen"] for net in loaded.networks] == [1, 2]
    assert np.array_equal(loaded.predict(X), ensemble.predict(X))
    assert [name.name for name in tmp_path.iterdir()] == [path.name]

    nets[0].save(tmp_path / "network.safetensors")
    with pytest.raises(ValueError, match=r"network\.safetensors holds no ensemble: .* gn\.Network\.load"):
        gn.Ensemble.load(tmp_path / "network.safetensors")
    with pytest.raises(ValueError, match=r"ensemble\.safetensors holds an ensemble: read it with gn\.Ensemble\.load"):
        gn.Network.load(path)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="damaged"):
        gn.Ensemble.load(path)


@pytest.mark.parametrize("dtypes", [("float32", "float32"), ("float64", "float32")])
@pytest.mark.parametrize(
    ("n_out", "last", "task"),
    [(2, gn.Unstandardize, "regression"), (3, None, "classification"), (1, None, "classification"),
     (3, gn.Softmax, "classification"), (1, gn.Sigmoid, "classification"), (3, gn.Sigmoid, "classification")],
)  # fmt: skip
def test_one_graph_gives_the_mean(n_out: int, last: type[gn.Layer] | None, task: str, dtypes: tuple[str, ...]) -> None:
    tails = [[last()] if last else [] for _ in dtypes]
    nets = [network(n_out, *tails[i], width=5 + i, dtype=dtype) for i, dtype in enumerate(dtypes)]
    ensemble = gn.Ensemble(nets, task)
    session = onnxruntime.InferenceSession(to_onnx(ensemble).SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    x = X.astype(ensemble.dtype)
    found = dict(zip(names, session.run(names, {"x": x}), strict=True))
    assert found["y"].dtype == ensemble.dtype
    np.testing.assert_allclose(found["y"], ensemble.predict(x), rtol=1e-4, atol=1e-5)
    if (n_out, last) == (3, gn.Sigmoid):  # flags
        np.testing.assert_array_equal(found["label"], ensemble.predict(x) > 0.5)
    elif task == "classification":
        np.testing.assert_allclose(found["probabilities"], ensemble.predict_proba(x), atol=1e-5)
        assert (found["label"] == ensemble.predict_proba(x).argmax(axis=1)).mean() > 0.99
    else:
        assert names == ["y"]


# Seeds side by side --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runs", "cores", "threads", "each"),
    [(5, 2, None, [1, 1]), (2, 8, None, [4, 4]), (3, 8, None, [3, 3, 2]), (1, 4, None, [4]), (0, 4, None, []),
     (5, 8, 3, [3, 3]), (5, 2, 4, [4]), (2, 8, 1, [1, 1])],
)  # fmt: skip
def test_cores_are_shared_among_trainings(runs: int, cores: int, threads: int | None, each: list[int]) -> None:
    assert shares(runs, cores, threads) == each


def test_a_training_keeps_to_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def look(*_: object, **__: object) -> None:
        seen.append((available(), {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}))

    for name in VARIABLES:
        monkeypatch.setenv(name, "64")  # which is put back, whatever the training sets
    monkeypatch.setattr(side_by_side, "fill", look)
    before = signal.getsignal(signal.SIGINT)
    side_by_side._train(recipes.load("digits"), Path(), 1, Pipe()[1])
    signal.signal(signal.SIGINT, before)
    ((kernels, blas),) = seen
    assert kernels == 1
    assert blas <= {1}


def command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        main()
    return done.value.code or 0


def contents(folder: Path, *endings: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.*"))
        if path.name.endswith(endings or (".safetensors", ".toml"))
    }


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ensemble of three seeds from 4 on."""
    out = tmp_path_factory.mktemp("runs") / "digits"
    recipes.train(recipes.load("digits", seed=4, changes=[*SMALL, "ensemble=3"]), out)
    return out


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw none of runs that are trained in this process."""
    monkeypatch.setattr(run_module, "draw", lambda *_: None)


unpictured = pytest.mark.usefixtures("without_pictures")


@unpictured
def test_members_are_what_they_would_be_alone(digits: Path, tmp_path: Path) -> None:
    assert {path.name for path in digits.iterdir()} == RUN | {"member-0", "member-1", "member-2"}
    for number in range(3):
        folder, alone = digits / f"member-{number}", tmp_path / str(number)
        assert {path.name for path in folder.iterdir()} == RUN | {"history.csv"}
        recipes.train(recipes.load("digits", seed=4 + number, changes=SMALL), alone)
        assert (folder / "model.safetensors").read_bytes() == (alone / "model.safetensors").read_bytes()
        assert recipes.load(folder / "recipe.toml").seed == 4 + number
    assert recipes.load(digits / "recipe.toml").ensemble == 3


def test_the_run_says_how_good_they_are(digits: Path) -> None:
    metrics = json.loads((digits / "metrics.json").read_text())
    data, loss = gn.load("digits"), gn.CrossEntropy()
    ensemble = gn.Ensemble.load(digits / "model.safetensors")
    assert [net.seed for net in ensemble.networks] == [4, 5, 6]
    for part in ("train", "val", "test"):
        assert metrics[part] == pytest.approx(gn.evaluate(ensemble, getattr(data, part), loss))
    assert metrics["baseline"] == pytest.approx(gn.baseline(data.train, data.test, loss))
    alone = [json.loads((digits / f"member-{i}" / "metrics.json").read_text()) for i in range(3)]
    for member, its in zip(metrics["members"], alone, strict=True):
        for name in ("val", "test", "seed", "epochs", "best_epoch", "seconds", "parameters"):
            assert member[name] == its[name]
    assert metrics["seconds"] == pytest.approx(sum(its["seconds"] for its in alone))
    assert metrics["test"]["loss"] < np.mean([its["test"]["loss"] for its in alone])
    assert {path.name for path in (digits / "plots").iterdir()} == {"curves.png", "confusion.png", "mistakes.png"}


def write_table(path: Path) -> Path:
    pairs = np.random.default_rng(0).normal(size=(150, 2))
    rows = [[a, b, a - b + 0.1 * a * b] for a, b in pairs.tolist()]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["left", "right", "answer"], *rows])
    return path


def test_members_share_the_split_of_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "table.csv")
    changes = ["network.members=1", "training.epochs=2", "network.hidden=[8]", "ensemble=2"]
    recipe = recipes.choose("table.csv", target="answer", seed=3, changes=changes)
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


def test_commands_on_an_ensemble(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data, ensemble = gn.load("digits"), gn.Ensemble.load(digits / "model.safetensors")
    accuracy = gn.evaluate(ensemble, data.test, gn.CrossEntropy())["accuracy"]
    assert command(monkeypatch, "evaluate", digits) == 0
    assert f"{accuracy:.4f}" in next(x for x in capsys.readouterr().out.splitlines() if x.startswith("accuracy"))

    np.save("rows.npy", data.test.x)
    assert command(monkeypatch, "predict", digits, "rows.npy") == 0
    p = [float(row["p(3)"]) for row in csv.DictReader(capsys.readouterr().out.splitlines())]
    np.testing.assert_allclose(p, ensemble.predict_proba(data.test.x)[:, 3], rtol=1e-4, atol=1e-6)

    assert command(monkeypatch, "export", digits, "model.onnx") == 0
    assert capsys.readouterr().out.startswith("x float32 (N, 64) -> y float32 (N, 10), probabilities")
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"x": data.test.x.astype(np.float32)})
    np.testing.assert_allclose(found, ensemble.predict_proba(data.test.x), atol=1e-5)

    member = digits / "member-0"
    for words in (("trace", digits, "--row", 1), ("doctor", digits), ("report", digits), ("compare", digits, member),
                  ("explore", digits, "--out", "x.html"), ("ensemble", digits, member)):  # fmt: skip
        assert command(monkeypatch, *words) == 2
        error = capsys.readouterr().err
        assert error == f"glassnet: {digits} is an ensemble of 3 networks: name one of them, such as {member}\n"
    assert command(monkeypatch, "trace", member, "--row", 1) == 0


# Stopped, resumed, failed --------------------------------------------------------------------------------------------


def test_finished_members_arent_trained_again(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(digits, run)
    for name in ("metrics.json", "model.safetensors", "plots", "member-1"):
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
    before = {path: path.stat().st_mtime_ns for path in (run / "member-0").rglob("*")}
    for used in ("evaluate", "export"):
        assert command(monkeypatch, used, run, *(["x.onnx"] if used == "export" else [])) == 2
        assert "was not finished: go on with --resume" in capsys.readouterr().err
    assert command(monkeypatch, "train", "digits", "--set", "ensemble=3", "--out", run, "--resume") == 2
    assert "was begun with another recipe: go on without naming one" in capsys.readouterr().err
    assert command(monkeypatch, "train", "--out", run, "--resume", "--set", "ensemble=1") == 2
    assert "was begun with another recipe: go on without naming one" in capsys.readouterr().err

    assert command(monkeypatch, "train", "--out", run, "--resume") == 0
    answer = capsys.readouterr()
    assert "3 members, " in answer.out
    assert {line.split()[0] for line in answer.err.splitlines()} == {"member-1"}
    assert contents(run) == contents(digits)
    assert before == {path: path.stat().st_mtime_ns for path in (run / "member-0").rglob("*")}
    assert command(monkeypatch, "train", "--out", run, "--resume") == 2
    assert "run is finished: there is nothing to resume" in capsys.readouterr().err


def stopped(folder: Path, stop: Callable[[int], None], epochs: int) -> tuple[int, list[str]]:
    """Train two members in `folder`/run, stop them in their third or fourth epoch; status and what was printed last."""
    words = f"train digits --set training.epochs={epochs} --set network.hidden=[8] --set ensemble=2 --out run".split()
    command = [sys.executable, "-m", "glassnet", *words]
    with subprocess.Popen(command, cwd=folder, start_new_session=True, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while (line := process.stderr.readline()).split()[1:3] != ["epoch", f"3/{epochs}"]:
            assert line.startswith("member-"), line
        stop(process.pid)
        err = process.communicate(timeout=60)[1]  # until the last process that could write there has ended
    assert "Traceback" not in err
    assert not (folder / "run" / "metrics.json").exists()
    assert list(folder.glob("run/member-*/checkpoint.safetensors"))
    return process.returncode, err.splitlines()


def test_ctrl_c_ends_all_processes_and_keeps_their_checkpoints(tmp_path: Path) -> None:
    status, lines = stopped(tmp_path, lambda pid: os.killpg(pid, signal.SIGINT), 100_000)  # as a terminal does
    assert status == 130
    assert lines[-2:] == ["what was learned is kept in run: go on with --resume", "glassnet: stopped"]
    assert not list(tmp_path.rglob("metrics.json")), "a member was finished early"


@unpictured
def test_members_go_on_from_their_checkpoints(tmp_path: Path) -> None:
    status, _ = stopped(tmp_path, lambda pid: os.kill(pid, signal.SIGKILL), 40)
    assert status == -signal.SIGKILL
    run = tmp_path / "run"
    recipes.train(recipes.load(run / "recipe.toml"), run, resume=True)
    assert not list(run.rglob("*checkpoint*")) + list(run.rglob(".*"))
    for number in range(2):
        alone = tmp_path / str(number)
        recipes.train(recipes.load(run / f"member-{number}" / "recipe.toml"), alone)
        assert contents(alone) == contents(run / f"member-{number}")


def test_a_member_that_is_killed_ends_the_others(tmp_path: Path) -> None:
    def kill() -> None:
        while not list(tmp_path.rglob("checkpoint.safetensors")):
            time.sleep(0.01)
        active_children()[0].kill()  # as the system does when memory runs out

    killer = threading.Thread(target=kill)
    killer.start()
    recipe = recipes.load("digits", changes=["ensemble=2", "training.epochs=100000", "network.hidden=[8]"])
    with pytest.raises(
        OSError, match=r"run/member-\d: its process ended with status -9; the training is kept in .*run"
    ):
        recipes.train(recipe, tmp_path / "run")
    killer.join()
    assert active_children() == []


def test_what_makes_no_sense_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for change, fault in (
        ("ensemble=0", "recipe: ensemble must be a whole number of at least 1, not 0"),
        ("ensemble=1.5", "recipe: ensemble must be a whole number, not 1.5"),
        ("data.seed=-1", "recipe: data.seed must be a whole number of at least 0, not -1"),
        ("network.hidden=[0]", "network.hidden: Dense: fan_out must be a whole number of at least 1, not 0"),
        ("optimizer.lr=1e30", r"run/member-\d: the loss became "),
    ):
        changes = ["--set", "ensemble=2"] if "ensemble" not in change else []
        assert command(monkeypatch, "train", "digits", *changes, "--set", change, "--out", "run") == 2
        error = capsys.readouterr().err
        assert re.search(fault.replace(".", r"\."), error)
        assert error.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


def test_a_bar_counts_all_epochs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    runs = {Path(f"run/member-{i}"): recipes.load("digits", changes=["training.epochs=4"]) for i in range(2)}
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress(runs, True) as show:
        show.epoch(Path("run/member-1"), 3, "loss 0.5")
        assert (show.bar.n, show.bar.total) == (3, 8)
        show.end(Path("run/member-1"))
        assert show.bar.n == 4
    assert "member-1, epoch 3/4" in capsys.readouterr().err


# Committees ----------------------------------------------------------------------------------------------------------


def test_a_committee_of_finished_runs(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    recipes.train(recipes.load("digits", changes=["training.epochs=1", "network.hidden=[30, 20]"]), Path("wide"))
    assert command(monkeypatch, "ensemble", "wide", digits / "member-2") == 0
    out = capsys.readouterr().out
    committee = tmp_path / "runs" / "ensemble"
    assert {path.name for path in committee.iterdir()} == RUN - {"recipe.toml"} | {"member-0", "member-1"}
    assert contents(committee / "member-1", "") == contents(digits / "member-2", "")

    data = gn.load("digits")
    nets = [gn.Network.load(run / "model.safetensors") for run in (Path("wide"), digits / "member-2")]
    p = (nets[0].predict_proba(data.test.x) + nets[1].predict_proba(data.test.x)) / 2
    accuracy = (p.argmax(axis=1) == data.test.y).mean()
    metrics = json.loads((committee / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] == pytest.approx(accuracy)
    assert [member["run"] for member in metrics["members"]] == ["wide", str(digits / "member-2")]
    alone = [gn.evaluate(net, data.val, gn.CrossEntropy())["accuracy"] for net in nets]
    assert [member["val"]["accuracy"] for member in metrics["members"]] == pytest.approx(alone)
    for figure in (accuracy, *alone):
        assert f"{figure:.4f}" in out

    shutil.rmtree("wide")  # they are copies
    assert command(monkeypatch, "evaluate", committee) == 0
    assert f"{accuracy:.4f}" in capsys.readouterr().out
    assert recipes.export_run(committee, tmp_path / "model.onnx").startswith("x float32 (N, 64) -> y float32 (N, 10)")


def test_what_makes_no_committee(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = digits / "member-0", digits / "member-1"
    table = str(write_table(tmp_path / "table.csv"))
    for seed in (0, 1):
        recipe = recipes.choose(table, target="answer", seed=seed, changes=["network.members=1", *SMALL])
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
    assert capsys.readouterr().err == "glassnet: No space left on device\n"
    assert {path.name for path in tmp_path.iterdir()} == before
