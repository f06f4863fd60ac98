"""Threads that share a model: predictions are each thread's own, and one thread trains at a time."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import glassnet as gn
from glassnet.estimators import MLPClassifier, MLPRegressor
from glassnet.turns import changing

THREADS, ROUNDS = 8, 12
rng = np.random.default_rng(0)
X = rng.normal(size=(640, 12)) + 1e4
Y = (X[:, 0] > X[:, 1]).astype(int)
BLOCKS = [np.concatenate([X[i::THREADS], X[: 5 * i]]) for i in range(THREADS)]  # of different lengths


class Halved(gn.Layer):
    """A layer of one's own, for which there is no kernel: y = x / 2. Backward: dx = dy / 2."""

    def forward(self, x: Any, training: bool = False) -> Any:
        return np.multiply(x, 0.5, out=self.buffer("y", x.shape, x.dtype))

    def backward(self, dy: Any) -> Any:
        return dy / 2


def network(*first: gn.Layer, width: int = 12, fast: bool = True) -> gn.Network:
    layers = [*first, gn.Dense(width, 16), gn.BatchNorm(16), gn.GELU(), Halved(), gn.Dense(16, 2), gn.Unstandardize()]
    net = gn.Network([layer for layer in layers if not (fast and isinstance(layer, Halved))], fast=fast)
    net.fit_preprocessing(X, X[:, :2])
    return net


def ensemble(fast: bool) -> gn.Ensemble:
    return gn.Ensemble([network(gn.RobustScale(), fast=fast), network(gn.Standardize(), fast=fast)], "regression")


def evaluated(net: gn.Network, x: Any) -> Any:
    return gn.evaluate(net, gn.data.Split(x, x[:, :2]), LOSS)


