"""The explorer: its numbers are the library's, its server answers nobody else, its code runs, its training obeys."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet import explore, nn, recipes
from glassnet.cli import main
from glassnet.explore import page, shipped
from glassnet.explore.encoding import json_numbers, packed
from glassnet.explore.session import Session
from glassnet.explore.trainer import SNAPSHOTS, NotNowError, thinned
from glassnet.extras import NotInstalledError
from glassnet.inspection.trace_equation import equation

TOKEN, HOST, PORT = "a-token", "127.0.0.1", 8000


def wait_for(what: Callable[[], Any], seconds: float = 10) -> Any:
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the bundled digits, with dropout."""
    out = tmp_path_factory.mktemp("runs") / "digits"
    recipes.train(recipes.load("digits", changes=["training.epochs=2", "network.hidden=[32]"]), out)
    return out


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe for a regression with batch norm, whose network ends in Unstandardize."""
    folder = tmp_path_factory.mktemp("table")
    changes = ["network.hidden=[12, 8]", "network.normalization=BatchNorm", "network.dropout=0.2", "optimizer=Adam"]
    recipes.load("diabetes", changes=changes).save(folder / "patients.toml")
    return folder / "patients.toml"


@pytest.fixture
def open_session(empty_cache: Path) -> Iterator[Callable[[object], Session]]:
    """Open what is named, where MNIST isn't."""
    opened: list[Session] = []

    def open_one(what: object = None) -> Session:
        opened.append(Session(explore.open_subject(None if what is None else str(what))))
        return opened[-1]

    yield open_one
    for session in opened:
        session.close()


# The shipped network


def test_the_shipped_network_says_how_it_was_made_and_knows_its_digits() -> None:
    net, digits = shipped.network(), shipped.examples()
    assert [type(layer) for layer in net.layers] == [gn.Standardize, gn.Dense, gn.ReLU, gn.Dense]
    assert net.layers[1].W.shape == (784, 128)
    assert "glassnet train explore-mnist --seed 0" in net.info["made by"]
    assert net.info["test"]["accuracy"] > 0.98
    assert shipped.path().stat().st_size < 500_000
    assert digits.test.x.dtype == np.uint8
    assert set(digits.test.y) == set(range(10))
    right = net.predict(digits.test.x).argmax(axis=1) == digits.test.y
    assert 0.6 < right.mean() < 1  # the hardest are among them


@pytest.mark.usefixtures("published_data")
def test_the_shipped_network_is_as_good_as_it_says_and_its_digits_are_mnists() -> None:
    net, test = shipped.network(), gn.load("mnist").test
    measured = gn.evaluate(net, test, gn.CrossEntropy())["accuracy"]
    assert measured == pytest.approx(net.info["test"]["accuracy"], abs=2e-4)
    rows = net.info["test rows of examples"]
    assert np.array_equal(shipped.examples().test.x, test.x[rows])
    assert np.array_equal(shipped.examples().test.y, test.y[rows])


@pytest.mark.usefixtures("published_data")
def test_the_shipped_digits_are_those_that_make_chooses() -> None:
    from glassnet.explore.make import choose

    net = shipped.network()
    assert choose(net, gn.load("mnist").test).tolist() == net.info["test rows of examples"]
    assert recipes.from_dict(net.info["recipe"]) == shipped.recipe()


# Training, one step at a time


@pytest.mark.parametrize(("fast", "replacement"), [(True, False), (False, False), (True, True)])
def test_a_course_is_what_fit_does(fast: bool, replacement: bool) -> None:
    data = gn.load("digits")

    def parts() -> tuple[gn.Network, gn.Optimizer]:
        layers = [gn.Standardize(), gn.Dense(64, 16), gn.BatchNorm(16), gn.ReLU(), gn.Dropout(0.2), gn.Dense(16, 10)]
        return gn.Network(layers, seed=3, fast=fast), gn.SGD(0.05, momentum=0.9)

    net, optimizer = parts()
    how: dict[str, Any] = {"batch_size": 50, "seed": 5, "replacement": replacement}
    history = gn.fit(net, data, gn.CrossEntropy(), optimizer, epochs=2, restore_best=False, **how)
    other, same = parts()
    course = explore.Course(other, data, gn.CrossEntropy(), same, **how)
    ends = [course.step() for _ in range(2 * course.run.steps_per_epoch)]
    assert ends.count(True) == 2
    assert ends[-1]
    assert course.run.history.step_loss == history.step_loss
    assert course.run.history["val_accuracy"] == history["val_accuracy"]
    assert np.array_equal(other.theta, net.theta)


