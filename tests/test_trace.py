"""The trace: the same numbers as a real step, formulas that give the outputs, and what it shows."""

from __future__ import annotations

import copy
import html.parser
import json
import math
import re
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet import recipes
from glassnet.cli import main
from glassnet.inspection.norms import norm
from glassnet.inspection.trace_equation import Equation
from glassnet.train.units import training_loss

RNG = np.random.default_rng(0)
X, LABELS, VALUES = RNG.normal(size=(6, 3)), np.array([0, 1, 2, 2, 1, 0]), RNG.normal(size=(6, 2))


def everything(dtype: str = "float64", rate: float = 0.3) -> gn.Network:
    """A regression with a layer of every kind."""
    net = gn.Network(
        [
            gn.QuantileNormalize(10),
            gn.Standardize(),
            gn.Dense(3, 8),
            gn.BatchNorm(8),
            gn.LeakyReLU(0.1),
            gn.Dropout(rate),
            gn.Dense(8, 7),
            gn.LayerNorm(7),
            gn.GELU(),
            gn.SiLU(),
            gn.Tanh(),
            gn.Sigmoid(),
            gn.GaussianNoise(rate),
            gn.ReLU(),
            gn.Softmax(),
            gn.Dense(7, 2),
            gn.Unstandardize(),
        ],
        dtype,
        seed=3,
    )
    net.theta += 0.1 * np.random.default_rng(1).standard_normal(net.theta.size)
    net.fit_preprocessing(np.random.default_rng(2).normal(size=(50, 3)), 10 * VALUES)
    return net


def classifier(dtype: str = "float64") -> gn.Network:
    return gn.Network([gn.Dense(3, 10), gn.ReLU(), gn.Dense(10, 3)], dtype, seed=1)


def steps(net: gn.Network, t: np.ndarray, loss: gn.Loss, optimizer: gn.Optimizer, times: int) -> float:
    """Make steps by hand, with the masks that a trace draws; return the last loss."""
    objective = training_loss(loss, net)
    for _ in range(times):
        net.reseed(net.seed, optimizer.steps)
        value = objective.forward(net.forward(X, training=True), t)
        net.backward(objective.backward())
        optimizer.step(net)
    return value


def everything_of(net: gn.Network, optimizer: gn.Optimizer) -> list[bytes]:
    """All that a step changes, as bytes."""
    arrays = {**net.arrays(), "grad": net.grad, **optimizer.state()}
    return [name.encode() + array.tobytes() for name, array in arrays.items()] + [str(optimizer.steps).encode()]


CASES: list[tuple[Callable[[], gn.Network], np.ndarray, gn.Loss, gn.Optimizer]] = [
    (everything, VALUES, gn.MSE(), gn.SGD(0.1, momentum=0.9, l2=0.01, clip_norm=0.1)),
    (everything, VALUES, gn.Huber(), gn.AdamW(0.01)),
    (classifier, LABELS, gn.CrossEntropy(), gn.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1)),
    (lambda: gn.Network([gn.Dense(3, 4), gn.Tanh(), gn.Dense(4, 1)]), LABELS > 0, gn.BinaryCrossEntropy(), gn.SGD(0.1)),
    (lambda: classifier("float32"), LABELS, gn.CrossEntropy(label_smoothing=0.1), gn.Adam(0.01, l2=0.1)),
]


