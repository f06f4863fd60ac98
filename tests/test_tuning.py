"""The search for hyperparameters: it finds, goes on, is shared, repeats itself, and never sees the test part."""

from __future__ import annotations

import csv
import gc
import json
import signal
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("optuna")

from optuna.trial import TrialState

from glassnet import plots, recipes, tuning
from glassnet.cli import main
from glassnet.data import Dataset, Split
from glassnet.extras import NotInstalledError
from glassnet.recipes import Recipe
from glassnet.recipes import run as run_module
from glassnet.tuning import result as result_module
from glassnet.tuning import trial as trial_module
from glassnet.tuning.space import chosen_values, own_values, space_of
from glassnet.tuning.study import enqueue_own, open_study
from glassnet.tuning.workers import DEAD, OWN, PROCESS, SIGN, Others, claim, kind, tell, this_process
from small_packs import one_network

FILES = {"study.journal", "recipe.toml", "trials.csv", "study.json", "plots"}
SMALL = ["network.hidden=[16]", "training.epochs=4", "training.batch_size=128", "network.threads=1", "tune.confirm=0"]


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw none, which takes most of the time of a short search."""
    monkeypatch.setattr(result_module, "_draw", lambda *_: None)


unpictured = pytest.mark.usefixtures("without_pictures")


def digits(*changes: str) -> Recipe:
    return recipes.load("digits", changes=[*SMALL, *changes])


def trials_of(folder: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))
    for row in rows:
        row.pop("seconds")
    return rows


def states(folder: Path) -> list[str]:
    return [row["state"] for row in trials_of(folder)]


# What is searched ----------------------------------------------------------------------------------------------------


def test_a_space_is_read_from_dotted_and_quoted_keys_and_survives_a_file(tmp_path: Path) -> None:
    text = """
        name = "mine"
        [data]
        source = "digits"
        [tune]
        trials = 7
        [tune.space]
        "optimizer.lr" = { low = 1e-4, high = 1e-1, log = true }
        optimizer.weight_decay = { low = 0.0, high = 0.1 }
        training.batch_size = { low = 16, high = 64 }
        network.hidden = { choices = [[128], [256, 256]] }
    """
    (tmp_path / "mine.toml").write_text("\n".join(line.strip() for line in text.splitlines()))
    recipe = recipes.load(tmp_path / "mine.toml")
    assert recipe.tune is not None
    assert recipe.tune.trials == 7
    space = recipe.tune.space
    assert list(space) == ["optimizer.lr", "optimizer.weight_decay", "training.batch_size", "network.hidden"]
    assert [getattr(each, "whole", None) for each in space.values()] == [False, False, True, None]
    recipe.save(tmp_path / "again.toml")
    assert recipes.load(tmp_path / "again.toml") == recipe
    changed = recipes.load(tmp_path / "mine.toml", changes=["tune.space.optimizer.lr={low=0.1,high=0.5}"])
    assert changed.tune is not None
    assert changed.tune.space["optimizer.lr"].high == 0.5
    assert list(changed.tune.space) == list(space)


def test_the_default_space_fits_the_optimizer_and_holds_the_recipe() -> None:
    for name, keys in (
        ("digits", ["optimizer.lr", "optimizer.momentum"]),
        ("california-embedded", ["optimizer.lr", "optimizer.weight_decay"]),
    ):
        recipe = recipes.load(name)
        space = space_of(recipe)
        assert list(space) == keys
        own = own_values(recipe, space)
        assert own is not None
        assert own["optimizer.lr"] == recipe.build_optimizer().lr


def test_every_bundled_space_holds_its_recipe() -> None:
    for name in recipes.names():
        recipe = recipes.load(name)
        assert own_values(recipe, space_of(recipe)) is not None, name


def test_a_recipe_with_a_space_trains_as_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "draw", lambda *_: None)
    recipe = digits("tune.space.optimizer.lr={low=0.01,high=0.1}")
    for name, each in (("with", recipe), ("without", replace(recipe, tune=None))):
        recipes.train(each, tmp_path / name)
    assert (tmp_path / "with/model.safetensors").read_bytes() == (tmp_path / "without/model.safetensors").read_bytes()


def test_numbers_are_those_that_the_recipe_will_have() -> None:
    space = space_of(digits("tune.space.optimizer.lr={low=0.0123456,high=0.1}"))
    assert chosen_values({"optimizer.lr": 0.0123456}, space) == {"optimizer.lr": 0.0123456}  # 0.0123 would be too low
    assert chosen_values({"optimizer.lr": 0.0456789}, space) == {"optimizer.lr": 0.0457}


# A search ------------------------------------------------------------------------------------------------------------


def test_a_search_ends_in_a_recipe_that_trains(tmp_path: Path) -> None:
    recipe = recipes.load("digits", changes=[*SMALL[:-1], "tune.confirm=2"])
    found = tuning.tune(recipe, tmp_path / "out", trials=8)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert {path.name for path in (tmp_path / "out/plots").iterdir()} >= {
        "history.png",
        "heatmap.png",
        "importance.png",
    }
    summary = json.loads((tmp_path / "out/study.json").read_text())
    assert summary == found.summary
    assert sum(summary["trials"].values()) == 8
    assert summary["recipe as it was"]["trial"] == 0
    assert sum(summary["importance"].values()) == pytest.approx(1, abs=1e-3)

    first = trials_of(tmp_path / "out")[0]
    assert (float(first["optimizer.lr"]), float(first["optimizer.momentum"])) == (0.05, 0.9)
    finalists = summary["finalists"]
    assert 0 in [finalist["trial"] for finalist in finalists]
    assert found.trial == finalists[0]["trial"]
    assert finalists[0]["mean"] == max(finalist["mean"] for finalist in finalists)

    won = recipes.load(tmp_path / "out/recipe.toml")
    assert won == found.recipe
    assert won.build_optimizer().lr == found.values["optimizer.lr"]
    metrics = recipes.train(won, tmp_path / "run")
    assert metrics["val"]["accuracy"] == summary["best"]["value"]  # the very training that was judged


@unpictured
def test_it_finds_what_is_better(tmp_path: Path) -> None:
    recipe = digits("optimizer.lr=1e-3", "optimizer.momentum=0.0", "training.epochs=8")
    found = tuning.tune(recipe, tmp_path, trials=15)
    assert found.summary["best"]["value"] > found.summary["recipe as it was"]["value"] + 0.1
    assert found.values["optimizer.lr"] > 1e-3


@unpictured
def test_values_are_searched_by_the_least_loss(tmp_path: Path) -> None:
    recipe = recipes.load("diabetes", changes=["training.epochs=3", "network.threads=1", "tune.confirm=0"])
    found = tuning.tune(recipe, tmp_path, trials=6)
    values = [float(row["value"]) for row in trials_of(tmp_path) if row["state"] == "finished"]
    assert found.summary["best"]["value"] == min(values)


@unpictured
def test_bad_trials_are_pruned(tmp_path: Path) -> None:
    recipe = digits("tune.space.optimizer.lr={choices=[1e-5,0.02,0.03,0.04,0.05,0.06,0.07]}", "training.epochs=12")
    tuning.tune(recipe, tmp_path, trials=25)
    pruned = [row for row in trials_of(tmp_path) if row["state"] == "pruned"]
    assert pruned
    assert "1e-05" in {row["optimizer.lr"] for row in pruned}
    assert "0.05" not in {row["optimizer.lr"] for row in pruned}
    assert all(6 <= int(row["epochs"]) < 12 for row in pruned)  # not in the first half


@unpictured
def test_a_diverging_trial_is_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    recipe = digits("tune.space.optimizer.lr={choices=[1e9, 0.05]}")
    found = tuning.tune(recipe, tmp_path, trials=8)
    failed = [row for row in trials_of(tmp_path) if row["state"] == "failed"]
    assert found.summary["trials"]["failed"] == len(failed) > 0
    assert all(row["optimizer.lr"] == "1000000000.0" and "the loss became" in row["reason"] for row in failed)
    assert found.values == {"optimizer.lr": 0.05}


@unpictured
def test_a_finalist_that_diverges_with_another_seed_is_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = trial_module.run

    def fragile(recipe: Recipe, data: Dataset, watch: Any = None) -> trial_module.Outcome:
        if recipe.seed and recipe.build_optimizer().lr == 0.05:
            raise trial_module.DivergenceError("the loss became nan")
        return original(recipe, data, watch)

    monkeypatch.setattr("glassnet.tuning.search.run", fragile)
    changes = [*SMALL[:-1], "tune.confirm=2", "tune.space.optimizer.lr={choices=[0.05, 0.001]}"]
    found = tuning.tune(recipes.load("digits", changes=changes), tmp_path, trials=4)
    assert [finalist["trial"] for finalist in found.summary["finalists"]] == [found.trial]
    assert found.values == {"optimizer.lr": 0.001}


@unpictured
def test_a_search_without_a_result_says_why(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no trial was finished: the loss became"):
        tuning.tune(digits("optimizer.lr=1e9"), tmp_path, trials=2)


# The test part -------------------------------------------------------------------------------------------------------


def test_nothing_of_the_test_part_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[weakref.ref[Any]] = []

    def watched(recipe: Recipe) -> Dataset:
        data = run_module.load_data(recipe)
        data = replace(data, test=Split(data.test.x.copy(), data.test.y.copy()))
        seen.extend(weakref.ref(array) for array in (data.test.x, data.test.y))
        return data

    monkeypatch.setattr(trial_module, "load_data", watched)
    data = trial_module.data_of(digits())
    gc.collect()
    assert [ref() for ref in seen] == [None, None]
    assert (len(data.train), len(data.val), len(data.test)) == (1150, 288, 0)
    assert data.test.x.base is None


@unpictured
def test_a_search_is_the_same_whatever_the_test_part_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def poisoned(recipe: Recipe) -> Dataset:
        data = run_module.load_data(recipe)
        return replace(data, test=Split(np.full_like(data.test.x, 1e6), np.zeros_like(data.test.y)))

    tuning.tune(digits(), tmp_path / "as it is", trials=5)
    monkeypatch.setattr(trial_module, "load_data", poisoned)
    tuning.tune(digits(), tmp_path / "poisoned", trials=5)
    assert trials_of(tmp_path / "as it is") == trials_of(tmp_path / "poisoned")


@unpictured
def test_trials_are_given_no_test_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, original = [], trial_module.fit

    def watched(net: Any, data: Dataset, *arguments: Any, **options: Any) -> Any:
        rows.append(len(data.test))
        return original(net, data, *arguments, **options)

    monkeypatch.setattr(trial_module, "fit", watched)
    summary = tuning.tune(digits("tune.confirm=1"), tmp_path, trials=3).summary
    assert rows == [0] * len(rows)
    assert len(rows) >= 6
    assert summary["data"].endswith("test 0")


# To stop, to go on, to share -----------------------------------------------------------------------------------------


@unpictured
def test_a_search_repeats_itself_and_goes_on_as_if_never_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuning.tune(digits(), tmp_path / "whole", trials=14)
    tuning.tune(digits(), tmp_path / "twice", trials=11)

    original = trial_module.fit

    def stopped(*arguments: Any, **options: Any) -> Any:
        history = original(*arguments, **options)
        history.interrupted = True
        return history

    with monkeypatch.context() as patch:
        patch.setattr(trial_module, "fit", stopped)  # Ctrl-C in the middle of a trial
        assert tuning.tune(digits(), tmp_path / "twice", trials=14).interrupted
    assert states(tmp_path / "twice")[-1] == "stopped"
    found = tuning.tune(digits(), tmp_path / "twice", trials=14)
    assert not found.interrupted

    def tried(folder: str) -> list[tuple[str, ...]]:
        return [tuple(row.values())[1:] for row in trials_of(tmp_path / folder) if row["state"] != "stopped"]

    assert tried("twice") == tried("whole")


@unpictured
def test_what_a_killed_process_was_training_is_noted_as_stopped(tmp_path: Path) -> None:
    recipe = digits()
    data, space = trial_module.data_of(recipe), space_of(recipe)
    study = open_study(tmp_path, recipe, space, "accuracy", data)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    study.ask().set_user_attr(PROCESS, [this_process()[0], gone.pid])
    study.ask().set_user_attr(PROCESS, ["another machine", gone.pid])
    study.ask().set_user_attr(PROCESS, this_process())
    trials = open_study(tmp_path, recipe, space, "accuracy", data).get_trials()
    assert [kind(trial) for trial in trials] == ["stopped", "running", "running", "waiting"]
    assert [OWN in trial.user_attrs for trial in trials] == [True, False, False, True]  # it is to be tried once more
    study.ask()  # it is taken, but no process begins it
    trials = open_study(tmp_path, recipe, space, "accuracy", data).get_trials()
    assert [kind(trial) for trial in trials] == ["stopped", "running", "running", "waiting", "waiting"]
    assert [trial.state.name for trial in trials if OWN in trial.user_attrs] == ["FAIL", "RUNNING", "WAITING"]


def start(folder: Path, trials: int, *more: str) -> subprocess.Popen[str]:
    changes = [option for change in SMALL for option in ("--set", change)]
    command = [sys.executable, "-m", "glassnet", "tune", "digits", "--trials", str(trials), "--out", str(folder)]
    return subprocess.Popen([*command, *changes, *more], text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE)


def wait_for(process: subprocess.Popen[str], beginning: str) -> None:
    """Read what a process says until a line begins so."""
    assert process.stderr is not None
    assert any(line.startswith(beginning) for line in process.stderr)


def stop(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C and give what is printed."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


@unpictured
def test_two_processes_share_a_search_until_ctrl_c_and_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    first = start(folder, 100_000)
    wait_for(first, "trial 2 ")
    second = start(folder, 100_000)
    wait_for(second, "trial ")
    for process in (first, second):
        assert f"stopped by Ctrl-C; the same command with --out {folder} goes on" in stop(process)

    told = [json.loads(line) for line in (folder / "study.journal").read_text().splitlines()]
    workers = {line["user_attr"][PROCESS][1] for line in told if PROCESS in line.get("user_attr", ())}
    assert workers == {first.pid, second.pid}
    assert "running" not in states(folder)
    tried = [(row["optimizer.lr"], row["optimizer.momentum"]) for row in trials_of(folder) if row["state"] != "stopped"]
    assert len(set(tried)) > 0.9 * len(tried)  # they rarely try the same

    tuning.tune(digits(), folder, trials=len(tried) + 2, progress=True)
    assert f"going on after {len(tried)} trials" in capsys.readouterr().err
    assert len([state for state in states(folder) if state != "stopped"]) == len(tried) + 2


@unpictured
def test_time_is_up(tmp_path: Path) -> None:
    tuning.tune(digits(), tmp_path, trials=2)
    tuning.tune(digits(), tmp_path, trials=100_000, time_limit=0.36)
    assert 2 < len(states(tmp_path)) < 1000


# What is refused -----------------------------------------------------------------------------------------------------


@unpictured
def test_the_search_of_something_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    tuning.tune(digits(), folder, trials=1)
    for change, fault in (
        ("optimizer.lr=0.01", "optimizer.lr was 0.05, now it is 0.01"),
        ("seed=1", "seed was 0, now it is 1"),
        ("loss=CrossEntropy", "loss was not set, now it is CrossEntropy"),
        ("tune.space.optimizer.lr={low=0.1,high=1.0}", r"space.optimizer.lr.low was 0.00167, now it is 0.1"),
    ):
        with pytest.raises(ValueError, match=f"holds another search: {fault}; choose another --out"):
            tuning.tune(digits(change), folder, trials=1)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/metrics.json").touch()
    with pytest.raises(FileExistsError, match="holds no search and is not an empty folder"):
        tuning.tune(digits(), tmp_path / "run")
    assert len(open_study(folder, digits(), space_of(digits()), "accuracy", trial_module.data_of(digits())).trials) == 1


ODD = (
    b"nonsense",
    b"[]",
    b"{}",
    b"3",
    b"\xff\xfe",
    b'{"op_code":99}',
    b'{"op_code":4}',
    b'{"op_code":"create"}',
    b"[" * 9999,
    b'{"op_code":5,"worker_id":"x","trial_id":1,"param_name":"optimizer.lr","param_value_internal":1e9,"distribution":'
    b'"{\\"name\\":\\"FloatDistribution\\",\\"attributes\\":{\\"step\\":null,\\"low\\":0.0,\\"high\\":1e9,\\"log\\":false}}"}',
    b'{"op_code":7,"worker_id":"x","trial_id":1,"step":1,"intermediate_value":"good"}',
    b'{"op_code":8,"worker_id":"x","trial_id":1,"user_attr":{"process":7}}',
    b'{"op_code":6,"worker_id":"x","trial_id":1,"state":1,"values":["good"],"datetime_complete":"2026-01-01"}',
    b'{"op_code":6,"worker_id":"x","trial_id":1,"state":1,"values":[0.5],"datetime_complete":"2026-01-01"}',
    b'{"op_code":6,"worker_id":"x","trial_id":1,"state":1,"values":[0.5],"datetime_complete":"yesterday"}',
)


@unpictured
def test_an_odd_entry_of_a_journal_is_named_and_a_cut_last_line_is_no_obstacle(tmp_path: Path) -> None:
    recipe = digits()
    tuning.tune(recipe, tmp_path, trials=1)
    journal = tmp_path / "study.journal"
    with pytest.raises(ValueError, match=r"study\.journal is damaged: line 1 is no entry of a search"):
        _opened(tmp_path, recipe, journal.read_bytes().replace(b"{", b"[", 1))
    assert (tmp_path / "study.journal").read_bytes().startswith(b"[")
    journal.write_bytes(b"")
    _opened(tmp_path, recipe).ask()  # the recipe as it is
    _opened(tmp_path, recipe).ask()  # another, which runs
    whole = journal.read_bytes()
    for odd in ODD:
        with pytest.raises(ValueError, match=r"study\.journal is damaged: (line|trial) \d+ .*; delete its lines"):
            _opened(tmp_path, recipe, whole + odd + b"\n")
    for cut in (b"{", whole.splitlines()[-1], b"nonsense"):
        _opened(tmp_path, recipe, whole + cut).ask()
        assert journal.read_bytes().startswith(whole + b"{")
        assert all(json.loads(line) for line in journal.read_bytes().splitlines())
    journal.write_bytes(whole[:-3])
    assert tuning.tune(recipe, tmp_path, trials=3).summary["trials"]["finished"] > 0


def _opened(folder: Path, recipe: Recipe, content: bytes | None = None) -> Any:
    """The study there, in whose journal is that."""
    if content is not None:
        (folder / "study.journal").write_bytes(content)
    return open_study(folder, recipe, space_of(recipe), "accuracy", trial_module.data_of(recipe))


def test_a_journal_that_is_a_link_or_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "study.journal").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder" / "study.journal").mkdir(parents=True)
    for name in ("link", "folder"):
        with pytest.raises(FileExistsError, match="link" if name == "link" else "holds no search"):
            _opened(tmp_path / name, digits())
    (tmp_path / "elsewhere").touch()
    with pytest.raises(FileExistsError, match=r"study\.journal is a symbolic link"):
        _opened(tmp_path / "link", digits())
    assert (tmp_path / "elsewhere").read_bytes() == b""


# Tables --------------------------------------------------------------------------------------------------------------


@unpictured
def test_a_table_with_categories_and_missing_values_is_searched_and_the_search_goes_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        [f"{x:.3f}" if i % 7 else "", "red" if i % 3 else "blue", f"{x + (i % 3 > 0):.3f}"]
        for i, x in enumerate(rng.normal(size=120).tolist())
    ]
    with (tmp_path / "my.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["size", "colour", "price"], *rows])
    changes = [
        "training.epochs=2",
        "tune.confirm=1",
        "tune.space.network.hidden={choices=[[8],[4,4]]}",
        "tune.space.network.rotations={low=0,high=1}",
        "tune.space.training.batch_size={low=16,high=64}",
    ]
    for more in ([], changes[2:]):
        recipe = one_network(tmp_path / "my.csv", "price", *changes[:2], *more)
        folder = tmp_path / f"searched-{len(more)}"
        assert len(tuning.tune(recipe, folder, trials=2).summary["finalists"]) >= 1
        found = tuning.tune(recipe, folder, trials=3)
        assert states(folder).count("finished") + states(folder).count("pruned") == 3
        assert (found.recipe.network.hidden == recipe.network.hidden) or more
        assert recipes.train(recipes.load(folder / "recipe.toml"), tmp_path / f"run-{len(more)}")["epochs"] == 2


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("--trials 0", "tune.trials must be a whole number of at least 1, not 0"),
        ("--time 0", "--time takes a length of time such as 90s, 10m or 2h, not '0'"),
        ("--set tune.trails=3", "there is no tune.trails (did you mean trials?)"),
        ("--set tune.trials=many", "tune.trials must be a whole number, not 'many'"),
        ("--set tune.confirm=-1", "tune.confirm must be a whole number of at least 0"),
        ("--set tune.space=3", "tune.space must be a table, not 3"),
        ("--set tune.space.optimizer.lr=0.1", "tune.space.optimizer: there is no lr; it has low, high and log"),
        ("--set tune.space.optimizer.lr={low=1.0,hihg=2.0}", "tune.space.optimizer.lr: there is no hihg (did you mean"),
        ("--set tune.space.optimizer.lr={low=1.0}", "tune.space.optimizer.lr: high is missing"),
        ("--set tune.space.optimizer.lr={low=2.0,high=1.0}", "low must be below high, but 2.0 is not below 1.0"),
        ("--set tune.space.optimizer.lr={low=0.0,high=1.0,log=true}", "log needs a low above 0, not 0.0"),
        ("--set tune.space.optimizer.lr={low='a',high=1.0}", "low must be a finite number, not 'a'"),
        ("--set tune.space.optimizer.lr={low=0.1,high=inf}", "high must be a finite number, not inf"),
        ("--set tune.space.optimizer.lr={low=0.1,high=1.0,log=1}", "log must be true or false, not 1"),
        ("--set tune.space.optimizer.lr={choices=[0.1]}", "choices must be a list of at least two values"),
        ("--set tune.space.optimizer.lr={choices=[0.1,0.1]}", "choices must differ, but 0.1 is there twice"),
        ("--set tune.space.optimizer.lr={low=-1.0,high=1.0}", "tune.space.optimizer.lr, at -1.0: optimizer: SGD: lr"),
        ("--set tune.space.optimizer.momentun={low=0.1,high=1.0}", "takes no 'momentun' (did you mean momentum?)"),
        ("--set tune.space.network.width={low=1,high=9}", "there is no network.width"),
        ("--set tune.space.network.hidden={choices=[[9],9]}", "network.hidden, at 9: recipe: network.hidden"),
        ("--set tune.space.network.hidden.x={low=1,high=2}", "network.hidden.x, at 1: 'hidden' is no table"),
        ("--set tune.space.training.epochs={low=0,high=9}", "epochs must be a whole number of at least 1, not 0"),
        ("--set tune.space.training.epochs={low=1.0,high=9.0}", "training.epochs must be a whole number, not 1.0"),
        ("--set tune.space.seed={low=0,high=9}", "tune.space.seed can't be searched"),
        ("--set tune.space.data.split={choices=['a','b']}", "tune.space.data.split can't be searched"),
        ("--set tune.space.training.monitor={choices=['loss','accuracy']}", "training.monitor can't be searched"),
        (
            "--set tune.space.loss.label_smoothing={low=0.0,high=0.1} --set training.monitor=loss"
            " --set loss=CrossEntropy",
            "tune.space.loss.label_smoothing changes what the loss means",
        ),
        ("--set training.monitor=rmse", "'rmse' is not one of the metrics: loss, accuracy"),
        ("--set optimizer.lr=-1", "lr must be a number above 0"),
        ("--target digit", "only those take --target"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    options: str, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["glassnet", "tune", "digits", *options.split()])
    with pytest.raises(SystemExit) as done:
        main()
    printed, message = capsys.readouterr()
    assert (done.value.code, printed) == (2, "")
    assert fault in message
    assert message.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_optuna_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(NotInstalledError, match=r'pip install "glassnet\[tune\]"'):
        tuning.tune(digits(), tmp_path)


# What is shown -------------------------------------------------------------------------------------------------------


@unpictured
def test_a_line_for_each_trial_where_there_is_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tuning.tune(digits("tune.confirm=1"), tmp_path, trials=2, progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert "test 0: the test part was dropped, no trial can see it" in lines[0]
    assert lines[1].startswith("trial 0  optimizer.lr=0.05 optimizer.momentum=0.9  val accuracy 0.")
    assert ", trial " in lines[2]
    assert "again, with seed" in lines[3]
    assert capsys.readouterr().out == ""


@unpictured
def test_a_bar_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TQDM_MININTERVAL", "0")
    tuning.tune(digits(), tmp_path, trials=3, progress=True)
    shown = capsys.readouterr().err
    assert "trial 2, epoch " in shown
    assert "best accuracy 0." in shown
    assert "0 pruned" in shown
    assert " left" in shown


def test_pictures_hold_the_trials() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform([-3, 0], [0, 0.99], (60, 2))
    points[:, 0] = 10 ** points[:, 0]
    values = -((np.log10(points[:, 0]) + 1) ** 2)
    figure = plots.heatmap(
        points,
        values,
        names=("optimizer.lr", "optimizer.momentum"),
        ranges=[(0.001, 1, True), (0, 0.99, False)],
        label="validation accuracy",
        higher=True,
        broken_off=[(0.0011, 0.5)],
        chosen=points[values.argmax()],
    )
    figure.draw_without_rendering()
    map_, dots = figure.axes[0].collections
    assert np.allclose(dots.get_offsets(), points)
    brightest = np.argmax(np.ma.mean(map_.get_array(), axis=0))
    assert 55 < brightest < 78  # of 100 columns: the best learning rate is 0.1, two thirds of the way
    assert map_.get_array()[50, 1] == pytest.approx(map_.norm.vmin, abs=0.05)  # pruned: the worst colour

    figure = plots.search_history([0, 2, 5], [1.0, 3.0, 2.0], [1, 3], "validation loss", higher=False, chosen=0)
    best = next(line for line in figure.axes[0].get_lines() if line.get_label() == "best so far")
    assert list(best.get_ydata()) == [1.0] * 4
    figure = plots.importance(["a", "b"], [0.75, 0.25], "validation loss")
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.75, 0.25]


def test_only_one_number_is_searched(tmp_path: Path) -> None:
    recipe = digits("tune.space.optimizer.lr={low=0.01,high=0.1}")
    tuning.tune(recipe, tmp_path, trials=5)
    assert {path.name for path in (tmp_path / "plots").iterdir()} <= {"history.png", "importance.png"}


# In a database -------------------------------------------------------------------------------------------------------


@unpictured
def test_searches_share_a_database_and_find_their_own_study(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'trials.db'}"
    tuning.tune(digits(), tmp_path / "one", trials=2, storage=storage)
    other = tuning.tune(digits("seed=1"), tmp_path / "other", trials=3, storage=storage)
    assert sum(other.summary["trials"].values()) == 3
    more = tuning.tune(digits(), tmp_path / "elsewhere", trials=4, storage=storage)
    assert sum(more.summary["trials"].values()) == 4
    tuning.tune(digits(), tmp_path / "file", trials=4)
    assert trials_of(tmp_path / "elsewhere") == trials_of(tmp_path / "file")
    with pytest.raises(FileExistsError, match="holds no search"):
        tuning.tune(digits(), tmp_path / "other", trials=3, storage=storage)


@pytest.mark.parametrize(
    ("storage", "fault"),
    [
        ("trials.db", "--storage trials.db is no address of a storage: write postgresql://"),
        ("me:word@host", "--storage host is no address of a storage"),
        ("sqlite:///", "--storage sqlite:/// names no file: write sqlite:///FILE"),
        ("sqlite:///missing/trials.db", "--storage sqlite:///missing/trials.db: unable to open database file"),
        ("grpc://host", "--storage grpc://host names no server: write grpc://HOST:PORT"),
        ("nonsense://me:word@host/x", "--storage nonsense://host/x: Can't load plugin: sqlalchemy.dialects:nonsense"),
        ("mysql+nodriver://me:word@host/x", "--storage mysql+nodriver://host/x: Can't load plugin"),
        (
            "mysql+aiomysql://me:word@host/x?y=word",
            "--storage mysql+aiomysql://host/x needs aiomysql, which",
        ),
    ],
)
def test_a_storage_that_cannot_be_used_is_one_line_without_the_password(
    storage: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["glassnet", "tune", "digits", "--storage", storage])
    with pytest.raises(SystemExit) as ended:
        main()
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert error.startswith(f"glassnet: {fault}")
    assert error.count("\n") == 1
    assert "word" not in error
    assert not list(tmp_path.iterdir())


@unpictured
def test_a_trial_too_many_is_given_up(tmp_path: Path) -> None:
    recipe = digits()
    study = open_study(tmp_path, recipe, space_of(recipe), "accuracy", trial_module.data_of(recipe))
    asked = [study.ask() for _ in range(3)]
    assert [claim(study, each, 2) for each in asked] == [True, True, False]
    assert [kind(trial) for trial in study.get_trials()] == ["running", "running", "stopped"]
    assert tell(study, 0, TrialState.FAIL)
    assert not tell(study, 0, TrialState.COMPLETE, 0.5)  # it was taken for dead
    enqueue_own(study, recipe, space_of(recipe))
    study.enqueue_trial(study.get_trials()[0].params, user_attrs={OWN: True})  # another process did so, too
    assert [claim(study, study.ask(), 10) for _ in range(2)] == [True, False]


def test_a_process_elsewhere_is_dead_without_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, now = digits(), [0.0]
    study = open_study(tmp_path, recipe, space_of(recipe), "accuracy", trial_module.data_of(recipe))
    trial = study.ask()
    trial.set_user_attr(PROCESS, ["another machine", 1])
    monkeypatch.setattr("glassnet.tuning.workers.time.monotonic", lambda: now[0])
    others = Others(study)
    for sign in range(3):
        trial.set_user_attr(SIGN, sign)
        others.bury()
        assert kind(study.get_trials()[0]) == "running"
        now[0] += DEAD
    others.bury()
    assert kind(study.get_trials()[0]) == "running"
    now[0] += 1
    others.bury()
    assert kind(study.get_trials()[0]) == "stopped"