def test_a_replay_ends_in_the_same_bits() -> None:
    data = gn.load("diabetes")

    def parts() -> tuple[gn.Network, gn.Optimizer]:
        layers = [gn.Standardize(), gn.Dense(10, 8), gn.BatchNorm(8), gn.Tanh(), gn.Dense(8, 1), gn.Unstandardize()]
        return gn.Network(layers), gn.SGD(0.01, momentum=0.5)

    net, optimizer = parts()
    course = explore.Course(net, data, gn.MSE(), optimizer, batch_size=32, seed=1)
    x, t = data.test.x[:1], data.test.y[:1]
    for act in (
        course.step,
        course.step,
        lambda: course.set(lr=0.02, momentum=0.8),
        course.step,
        lambda: course.by_hand(x, t),
        lambda: course.set(batch_size=7),
        course.step,
        course.step,
    ):
        act()
    assert [event[0] for event in course.log] == ["train", "set", "train", "by hand", "set", "train"]
    again, optimizer = parts()
    other = explore.replay(again, data, gn.MSE(), optimizer, course.log, batch_size=32, seed=1)
    assert np.array_equal(again.theta, net.theta)
    assert np.array_equal(optimizer.velocity, course.run.optimizer.velocity)
    assert (other.steps, other.place) == (5, 3 * 32 + 2 * 7)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"lr": 0}, "lr"),
        ({"lr": "1"}, "number"),
        ({"lr": True}, "number"),
        ({"momentum": 1}, "momentum"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "whole"),
        ({"depth": 3}, "no setting"),
        ({"lr": float("nan")}, "number"),
    ],
)
def test_nonsense_is_no_setting(settings: dict[str, Any], fault: str) -> None:
    net = gn.Network([gn.Dense(64, 10)])
    course = explore.Course(net, gn.load("digits"), gn.CrossEntropy(), gn.SGD(0.1), batch_size=32)
    with pytest.raises(ValueError, match=fault):
        course.set(**settings)
    assert course.settings() == {"lr": 0.1, "momentum": 0.0, "batch_size": 32}


def test_in_use_computes_in_training_as_it_predicts() -> None:
    x = np.random.default_rng(0).normal(size=(40, 6))
    net = gn.Network([gn.Dense(6, 5), gn.BatchNorm(5), gn.Tanh(), gn.Dropout(0.5), gn.Dense(5, 2)], dtype="float64")
    net.forward(x, training=True)  # the running statistics move
    still = explore.in_use(net)
    state = {name: value.copy() for name, value in still.state().items()}
    assert np.array_equal(still.forward(x[:1], training=True), net.forward(x[:1]))
    assert all(np.array_equal(value, state[name]) for name, value in still.state().items())
    report = gn.gradcheck(still, x[:3], np.array([0, 1, 1]), gn.CrossEntropy())
    assert report.passed, report


def test_batch_norm_in_use_writes_its_running_statistics() -> None:
    net = explore.in_use(gn.Network([gn.BatchNorm(1)], dtype="float64"))
    norm = net.layers[0]
    norm.gamma[0], norm.beta[0], norm.running_mean[0], norm.running_var[0] = -0.5, -0.25, -2, 4
    written = str(equation(net.layers, [np.array([[1.5]]), norm.forward(np.array([[1.5]]))], 0, 0))
    assert "(x[0] - running_mean) / sqrt(running_var + eps)" in written
    assert written.endswith(" = (-0.5)*(1.5 + 2) / sqrt(4 + 1e-05) - 0.25 = -1.125")


# The session's numbers are the library's