@pytest.mark.parametrize(("make", "t", "loss", "optimizer"), CASES)
@pytest.mark.parametrize("begun", [0, 2])
def test_it_is_the_step_that_the_layers_and_the_optimizer_make(
    make: Callable[[], gn.Network], t: np.ndarray, loss: gn.Loss, optimizer: gn.Optimizer, begun: int
) -> None:
    net, optimizer = make(), copy.deepcopy(optimizer)
    twin, twins = make(), copy.deepcopy(optimizer)
    for each, its in ((net, optimizer), (twin, twins)):
        if begun:
            steps(each, t, loss, its, begun)
    before = everything_of(net, optimizer)
    trace = gn.trace(net, X, t, loss, optimizer)
    assert everything_of(net, optimizer) == before

    value = steps(twin, t, loss, twins, 1)
    assert trace.loss == value
    assert trace.loss_terms.shape == (6,)
    assert trace.loss_terms.mean() == pytest.approx(value, rel=1e-6)
    for name, after, used in twin.named_parameters():
        p = trace.parameters[name]
        assert np.array_equal(p.after, after)
        assert np.array_equal(p.gradient if p.step_gradient is None else p.step_gradient, used)
        assert {array.dtype for array in (p.before, p.gradient, p.after, *p.velocity.values())} == {net.dtype}
        size = np.linalg.norm(p.before)
        assert p.update_ratio == (np.linalg.norm(after - p.before) / size if size else np.inf)
    slots = {
        slot: np.concatenate([p.velocity[slot].ravel() for p in trace.parameters.values()]) for slot in twins.slots
    }
    assert all(np.array_equal(slots[slot], vector) for slot, vector in twins.state().items())

    after_step = twin.copy()
    after_step.reseed(twin.seed, begun)
    objective = training_loss(loss, after_step)
    assert trace.loss_after == objective.forward(after_step.forward(X, training=True), t)

    assert gn.trace(net, X, t, loss, optimizer, apply=True).to_json() == trace.to_json()
    assert everything_of(net, optimizer) == everything_of(twin, twins)
    assert gn.trace(net, X, t, loss, optimizer).loss == steps(twin, t, loss, twins, 1)


def test_values_and_gradients_pass_from_layer_to_layer() -> None:
    net = everything()
    trace = gn.trace(net, X, VALUES, gn.MSE(), gn.SGD(0.1, l2=0.5))
    assert np.array_equal(trace.layers[0].input, X)
    for layer, following in zip(trace.layers, trace.layers[1:], strict=False):
        assert np.array_equal(layer.output, following.input)
        assert np.array_equal(layer.dy, following.dx)
    for layer in trace.layers:
        if layer.kind in ("Dense", "BatchNorm", "LayerNorm", "Softmax"):
            assert layer.local is None
            assert "dx" in layer.derivative
        else:
            assert layer.local is not None
            assert np.allclose(layer.dx, layer.dy * layer.local, rtol=1e-12, atol=0)
    dense = trace.layers[2]
    assert np.allclose(dense.dx, dense.dy @ trace.parameters["2.W"].before.T)
    assert np.allclose(trace.parameters["2.W"].gradient, dense.input.T @ dense.dy)
    assert set(np.unique(trace.layers[5].local)) == {0, 1 / 0.7}
    weights = [p.before for name, p in trace.parameters.items() if name.endswith("W")]
    assert trace.penalty == pytest.approx(0.25 * sum((w**2).sum() for w in weights))
    assert np.allclose(trace.parameters["2.W"].step_gradient, trace.parameters["2.W"].gradient + 0.5 * weights[0])
    assert trace.parameters["2.b"].step_gradient is None


def test_an_optimizer_of_another_network_begins_anew() -> None:
    adam, net = gn.Adam(0.1), classifier()
    steps(classifier(), LABELS, gn.CrossEntropy(), adam, 3)
    fresh = gn.trace(net, X, LABELS, gn.CrossEntropy(), gn.Adam(0.1))
    trace = gn.trace(net, X, LABELS, gn.CrossEntropy(), adam)
    assert np.array_equal(trace.parameters["0.W"].after, fresh.parameters["0.W"].after)
    assert adam.steps == 3


