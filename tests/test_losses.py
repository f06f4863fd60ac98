"""Losses: their formulas, their stability, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.nn.selfcheck import LOSSES


def test_values_by_hand() -> None:
    y, t = np.array([[1.0], [4.0], [-2.0]]), np.array([2.0, 1.0, -2.0])
    assert gn.MSE().forward(y, t) == pytest.approx((1 + 9 + 0) / 3)
    assert gn.MAE().forward(y, t) == pytest.approx((1 + 3 + 0) / 3)
    assert gn.Huber(delta=2).forward(y, t) == pytest.approx((0.5 + 2 * (3 - 1) + 0) / 3)
    assert gn.CrossEntropy().forward(np.log([[0.2, 0.8], [0.5, 0.5]]), np.array([1, 0])) == pytest.approx(
        -(math.log(0.8) + math.log(0.5)) / 2
    )
    assert gn.BinaryCrossEntropy().forward(np.array([[math.log(3)]]), np.array([1.0])) == pytest.approx(-math.log(0.75))


def test_mse_gradient_has_no_half() -> None:
    loss = gn.MSE()
    loss.forward(np.array([[3.0], [0.0]]), np.array([1.0, 0.0]))
    assert loss.backward().tolist() == [[2.0], [0.0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", [gn.CrossEntropy(), gn.CrossEntropy(label_smoothing=0.1), gn.BinaryCrossEntropy()])
def test_logits_of_ten_thousand_stay_finite(loss: gn.Loss, dtype: type) -> None:
    y = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 1e4], [1e4, 1e4, 1e4]], dtype=dtype)
    t = np.array([1, 0, 2]) if isinstance(loss, gn.CrossEntropy) else np.array([[0, 1, 0], [1, 0, 1], [1, 1, 1]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value = loss.forward(y, t)
        dy = loss.backward()
    assert math.isfinite(value)
    assert np.isfinite(dy).all()
    assert dy.dtype == dtype
    if loss.task == "classification" and not getattr(loss, "label_smoothing", 0):
        assert value > 1000


@given(st.integers(2, 6), st.floats(0, 0.9), st.integers(0, 100))
def test_labels_and_their_one_hot_probabilities_agree(classes: int, smoothing: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, labels = rng.normal(0, 3, (5, classes)), rng.integers(classes, size=5)
    by_label, by_probability = gn.CrossEntropy(smoothing), gn.CrossEntropy(smoothing)
    assert by_label.forward(y, labels) == pytest.approx(by_probability.forward(y, np.eye(classes)[labels]))
    np.testing.assert_allclose(by_label.backward(), by_probability.backward())
    np.testing.assert_allclose(by_label.backward().sum(axis=1), 0, atol=1e-15)


def test_label_smoothing_is_least_at_the_smoothed_target() -> None:
    q = np.array([[0.9 + 0.1 / 4, 0.025, 0.025, 0.025]])
    loss = gn.CrossEntropy(label_smoothing=0.1)
    entropy = -(q * np.log(q)).sum()
    assert loss.forward(np.log(q), np.array([0])) == pytest.approx(entropy)
    np.testing.assert_allclose(loss.backward(), 0, atol=1e-15)


@pytest.mark.parametrize(
    ("loss", "y", "t", "message"),
    [
        (gn.MSE(), (4, 1), np.zeros((4, 2)), r"outputs of shape \(4, 1\) and targets of shape \(4, 2\)"),
        (gn.MSE(), (4, 2), np.zeros(4), r"outputs of shape \(4, 2\) and targets of shape \(4,\)"),
        (gn.MAE(), (4, 1), np.zeros(3), r"targets of shape \(3,\)"),
        (gn.CrossEntropy(), (2, 3), np.array([0, 3]), "labels run from 0 to 3, but 3 outputs allow 0 to 2"),
        (gn.CrossEntropy(), (2, 3), np.array([-1, 1]), "labels run from -1 to 1"),
        (gn.CrossEntropy(), (2, 3), np.array([0.0, 1.0]), r"integer labels of shape \(2,\)"),
        (gn.CrossEntropy(), (2, 3), np.array([0, 1, 2]), r"not int64 of shape \(3,\)"),
        (gn.CrossEntropy(), (1, 2), np.array([[0.7, 0.7]]), "sum to 1"),
        (gn.CrossEntropy(), (1, 2), np.array([[1.5, -0.5]]), "at least 0"),
        (gn.BinaryCrossEntropy(), (2, 1), np.array([0, 2]), "must lie in 0..1"),
    ],
)
def test_targets_that_dont_fit_are_named(loss: gn.Loss, y: tuple[int, int], t: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        loss.forward(np.zeros(y), t)


def test_boolean_labels_are_classes_zero_and_one() -> None:
    y = np.array([[5.0, -5.0], [5.0, -5.0]])
    assert gn.CrossEntropy().forward(y, np.array([True, True])) == gn.CrossEntropy().forward(y, np.array([1, 1]))


def test_poisson_by_hand() -> None:
    y, t = np.array([[2.0], [1.0], [0.5]]), np.array([3.0, 0.0, 0.5])
    loss = gn.Poisson()
    assert loss.forward(y, t) == pytest.approx(((2 - 3 * math.log(2) + 3 * math.log(3) - 3) + 1 + 0) / 3)
    assert loss.backward()[:, 0] == pytest.approx(np.array([1 - 3 / 2, 1, 0]) / 3)


@pytest.mark.parametrize(
    ("y", "t", "fault"), [([[1.0]], [-1.0], "targets must"), ([[-1.0]], [1.0], "outputs, such as those of a last Exp")]
)
def test_poisson_refuses_what_is_no_count(y: list, t: list, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        gn.Poisson().forward(np.array(y), np.array(t))


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_weight_of_two_is_the_row_twice(loss: gn.Loss) -> None:
    rng = np.random.default_rng(0)
    y = np.exp(rng.normal(size=(4, 3)))
    t = rng.integers(3, size=4) if isinstance(loss, gn.CrossEntropy) else rng.integers(2, size=(4, 3)).astype(float)
    once, twice = np.arange(4), np.array([0, 1, 1, 2, 3, 3])
    weights = np.array([1.0, 2.0, 1.0, 2.0])
    expected = loss.forward(y[twice], t[twice])
    dy = np.zeros_like(y)
    np.add.at(dy, twice, loss.backward())
    assert loss.forward(y[once], t[once], weights / weights.mean()) == pytest.approx(expected)
    np.testing.assert_allclose(loss.backward(), dy)


def test_poisson_of_an_output_that_underflowed() -> None:
    loss = gn.Poisson()
    assert loss.forward(np.array([[0.0]]), np.array([0.0])) == 0
    assert loss.backward().tolist() == [[1.0]]
    assert loss.forward(np.array([[0.0]]), np.array([1.0])) == math.inf
