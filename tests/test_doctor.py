"""The doctor's checks of the start and the course of a training, and the examination as a whole.

Recall and false alarms over hundreds of trainings are measured by benchmarks/doctor.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.inspection.doctor.finding import SEVERITIES
from glassnet.inspection.doctor.looking import Look
from glassnet.inspection.doctor.order import ordered
from glassnet.inspection.doctor.record import Record
from glassnet.nn.layer import Array


@pytest.fixture(scope="module")
def digits() -> gn.Dataset:
    return gn.load("digits")


@pytest.fixture(scope="module")
def diabetes() -> gn.Dataset:
    return gn.load("diabetes")


def mlp(
    *widths: int, activation: Callable[[], gn.Layer] = gn.ReLU, end: tuple[gn.Layer, ...] = (), **how: Any
) -> gn.Network:
    layers: list[gn.Layer] = [gn.Standardize()]
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [gn.Dense(fan_in, fan_out), activation()]
    return gn.Network([*layers[:-1], *end], **how)


def names(findings: list[gn.Finding], *severities: str) -> list[str]:
    return [f.name for f in findings if f.severity in (severities or SEVERITIES)]


class Backwards(gn.Layer):
    """y = x, whose backward has the wrong sign."""

    def forward(self, x: Array, training: bool = False) -> Array:
        return x

    def backward(self, dy: Array) -> Array:
        return -dy


class Mixing(gn.Layer):
    """Subtracts the mean of the batch."""

    def forward(self, x: Array, training: bool = False) -> Array:
        return x - x.mean(axis=0)

    def backward(self, dy: Array) -> Array:
        return dy - dy.mean(axis=0)


class Logarithm(gn.Layer):
    """y = log x, for values that may be negative."""

    def forward(self, x: Array, training: bool = False) -> Array:
        self.x = x
        return np.log(x)

    def backward(self, dy: Array) -> Array:
        return dy / self.x


def biased(net: gn.Network, layer: int, value: float) -> gn.Network:
    net.layers[layer].b[...] = value
    return net


def weighted(net: gn.Network, factor: float, *layers: int) -> gn.Network:
    for i in layers or [i for i, layer in enumerate(net.layers) if isinstance(layer, gn.Dense)]:
        net.layers[i].W[...] *= factor
    return net


SGD, CE = gn.SGD(0.05, 0.9), gn.CrossEntropy()
DEEP = (64, *[32] * 8, 10)
FAULTS: dict[str, tuple[Callable[[], gn.Network], gn.Optimizer]] = {
    "wrong-gradient": (lambda: mlp(64, 32, 10, activation=Backwards), SGD),
    "mixed-rows": (lambda: mlp(64, 32, 10, end=(Mixing(),)), SGD),
    "not-finite": (lambda: mlp(64, 32, 10, activation=Logarithm), SGD),
    "softmax-twice": (lambda: mlp(64, 32, 10, end=(gn.Softmax(),)), SGD),
    "zero-weights": (lambda: weighted(mlp(64, 32, 10), 0.0), SGD),
    "bottleneck": (lambda: mlp(64, 32, 2, 10), SGD),
    "linear-network": (lambda: gn.Network([gn.Standardize(), gn.Dense(64, 32), gn.Dense(32, 10)]), SGD),
    "output-range": (lambda: mlp(64, 32, 10, end=(gn.ReLU(),)), SGD),
    "heavy-dropout": (
        lambda: gn.Network([gn.Standardize(), gn.Dense(64, 64), gn.ReLU(), gn.Dropout(0.95), gn.Dense(64, 10)]),
        gn.SGD(0.01),
    ),
    "vanishing-activations": (lambda: weighted(mlp(*DEEP), 0.05), SGD),
    "exploding-activations": (lambda: weighted(mlp(*DEEP), 4.0), SGD),
    "dead-relu": (lambda: biased(mlp(64, 32, 10), 1, -100.0), SGD),
    "output-bias": (lambda: biased(mlp(64, 32, 10), 3, np.array([30.0] + [0.0] * 9)), gn.SGD(0.001)),
    "initial-loss": (lambda: weighted(mlp(64, 32, 10), 30.0, 3), gn.SGD(0.001)),
    "vanishing-gradients": (lambda: mlp(*DEEP, activation=gn.Sigmoid), SGD),
    "saturated-units": (lambda: weighted(mlp(64, 32, 10, activation=gn.Tanh), 50.0, 1), gn.SGD(0.001)),
    "learning-rate-high": (lambda: mlp(64, 32, 10), gn.SGD(1e4)),
    "learning-rate-low": (lambda: mlp(64, 32, 10), gn.SGD(1e-8)),
    "momentum-high": (lambda: mlp(64, 32, 10), gn.SGD(0.05, 0.9995)),
    "penalty-outweighs-data": (lambda: mlp(64, 32, 10), gn.SGD(0.01, l2=3.0)),
    "clipped-always": (lambda: mlp(64, 32, 10), gn.SGD(0.05, clip_norm=1e-5)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_first(fault: str, digits: gn.Dataset) -> None:
    make, optimizer = FAULTS[fault]
    findings = gn.examine(make(), digits, CE, optimizer, epochs=5, batch_size=64)
    assert names(findings)[:1] == [fault]
    first = findings[0]
    assert all((first.where, first.evidence, first.why, first.advice, first.source))


class Counting(gn.ReLU):
    """A ReLU that counts how often any of its kind was asked."""

    passes = 0

    def forward(self, x: Array, training: bool = False) -> Array:
        Counting.passes += 1
        return super().forward(x, training)


def test_the_examination_passes_each_layer_as_often_however_many_there_are(diabetes: gn.Dataset) -> None:
    passes = []
    for layers in (2, 8, 32):
        net, Counting.passes = mlp(10, *[4] * (layers + 1), 1, activation=Counting), 0
        gn.examine(net, diabetes, gn.MSE(), gn.Adam(1e-3), epochs=1)
        passes.append(Counting.passes / (layers + 1))
    assert max(passes) < 1.5 * min(passes)


class WrongInput(gn.LeakyReLU):
    """A LeakyReLU that halves the gradient that it passes on."""

    def backward(self, dy: Array) -> Array:
        return super().backward(dy) / 2


class WrongMSE(gn.MSE):
    """The mean squared error, whose derivative lacks the 2."""

    def backward(self) -> Array:
        return super().backward() / 2


@pytest.mark.parametrize("place", [2, 4, 8, None])
def test_a_wrong_gradient_is_placed_in_its_layer_or_the_loss(place: int | None, diabetes: gn.Dataset) -> None:
    layers: list[gn.Layer] = [gn.Standardize()]
    for i, fan_in in enumerate((10, 6, 6, 6), 1):
        layers += [gn.Dense(fan_in, 6), WrongInput() if place == 2 * i else gn.LeakyReLU()]
    net = gn.Network([*layers, gn.Dense(6, 1), gn.Unstandardize()])
    loss = WrongMSE() if place is None else gn.MSE()
    found = gn.examine(net, diabetes, loss, gn.Adam(1e-3), epochs=1)[0]
    assert (found.name, found.where) == (
        "wrong-gradient",
        "the loss, WrongMSE()" if place is None else f"layer {place}, WrongInput()",
    )


@pytest.mark.parametrize("std", [0.3, 50.0])
def test_noise_that_drowns_the_start_is_told_from_weights_that_are_too_large(digits: gn.Dataset, std: float) -> None:
    net = gn.Network([gn.Standardize(), gn.Dense(64, 32), gn.GaussianNoise(std), gn.ReLU(), gn.Dense(32, 10)])
    found = [f for f in gn.examine(net, digits, CE, gn.Adam(1e-3)) if f.name == "initial-loss"]
    assert len(found) == (std > 1)
    for finding in found:
        assert "without the noise of training it is 3" in finding.evidence
        assert finding.advice.startswith("less noise")
    weighted(net, 30.0, 4)
    assert "smaller initial weights" in str(gn.examine(net, digits, CE, gn.Adam(1e-3)))


@pytest.mark.parametrize("optimizer", [gn.SGD(0.05, 0.9), gn.Adam(1e-3), gn.AdamW(2e-3)])
@pytest.mark.parametrize("activation", [gn.ReLU, gn.Tanh, gn.GELU])
def test_nothing_is_wrong_with_a_healthy_network(
    digits: gn.Dataset, activation: Callable[[], gn.Layer], optimizer: gn.Optimizer
) -> None:
    findings = gn.examine(mlp(64, 64, 32, 10, activation=activation), digits, CE, optimizer, epochs=5, batch_size=32)
    assert names(findings, "error", "warning") == []


def test_nothing_is_wrong_with_a_healthy_regression(diabetes: gn.Dataset) -> None:
    net = mlp(10, 32, 1, end=(gn.Unstandardize(),))
    assert names(gn.examine(net, diabetes, gn.MSE(), gn.Adam(1e-3), epochs=5, batch_size=32), "error", "warning") == []


def test_examining_leaves_everything_as_it_was(digits: gn.Dataset) -> None:
    net, optimizer = mlp(64, 32, 10), gn.SGD(0.05, 0.9)
    theta, x = net.theta.copy(), digits.train.x.copy()
    gn.examine(net, digits, CE, optimizer, epochs=1)
    assert np.array_equal(net.theta, theta)
    assert np.array_equal(digits.train.x, x)
    assert not net.layers[0].fitted
    assert optimizer.steps == 0


def test_examining_twice_says_the_same(digits: gn.Dataset) -> None:
    def once() -> list[gn.Finding]:
        return gn.examine(mlp(64, 32, 10), digits, CE, gn.SGD(3.0, 0.9), epochs=2)

    assert once() == once()


def test_the_doctor_as_a_callback(digits: gn.Dataset) -> None:
    doctor = gn.Doctor()
    with pytest.raises(gn.DivergenceError):
        gn.fit(mlp(64, 32, 10), digits, CE, gn.SGD(1e30), epochs=5, callbacks=[doctor])
    assert names(doctor.findings)[0] == "learning-rate-high"


def test_watching_changes_nothing(digits: gn.Dataset) -> None:
    def trained(*callbacks: gn.Callback) -> Array:
        net = gn.Network(
            [gn.Standardize(), gn.Dense(64, 32), gn.BatchNorm(32), gn.ReLU(), gn.Dropout(0.2), gn.Dense(32, 10)]
        )
        gn.fit(net, digits, CE, gn.SGD(0.05, 0.9), epochs=3, callbacks=callbacks)
        return net.theta

    assert np.array_equal(trained(), trained(gn.Doctor()))


def test_the_doctor_around_a_loop_of_ones_own(digits: gn.Dataset) -> None:
    net, optimizer = mlp(64, 32, 10), gn.SGD(1e-9)
    net.fit_preprocessing(digits.train.x)
    x, t = digits.train.x, digits.train.y
    best = 0.0
    with gn.Doctor(net, CE, optimizer) as doctor:
        for _ in range(3):
            for start in range(0, 1024, 64):
                batch = slice(start, start + 64)
                value = CE.forward(net.forward(x[batch], training=True), t[batch])
                net.backward(CE.backward())
                optimizer.step(net)
                doctor.step(value, x[batch], t[batch])
            score = gn.evaluate(net, digits.val, CE)["loss"]
            doctor.epoch(kept=score < best)
    assert {"learning-rate-low", "best-never-kept"} <= set(names(doctor.findings))


def test_a_loop_that_breaks_is_noticed(digits: gn.Dataset) -> None:
    net = mlp(64, 32, 10)
    with pytest.raises(FloatingPointError), gn.Doctor(net, CE, SGD) as doctor:
        raise FloatingPointError("overflow in my loop")
    assert "overflow in my loop" in doctor.findings[0].evidence


class ExerciseRule(gn.Callback):
    """Keeps the best weights if the validation loss is below the best so far, which begins at 0."""

    best = 0.0

    def on_epoch(self, run: Any) -> None:
        score = run.history.epochs[-1]["val_loss"]
        if score < self.best:
            self.best = score
        else:
            run.best = None


def test_best_weights_that_are_never_kept(digits: gn.Dataset) -> None:
    doctor = gn.Doctor()
    gn.fit(mlp(64, 32, 10), digits, CE, SGD, epochs=2, callbacks=[ExerciseRule(), doctor])
    assert "best-never-kept" in names(doctor.findings)


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_nothing_is_wrong_with_a_loop_of_small_batches(digits: gn.Dataset, batch: int) -> None:
    net, optimizer = mlp(64, 32, 10), gn.SGD(0.01)
    net.fit_preprocessing(digits.train.x)
    with gn.Doctor(net, CE, optimizer) as doctor:
        for start in range(0, 1024, batch):
            x, t = digits.train.x[start : start + batch], digits.train.y[start : start + batch]
            value = CE.forward(net.forward(x, training=True), t)
            net.backward(CE.backward())
            optimizer.step(net)
            doctor.step(value, x, t)
    assert names(doctor.findings) == []


def test_a_network_that_knows_much_already_needn_t_learn_more(digits: gn.Dataset) -> None:
    net = mlp(64, 32, 10)
    gn.fit(net, digits, CE, gn.SGD(0.1, 0.9), epochs=20)
    doctor = gn.Doctor()
    gn.fit(net, digits, CE, gn.SGD(1e-6), epochs=5, callbacks=[doctor])
    assert names(doctor.findings) == []


def test_a_network_that_forgets_what_it_knew(digits: gn.Dataset) -> None:
    net, doctor = mlp(64, 32, 10), gn.Doctor()
    gn.fit(net, digits, CE, gn.SGD(0.1, 0.9), epochs=20)
    gn.fit(net, digits, CE, gn.SGD(3.0, 0.9), epochs=5, callbacks=[doctor])
    assert names(doctor.findings)[0] == "learning-rate-high"


OPTIMIZERS: dict[str, Callable[[float], gn.Optimizer]] = {
    "sgd": gn.SGD,
    "momentum": lambda lr: gn.SGD(lr, 0.9),
    "clipped": lambda lr: gn.SGD(lr, 0.9, clip_norm=1.0),
    "adam": gn.Adam,
}


@pytest.mark.parametrize("steps", [1, 3, 9, 27])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_loss_that_explodes_is_an_error_whether_or_not_it_gets_to_nan(
    optimizer: str, steps: int, digits: gn.Dataset, diabetes: gn.Dataset
) -> None:
    exploded = 0
    for data, loss in ((digits, CE), (diabetes, gn.MSE()), (diabetes, gn.Huber())):
        for lr in (1, 3, 10, 30, 100, 1000):
            width = 10 if loss is CE else 1
            end = () if loss is CE else (gn.Unstandardize(),)
            net = mlp(data.n_in, 32, 32, width, activation=(gn.ReLU, gn.GELU)[lr % 3 % 2], end=end)
            doctor = gn.Doctor()
            with contextlib.suppress(gn.DivergenceError), np.errstate(all="ignore"):
                batch = -(-len(data.train) // steps)
                gn.fit(net, data, loss, OPTIMIZERS[optimizer](lr), 1, batch, callbacks=[doctor])
            looks = doctor.record.looks
            if len(looks) > 1 and looks[-1].loss < 100 * looks[0].loss and doctor.record.failure is None:
                continue
            exploded += 1
            assert "learning-rate-high" in names(doctor.findings, "error"), (data.name, loss, lr)
    assert exploded


def record_of(*looks: float, nothing: float = 1.0) -> Record:
    return Record(gn.SGD(0.1), nothing, looks=[Look(i, loss, [], []) for i, loss in enumerate(looks)])


def test_a_loss_that_tells_nothing_is_told_from_one_that_is_no_number() -> None:
    assert record_of(2.0).fell is None
    assert record_of(0.0, 3.0).fell is None
    assert record_of(0.2, 0.3).fell is None
    assert record_of(2.0, 1.0).fell == 0.5
    assert record_of(2.0, np.inf).fell == record_of(2.0, np.nan).fell == -np.inf


def test_weights_that_end_as_no_numbers_are_named_in_a_loop_of_ones_own(digits: gn.Dataset) -> None:
    net, loss, optimizer = mlp(64, 32, 10), gn.CrossEntropy(), gn.SGD(0.1)
    net.fit_preprocessing(digits.train.x)
    x, t = digits.train.x[:64], digits.train.y[:64]
    with gn.Doctor(net, loss, optimizer) as doctor:
        for value in (1.0, np.nan):
            lost = loss.forward(net.forward(x, training=True), t)
            net.theta[...] *= value
            doctor.step(lost, x, t)
    assert names(doctor.findings, "error") == ["not-finite"]
    assert "the weights are no finite numbers after step 2" in doctor.findings[0].evidence


def test_decay_is_measured_at_the_rate_of_the_step(digits: gn.Dataset) -> None:
    doctor = gn.Doctor()
    optimizer = gn.AdamW(1e-2, weight_decay=0.2)
    gn.fit(mlp(64, 32, 10), digits, CE, optimizer, epochs=5, schedule=gn.OneCycle(), callbacks=[doctor])
    assert names(doctor.findings) == []


def test_what_was_found_stays_when_the_network_is_changed(digits: gn.Dataset) -> None:
    doctor, net = gn.Doctor(), mlp(64, 32, 10)
    gn.fit(net, digits, CE, gn.SGD(0.1, 0.9, l2=1e-5), epochs=3, callbacks=[doctor])
    net.theta *= 1000
    assert names(doctor.findings) == []


def test_ctrl_c_ends_the_examination(digits: gn.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gn.Doctor, "on_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        gn.examine(mlp(64, 32, 10), digits, CE, SGD)


def test_another_callbacks_error_comes_through(digits: gn.Dataset) -> None:
    class Bad(gn.Callback):
        def on_start(self, run: Any) -> None:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        gn.fit(mlp(64, 32, 10), digits, CE, SGD, callbacks=[Bad(), gn.Doctor()])


@pytest.mark.parametrize("dtype", [bool, float])
def test_flags_as_targets(dtype: type) -> None:
    x = np.random.default_rng(0).normal(size=(300, 4))
    data = gn.Dataset.from_arrays(x, (x.sum(axis=1) > 0).astype(int))
    for split in (data.train, data.val, data.test):
        split.y = split.y.astype(dtype)
    net = biased(mlp(4, 16, 1), 3, 0.5)
    findings = gn.examine(net, data, gn.BinaryCrossEntropy(), gn.Adam(1e-2), epochs=10, batch_size=32)
    assert names(findings, "error", "warning") == []


def test_what_can_t_be_trained_is_refused_in_one_line(digits: gn.Dataset) -> None:
    with pytest.raises(TypeError, match="data must be a Dataset"):
        gn.examine(mlp(64, 32, 10), (digits.train.x, digits.train.y), CE, SGD)  # type: ignore[arg-type]
    short = gn.Split(digits.train.x[:9], digits.train.y[:8])
    with pytest.raises(ValueError, match="9 rows but 8 targets"):
        gn.examine(mlp(64, 32, 10), replace(digits, train=short), CE, SGD)
    with pytest.raises(ValueError, match="no training rows"):
        gn.examine(mlp(64, 32, 10), replace(digits, train=gn.Split(digits.train.x[:0], digits.train.y[:0])), CE, SGD)


def test_huge_values_and_a_constant_target_are_named() -> None:
    x = np.random.default_rng(0).normal(size=(300, 4))
    x[5, 2] = 1e300
    net = lambda: mlp(4, 16, 1, end=(gn.Unstandardize(),))  # noqa: E731
    assert names(gn.examine(net(), gn.Dataset.from_arrays(x, x[:, 0]), gn.MSE(), gn.Adam()))[0] == "nan-values"
    x[5, 2] = 0
    constant = gn.Dataset.from_arrays(x, np.full(300, 3.7))
    assert names(gn.examine(net(), constant, gn.MSE(), gn.Adam()))[0] == "constant-target"


def test_the_doctor_says_what_it_needs() -> None:
    with pytest.raises(ValueError, match="nothing to watch"):
        gn.Doctor().findings  # noqa: B018
    with pytest.raises(ValueError, match="net, loss and optimizer"):
        gn.Doctor(mlp(2, 2))
    with pytest.raises(ValueError, match="net, loss and optimizer"), gn.Doctor():
        pass


def finding(name: str, severity: Any) -> gn.Finding:
    return gn.Finding(name, severity, "", "", "", "", "")


def test_a_cause_is_as_severe_as_its_symptoms_and_comes_before_them() -> None:
    found = [("constant-column", "note"), ("bottleneck", "warning"), ("stalled", "error"), ("overconfident", "note")]
    sorted_ = ordered([finding(*each) for each in found])
    assert names(sorted_) == ["bottleneck", "stalled", "constant-column", "overconfident"]
    assert sorted_[0].severity == "error"


def test_a_fault_isn_t_blamed_for_what_it_can_t_bring_about() -> None:
    found = ordered([finding("class-imbalance", "warning"), finding("learning-rate-high", "error")])
    assert names(found) == ["learning-rate-high", "class-imbalance"]


def test_what_spoils_only_figures_is_not_blamed_for_training() -> None:
    found = [("duplicate-column", "warning"), ("stalled", "error")]
    assert names(ordered([finding(*each) for each in found])) == ["stalled", "duplicate-column"]


def test_of_two_findings_of_a_name_the_first_stays_as_severe_as_the_worse() -> None:
    found = ordered([finding("dead-relu", "warning"), finding("dead-relu", "error")])
    assert [f.severity for f in found] == ["error"]


@pytest.mark.usefixtures("published_data")
def test_seed_california_is_taken_apart() -> None:
    from glassnet import recipes

    recipe = recipes.load("seed-california", changes=["training.epochs=2"])
    findings = recipes.examine_recipe(recipe)
    assert {"train-test-shift", "penalty-outweighs-data"} <= set(names(findings, "error"))

    data = gn.load("california", split="sequential")
    train, val = (gn.Split(split.x, np.trunc(split.y)) for split in (data.train, data.val))
    cut = replace(data, train=train, val=val)
    made, doctor = recipe.settle(cut), gn.Doctor()
    findings = gn.examine(made.net, cut, made.loss, made.optimizer, epochs=2)
    assert "integer-targets" in names(findings, "error")
    gn.fit(made.net, cut, made.loss, made.optimizer, callbacks=[ExerciseRule(), doctor], **vars(made.settings))
    assert {"penalty-outweighs-data", "best-never-kept"} <= set(names(doctor.findings, "error"))


def test_findings_are_json(digits: gn.Dataset) -> None:
    findings = gn.examine(mlp(64, 32, 10), digits, CE, gn.SGD(1e-9), epochs=3)
    assert json.loads(json.dumps([f.to_dict() for f in findings]))