def test_one_row_is_a_batch_of_one() -> None:
    one = gn.trace(classifier(), X[2].tolist(), 2, gn.CrossEntropy(), gn.SGD(0.1))
    batch = gn.trace(classifier(), X[2:3], LABELS[2:3], gn.CrossEntropy(), gn.SGD(0.1))
    assert one.to_json() == batch.to_json()
    soft = gn.trace(classifier(), X[2], [0.1, 0.2, 0.7], gn.CrossEntropy(), gn.SGD(0.1))
    assert soft.t.shape == (1, 3)


# Equations ------------------------------------------------------------------------------------------------------------


def computed(equation: Equation) -> float:
    """Do what the equation's numbers say."""
    numbers = re.sub(r"\(\.\.\. \d+ more terms? = (\S+)\)", r"(\1)", equation.numbers)
    known = {name: getattr(math, name) for name in ("exp", "sqrt", "tanh")} | {"max": max}
    normal = statistics.NormalDist()
    known |= {"Q": normal.inv_cdf, "P": normal.cdf, "mean": lambda *values: statistics.fmean(values)}
    return float(eval(numbers, {"__builtins__": {}, **known}))


def test_the_equation_of_a_weighted_sum() -> None:
    net = gn.Network([gn.Dense(3, 2), gn.Dense(2, 1)], dtype="float64")
    net.layers[0].W[:, 1] = [0.5, -1.0, 0.25]
    net.layers[0].b[1] = -0.5
    trace = gn.trace(net, [2.0, -1.0, 3.0], [1.0], gn.MSE(), gn.SGD(0.1))
    equation = trace.equation(0, 1)
    assert str(equation) == (
        "y[1] = x[0] W[0,1] + x[1] W[1,1] + x[2] W[2,1] + b[1] = 2*0.5 + (-1)*(-1) + 3*0.25 - 0.5 = 2.25"
    )
    assert [(term.input, term.x, term.w, term.product) for term in equation.terms][2] == (2, 3.0, 0.25, 0.75)
    assert equation.bias == -0.5


def test_of_a_long_sum_the_largest_products_are_written_out() -> None:
    data = gn.load("digits")
    net = gn.Network([gn.Standardize(per_feature=False), gn.Dense(64, 10)])
    net.fit_preprocessing(data.train.x)
    equation = gn.trace(net, data.train.x[:2], data.train.y[:2], gn.CrossEntropy(), gn.SGD(0.1)).equation(1, 4, row=1)
    assert len(equation.terms) == 64
    assert sum(term.product for term in equation.terms) + (equation.bias or 0) == pytest.approx(
        equation.value, abs=1e-5
    )
    largest = sorted(equation.terms, key=lambda term: abs(term.product))[-1]
    assert str(equation).startswith(f"y[4] = x[{largest.input}] W[{largest.input},4] + ")
    assert str(equation).count("... 58 more terms") == 2
    assert computed(equation) == pytest.approx(equation.value, abs=0.01)


class Doubled(gn.ReLU):
    """Its forward isn't ReLU's, nor is its formula."""

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        return super().forward(2 * x, training)


class Slowed(gn.ReLU):
    """Only its backward is its own, and wrong."""

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return 0.5 * super().backward(dy)


def test_a_layer_of_ones_own_has_no_formula_unless_it_inherits_forward() -> None:
    net = gn.Network([gn.Dense(3, 3), Doubled(), Slowed(), gn.Dense(3, 3)], dtype="float64")
    trace = gn.trace(net, X, LABELS, gn.CrossEntropy(), gn.SGD(0.1))
    value = trace.layers[1].output[0, 2]
    assert str(trace.equation(1, 2)) == f"y[2] = ... = {value:.4g} (no formula known for Doubled())"
    assert trace.equation(2, 2).formula == "max(x[2], 0)"


