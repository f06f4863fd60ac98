"""The command line as people use it: what it writes, what it prints, and how it survives being stopped."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import glassnet as gn
from glassnet import nn, recipes
from glassnet.cli import main
from glassnet.cli.app import PANELS
from glassnet.recipes import run as run_module
from glassnet.train import CSVLog, Training
from small_packs import SET_LEARNING_PACK, SET_SMALL_PACK

SHORT = ("--set", "training.epochs=3")
ARRAYS = {"model.safetensors", "intervals.safetensors"}
FILES = {"recipe.toml", "metrics.json", "history.csv", "thresholds.csv", "plots"} | ARRAYS
PICTURES = {"curves.png", "confusion.png", "mistakes.png", "first_layer.png"}


class Answer(NamedTuple):
    status: object
    out: str
    err: str


Command = Callable[..., Answer]


@pytest.fixture
def glassnet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run a command in this process, in a folder of the test."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
        return Answer(done.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the recipe digits, three epochs."""
    out = tmp_path_factory.mktemp("runs") / "digits"
    recipes.train(recipes.load("digits", changes=["training.epochs=3"]), out)
    return out


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw none, which takes most of the time of a short training."""
    monkeypatch.setattr(run_module, "draw", lambda *_: None)


unpictured = pytest.mark.usefixtures("without_pictures")


def write_table(path: Path, target: Callable[[float, float], object], rows: int = 200) -> Path:
    pairs = np.random.default_rng(0).normal(size=(rows, 2)).tolist()
    lines = [f'{a},{b},"{target(a, b)}"' for a, b in pairs]
    path.write_text("\n".join(["left,right,answer", *lines]) + "\n", encoding="utf-8")
    return path


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def piped(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "glassnet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


# Train, evaluate, predict --------------------------------------------------------------------------------------------


def test_train_writes_a_run(glassnet: Command, tmp_path: Path) -> None:
    answer = glassnet("train", "digits", *SHORT, "--out", "run")
    assert answer.status == 0
    assert names(tmp_path) == {"run"}
    assert names(tmp_path / "run") == FILES
    assert names(tmp_path / "run" / "plots") == PICTURES
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (tmp_path / "run" / "plots").iterdir())

    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics.keys() >= {"train", "val", "test", "epochs", "seconds", "seed", "version"}
    assert (metrics["epochs"], metrics["seed"], metrics["version"]) == (3, 0, gn.__version__)
    assert metrics["interrupted"] is False
    assert metrics["test"]["accuracy"] > 0.9 > 0.2 > metrics["baseline"]["accuracy"]
    history = read_csv((tmp_path / "run" / "history.csv").read_text())
    assert [row["epoch"] for row in history] == ["1", "2", "3"]
    best = metrics["best_epoch"]
    assert float(history[best - 1]["val_accuracy"]) == metrics["val"]["accuracy"]

    *lines, last = answer.err.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert last.startswith("next: glassnet report ")
    lines = [line.split() for line in answer.out.splitlines()]
    assert answer.out.startswith(
        "digits: classification of digit from 64 features; rows: train 1,150, val 288, test 359"
    )
    assert lines[1] == ["digits", "train", "validation", "test", "test,", "baseline"]
    parts = [metrics[part]["accuracy"] for part in ("train", "val", "test", "baseline")]
    assert ["accuracy", *(f"{value:.4f}" for value in parts)] in lines
    assert "majority class" in answer.out
    assert answer.out.endswith("written to run\n")


def test_evaluate_gives_the_numbers_of_the_run(glassnet: Command, digits: Path) -> None:
    metrics = json.loads((digits / "metrics.json").read_text())
    answer = glassnet("evaluate", digits)
    assert answer.status == 0
    again = recipes.evaluate_run(digits)
    assert again == {name: metrics[name] for name in again}
    for part in ("train", "val", "test", "baseline"):
        assert f"{metrics[part]['accuracy']:.4f}" in answer.out
    precision, recall, rows = metrics["classes"]["3"].values()
    assert ["3", f"{precision:.4f}", f"{recall:.4f}", str(rows)] in [line.split() for line in answer.out.splitlines()]


def test_predict_rows(glassnet: Command, digits: Path, tmp_path: Path) -> None:
    data = gn.load("digits")
    net = gn.Network.load(digits / "model.safetensors")
    x = data.test.x[:20]
    order = np.random.default_rng(1).permutation(64)
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["patient", *(data.features[i] for i in order), "note"])
        writer.writerows([n, *row[order].tolist(), "text"] for n, row in enumerate(x))
    answer = glassnet("predict", digits, "rows.csv")
    assert (answer.status, answer.err) == (0, "")
    rows = read_csv(answer.out)
    assert [(row["patient"], row["note"]) for row in rows] == [(str(n), "text") for n in range(20)]
    assert [row["prediction"] for row in rows] == [data.classes[i] for i in net.predict(x).argmax(axis=1)]
    shown = [[float(row[f"p({c})"]) for c in data.classes] for row in rows]
    np.testing.assert_allclose(shown, net.predict_proba(x), rtol=1e-5, atol=1e-12)

    assert glassnet("predict", digits, "rows.csv", "--out", "answers.csv") == (0, "", "")
    assert (tmp_path / "answers.csv").read_text() == answer.out
    assert names(tmp_path) == {"rows.csv", "answers.csv"}


def test_predict_a_picture(glassnet: Command, digits: Path, tmp_path: Path) -> None:
    from PIL import Image

    data = gn.load("digits")
    likely = gn.Network.load(digits / "model.safetensors").predict_proba(data.test.x).max(axis=1)
    for row in likely.argsort()[-3:]:
        grey = np.rint(data.test.x[row].reshape(8, 8) * (255 / 16)).astype(np.uint8)
        Image.fromarray(grey).save(tmp_path / "digit.png")
        answer = glassnet("predict", digits, "digit.png")
        assert [r["prediction"] for r in read_csv(answer.out)] == [data.classes[data.test.y[row]]]


def test_a_table_of_classes(glassnet: Command, tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", lambda a, b: "gauche" if a > b else "droite, bien sûr")
    answer = glassnet("train", "t.csv", "--target", "answer", *SET_LEARNING_PACK)
    assert answer.status == 0
    metrics = json.loads((tmp_path / "runs" / "t" / "metrics.json").read_text())
    assert metrics["task"] == "classification"
    assert list(metrics["classes"]) == ["droite, bien sûr", "gauche"]
    assert metrics["test"]["accuracy"] > 0.85
    assert names(tmp_path / "runs" / "t" / "plots") == {"curves.png", "confusion.png", "mistakes.png", "thresholds.png"}
    (tmp_path / "new.csv").write_text("right,left\n2,-2\n-2,2\n")
    rows = read_csv(glassnet("predict", "runs/t", "new.csv").out)
    assert [row["prediction"] for row in rows] == ["droite, bien sûr", "gauche"]
    assert "gauche" in glassnet("evaluate", "runs/t").out


@unpictured
def test_a_table_of_values(glassnet: Command, tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", lambda a, b: 1000 + 30 * a - 10 * b)
    answer = glassnet("train", "t.csv", "--target", "answer", *SET_LEARNING_PACK)
    assert answer.status == 0
    assert "the mean of the training targets" in answer.out
    metrics = json.loads((tmp_path / "runs" / "t" / "metrics.json").read_text())
    assert metrics["task"] == "regression"
    assert metrics["test"].keys() == {"loss", "mse", "rmse", "mae", "r2"}
    assert metrics["test"]["r2"] > 0.8
    assert metrics["test"]["rmse"] < metrics["baseline"]["rmse"] / 2
    (tmp_path / "new.csv").write_text("left,right\n1,1\n")
    (row,) = read_csv(glassnet("predict", "runs/t", "new.csv").out)
    assert float(row["prediction"]) == pytest.approx(1020, abs=15)


@unpictured
@pytest.mark.parametrize("named_by", ["command", "recipe"])
def test_paths_may_be_relative(
    glassnet: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named_by: str
) -> None:
    (tmp_path / "work").mkdir()
    write_table(tmp_path / "table.csv", lambda a, b: a - b)
    (tmp_path / "mine.toml").write_text('name = "mine"\n[data]\nsource = "../table.csv"\ntarget = "answer"\n')
    monkeypatch.chdir(tmp_path / "work")
    what = ("../table.csv", "--target", "answer") if named_by == "command" else ("../mine.toml",)
    trained = glassnet("train", *what, *(SET_SMALL_PACK if named_by == "command" else SHORT), "--out", "run")
    assert trained.status == 0
    monkeypatch.chdir(tmp_path)
    evaluated, said = glassnet("evaluate", "work/run").out.splitlines(), trained.out.splitlines()
    assert evaluated[0] in said
    assert named_by == "command" or evaluated == said[:-1]  # of a pack, training alone knows the rows held out
    shutil.move("work/run", "elsewhere")
    assert glassnet("evaluate", "elsewhere").status == 0


@unpictured
def test_the_seed_decides(glassnet: Command, tmp_path: Path) -> None:
    def weights(name: str, *options: str) -> bytes:
        assert glassnet("train", "diabetes", *SHORT, *options, "--out", name).status == 0
        return gn.Network.load(tmp_path / name / "model.safetensors").theta.tobytes()

    first = weights("a", "--seed", "7")
    assert weights("b", "--seed", "7") == first
    assert weights("c", "--seed", "8") != first
    assert weights("d", "--set", "seed=7") == first
    assert json.loads((tmp_path / "c" / "metrics.json").read_text())["seed"] == 8


@unpictured
def test_set_changes_the_recipe(glassnet: Command, tmp_path: Path) -> None:
    changes = [
        "network.hidden=[12, 7]",
        "network.activation=Tanh",
        "schedule={name='OneCycle', warmup=0.5}",
        "optimizer.lr=2e-3",
    ]
    options = [option for change in changes for option in ("--set", change)]
    assert glassnet("train", "digits", *SHORT, *options, "--out", "run").status == 0
    net = gn.Network.load(tmp_path / "run" / "model.safetensors")
    assert [layer.fan_out for layer in net.layers if isinstance(layer, gn.Dense)] == [12, 7, 10]
    assert any(isinstance(layer, gn.Tanh) for layer in net.layers)
    kept = recipes.load(str(tmp_path / "run" / "recipe.toml"))
    assert kept.schedule == {"name": "OneCycle", "warmup": 0.5}
    assert kept.optimizer == recipes.load("digits").optimizer | {"lr": 2e-3}
    assert glassnet("train", "run/recipe.toml", "--out", "again").status == 0
    assert Path("again/model.safetensors").read_bytes() == Path("run/model.safetensors").read_bytes()


@unpictured
def test_runs_are_numbered(glassnet: Command, tmp_path: Path) -> None:
    for _ in range(3):
        assert glassnet("train", "diabetes", *SHORT).status == 0
    assert names(tmp_path / "runs") == {"diabetes", "diabetes-2", "diabetes-3"}
    (tmp_path / "empty").mkdir()
    assert glassnet("train", "diabetes", *SHORT, "--out", "empty/").status == 0
    assert "metrics.json" in names(tmp_path / "empty")


# Stopped and gone on with --------------------------------------------------------------------------------------------

KILLED = """
import os, signal
from glassnet.cli import main
from glassnet.train import CSVLog