LOSS = gn.Huber()
SPARSE = scipy.sparse.random(640, 50, density=0.1, format="csr", random_state=0)
sparse = MLPClassifier((16,), max_iter=2, random_state=0)
WAYS: dict[str, Callable[[], tuple[Callable[[Any], Any], list[Any]]]] = {
    "kernels": lambda: (network(gn.QuantileNormalize(50)).predict, BLOCKS),
    "readable layers, one of one's own": lambda: (
        network(gn.Rotations(12), gn.Standardize(), width=26, fast=False).predict,
        BLOCKS,
    ),
    "pixels": lambda: (network(gn.Standardize()).predict, [(b % 7).astype(np.uint8) for b in BLOCKS]),
    "ensemble": lambda: (ensemble(True).predict, BLOCKS),
    "ensemble of readable layers": lambda: (ensemble(False).predict, BLOCKS),
    "evaluate": lambda: ((lambda net: lambda x: evaluated(net, x))(network(gn.Standardize(), fast=False)), BLOCKS),
    "sparse rows": lambda: (
        MLPClassifier((16,), max_iter=2, random_state=0).fit(SPARSE, Y).predict_proba,
        [SPARSE[i::THREADS] for i in range(THREADS)],
    ),
    "plain estimator": lambda: (
        MLPRegressor(hidden_layer_sizes=[16], max_iter=2, random_state=0).fit(X, Y).predict,
        BLOCKS,
    ),
    "preset strong": lambda: (
        MLPClassifier(random_state=0, preset="strong").fit(X, Y).predict_proba,
        BLOCKS,
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("way", WAYS)
def test_threads_get_the_answers_of_their_own_rows(way: str, small_preset: None) -> None:
    predict, blocks = WAYS[way]()
    right = [predict(block) for block in blocks]
    together = threading.Barrier(THREADS)

    def ask(i: int) -> list[Any]:
        together.wait()
        return [predict(blocks[i]) for _ in range(ROUNDS)]

    with ThreadPoolExecutor(THREADS) as pool:
        for expected, answers in zip(right, pool.map(ask, range(THREADS)), strict=True):
            assert all(
                np.array_equal(expected, answer) if isinstance(answer, np.ndarray) else expected == answer
                for answer in answers
            )


@pytest.mark.parametrize("model", [network(gn.Standardize()), ensemble(True)], ids=["network", "ensemble"])
def test_threads_predict_with_one_model_without_waiting_for_each_other(model: gn.Network | gn.Ensemble) -> None:
    expected = model.predict(X[:3])
    inside, others_done = threading.Event(), threading.Event()
    (inference,) = model.compiled
    infer = inference.infer

    def held_up(*places: Any) -> None:
        inside.set()
        assert others_done.wait(60)
        infer(*places)

    inference.infer = held_up
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(model.predict, X[:3])
        assert inside.wait(60)
        np.testing.assert_array_equal(model.predict(X[:3]), expected)  # while the other thread is in the kernels
        others_done.set()
        np.testing.assert_array_equal(first.result(), expected)
    assert len(model.compiled) == 2


@pytest.mark.parametrize("fast", [True, False])
def test_prediction_leaves_what_backward_needs(fast: bool) -> None:
    net = network(gn.Standardize(), fast=fast)
    y = net.forward(X[:9], training=True)
    net.backward(np.ones_like(y))
    expected = net.grad.copy()
    net.forward(X[:9], training=True)
    net.predict(X[30:60])
    net.backward(np.ones_like(y))
    np.testing.assert_array_equal(net.grad, expected)


class InAnotherThread(gn.Callback):
    """Does something to the network in another thread, in the first epoch, and keeps the error."""

    def __init__(self, act: Callable[[Any], Any]) -> None:
        self.act, self.errors, self.here = act, [], []

    def on_epoch(self, run: Any) -> None:
        self.here.append(run.net.predict(X[:5]))  # the thread that trains may look
        with ThreadPoolExecutor(1) as pool:
            self.errors.append(pool.submit(self.act, run.net).exception())


DATA = gn.Dataset.from_arrays(X, X[:, 0])
ACTS: dict[str, Callable[[Any], Any]] = {
    "predict": lambda net: net.predict(X),
    "copy": lambda net: net.copy(),
    "save": lambda net: net.save(os.devnull),
    "train": lambda net: gn.fit(net, DATA, gn.MSE(), gn.SGD(0.01), 1),
}


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("act", ACTS)
def test_a_network_in_training_is_its_threads(act: str, fast: bool) -> None:
    net = gn.Network([gn.Standardize(), gn.Dense(12, 1), gn.Unstandardize()], fast=fast)
    watcher = InAnotherThread(ACTS[act])
    gn.fit(net, DATA, gn.MSE(), gn.SGD(0.01), 1, callbacks=[watcher])
    assert len(watcher.here) == 1
    assert isinstance(watcher.errors[0], RuntimeError)
    assert "Network is being trained in another thread" in str(watcher.errors[0])
    ACTS["predict"](net)  # afterwards it is anybody's


def test_an_optimizer_in_use_refuses_another_thread() -> None:
    optimizer = gn.Adam()
    watcher = InAnotherThread(lambda net: gn.fit(gn.Network([gn.Dense(12, 1)]), DATA, gn.MSE(), optimizer, 1))
    gn.fit(gn.Network([gn.Standardize(), gn.Dense(12, 1)]), DATA, gn.MSE(), optimizer, 1, callbacks=[watcher])
    assert "Adam is being trained" in str(watcher.errors[0])


def test_a_training_that_begins_during_a_prediction_makes_it_an_error() -> None:
    class Training(gn.Layer):
        def forward(self, x: Any, training: bool = False) -> Any:
            if not training and len(x) == 3:
                thread = threading.Thread(target=gn.fit, args=(net, DATA, gn.MSE(), gn.SGD(0.01), 1))
                thread.start()
                thread.join()
            return x

        def backward(self, dy: Any) -> Any:
            return dy

    net = gn.Network([gn.Standardize(), Training(), gn.Dense(12, 1)])
    net.fit_preprocessing(X)
    with pytest.raises(RuntimeError, match="Network is being trained in another thread"):
        net.predict(X[:3])
    assert len(net.predict(X[:4])) == 4


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("act", ["fit", "partial_fit", "predict", "predict_proba", "pickle"])
def test_an_estimator_in_training_is_its_threads(act: str) -> None:
    acts: dict[str, Callable[[], Any]] = {
        "fit": lambda: model.fit(X, Y),
        "partial_fit": lambda: model.partial_fit(X, Y),
        "predict": lambda: model.predict(X),
        "predict_proba": lambda: model.predict_proba(X),
        "pickle": lambda: pickle.dumps(model),
    }
    watcher = InAnotherThread(lambda _: acts[act]())
    model = MLPClassifier([4], max_iter=1, random_state=0, callbacks=[watcher])
    with changing(model), ThreadPoolExecutor(1) as pool:  # from the first line of fit on, not just in its epochs
        assert "MLPClassifier is being trained" in str(pool.submit(model.fit, X, Y).exception())
    model.fit(X, Y)
    assert "is being trained in another thread" in str(watcher.errors[0])
    assert len(model.predict(X)) == len(X)


def test_two_networks_train_in_two_threads_with_one_loss() -> None:
    def trained() -> Any:
        net = gn.Network([gn.Standardize(), gn.Dense(12, 8), gn.Tanh(), gn.Dense(8, 1), gn.Unstandardize()], fast=False)
        gn.fit(net, DATA, loss, gn.SGD(0.01), 3)
        return net.theta

    loss = gn.Huber(0.5)
    expected = trained()
    with ThreadPoolExecutor(4) as pool:
        for theta in pool.map(lambda _: trained(), range(8)):
            np.testing.assert_array_equal(theta, expected)


@pytest.mark.parametrize("fast", [True, False])
def test_trainings_at_the_same_time_give_what_each_gives_alone(fast: bool) -> None:
    def trained(seed: int) -> list[Any]:
        """Train a network of one of two types, by kernels on two threads that all trainings share, and predict."""
        layers = [gn.Dense(12, 40), gn.BatchNorm(40), gn.GELU(), gn.Dropout(0.2), gn.Dense(40, 1)]
        net = gn.Network([gn.Standardize(), *layers], ("float32", "float64")[seed % 2], seed=seed, fast=fast)
        net.threads = 2
        if start is not None:
            start.wait()
        history = gn.fit(net, DATA, gn.Huber(), gn.AdamW(0.01), epochs=3, batch_size=100, seed=seed)
        return [net.theta, np.array(history.step_loss), net.predict(X)]

    start = None
    alone = [trained(seed) for seed in range(6)]
    start = threading.Barrier(len(alone))
    with ThreadPoolExecutor(len(alone)) as pool:
        together = list(pool.map(trained, range(len(alone))))
    for one, other in zip(alone, together, strict=True):
        for expected, found in zip(one, other, strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_has_the_network_to_itself() -> None:
    net = gn.Network([gn.Dense(12, 1)], fast=False)
    with ThreadPoolExecutor(1) as pool:
        begun, done = threading.Event(), threading.Event()

        def hold() -> None:
            with changing(net):
                begun.set()
                done.wait()

        held = pool.submit(hold)
        begun.wait()
        if not (child := os.fork()):
            try:
                net.predict(X)
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitpid(child, 0)[1]
        done.set()
        held.result()
    assert status == 0