# Checks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gradients_are_what_the_loss_does_with_the_masks_of_the_step(dtype: str) -> None:
    trace = gn.trace(everything(dtype), X, VALUES, gn.MSE(), gn.SGD(0.1))
    digits = {"float64": {"rel": 1e-9, "abs": 1e-12}, "float32": {"rel": 1e-2, "abs": 1e-5}}[dtype]
    for name, p in trace.parameters.items():
        index = tuple(size // 2 for size in p.before.shape)
        entry = trace.check(name, index)
        assert entry.passed, str(entry)
        assert entry.analytic == pytest.approx(float(p.gradient[index]), **digits)
        assert (entry.loss_plus - entry.loss_minus) / (2 * entry.h) == pytest.approx(entry.numeric, rel=1e-2, abs=1e-6)
    entry = trace.check("x", (4, 1))
    assert entry.passed
    assert entry.analytic == pytest.approx(float(trace.layers[0].dx[4, 1]), **digits)
    assert str(entry).startswith("dL/d x[4, 1]: backward gives ")
    assert str(entry).endswith("passed")


def test_a_wrong_gradient_fails_and_a_kink_is_named() -> None:
    net = gn.Network([gn.Dense(3, 3), Slowed(), gn.Dense(3, 3)], dtype="float64")
    entry = gn.trace(net, X, LABELS, gn.CrossEntropy(), gn.SGD(0.1)).check("0.b", 0)
    assert not entry.passed
    assert entry.relative_error == pytest.approx(0.5, rel=1e-6)
    assert str(entry).endswith("FAILED")
    at_zero = gn.trace(gn.Network([gn.ReLU()]), [0.0, 1.0], [1.0, 2.0], gn.MSE(), gn.SGD(0.1))
    kink = at_zero.check("x", 0)
    assert kink.at_kink
    assert not kink.passed
    assert "kink" in str(kink)
    assert at_zero.check("x", 1).passed


# Showing --------------------------------------------------------------------------------------------------------------


class Markup(html.parser.HTMLParser):
    """Collects the tags, and fails on one that isn't closed."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.feed(markup)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_shown_as_text_and_as_html() -> None:
    trace = gn.trace(everything(), X, VALUES, gn.MSE(), gn.Adam(0.1, l2=0.1))
    shown = str(trace)
    for layer in trace.layers:
        row = next(line for line in shown.splitlines() if line.split()[:2] == [str(layer.index), layer.name.split()[0]])
        assert f"{np.linalg.norm(layer.dy):.4g}" in row.split()
        assert f"{layer.output.mean():.4g}" in row.split()
    for name, p in trace.parameters.items():
        words = next(line.split() for line in shown.splitlines() if line.startswith(name + " "))
        assert words[-1] == f"{p.update_ratio:.4g}"
        assert f"{np.linalg.norm(p.velocity['m']):.4g}" in words
    assert f"{trace.loss:.6g} before the step, {trace.loss_after:.6g} after it" in shown
    assert f"L2 penalty before it: {trace.penalty:.6g}" in shown
    assert max(map(len, shown.splitlines())) < 160

    markup = trace._repr_html_()
    assert Markup(markup).seen.count("table") == 3
    assert not re.search(r"http|<script|<link|<style", markup)
    assert all(layer.name in markup for layer in trace.layers)


def test_a_layer_with_many_arguments_takes_no_more_room_than_others(capsys: pytest.CaptureFixture[str]) -> None:
    net = gn.Network([gn.Columns([0] * 100), gn.Standardize(), gn.Dense(100, 2)])
    data = gn.Dataset.from_arrays(np.random.default_rng(0).normal(size=(50, 100)), np.arange(50) % 2)
    net.fit_preprocessing(data.train.x)
    print(gn.trace(net, data.train.x[:1], data.train.y[:1], gn.CrossEntropy(), gn.SGD(0.1)))
    net.summary()
    shown = capsys.readouterr().out
    assert shown.count("Columns([0, 0, 0, ") == 2
    assert max(map(len, shown.splitlines())) < 160


def test_json_holds_every_number_and_null_for_nan() -> None:
    net = classifier()
    net.layers[0].W[0, 0] = np.nan
    trace = gn.trace(net, X, LABELS, gn.CrossEntropy(), gn.SGD(0.1))
    values = json.loads(trace.to_json())
    assert values["loss"] is None
    assert values["layers"][0]["output"][0][0] is None
    assert values["layers"][0]["output"][0][1] == trace.layers[0].output[0, 1]
    assert np.shape(values["parameters"]["2.W"]["before"]) == (10, 3)
    assert values["parameters"]["0.b"]["velocity"].keys() == {"velocity"}
    assert "nan" in str(trace)
    assert Markup(trace._repr_html_())
    assert trace.to_dict()["layers"][1]["local"] is trace.layers[1].local
    assert trace.to_dict(lambda array: array.shape)["x"] == (6, 3)


def test_norms_are_true_where_squares_are_not() -> None:
    for size in (1e-30, 1e-18, 1.0, 1e25):
        assert norm(np.full((2, 2, 4), size, np.float32)) == pytest.approx(4 * size, rel=1e-6)
    assert norm(np.zeros(3)) == 0
    assert np.isnan(norm(np.array([np.nan, 1.0], np.float32)))
    assert norm(np.array([np.inf, 1.0])) == np.inf


# Errors ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [gn.SGD(0.1, momentum=0.9, weight_decay=0.1), gn.Adam(0.1, clip_norm=1.0)])
@pytest.mark.parametrize("begun", [0, 2])
def test_a_loss_that_is_not_finite_moves_nothing(optimizer: gn.Optimizer, begun: int) -> None:
    net, optimizer, loss = everything(), copy.deepcopy(optimizer), gn.MSE()
    steps(net, VALUES, loss, optimizer, begun) if begun else None
    before, rows = everything_of(net, optimizer), X * np.array([[np.nan], *[[1]] * 5])
    trace = gn.trace(net, rows, VALUES, loss, optimizer)
    assert not np.isfinite([trace.loss, trace.loss_after]).any()
    assert trace.optimizer.steps == begun
    slots = optimizer.state() or dict.fromkeys(optimizer.slots, np.zeros(net.theta.size))
    for name, value, _ in net.named_parameters():
        p = trace.parameters[name]
        assert np.array_equal(p.before, value)
        assert np.array_equal(p.after, value)
        assert p.step_gradient is None
        assert p.velocity.keys() == slots.keys()
    for slot, vector in slots.items():
        assert np.array_equal(np.concatenate([p.velocity[slot].ravel() for p in trace.parameters.values()]), vector)
    assert str(trace).count("the loss isn't finite, so nothing was moved") == 1
    with pytest.raises(ValueError, match="the loss is nan, so nothing was moved"):
        gn.trace(net, rows, VALUES, loss, optimizer, apply=True)
    assert everything_of(net, optimizer) == before


def test_what_does_not_fit_is_one_clear_line() -> None:
    net, loss, sgd = classifier(), gn.CrossEntropy(), gn.SGD(0.1)
    before = everything_of(net, sgd)
    with pytest.raises(ValueError, match=r"takes an array of shape \(N, 3\), not one of shape \(6, 2\)"):
        gn.trace(net, X[:, :2], LABELS, loss, sgd, apply=True)
    with pytest.raises(ValueError, match="labels run from 0 to 9"):
        gn.trace(net, X, LABELS + np.array([0, 0, 7, 0, 0, 0]), loss, sgd, apply=True)
    with pytest.raises(ValueError, match="at least one row"):
        gn.trace(net, X[:0], LABELS[:0], loss, sgd)
    with pytest.raises(ValueError, match="not fitted"):
        gn.trace(gn.Network([gn.Standardize(), gn.Dense(3, 3)]), X, LABELS, loss, sgd)
    assert everything_of(net, sgd) == before
    trace = gn.trace(net, X, LABELS, loss, sgd)
    for call, message in (
        (lambda: trace.equation(3, 0), "the network has layers 0 to 2, so there is no layer 3"),
        (lambda: trace.equation(1, 10), r"layer 1, ReLU\(\), has units 0 to 9, so there is no unit 10"),
        (lambda: trace.equation(0, 0, row=-1), "rows 0 to 5, so there is no row -1"),
        (lambda: trace.check("1.W", (0, 0)), "no parameter '1.W'; there are 0.W, 0.b, 2.W, 2.b and x"),
        (lambda: trace.check("0.W", (3, 0)), r"0.W has shape \(3, 10\), counted from 0: it has no entry \(3, 0\)"),
        (lambda: trace.check("0.W", 1), "it has no entry 1"),
        (lambda: trace.check("x", (0.5, 1)), "it has no entry"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match=message):
            call()


# The command ----------------------------------------------------------------------------------------------------------

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Run a command; give its status, what it printed, and its errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
        return int(done.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "digits"
    recipes.train(recipes.load("digits", changes=["training.epochs=1", "network.hidden=[8]"]), out)
    return out


def test_the_command_traces_a_row_of_a_run(run: Path, typed: Typed) -> None:
    recipe, net = recipes.open_run(run)
    split = gn.load("digits").test
    trace = gn.trace(net, split.x[17], split.y[17], recipe.build_loss("classification"), recipe.build_optimizer())
    p = net.predict_proba(split.x[[17]])[0]
    head = f"test row 17: the data say {split.y[17]}, the network {p.argmax()} with {p.max():.1%}"
    assert typed("trace", run, "--row", 17) == (0, f"{head}\n\n{trace}\n", "")
    assert typed("trace", run, "--row", 17, "--json") == (0, trace.to_json() + "\n", "")
    first = next(i for i, layer in enumerate(net.layers) if isinstance(layer, gn.Dense))
    shown = typed("trace", run, "--row", 17, "--layer", first, "--unit", 5, "--check", f"{first}.W,20,5")
    assert shown == (0, f"{trace.equation(first, 5)}\n{trace.check(f'{first}.W', (20, 5))}\n", "")
    assert typed("trace", run, "--row", 17, "--part", "val")[1] != f"{trace}\n"
    for example in re.findall(r"such as (\S+) or (\S+),", typed("trace", run, "--row", 17, "--check", "x")[2])[0]:
        assert typed("trace", run, "--row", 17, "--check", example)[1].startswith("dL/d ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--row", 359], "the test part has rows 0 to 358, so there is no row 359"),
        (["--row", 0, "--part", "rest"], "--part is train, val or test, not 'rest'"),
        (["--row", 0, "--layer", 1], "--layer and --unit go together"),
        (["--row", 0, "--layer", 1, "--unit", 64], "so there is no unit 64"),
        (["--row", 0, "--check", "1.W"], "--check takes a name and an entry, such as "),
        (["--row", 0, "--check", "W,1,1"], "there is no parameter 'W'"),
        (["--row", 0, "--json", "--check", "1.W,0,0"], "--json prints the whole step"),
        ([], "Missing option '--row'"),
    ],
)
def test_bad_options_are_one_line(run: Path, typed: Typed, arguments: list[object], message: str) -> None:
    status, printed, error = typed("trace", run, *arguments)
    assert (status, printed, error.count("\n")) == (2, "", 1)
    assert message in error


def test_a_part_without_rows_is_one_line(tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassnet.recipes.run.draw", lambda *_: None)
    changes = ["training.epochs=1", "network.hidden=[8]", "data.validation=false"]
    recipes.train(recipes.load("digits", changes=changes), tmp_path / "run")
    message = "glassnet: the val part has no rows: name another one with --part\n"
    assert typed("trace", tmp_path / "run", "--row", 0, "--part", "val") == (2, "", message)


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path, typed: Typed) -> None:
    status, _, error = typed("trace", tmp_path, "--row", 0)
    assert status == 2
    assert "is no run" in error