def on_step(self, run):
    if len(run.history.step_loss) == 180:
        os.kill(os.getpid(), signal.SIGKILL)

CSVLog.on_step = on_step
main()
"""


@unpictured
def test_kill_and_resume(glassnet: Command, tmp_path: Path) -> None:
    command = ["train", "digits"]
    for change in (
        "network.hidden=[64]",
        "network.normalization=BatchNorm",
        "network.dropout=0.2",
        "network.input_dropout=0.0",
        "schedule=OneCycle",
        'optimizer={name="SGD", lr=0.2, momentum=0.9}',
        "training.batch_size=16",
        "training.epochs=10",
        "training.patience=2",
    ):
        command += ["--set", change]
    assert glassnet(*command, "--out", "whole").status == 0

    killed = subprocess.run([sys.executable, "-c", KILLED, *command, "--out", "parts"], cwd=tmp_path, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert "checkpoint.safetensors" in names(tmp_path / "parts")
    (tmp_path / "parts" / ".checkpoint-x.part.safetensors").write_text("what a process killed later would leave")
    resumed = glassnet(*command, "--out", "parts", "--resume")
    assert resumed.status == 0
    assert resumed.err.startswith("epoch 3/10")

    assert names(tmp_path / "parts") == names(tmp_path / "whole") == FILES - {"plots"}
    for file in ("model.safetensors", "recipe.toml"):
        assert (tmp_path / "parts" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    whole, parts = (json.loads((tmp_path / run / "metrics.json").read_text()) for run in ("whole", "parts"))
    assert 3 < whole["epochs"] < 10, "patience should have ended it, after the kill"
    assert {**whole, "seconds": 0} == {**parts, "seconds": 0}


@pytest.mark.parametrize("last_step", [5, 40])
def test_ctrl_c_keeps_the_best_weights(
    glassnet: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, last_step: int
) -> None:
    """In the first epoch of 36 steps, and in the second."""

    def interrupt(self: CSVLog, run: Training) -> None:
        if len(run.history.step_loss) == last_step:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(CSVLog, "on_step", interrupt)
    answer = glassnet("train", "digits", *SHORT, "--set", "training.batch_size=32", "--out", "run")
    assert answer.status == 0
    assert "stopped early, by Ctrl-C" in answer.out
    assert names(tmp_path / "run") == FILES
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["interrupted"] is True
    assert metrics["epochs"] == (last_step - 1) // 36
    history = read_csv((tmp_path / "run" / "history.csv").read_text())
    assert len(history) == metrics["epochs"]
    if history:
        assert metrics["best_epoch"] == 1
        assert metrics["val"]["accuracy"] == float(history[0]["val_accuracy"])
    assert glassnet("evaluate", "run").status == 0


def test_ctrl_c_from_outside(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "glassnet", "train", "digits", "--set", "training.epochs=100000", "--out", "run"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stderr.readline().startswith("epoch 1/100000")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert "stopped early, by Ctrl-C" in out
    assert "Traceback" not in err
    assert names(tmp_path / "run") == FILES


def test_ctrl_c_while_pictures_are_drawn_keeps_the_training(
    glassnet: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, digits: Path
) -> None:
    with monkeypatch.context() as impatient:
        impatient.setattr(run_module, "draw", lambda *_: signal.raise_signal(signal.SIGINT))
        answer = glassnet("train", "digits", *SHORT, "--out", "run")
    assert answer.status == 130
    assert answer.err.endswith("glassnet: stopped\n")
    assert "checkpoint.safetensors" in names(tmp_path / "run")
    monkeypatch.setattr(run_module, "draw", lambda *_: None)
    assert glassnet("train", "digits", *SHORT, "--out", "run", "--resume").status == 0
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (digits / "model.safetensors").read_bytes()


def test_ctrl_c_before_training_leaves_nothing(
    glassnet: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run_module, "fit", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    answer = glassnet("train", "digits", "--out", "deep/run")
    assert answer.status == 130
    assert answer.err.strip() == "glassnet: stopped"
    assert names(tmp_path) == set()


# The other commands --------------------------------------------------------------------------------------------------


def test_gradcheck(glassnet: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = glassnet("gradcheck", "digits")
    assert answer.status == 0
    assert "passed" in answer.out
    monkeypatch.setattr(nn.ReLU, "backward", lambda self, dy: dy)
    answer = glassnet("gradcheck", "digits")
    assert answer.status == 1
    assert "FAILED" in answer.out


def test_recipes_are_listed(glassnet: Command) -> None:
    answer = glassnet("recipes")
    assert answer.status == 0
    first_words = {line.split()[0] for line in answer.out.splitlines() if not line.startswith(" ")}
    assert first_words == {"recipe", *recipes.names()}


def test_data_list_and_verify(glassnet: Command, empty_cache: Path) -> None:
    answer = glassnet("data", "list")
    assert answer.status == 0
    rows = {line.split()[0]: line for line in answer.out.splitlines()[1:]}
    assert rows.keys() == {"mnist", "california", "digits", "diabetes"}
    assert "70,000" in rows["mnist"]
    assert "not here yet" in rows["california"]
    assert "inside scikit-learn" in rows["diabetes"]
    answer = glassnet("data", "verify")
    assert answer.status == 1
    assert answer.out.count("missing") == 5
    wrong = empty_cache / "california" / "cal_housing.tgz"
    wrong.parent.mkdir(parents=True)
    wrong.write_bytes(b"not an archive")
    answer = glassnet("data", "verify", "california")
    assert (answer.status, answer.out) == (1, f"corrupted  {wrong}\n")
    assert glassnet("data", "fetch", "digits").out == "ok         digits comes inside scikit-learn\n"


def test_version_and_help(glassnet: Command) -> None:
    assert glassnet("--version") == (0, f"glassnet {gn.__version__}\n", "")
    for command in ("train", "evaluate", "predict", "gradcheck", "recipes", "data"):
        assert command in glassnet("--help").out
        assert glassnet(command, "--help").status == 0
    assert "--no-resume" not in glassnet("train", "--help").out
    nothing = glassnet()
    shown = nothing.out + nothing.err
    assert [shown.index(f"─ {panel} ─") for panel in PANELS] == sorted(shown.index(f"─ {panel} ─") for panel in PANELS)
    assert "Example: glassnet train houses.csv --target price" in glassnet("train", "--help").out
    assert not re.search("--(json|doctor|help) .*(<bool>|BOOLEAN)", glassnet("evaluate", "--help").out)
    assert "glassnet: \n" not in nothing.err


def test_the_length_of_a_training_has_options_of_its_own(
    glassnet: Command, tmp_path: Path, without_pictures: None
) -> None:
    out = tmp_path / "run"
    answer = glassnet("train", "diabetes", "--epochs", "2", "--lr", "0.01", "--batch-size", "50", "-q", "-o", out)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.endswith(f"written to {out}\n")
    recipe = recipes.load(str(out / "recipe.toml"))
    assert (recipe.training.epochs, recipe.training.batch_size, recipe.optimizer["lr"]) == (2, 50, 0.01)
    pack = recipes.with_training(recipes.load("table"), epochs=3, batch_size=9)
    assert pack.pack is not None
    assert (pack.pack.ends, pack.pack.batch_size, pack.optimizer["lr"]) == ([3], 9, 3e-3)


@pytest.mark.parametrize(
    ("key", "right"),
    [
        ("epochs", "training.epochs"),
        ("lr", "optimizer.lr"),
        ("batchsize", "training.batch_size"),
        ("split", "data.split"),
    ],
)
def test_an_unknown_setting_is_answered_with_the_right_one(glassnet: Command, key: str, right: str) -> None:
    assert f"there is no {key} (did you mean {right}?)" in glassnet("train", "diabetes", "--set", f"{key}=5").err


def test_tune_gives_a_table_a_pack_in_the_time(glassnet: Command, tmp_path: Path, without_pictures: None) -> None:
    rows = "".join(f"{i % 7},{i % 3}.5,{i % 7 + i % 3}.25\n" for i in range(80))
    (tmp_path / "t.csv").write_text("a,b,y\n" + rows)
    asked = ("tune", tmp_path / "t.csv", "--target", "y", *SET_SMALL_PACK, "-o", tmp_path / "run")
    for _ in range(2):  # the second goes on
        answer = glassnet(*asked, "--time", "1")
        assert answer.status == 0, answer.err
        assert "networks answer: " in answer.out
    assert "takes --time and not --trials" in glassnet(*asked, "--trials", "3").err


def test_nothing_but_text_goes_into_a_pipe(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    for arguments in (["--help"], ["recipes"], ["train", "diabetes", *SHORT]):
        done = piped(*arguments, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout + done.stderr)
        assert done.stdout.strip()


def test_resume_needs_no_more_than_the_run_directory(glassnet: Command, tmp_path: Path) -> None:
    """Not even a checkpoint: a process killed in its first epoch leaves a recipe alone."""
    changes = ["--set", "training.epochs=2", "--seed", "7"]
    assert glassnet("train", "digits", *changes, "--out", "whole").status == 0
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "recipe.toml").write_bytes((tmp_path / "whole" / "recipe.toml").read_bytes())
    assert glassnet("train", "--resume", "--out", "begun").status == 0
    assert (tmp_path / "begun" / "model.safetensors").read_bytes() == (
        tmp_path / "whole" / "model.safetensors"
    ).read_bytes()
    again = glassnet("train", "--resume", "--out", "begun")
    assert (again.status, again.err) == (2, "glassnet: begun is finished: there is nothing to resume\n")


def test_binary_cross_entropy_from_a_recipe(glassnet: Command, tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 17},{'yes' if i % 17 > 8 else 'no'}" for i in range(200))
    (tmp_path / "t.csv").write_text(f"x,t\n{rows}\n")
    answer = glassnet(
        "train", "t.csv", "--target", "t", "--set", "loss=BinaryCrossEntropy", *SET_LEARNING_PACK, "--out", "run"
    )
    assert answer.status == 0
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.9 > metrics["baseline"]["accuracy"]
    assert glassnet("predict", "run", "t.csv").out.splitlines()[0] == "t,prediction,p(no),p(yes)"
    refused = glassnet("train", "digits", "--set", "loss=BinaryCrossEntropy", "--out", "other")
    assert refused.status == 2
    assert "BinaryCrossEntropy is for two classes, the data have 10" in refused.err


def test_a_large_value_is_predicted_with_all_its_digits(glassnet: Command, tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{1234560 + 3.5 * i}" for i in range(100))
    (tmp_path / "t.csv").write_text(f"x,t\n{rows}\n")
    assert glassnet("train", "t.csv", "--target", "t", *SET_SMALL_PACK, "--out", "run").status == 0
    values = [float(row["prediction"]) for row in read_csv(glassnet("predict", "run", "t.csv").out)]
    assert len(set(values)) > 50


@pytest.mark.usefixtures("empty_cache")
def test_lists_are_read_by_programs_as_json(glassnet: Command) -> None:
    def read(*words: str, status: int = 0) -> Any:
        answer = glassnet(*words, "--json")
        assert answer.status == status
        return json.loads(answer.out)

    assert [each["recipe"] for each in read("recipes")] == recipes.names()
    assert read("recipes", "digits") == recipes.load("digits").to_dict()
    assert {each["name"]: each["rows"] for each in read("data", "list")}["digits"] == 1797
    states = read("data", "verify", status=1)
    assert states["digits"] == []
    assert {each["state"] for each in states["mnist"]} == {"missing"}
