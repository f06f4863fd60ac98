"""Optimizers by their formulas, and schedules by their shapes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import glassnet as gn


def parameters(theta: np.ndarray, grad: np.ndarray) -> SimpleNamespace:
    """Two groups, of which the first is decayed."""
    middle = len(theta) // 2
    parts = [(slice(0, middle), True), (slice(middle, None), False)]
    groups = [SimpleNamespace(part=p, decayed=d, lr_factor=1.0, max_norm=None, columns=1) for p, d in parts]
    return SimpleNamespace(theta=theta.astype(float), grad=grad.astype(float), groups=groups)


def test_momentum_agrees_with_the_golden_numbers_of_the_seed_exercise() -> None:
    net = parameters(np.linspace(-0.4, 0.6, 20), np.linspace(-0.6, 0.4, 20))
    sgd = gn.SGD(lr=1e-3, momentum=0.9)
    sgd.velocity = np.linspace(0.6, 0.9, 20)
    sgd.step(net)
    w, v = net.theta.reshape(4, 5), sgd.velocity.reshape(4, 5)
    assert [round(float(value), 4) for value in (w[0, 0], w[3, 4], v[3, 4])] == [0.1406, 1.4096, 0.8096]
    np.testing.assert_allclose(v, (0.9 * np.linspace(0.6, 0.9, 20) - 1e-3 * np.linspace(-0.6, 0.4, 20)).reshape(4, 5))


def test_sgd_and_nesterov_by_hand() -> None:
    for nesterov in (False, True):
        net = parameters(np.array([1.0, 2.0]), np.array([0.5, -1.0]))
        sgd = gn.SGD(lr=0.1, momentum=0.5, nesterov=nesterov)
        w, v = net.theta.copy(), np.zeros(2)
        for _ in range(3):
            sgd.step(net)
            v = 0.5 * v - 0.1 * net.grad
            w = w + (0.5 * v - 0.1 * net.grad if nesterov else v)
            np.testing.assert_allclose(net.theta, w)


def test_adam_by_hand() -> None:
    net = parameters(np.array([1.0, 2.0]), np.array([0.5, -1.0]))
    adam = gn.Adam(lr=0.1, betas=(0.8, 0.9), eps=1e-3)
    w, m, v = net.theta.copy(), np.zeros(2), np.zeros(2)
    for t in (1, 2, 3):
        net.grad = net.grad * 1.5
        g = net.grad
        adam.step(net)
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        w -= 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-3)
        np.testing.assert_allclose(net.theta, w)


def test_adams_first_step_is_lr_whatever_the_scale() -> None:
    for scale in (1e-4, 1.0, 1e6):
        net = parameters(np.zeros(4), scale * np.array([1, -2, 3, -4]))
        gn.Adam(lr=0.01).step(net)
        np.testing.assert_allclose(net.theta, [-0.01, 0.01, -0.01, 0.01], rtol=1e-3)


@pytest.mark.parametrize("make", [gn.SGD, gn.AdamW])
def test_weight_decay_is_decoupled_and_l2_is_not(make) -> None:
    arguments = {"lr": 0.1, "weight_decay": 0.5}
    net = parameters(np.ones(4), np.zeros(4))
    make(**arguments).step(net, factor=0.5)
    np.testing.assert_allclose(net.theta, [0.975, 0.975, 1, 1])  # 1 - lr * factor * decay, of the first part alone
    net = parameters(np.ones(4), np.zeros(4))
    make(lr=0.1, l2=0.5, weight_decay=0).step(net)
    np.testing.assert_allclose(net.grad, [0.5, 0.5, 0, 0])
    assert (net.theta[:2] < 1).all()
    assert (net.theta[2:] == 1).all()


def test_adamw_decays_by_default_and_adam_does_not() -> None:
    net = parameters(np.ones(4), np.zeros(4))
    gn.Adam().step(net)
    assert (net.theta == 1).all()
    gn.AdamW().step(net)
    np.testing.assert_allclose(net.theta, [1 - 1e-5, 1 - 1e-5, 1, 1])


def test_clipping_keeps_the_direction_and_bounds_the_norm() -> None:
    net = parameters(np.zeros(2), np.array([3.0, 4.0]))
    gn.SGD(lr=1.0, clip_norm=1.0).step(net)
    np.testing.assert_allclose(net.theta, [-0.6, -0.8])
    net = parameters(np.zeros(2), np.array([0.3, 0.4]))
    gn.SGD(lr=1.0, clip_norm=1.0).step(net)
    np.testing.assert_allclose(net.theta, [-0.3, -0.4])


def test_an_optimizer_begins_anew_with_another_network() -> None:
    adam = gn.Adam(lr=0.01)
    for size in (4, 6):
        net = parameters(np.zeros(size), np.ones(size))
        adam.step(net)
        np.testing.assert_allclose(net.theta, -0.01, rtol=1e-6)
    assert adam.steps == 1


def test_an_optimizer_can_go_on_from_its_state() -> None:
    rng = np.random.default_rng(0)
    grads = rng.normal(size=(6, 8))
    for make in (lambda: gn.SGD(0.1, 0.9), lambda: gn.AdamW(0.1)):
        one, net = make(), parameters(np.ones(8), grads[0])
        for g in grads[:3]:
            net.grad = g.copy()
            one.step(net)
        two, copy = make(), parameters(net.theta, grads[0])
        two.set_state(one.state(), one.steps)
        for g in grads[3:]:
            net.grad, copy.grad = g.copy(), g.copy()
            one.step(net)
            two.step(copy)
        assert np.array_equal(net.theta, copy.theta)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gn.SGD(lr=0), "SGD: lr must be a number above 0, not 0"),
        (lambda: gn.SGD(lr=float("nan")), "lr"),
        (lambda: gn.Adam(lr=-1), "Adam: lr"),
        (lambda: gn.SGD(0.1, momentum=1), "momentum must be a number of at least 0 and below 1"),
        (lambda: gn.SGD(0.1, weight_decay=-1), "weight_decay must be a number of at least 0"),
        (lambda: gn.SGD(0.1, l2=-1), "l2"),
        (lambda: gn.SGD(0.1, clip_norm=0), "clip_norm must be a number above 0"),
        (lambda: gn.AdamW(betas=(0.9, 1.0)), "AdamW: betas"),
        (lambda: gn.Adam(eps=0), "eps"),
        (lambda: gn.ExponentialDecay(0), "rate"),
        (lambda: gn.OneCycle(1), "warmup"),
        (lambda: gn.SGD("0.1"), "SGD: lr must be a number, not '0.1'"),
        (lambda: gn.Adam(l2=True), "Adam: l2 must be a number, not True"),
        (lambda: gn.Adam(betas=(0.9, "0.999")), "Adam: betas"),
        (lambda: gn.Tail(start="late"), "Tail: start must be a number, not 'late'"),
    ],
)
def test_settings_that_make_no_sense_are_named(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def factors(schedule: gn.Schedule, epochs: int = 5, steps: int = 20) -> np.ndarray:
    return np.array([schedule(step, steps, epochs) for step in range(epochs * steps)])


def test_schedules_have_their_shapes() -> None:
    assert (factors(gn.Constant()) == 1).all()
    np.testing.assert_allclose(factors(gn.ExponentialDecay(0.95)), np.repeat(0.95 ** np.arange(5), 20))
    cosine = factors(gn.Cosine())
    assert cosine[0] == 1
    assert cosine[50] == pytest.approx(0.5)
    assert (np.diff(cosine) < 0).all()
    assert 0 < cosine[-1] < 1e-3
    cycle = factors(gn.OneCycle(warmup=0.1))
    np.testing.assert_allclose(cycle[:10], np.arange(1, 11) / 10)
    np.testing.assert_allclose(cycle[10:], np.arange(90, 0, -1) / 90)
    np.testing.assert_allclose(factors(gn.OneCycle(warmup=0)), np.arange(100, 0, -1) / 100)


@pytest.mark.parametrize("epochs", [1, 2, 7])
@pytest.mark.parametrize("steps", [1, 3, 10])
@pytest.mark.parametrize("warmup", [0, 0.1, 0.3, 0.9])
def test_one_cycle_stays_between_0_and_1_for_any_length(epochs: int, steps: int, warmup: float) -> None:
    values = factors(gn.OneCycle(warmup), epochs, steps)
    assert ((values > 0) & (values <= 1)).all()


def two_groups(**first) -> SimpleNamespace:
    net = parameters(np.arange(1.0, 9.0), np.linspace(-1, 1, 8))
    vars(net.groups[0]).update(first)
    return net


@pytest.mark.parametrize("make", [lambda lr: gn.SGD(lr, 0.9), lambda lr: gn.AdamW(lr, weight_decay=0.1)])
def test_a_group_moves_by_its_own_learning_rate(make) -> None:
    factored, high, low = two_groups(lr_factor=6.0), two_groups(), two_groups()
    optimizers = make(0.01), make(0.06), make(0.01)
    for net, optimizer in zip((factored, high, low), optimizers, strict=True):
        for _ in range(3):
            optimizer.step(net)
    np.testing.assert_allclose(factored.theta, np.concatenate([high.theta[:4], low.theta[4:]]), rtol=1e-12)


def test_columns_of_a_larger_norm_are_scaled_down_and_others_left() -> None:
    net = two_groups(max_norm=3.5, columns=2)  # of W = [[1, 2], [3, 4]]: norms sqrt(10) and sqrt(20)
    net.grad[:] = 0
    gn.SGD(0.1).step(net)
    np.testing.assert_allclose(net.theta[:4:2], [1, 3])
    np.testing.assert_allclose(net.theta[1:4:2], np.array([2, 4]) * 3.5 / 20**0.5)
    np.testing.assert_allclose(net.theta[4:], [5, 6, 7, 8])


def test_the_tail_is_flat_or_falls_in_each_epoch_anew() -> None:
    flat = factors(gn.Tail(start=0.6, high=0.2, warmup=0.2))
    np.testing.assert_allclose(flat[:20], np.arange(1, 21) / 20)
    np.testing.assert_allclose(flat[20:61], np.linspace(1, 0.2, 41))
    np.testing.assert_allclose(flat[60:], 0.2)
    cyclic = factors(gn.Tail(start=0.6, high=0.2, low=0.02, warmup=0.2))
    assert (cyclic[:60] == flat[:60]).all()
    np.testing.assert_allclose(cyclic[60:], np.tile(np.linspace(0.2, 0.02, 20), 2))
    np.testing.assert_allclose(factors(gn.Linear(0.5, 2)), np.linspace(0.5, 2, 100))