@pytest.mark.parametrize("what", ["run", "table", "shipped"])
def test_every_number_is_the_librarys(
    what: str, open_session: Callable[[object], Session], run: Path, table: Path
) -> None:
    session = open_session({"run": run, "table": table, "shipped": None}[what])
    net, data = session.subject.net, session.subject.data
    example = session.example("test", 4)
    x, t = data.test.x[4:5], data.test.y[4:5]
    assert example["x"] == x[0].tolist()
    seen = session.forward(example["x"])
    assert seen["outputs"] == pytest.approx(net.predict(x)[0].tolist(), rel=1e-4, abs=1e-4)
    assert [len(layer["output"]) for layer in seen["layers"]] == [e["width"] for e in session.network()["layers"]]
    if data.task == "classification":
        assert seen["probabilities"] == pytest.approx(net.predict_proba(x)[0].tolist(), abs=1e-5)
        assert seen["label"] == data.classes[int(net.predict(x).argmax())]

    still, loss = explore.in_use(net), session.subject.loss
    made = gn.trace(still, x, t, loss, session.subject.begin(fresh=False))
    step = session.trace(example["x"], example["target"])
    assert step["loss"] == made.loss
    assert step["loss_after"] == made.loss_after
    assert [layer["dy"] for layer in step["layers"]] == [json_numbers(layer.dy[0]) for layer in made.layers]
    for each, parameter in made.parameters.items():
        assert step["parameters"][each]["gradient_norm"] == pytest.approx(np.linalg.norm(parameter.gradient))

    name = next(iter(made.parameters))
    index = int(name.partition(".")[0])
    column = session.parameter(example["x"], example["target"], name, 5)
    for each in ("before", "gradient", "after"):
        assert column[each] == getattr(made.parameters[name], each)[:, 5].tolist()
    equation = session.equation(example["x"], index, 5)
    products = [abs(term["product"]) for term in equation["terms"]]
    assert products == sorted(products, reverse=True)
    total = sum(term["product"] for term in equation["terms"]) + equation["bias"]
    assert total == pytest.approx(seen["layers"][index]["output"][5], rel=1e-3, abs=1e-4)
    for layer, entry in enumerate(session.network()["layers"]):
        found = session.equation(example["x"], layer, 0)
        assert found["value"] == pytest.approx(seen["layers"][layer]["output"][0], rel=1e-3, abs=1e-4)
        assert "no formula" not in found["text"]
        if entry["kind"] != "BatchNorm":  # a trace says "in the batch"
            assert found["text"] == str(made.equation(layer, 0))
        written = float(found["text"].rpartition(" = ")[2].split()[0])
        assert written == pytest.approx(found["value"], rel=2e-3, abs=1e-3), entry["name"]
    checked = session.check(example["x"], example["target"], name, [2, 5])
    assert checked["passed"] or checked["at_kink"]
    weights = session.weights(name)
    values = np.frombuffer(base64.b64decode(weights["f32"]), "<f4").reshape(weights["shape"])
    assert np.array_equal(values, dict(net.arrays())[name])


