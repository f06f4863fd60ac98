"""What the kernels write into is writable and the network's own; what they read may lie anywhere."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

import glassnet as gn
from glassnet.estimators import MLPClassifier
from glassnet.fast import FastStep

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 5)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
DATA = gn.Dataset.from_arrays(X, X[:, 1].astype(np.float64))


def misplaced(a: Any) -> Any:
    """An equal array that begins one byte after where it should."""
    memory = np.zeros(a.nbytes + 1, np.uint8)
    moved = memory[1:].view(a.dtype).reshape(a.shape)
    moved[...] = a
    return moved


def read_only(a: Any) -> Any:
    a = a.copy()
    a.flags.writeable = False
    return a


ODD: dict[str, Callable[[Any], Any]] = {
    "read-only": read_only,
    "misaligned": misplaced,
    "with gaps": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "in Fortran's order": np.asfortranarray,
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
}


def network(fast: bool = True) -> gn.Network:
    return gn.Network([gn.Dense(5, 4), gn.BatchNorm(4), gn.ReLU(), gn.Dense(4, 1)], seed=3, fast=fast)


def trained(net: gn.Network, optimizer: gn.optim.Optimizer, data: gn.Dataset = DATA, **settings: Any) -> Any:
    gn.fit(net, data, gn.MSE(), optimizer, 2, 16, **settings)
    return net.theta.copy()


@pytest.mark.parametrize("odd", ODD)
def test_rows_and_targets_may_lie_anywhere(odd: str) -> None:
    expected = trained(network(), gn.SGD(0.1))
    data = replace(DATA, train=gn.data.Split(ODD[odd](DATA.train.x), ODD[odd](DATA.train.y)))
    net = network()
    np.testing.assert_array_equal(trained(net, gn.SGD(0.1), data), expected)
    np.testing.assert_array_equal(net.predict(ODD[odd](X)), net.predict(X))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("make", [lambda: gn.SGD(0.1, 0.9), lambda: gn.Adam(0.1)])
def test_an_optimizers_vectors_may_come_from_anywhere(make: Callable[[], Any], odd: str) -> None:
    def resumed(change: Callable[[Any], Any]) -> Any:
        net, optimizer = network(), make()
        trained(net, optimizer)
        again = pickle.loads(pickle.dumps(optimizer))
        for name in again.slots:
            setattr(again, name, change(getattr(again, name)))
        kept = {name: getattr(again, name).copy() for name in again.slots}
        given = [getattr(again, name) for name in again.slots]
        theta = trained(net.copy(), again)
        assert all(np.array_equal(a, b) for a, b in zip(given, kept.values(), strict=True))  # not written into
        return theta

    np.testing.assert_array_equal(resumed(ODD[odd]), resumed(lambda a: a))


@pytest.mark.parametrize("odd", ["read-only", "misaligned", "with gaps", "big-endian"])
def test_gradients_arent_written_into_an_array_that_doesnt_fit(odd: str) -> None:
    net = network()
    net.grad = ODD[odd](net.grad)
    with pytest.raises(ValueError, match=f"grad must be {net.theta.size} numbers of float32 that can be written into"):
        trained(net, gn.Adam(0.1, clip_norm=1.0))
    assert not net.grad.any()


@pytest.mark.parametrize("name", ["theta", "running_mean", "running_var"])
def test_what_is_read_only_isnt_trained(name: str) -> None:
    net = network()
    array = getattr(net if name == "theta" else net.layers[1], name)
    array.flags.writeable = False
    kept = array.copy()
    with pytest.raises(ValueError, match="that can be written into, not a read-only"):
        trained(net, gn.SGD(0.1))
    np.testing.assert_array_equal(array, kept)
    net.predict(X)


@pytest.mark.parametrize("odd", ["misaligned", "with gaps", "big-endian"])
def test_running_statistics_may_lie_anywhere(odd: str) -> None:
    net = network()
    net.layers[1].running_mean = ODD[odd](net.layers[1].running_mean)
    np.testing.assert_allclose(trained(net, gn.SGD(0.1)), trained(network(), gn.SGD(0.1)), rtol=1e-3, atol=1e-5)


def test_a_vector_of_another_size_is_refused() -> None:
    net = network()
    net.grad = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match=f"grad must be {net.theta.size} numbers of float32"):
        trained(net, gn.SGD(0.1, clip_norm=1.0))


@pytest.mark.parametrize(
    "mean", [np.zeros(3, np.float32), np.zeros(network().theta.size), ODD["read-only"](network().theta)]
)
def test_the_mean_of_the_weights_is_checked_before_it_is_written_into(mean: Any) -> None:
    step = FastStep(network(), X, DATA.train.y, gn.MSE(), gn.SGD(0.1), 16)
    with pytest.raises(ValueError, match="the mean of the weights must be"):
        step.move_mean(mean, 0.5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_an_estimator_mapped_from_a_file_trains_on(solver: str, tmp_path: Path) -> None:
    model = MLPClassifier([4], max_iter=1, random_state=0, solver=solver, learning_rate_init=0.01, warm_start=True)
    model.fit(X, Y)
    joblib.dump(model, tmp_path / "model")
    written = (tmp_path / "model").read_bytes()
    mapped = joblib.load(tmp_path / "model", mmap_mode="r")
    for step in ("partial_fit", "fit"):
        getattr(mapped, step)(X, Y)
        getattr(model, step)(X, Y)
        np.testing.assert_array_equal(mapped.network_.theta, model.network_.theta)
    assert (tmp_path / "model").read_bytes() == written
