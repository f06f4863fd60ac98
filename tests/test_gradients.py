"""Every layer with every loss, several shapes, training and inference: the gradient is what the loss does."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.nn import Layer
from glassnet.nn.selfcheck import Case, cases
from public import public

CASES = list(cases())


@pytest.mark.parametrize("layer", sorted({case.layer for case in CASES}))
def test_gradients_of(layer: str) -> None:
    for case in CASES:
        if case.layer == layer:
            report = case.check()
            assert report.max_relative_error <= 1e-7, f"{case.name}\n{report}"
            assert all(row.checked + row.at_kinks == np.prod(row.shape) for row in report.rows)
            assert sum(row.checked for row in report.rows) > 0.9 * sum(np.prod(row.shape) for row in report.rows)


def test_every_layer_and_loss_of_the_library_is_covered() -> None:
    in_networks = {type(each) for case in CASES for each in case.net.layers}
    assert in_networks == public(gn.Layer)
    assert {type(case.loss) for case in CASES} == public(gn.Loss)
    assert {len(case.x) for case in CASES} >= {1, 2, 5}
    assert {case.training for case in CASES} == {True, False}


def small(layer: Layer) -> Case:
    net = gn.Network([gn.Dense(3, 4), layer, gn.Dense(4, 2)], dtype="float64", seed=2)
    rng = np.random.default_rng(0)
    return Case("", "", net, rng.standard_normal((5, 3)), rng.standard_normal((5, 2)), gn.MSE(), True)


class WrongTanh(gn.Tanh):
    def backward(self, dy: np.ndarray) -> np.ndarray:
        return super().backward(dy) * 1.001


class ForgetfulDense(gn.Dense):
    def parameter_gradients(self, dy: np.ndarray) -> None:
        super().parameter_gradients(dy)
        self.db[0] = 0


class NanReLU(gn.ReLU):
    def backward(self, dy: np.ndarray) -> np.ndarray:
        dx = super().backward(dy)
        dx[0, 0] = np.nan
        return dx


@pytest.mark.parametrize("layer", [WrongTanh(), ForgetfulDense(4, 4), NanReLU()])
def test_a_wrong_gradient_is_found(layer: Layer) -> None:
    report = small(layer).check()
    assert not report.passed
    assert "FAILED" in str(report)


def test_the_report_names_the_wrong_entry() -> None:
    report = small(ForgetfulDense(4, 4)).check()
    wrong = [row for row in report.rows if row.max_relative_error > report.tolerance]
    assert [(row.name, row.worst, row.analytic) for row in wrong] == [("1.b", (0,), 0.0)]
    assert wrong[0].numeric != 0


def test_an_entry_at_a_kink_is_reported_and_not_counted_as_an_error() -> None:
    net = gn.Network([gn.Dense(1, 1), gn.ReLU()], dtype="float64")
    net.layers[0].W[...] = 1.0
    net.layers[0].b[...] = 0.0
    x = np.array([[0.0], [1.0]])  # the first row sits exactly on the kink
    report = gn.gradcheck(net, x, np.array([[1.0], [2.0]]), gn.MSE())
    kinks = {row.name: row.at_kinks for row in report.rows}
    assert kinks == {"0.W": 0, "0.b": 1, "x": 1}  # W multiplies x = 0: it can't move the first row off the kink
    assert report.passed


def test_a_step_that_would_cross_a_kink_is_made_smaller() -> None:
    net = gn.Network([gn.Dense(1, 1), gn.ReLU()], dtype="float64")
    net.layers[0].W[...] = 1.0
    net.layers[0].b[...] = -0.9995  # 5e-4 from the kink: h = 1e-3 would cross it
    report = gn.gradcheck(net, [[1.0]], np.array([[1.0]]), gn.MSE())
    assert sum(row.at_kinks for row in report.rows) == 0
    assert report.max_relative_error < 1e-8


def test_the_check_leaves_the_network_alone_and_can_sample() -> None:
    data = gn.load("digits")
    net = gn.Network([gn.Standardize(), gn.Dense(64, 16), gn.BatchNorm(16), gn.ReLU(), gn.Dense(16, 10)])
    net.fit_preprocessing(data.train.x)
    theta, state = net.theta.copy(), {name: value.copy() for name, value in net.state().items()}
    report = gn.gradcheck(net, data.train.x[:8], data.train.y[:8], gn.CrossEntropy(), entries=20)
    assert report.passed
    assert max(row.checked + row.at_kinks for row in report.rows) == 20
    assert np.array_equal(net.theta, theta)
    assert all(np.array_equal(net.state()[name], value) for name, value in state.items())


def test_a_batch_without_a_finite_loss_is_an_error() -> None:
    net = gn.Network([gn.Dense(1, 1)])
    with pytest.raises(ValueError, match="the loss of this batch is nan"):
        gn.gradcheck(net, [[np.nan]], np.array([[1.0]]), gn.MSE())


class InfiniteTanh(gn.Tanh):
    def backward(self, dy: np.ndarray) -> np.ndarray:
        dx = 7 * super().backward(dy)
        dx[0, 0] = np.inf
        return dx


def test_an_infinite_gradient_does_not_hide_the_others() -> None:
    report = small(InfiniteTanh()).check()
    assert report.max_relative_error == np.inf
    assert all(row.max_relative_error > 0.1 for row in report.rows if row.name[0] in "0x")


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_columns_may_have_any_unit(unit: float) -> None:
    x = unit * np.random.default_rng(0).standard_normal((6, 3))
    net = gn.Network([gn.Standardize(), gn.Dense(3, 4), gn.Tanh(), gn.Dense(4, 1)])
    assert gn.gradcheck(net, x, np.ones(6), gn.MSE()).max_relative_error < 1e-7