def test_an_equation_and_an_answer_need_no_step_of_learning(
    open_session: Callable[[object], Session], run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("it makes a step, or a second pass")

    session = open_session(run)
    monkeypatch.setattr("glassnet.explore.session.trace", forbidden)
    monkeypatch.setattr(gn.Network, "predict", forbidden)
    assert len(session.equation([1] * 64, 2, 3)["terms"]) == 64
    assert sum(session.forward([1] * 64)["probabilities"]) == pytest.approx(1)


def test_numbers_that_overflow_are_shown_without_a_warning(open_session: Callable[[object], Session]) -> None:
    session = open_session("diabetes")
    example = session.example("test", 0)
    ask = example["x"], example["target"]
    assert session.forward([1e300, *example["x"][1:]])["layers"][0]["output"][0] is None
    assert session.trace([1e300, *example["x"][1:]], 1e300)["loss"] is None
    session.settings(lr=1e30)
    session.trace(*ask, apply=True)
    assert session.trace(*ask)["loss"] > 1e50  # outputs are float64
    name = next(iter(session.trace(*ask)["parameters"]))
    session.parameter(*ask, name, 0)
    session.equation(example["x"], int(name[0]), 0)
    session.check(*ask, name, [0, 0])
    with pytest.raises(ValueError, match="the loss of this batch is inf"):
        session.check(example["x"], 1e300, name, [0, 0])
    session.forward(example["x"])


def test_a_step_in_earnest_changes_the_network_and_reset_brings_it_back(
    open_session: Callable[[object], Session], run: Path
) -> None:
    session = open_session(run)
    example = session.example("test", 0)
    ask = example["x"], (example["target"] + 1) % 10
    before = session.forward(example["x"])["outputs"]
    first = session.trace(*ask)
    assert session.forward(example["x"])["outputs"] == before
    applied = session.trace(*ask, apply=True)
    assert applied["loss"] == first["loss"]
    assert session.trace(*ask)["loss"] == pytest.approx(applied["loss_after"], rel=1e-5)
    bias = session.parameter(*ask, "5.b", ask[1])
    assert bias["velocity"][0] != pytest.approx(-0.05 * bias["gradient"][0], rel=0.1)  # the first step is remembered
    session.train("reset")
    assert session.forward(example["x"])["outputs"] == before
    assert session.trace(*ask)["loss_after"] == first["loss_after"]  # the velocity is forgotten, too
    session.train("restart")
    fresh = session.forward(example["x"])["outputs"]
    assert fresh != before
    built = session.subject.recipe.build_network(64, 10, "classification")
    built.fit_preprocessing(session.subject.data.train.x)
    assert fresh == pytest.approx(built.predict(session.subject.data.test.x[:1])[0].tolist(), rel=1e-4)


@pytest.mark.parametrize(
    ("ask", "fault"),
    [
        (lambda s: s.example("test", 10_000), "rows"),
        (lambda s: s.example("all", 0), "part"),
        (lambda s: s.example("test", -1), "whole number"),
        (lambda s: s.forward([1.0]), "64"),
        (lambda s: s.forward([float("nan")] * 64), "finite"),
        (lambda s: s.forward(["1"] * 64), "finite"),
        (lambda s: s.forward([256] * 64), "0 to 255"),
        (lambda s: s.trace([0] * 64, 10), "class"),
        (lambda s: s.trace([0] * 64, "one"), "whole number"),
        (lambda s: s.weights("9.W"), "no parameter"),
        (lambda s: s.equation([0] * 64, 99, 0), "layer"),
        (lambda s: s.equation([0] * 64, 2, 99), "unit"),
        (lambda s: s.parameter([0] * 64, 1, "2.W", 99), "units"),
        (lambda s: s.check([0] * 64, 1, "2.W", [99, 0]), "no entry"),
        (lambda s: s.check([0] * 64, 1, "2.W", "3"), "list"),
        (lambda s: s.train("stop"), "action"),
        (lambda s: s.scrub(3), "snapshot"),
        (lambda s: s.code("picture"), "view"),
        (lambda s: s.code("check", x=[0] * 64, target=1, name="x.y", index=[0]), "no parameter"),
        (lambda s: s.settings(momentum=2), "momentum"),
    ],
)
def test_nonsense_is_refused_in_one_line(
    ask: Callable[[Session], Any], fault: str, open_session: Callable[[object], Session], run: Path
) -> None:
    with pytest.raises(ValueError, match=fault) as refusal:
        ask(open_session(run))
    assert "\n" not in str(refusal.value)


def test_json_has_no_nan() -> None:
    assert json_numbers(np.array([[1.5, np.nan], [np.inf, -2]])) == [[1.5, None], [None, -2.0]]
    array = packed(np.arange(6, dtype=np.float64).reshape(2, 3))
    assert np.frombuffer(base64.b64decode(array["f64"]), "<f8").tolist() == list(range(6))
    assert array["shape"] == [2, 3]


# Live training


def test_training_live(open_session: Callable[[object], Session], run: Path) -> None:
    session = open_session(run)
    example = session.example("test", 0)
    session.train("restart")
    before = session.forward(example["x"])["outputs"]
    one = session.train("step")
    assert (one["step"], one["running"], one["snapshots"]) == (1, False, [0])
    assert session.forward(example["x"])["outputs"] != before
    session.train("epoch")
    done = wait_for(lambda: (p := session.progress()) and not p["running"] and p)
    assert (done["epoch"], done["step"]) == (1, done["steps_per_epoch"])
    assert set(done["epochs"][0]) >= {"epoch", "train_loss", "val_loss", "val_accuracy"}
    assert done["epochs"][0]["step"] == done["steps_per_epoch"]

    assert session.train("start")["running"]
    for refused in (lambda: session.scrub(0), lambda: session.trace(example["x"], 1, apply=True)):
        with pytest.raises(NotNowError, match="pause"):
            refused()
    session.forward(example["x"])  # all else is answered
    settings = session.settings(lr=0.01, batch_size=8)
    assert settings == {"lr": 0.01, "momentum": 0.9, "batch_size": 8}
    wait_for(lambda: session.progress()["epoch"] >= 2 and session.progress()["settings"] == settings)
    paused = session.train("pause")
    time.sleep(0.05)
    assert session.progress()["step"] == paused["step"]
    assert paused["steps_per_epoch"] == 144
    assert paused["settings"] == settings
    losses = [loss for _, loss in paused["loss"]]
    assert losses[-1] < losses[0]
    assert session.progress(since=paused["step"])["loss"] == []

    newest = session.forward(example["x"])["outputs"]
    assert session.scrub(0)["at"] == 0
    assert session.forward(example["x"])["outputs"] == before
    with pytest.raises(NotNowError, match="past"):
        session.trace(example["x"], 1, apply=True)
    assert session.scrub(None)["at"] is None
    assert session.forward(example["x"])["outputs"] == newest
    emptied = session.train("reset")
    assert (emptied["step"], emptied["epochs"], emptied["snapshots"], emptied["loss"]) == (0, [], [], [])


def test_whoever_waits_for_a_pause_does_not_hang_if_somebody_else_starts(
    open_session: Callable[[object], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_session("diabetes")
    trainer, step = session.trainer, explore.Course.step

    def slow(course: explore.Course) -> bool:
        time.sleep(0.2)
        return step(course)

    monkeypatch.setattr(explore.Course, "step", slow)
    trainer.start()
    for act in (trainer.pause, lambda: trainer.reset(fresh=False)):
        before = trainer.course
        waiting = threading.Thread(target=act, daemon=True)
        wait_for(lambda: trainer._busy)
        waiting.start()
        wait_for(lambda: trainer._goal == "pause")  # it waits for the step to end
        trainer.start()
        waiting.join(timeout=5)
        assert not waiting.is_alive()
        assert trainer.course == before + (act != trainer.pause)
        trainer.start()
    session.close()
    for ask in (trainer.step, trainer.start, trainer.epoch):
        with pytest.raises(NotNowError, match="stopped"):
            ask()


def test_settings_are_those_of_what_is_shown_and_the_past_has_its_own(
    open_session: Callable[[object], Session], run: Path
) -> None:
    session = open_session(run)
    first = session.train("step")["settings"]
    changed = session.settings(lr=0.001, batch_size=16)
    assert session.scrub(0)["settings"] == first != changed
    with pytest.raises(NotNowError, match="past"):
        session.settings(lr=0.5)
    assert session.progress()["settings"] == first
    assert session.scrub(None)["settings"] == changed


def test_every_beginning_has_a_number_of_its_own(open_session: Callable[[object], Session]) -> None:
    session = open_session("diabetes")
    seen = [session.progress()["course"]]
    assert session.train("step")["course"] == seen[0]
    seen += [session.train(action)["course"] for action in ("reset", "restart", "reset")]
    assert len(set(seen)) == 4


def test_trained_weights_go_on_with_a_small_rate_if_a_schedule_led_to_them(
    open_session: Callable[[object], Session], tmp_path: Path
) -> None:
    session = open_session(None)
    assert "schedule is not used" in session.network()["note"]
    assert session.network()["optimizer"]["lr"] == session.progress()["settings"]["lr"] == pytest.approx(0.0005)
    assert session.train("restart")["settings"]["lr"] == 0.05  # untrained ones as in the recipe
    assert "lr=0.05," in session.code("train")["code"]
    session.train("reset")
    assert "lr=0.0005," in session.code("train")["code"]
    for changes, lr, noted in (([], 0.05, True), (["schedule=Constant", "optimizer.lr=0.02"], 0.02, False)):
        recipe = recipes.load("digits", changes=["training.epochs=1", "network.hidden=[8]", *changes])
        recipe.save(tmp_path / "recipe.toml")
        untrained = open_session(tmp_path / "recipe.toml")
        assert untrained.progress()["settings"]["lr"] == lr
        assert (untrained.network()["note"] is not None) == noted
    recipes.train(recipe, tmp_path / "run")
    assert open_session(tmp_path / "run").progress()["settings"]["lr"] == 0.02  # a constant rate had led there


@pytest.mark.usefixtures("published_data")
def test_training_the_shipped_network_on_does_not_make_it_worse() -> None:
    with closing(Session(explore.open_subject())) as session:
        before = gn.evaluate(session.subject.net, session.subject.data.val, session.subject.loss)
        session.train("epoch")
        done = wait_for(lambda: (p := session.progress()) and not p["running"] and p, seconds=30)
    assert done["epochs"][0]["val_loss"] < before["loss"] * 1.02
    assert [finding["name"] for finding in done["findings"] if finding["severity"] == "error"] == []


def test_a_training_that_diverges_stops_and_says_so(open_session: Callable[[object], Session], table: Path) -> None:
    session = open_session(run_away(table))
    session.train("start")
    ended = wait_for(lambda: (p := session.progress()) and not p["running"] and p)
    assert re.search("became|finite", ended["problem"])
    assert any(finding["severity"] == "error" for finding in ended["findings"])
    json.dumps(ended, allow_nan=False)
    assert session.train("reset")["problem"] is None


def test_a_doctor_who_fails_does_not_end_the_training(
    open_session: Callable[[object], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: gn.Network) -> None:
        raise RuntimeError("no idea")

    session = open_session("diabetes")
    monkeypatch.setattr("glassnet.inspection.doctor.course.CHECKS", (fail,))
    assert "no idea" in session.train("step")["problem"]
    assert session.train("step")["step"] == 2


def run_away(table: Path) -> Path:
    recipe = recipes.load(str(table), changes=["optimizer={name='SGD', lr=1e8}", "network.normalization=LayerNorm"])
    recipe.network.normalization = None
    recipe.network.activation = "ReLU"
    recipe.save(table.with_name("away.toml"))
    return table.with_name("away.toml")


def test_without_mnist_the_shipped_network_steps_but_does_not_train(open_session: Callable[[object], Session]) -> None:
    session = open_session(None)
    about = session.network()
    assert about["rows"] == {"train": 0, "val": 0, "test": 25}
    assert not about["can_train"]
    assert "glassnet data fetch mnist" in about["why_not"]
    with pytest.raises(NotNowError, match="fetch mnist"):
        session.train("start")
    example = session.example("test", 3)
    applied = session.trace(example["x"], (example["target"] + 1) % 10, apply=True)
    assert applied["loss_after"] < applied["loss"]
    assert session.train("reset")["step"] == 0


@pytest.mark.parametrize("what", [None, "digits", "diabetes"])
def test_it_opens_on_a_right_answer_and_knows_the_mistakes(
    what: str | None, open_session: Callable[[object], Session]
) -> None:
    session = open_session(what)
    subject = session.subject
    x, t = subject.data.test.x[:200], subject.data.test.y[:200]
    losses = [subject.loss.forward(subject.net.predict(x[i : i + 1]), t[i : i + 1]) for i in range(len(x))]
    opening, mistakes = (session.network()[name] for name in ("opening", "mistakes"))
    if subject.data.task == "classification":
        wrong = subject.net.predict_proba(x).argmax(axis=1) != t
        assert sorted(mistakes) == np.flatnonzero(wrong).tolist()
        assert losses[opening] == pytest.approx(max(np.array(losses)[~wrong]))
    else:
        assert losses[mistakes[0]] == pytest.approx(max(losses))
        assert sorted(losses).index(losses[opening]) in range(len(x) // 2 - 2, len(x) // 2 + 2)
    assert explore.page.contents(subject)["network"]["opening"] < 25


def test_an_answer_says_whether_the_weights_were_moved_by_hand(open_session: Callable[[object], Session]) -> None:
    session = open_session()
    example = session.example("test", 0)
    assert not session.forward(example["x"])["by_hand"]
    session.trace(example["x"], 3, apply=True)
    assert session.forward(example["x"])["by_hand"]
    session.train("reset")
    assert not session.forward(example["x"])["by_hand"]


def test_snapshots_stay_within_bounds_and_cover_the_course(open_session: Callable[[object], Session]) -> None:
    session = open_session("diabetes")
    session.settings(batch_size=283)
    session.train("start")
    wait_for(lambda: session.progress()["epoch"] > 3 * SNAPSHOTS)
    done = session.train("pause")
    kept = done["snapshots"]
    assert len(kept) <= SNAPSHOTS + 1
    assert (kept[0], kept[-1]) == (0, done["epoch"])
    assert max(np.diff(kept)) <= 2 * done["epoch"] / len(kept) + 1
    assert len(thinned(0, 100_000)) <= 500
    assert thinned(3, 6) == [3, 4, 5]


# This view as code


def execute(code: str) -> tuple[str, dict[str, Any]]:
    names: dict[str, Any] = {}
    shown = io.StringIO()
    with redirect_stdout(shown):
        exec(compile(code, "<the view's code>", "exec"), names)
    return shown.getvalue(), names


@pytest.mark.parametrize("what", ["run", "table", "shipped"])
@pytest.mark.parametrize("drawn", [False, True])
def test_the_code_gives_what_is_on_the_screen(
    what: str, drawn: bool, open_session: Callable[[object], Session], run: Path, table: Path
) -> None:
    session = open_session({"run": run, "table": table, "shipped": None}[what])
    example = session.example("test", 2)
    x, target = example["x"], example["target"]
    shown: dict[str, Any] = {"x": x, "target": target, "part": "test", "row": 2, "lr": 1}
    if drawn:
        x = shown["x"] = [*x[1:], x[0] + 1]
        shown["row"] = None
    name = next(iter(session.trace(x, target)["parameters"]))
    shown |= {"layer": int(name[0]), "unit": 3, "name": name, "index": [1, 3]}

    for events in ([], ["by hand"], ["step", "set", "step"]):
        if "step" in events and not session.network()["can_train"]:
            continue
        for event in events:
            if event == "by hand":
                session.trace(x, target, apply=True)
            elif event == "set":
                session.settings(lr=0.004)
            else:
                session.train("step")
        text, names = execute(session.code("example", **shown)["code"])
        assert len(text) > 5
        seen = session.forward(x)
        assert names["net"].predict(names["x"])[0].tolist() == pytest.approx(seen["outputs"], rel=1e-3, abs=1e-4)
        names = execute(session.code("trace", **shown)["code"])[1]
        assert names["trace"].loss == pytest.approx(session.trace(x, target)["loss"], rel=1e-3, abs=1e-6)
        assert names["trace"].loss_after == pytest.approx(session.trace(x, target)["loss_after"], rel=1e-2, abs=1e-5)
        text = execute(session.code("equation", **shown)["code"])[0]
        assert text.startswith("y[3] = ")
        execute(session.code("check", **shown)["code"])


def test_the_code_of_a_training_is_fit_after_whole_epochs_and_a_replay_otherwise(
    open_session: Callable[[object], Session], run: Path
) -> None:
    session = open_session(run)
    session.train("restart")
    session.settings(lr=0.02)
    session.train("epoch")
    done = wait_for(lambda: (p := session.progress()) and not p["running"] and p)
    code = session.code("train")["code"]
    assert "gn.fit(net, data, loss, optimizer, epochs=1" in code
    assert "lr=0.02" in code
    _, names = execute(code)
    assert gn.evaluate(names["net"], names["data"].val, gn.CrossEntropy())["accuracy"] == pytest.approx(
        done["epochs"][0]["val_accuracy"]
    )
    session.settings(momentum=0.5)
    session.train("step")
    code = session.code("train")["code"]
    assert "replay(" in code
    net = execute(code)[1]["net"]
    x = session.subject.data.test.x[:3]
    assert net.predict(x)[0].tolist() == pytest.approx(session.forward(x[0].tolist())["outputs"], rel=1e-3, abs=1e-4)
    session.scrub(0)  # the code is that of what is shown
    assert "fit(" not in session.code("train")["code"]


def test_the_code_draws_with_replacement_if_the_recipe_does(
    open_session: Callable[[object], Session], table: Path
) -> None:
    recipes.load(str(table), changes=["training.replacement=true"]).save(table.with_name("drawn.toml"))
    session = open_session(table.with_name("drawn.toml"))
    for action, line in (("step", "replay("), ("epoch", "gn.fit(")):
        session.train(action)
        wait_for(lambda: not session.progress()["running"])
        code = session.code("train")["code"]
        assert line in code
        net = execute(code)[1]["net"]
        x = session.subject.data.test.x[:1]
        seen = session.forward(x[0].tolist())["outputs"]
        assert net.predict(x)[0].tolist() == pytest.approx(seen, rel=1e-3)


# The page in a file


def embedded(out: Path) -> tuple[str, dict[str, Any]]:
    text = out.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="glassnet">(.*?)</script>', text, re.DOTALL)
    assert found
    return text, json.loads(found[1])


def test_a_page_in_a_file_holds_all_that_it_needs(tmp_path: Path, empty_cache: Path) -> None:
    out = tmp_path / "page.html"
    explore.write(out, explore.open_subject())
    text, data = embedded(out)
    assert "{{" not in text
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    assert "default-src 'none'" in text
    imports = json.loads(re.search(r'<script type="importmap"[^>]*>(.*?)</script>', text)[1])["imports"]  # type: ignore[index]
    for name in page.modules("main.js"):
        source, _ = page.static_files()[name]
        kind, _, content = imports[f"glassnet/{name}"].partition(",")
        assert kind == "data:text/javascript;base64"
        assert base64.b64decode(content).decode() == source
        assert set(re.findall(r'from "([^"]+)"', source)) <= set(imports)
    net = shipped.network()
    layers = data["frozen"]["layers"]
    assert [layer["type"] for layer in layers] == ["Standardize", "Dense", "ReLU", "Dense"]
    w = layers[1]["arrays"]["W"]
    assert np.array_equal(np.frombuffer(base64.b64decode(w["f32"]), "<f4").reshape(w["shape"]), net.layers[1].W)
    assert [layer["formula"] for layer in layers] == [layer.formula for layer in net.layers]
    assert len(data["examples"]) == 25
    names: dict[str, Any] = {}
    exec("import glassnet as gn\n" + data["load"], names)
    assert np.array_equal(names["net"].theta, net.theta)
    assert repr(names["loss"]) == repr(gn.CrossEntropy())


def test_a_page_is_written_without_a_training_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_: object) -> None:
        raise AssertionError("a thread")

    subject = explore.open_subject("diabetes")
    monkeypatch.setattr(threading.Thread, "start", forbidden)
    explore.write(tmp_path / "page.html", subject)
    assert embedded(tmp_path / "page.html")[1]["examples"][3]["x"] == subject.data.test.x[3].tolist()


def test_a_page_of_a_regression_knows_the_ranges_of_its_columns(tmp_path: Path, table: Path) -> None:
    explore.write(tmp_path / "page.html", explore.open_subject(str(table)))
    data = embedded(tmp_path / "page.html")[1]
    assert "f64" in data["frozen"]["layers"][-1]["arrays"]["mean"]
    ranges = data["network"]["ranges"]
    assert [r["name"] for r in ranges] == list(gn.load("diabetes").features)
    assert all(r["min"] <= r["typical"] <= r["max"] for r in ranges)


def test_a_page_can_not_hold_a_layer_of_ones_own(tmp_path: Path, empty_cache: Path) -> None:
    class Twice(nn.Layer):
        def forward(self, x: nn.layer.Array, training: bool = False) -> nn.layer.Array:
            return 2 * x

    subject = explore.open_subject()
    subject.net.layers.append(Twice())
    with pytest.raises(ValueError, match="Twice"):
        explore.write(tmp_path / "page.html", subject)
    assert not (tmp_path / "page.html").exists()


# The terminal


def test_the_terminal_writes_a_page_and_says_what_is_wrong_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def status(*arguments: object) -> object:
        monkeypatch.setattr(sys, "argv", ["glassnet", "explore", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
        return done.value.code or 0

    assert status("diabetes", "--out", tmp_path / "page.html") == 0
    assert embedded(tmp_path / "page.html")[1]["network"]["title"].startswith("diabetes, 10-")
    assert capsys.readouterr() == (f"written to {tmp_path / 'page.html'}\n", "")
    for name in ("nothing-like-it", "README.md", "", "table.csv"):
        assert status(name, "--no-browser") == 2
        shown = capsys.readouterr()
        assert (shown.out, shown.err.count("\n")) == ("", 1)
        assert f"{name!r} can't be explored: name a run directory" in shown.err
    assert status("--port", "70000") == 2


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(NotInstalledError, match=r'pip install "glassnet\[explore\]"'):
        explore.serve(explore.open_subject(), browser=False)
    monkeypatch.setattr(sys, "argv", ["glassnet", "explore"])
    monkeypatch.setattr(explore, "open_subject", lambda _: pytest.fail("data were loaded first"))
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 2


def test_a_run_whose_data_changed_is_refused(run: Path, tmp_path: Path) -> None:
    net = gn.Network.load(run / "model.safetensors")
    other = tmp_path / "other"
    other.mkdir()
    for file in ("recipe.toml", "metrics.json"):
        (other / file).write_bytes((run / file).read_bytes())
    net.info["targets"] = 1
    net.save(other / "model.safetensors")
    with pytest.raises(ValueError, match="its targets changed"):
        explore.open_subject(str(other))
