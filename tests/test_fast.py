"""The fast path gives the numbers of the readable layers: the same losses, gradients, weights and outputs."""

from __future__ import annotations

import copy
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.fast import compiling, kernels, loading, structures, threads
from glassnet.fast.training import FastStep
from glassnet.nn import Noise
from glassnet.train import Training
from glassnet.train.step import training_step
from public import public

covered = FastStep.uncovered(gn.Network([gn.Dense(1, 1)]), gn.MSE(), gn.SGD(0.1))
pytestmark = pytest.mark.skipif(covered is not None, reason=f"no fast path on this machine: {covered}")

LAYERS: dict[str, Callable[[], list[gn.Layer]]] = {
    "no activation": lambda: [],
    "ReLU": lambda: [gn.ReLU()],
    "LeakyReLU": lambda: [gn.LeakyReLU(0.2)],
    "falling LeakyReLU": lambda: [gn.LeakyReLU(-0.5)],
    "Sigmoid": lambda: [gn.Sigmoid()],
    "Tanh": lambda: [gn.Tanh()],
    "GELU": lambda: [gn.GELU()],
    "SiLU": lambda: [gn.SiLU()],
    "Dropout": lambda: [gn.ReLU(), gn.Dropout(0.4)],
    "GaussianNoise": lambda: [gn.BatchNorm(19), gn.GaussianNoise(0.4), gn.ReLU()],
    "GaussianNoise after": lambda: [gn.Tanh(), gn.GaussianNoise(0.1), gn.GaussianNoise(0.0)],
    "Sigmoid, Dropout": lambda: [gn.Sigmoid(), gn.Dropout(0.4)],
    "no Dropout": lambda: [gn.Dropout(0.0), gn.Tanh()],
    "BatchNorm": lambda: [gn.BatchNorm(19), gn.ReLU()],
    "BatchNorm after": lambda: [gn.ReLU(), gn.BatchNorm(19, momentum=0.3)],
    "LayerNorm": lambda: [gn.LayerNorm(19), gn.SiLU()],
    "LayerNorm after": lambda: [gn.Tanh(), gn.LayerNorm(19, eps=1e-3)],
    "Exp": lambda: [gn.Tanh(), gn.Exp()],
    "two activations": lambda: [gn.Tanh(), gn.ReLU(), gn.Sigmoid()],
}
EMBEDDINGS: dict[str, Callable[[], list[gn.Layer]]] = {
    "PiecewiseLinear A": lambda: [gn.PiecewiseLinear(13, 3, bins=7, version="A"), gn.Tanh(), gn.Dense(39, 3)],
    "PiecewiseLinear B": lambda: [gn.PiecewiseLinear(10, 5, bins=100, plain=3), gn.Dense(53, 3)],
    "PiecewiseLinear of 8": lambda: [gn.PiecewiseLinear(13, 8, bins=32), gn.Dense(104, 3)],
    "PiecewiseLinear of a bin": lambda: [gn.PiecewiseLinear(13, 8, bins=1), gn.Dense(104, 3)],
    "PiecewiseLinear behind what is trained": lambda: [
        gn.CategoryEmbedding([2, 3], 3, plain=8), gn.PiecewiseLinear(8, 8, plain=6), gn.Dense(70, 3)
    ],
    "Periodic": lambda: [gn.Periodic(12, 4, n=5, plain=1), gn.Dense(49, 3)],
    "Periodic of 8": lambda: [gn.Periodic(13, 8, n=19, sigma=1.0), gn.Dense(104, 3)],
    "Periodic of what is trained": lambda: [
        gn.BatchNorm(13), gn.Periodic(13, 2, n=3), gn.LayerNorm(26), gn.Tanh(), gn.Dense(26, 3)
    ],
    "CategoryEmbedding": lambda: [gn.CategoryEmbedding([4, 1, 5], 3, plain=3), gn.Tanh(), gn.Dense(12, 3)],
    "CategoryEmbedding of what is trained": lambda: [
        gn.PiecewiseLinear(4, 2, bins=7, plain=9), gn.CategoryEmbedding([5, 6, 2], 7, plain=4), gn.Dense(25, 3)
    ],
}  # fmt: skip
# How far from the readable layers in float64 each may be, relatively.
ROUNDING = {"float32": 1e-5, "float64": 2e-14}
both_types = pytest.mark.parametrize("dtype", ROUNDING)
LOSSES: dict[str, tuple[gn.Loss, str]] = {
    "MSE": (gn.MSE(), "values"),
    "MAE": (gn.MAE(), "values"),
    "Huber": (gn.Huber(0.7), "values"),
    "Poisson": (gn.Poisson(), "counts"),
    "CrossEntropy": (gn.CrossEntropy(), "labels"),
    "smoothed CrossEntropy": (gn.CrossEntropy(label_smoothing=0.1), "labels"),
    "CrossEntropy of shares": (gn.CrossEntropy(label_smoothing=0.2), "shares"),
    "BinaryCrossEntropy": (gn.BinaryCrossEntropy(), "flags"),
}
OPTIMIZERS: dict[str, Callable[[], gn.Optimizer]] = {
    "SGD": lambda: gn.SGD(0.05),
    "momentum": lambda: gn.SGD(0.02, momentum=0.9),
    "nesterov": lambda: gn.SGD(0.02, momentum=0.9, nesterov=True),
    "all of SGD": lambda: gn.SGD(0.02, momentum=0.9, l2=0.01, weight_decay=0.1, clip_norm=0.5),
    "nesterov, decayed": lambda: gn.SGD(0.02, momentum=0.8, nesterov=True, l2=0.01, weight_decay=0.1),
    "Adam": lambda: gn.Adam(0.003, eps=1e-3),  # a smaller eps makes much of gradients that are all rounding
    "AdamW": lambda: gn.AdamW(0.003, betas=(0.8, 0.99), eps=1e-3, weight_decay=0.5),
    "clipped AdamW": lambda: gn.AdamW(0.003, eps=1e-3, l2=0.1, clip_norm=0.01),
}


def dataset(kind: str, n: int = 150, n_in: int = 13, n_out: int = 3, dtype: str = "float64") -> gn.Dataset:
    """Rows with targets of a kind; the training part has 96 of 150."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, n_in))
    x = rng.integers(0, 256, x.shape).astype(dtype) if dtype == "uint8" else x.astype(dtype)
    y: np.ndarray = {
        "values": 3 * rng.normal(size=(n, n_out)) + 1,
        "labels": rng.integers(n_out, size=n),
        "shares": rng.dirichlet(np.ones(n_out), size=n),
        "counts": rng.poisson(1.5, (n, n_out)).astype(float),
        "flags": rng.integers(2, size=(n, n_out)).astype(float),
    }[kind]
    data = gn.Dataset.from_arrays(x, np.arange(n) % 2)
    places = np.arange(n)
    for name, part in (("train", places[:96]), ("val", places[96:120]), ("test", places[120:])):
        setattr(data, name, gn.Split(x[part], y[part]))
    data.task = "regression" if kind in ("values", "counts") else "classification"
    return data


class Gradients(gn.Callback):
    """Keeps the gradient of each step."""

    reads_gradients = True

    def on_start(self, run: Training) -> None:
        self.seen: list[np.ndarray] = []

    def on_step(self, run: Training) -> None:
        self.seen.append(run.net.grad.copy())


def both_ways(
    make: Callable[[], list[gn.Layer]],
    data: gn.Dataset,
    loss: gn.Loss,
    optimizer: Callable[[], gn.Optimizer],
    dtype: str = "float32",
    **more,
) -> list[tuple[gn.Network, gn.History, list[np.ndarray]]]:
    """Train by the readable layers in float64 (or in dtype, if random numbers depend on it), and by the fast path."""
    trained = []
    start = gn.Network(make(), dtype="float32", seed=3)
    exact = dtype if any(isinstance(layer, Noise) for layer in start.layers) else "float64"
    for kind, fast in ((exact, False), (dtype, True)):
        net = start.copy(kind)
        net.fast = fast
        watcher = Gradients()
        history = gn.fit(net, data, loss, optimizer(), seed=2, validate=False, callbacks=[watcher], **more)
        trained.append((net, history, watcher.seen))
    return trained


def assert_same(
    make: Callable[[], list[gn.Layer]], data: gn.Dataset, loss: gn.Loss, optimizer, dtype: str = "float32", **more
) -> None:
    assert FastStep.uncovered(gn.Network(make(), dtype), loss, optimizer()) is None
    settings = {"epochs": 2, "batch_size": 25} | more  # 25, 25, 25 and a last batch of 21
    (a, wanted, gradients), (b, found, fast_gradients) = both_ways(make, data, loss, optimizer, dtype, **settings)
    near = ROUNDING[dtype]
    assert len(wanted.step_loss) == len(found.step_loss) > 0
    np.testing.assert_allclose(found.step_loss, wanted.step_loss, rtol=near, atol=near * np.mean(wanted.step_loss) / 10)
    largest = max(map(np.linalg.norm, gradients))
    for g, h in zip(gradients, fast_gradients, strict=True):
        assert np.linalg.norm(g - h) <= near * (2 * np.linalg.norm(g) + largest / 10)
    assert np.abs(a.theta - b.theta).max() <= near * np.abs(a.theta).max()
    rows = data.test.x
    a.fast = False
    y = a.predict(rows)
    np.testing.assert_allclose(b.predict(rows), y, rtol=10 * near, atol=near * np.abs(y).max())
    for name, value in a.state().items():
        np.testing.assert_allclose(b.state()[name], value, rtol=near, atol=near / 10)


def layers(
    middle: Callable[[], list[gn.Layer]], last: Callable[[], list[gn.Layer]] = list
) -> Callable[[], list[gn.Layer]]:
    return lambda: [
        gn.Standardize(),
        gn.Dense(13, 19),
        *middle(),
        gn.Dense(19, 35),
        gn.Tanh(),
        gn.Dense(35, 3),
        *last(),
    ]


def ending(loss: str) -> Callable[[], list[gn.Layer]]:
    """What a network needs at its end for this loss."""
    return (lambda: [gn.Exp()]) if loss == "Poisson" else list


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", LAYERS)
@both_types
def test_every_layer_with_every_loss(dtype: str, name: str, loss: str) -> None:
    data = dataset(LOSSES[loss][1])
    assert_same(layers(LAYERS[name], ending(loss)), data, LOSSES[loss][0], OPTIMIZERS["momentum"], dtype)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", EMBEDDINGS)
@both_types
def test_embeddings_with_every_loss(dtype: str, name: str, loss: str) -> None:
    def make() -> list[gn.Layer]:
        return [gn.Standardize(), *EMBEDDINGS[name](), *ending(loss)()]

    assert_same(make, dataset(LOSSES[loss][1]), LOSSES[loss][0], OPTIMIZERS["momentum"], dtype)


@pytest.mark.parametrize("optimizer", ["all of SGD", "AdamW", "clipped AdamW"])
@pytest.mark.parametrize("name", EMBEDDINGS)
def test_embeddings_with_other_optimizers(name: str, optimizer: str) -> None:
    def make() -> list[gn.Layer]:
        return [gn.RobustScale(), *EMBEDDINGS[name](), gn.Unstandardize()]

    assert_same(make, dataset("values"), gn.MSE(), OPTIMIZERS[optimizer])


@both_types
def test_tables_with_embedded_categories(dtype: str) -> None:
    def make() -> list[gn.Layer]:
        return [
            gn.Columns([0] * 11 + [30, 4], missing=[0, 12]),
            gn.Standardize(),
            gn.CategoryEmbedding([30, 4], 3, plain=13),
            gn.PiecewiseLinear(11, 2, bins=7, plain=8),
            gn.Dense(30, 9),
            gn.SiLU(),
            gn.Dense(9, 3),
        ]

    data, rng = dataset("values"), np.random.default_rng(0)
    for part in (data.train, data.val, data.test):
        part.x[:, 11:] = rng.integers([-1, -1], [30, 5], (len(part), 2))  # unknown ones, too
        part.x[::5, [0, 12]] = np.nan
    assert_same(make, data, gn.MSE(), OPTIMIZERS["AdamW"], dtype)


@pytest.mark.parametrize("loss", LOSSES)
@both_types
def test_rows_may_have_weights(dtype: str, loss: str) -> None:
    train = dataset(LOSSES[loss][1]).train
    weights = np.random.default_rng(1).exponential(size=len(train))
    weights[::5] = 0
    orders = [np.random.default_rng(i).permutation(len(train))[:31] for i in range(5)]
    start = gn.Network(layers(LAYERS["BatchNorm"], ending(loss))(), "float32")
    start.fit_preprocessing(train.x)
    found = []
    for kind, fast in (("float64", False), (dtype, True)):
        net = start.copy(kind)
        net.fast = fast
        step = training_step(net, train.x, train.y, LOSSES[loss][0], OPTIMIZERS["momentum"](), 31)
        assert isinstance(step, FastStep) == fast
        values = [step(rows, 1.0, weights[rows]) for rows in orders]
        values += [step(orders[0], 1.0)]  # weights of one step don't last
        found.append((values, net.theta))
    (values, theta), (fast_values, fast_theta) = found
    np.testing.assert_allclose(fast_values, values, rtol=ROUNDING[dtype])
    assert np.abs(theta - fast_theta).max() <= ROUNDING[dtype] * np.abs(theta).max()


def test_poisson_takes_outputs_of_exp_alone() -> None:
    net = gn.Network([gn.Dense(4, 3)])
    assert FastStep.uncovered(net, gn.Poisson(), gn.SGD(0.1)) == "the kernel for Poisson takes outputs of Exp"
    for x in (1e3, -1e3):  # an output that overflows, and one that is 0
        net = gn.Network([gn.Dense(1, 1), gn.Exp()])
        net.layers[0].W[...] = x
        step = training_step(net, np.ones((1, 1)), np.ones((1, 1)), gn.Poisson(), gn.SGD(0.1), 1)
        assert isinstance(step, FastStep)
        assert not np.isfinite(step(np.array([0]), 1.0))
        assert net.layers[0].W[0, 0] == x


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["ReLU", "BatchNorm", "LayerNorm after"])
@both_types
def test_every_optimizer(dtype: str, name: str, optimizer: str) -> None:
    assert_same(layers(LAYERS[name]), dataset("labels"), gn.CrossEntropy(), OPTIMIZERS[optimizer], dtype)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@both_types
def test_learning_rate_factors_and_bounded_norms(dtype: str, optimizer: str) -> None:
    def make() -> list[gn.Layer]:
        return [
            gn.Dense(13, 70, max_norm=0.9, lr_factor=3.0),
            gn.BatchNorm(70, lr_factor=0.5),
            gn.ReLU(),
            gn.Dense(70, 9, lr_factor=0.1),
            gn.LayerNorm(9, lr_factor=2.0),
            gn.Dense(9, 3, max_norm=0.5),
        ]

    assert_same(make, dataset("labels"), gn.CrossEntropy(), OPTIMIZERS[optimizer], dtype)
    net = gn.Network(make(), dtype)
    gn.fit(net, dataset("labels"), gn.CrossEntropy(), OPTIMIZERS[optimizer](), epochs=1, validate=False)
    assert np.linalg.norm(net.layers[0].W, axis=0).max() == pytest.approx(0.9, rel=1e-5)
    assert np.linalg.norm(net.layers[5].W, axis=0).max() <= 0.5 * (1 + 1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 8, 9, 31, 64, 95, 96, 1000])
@both_types
def test_batches_of_any_size(dtype: str, batch_size: int) -> None:
    assert_same(
        layers(LAYERS["LayerNorm"]),
        dataset("labels"),
        gn.CrossEntropy(),
        OPTIMIZERS["SGD"],
        dtype,
        batch_size=batch_size,
        epochs=1,
    )


def test_batches_drawn_with_replacement_may_be_larger_than_the_data() -> None:
    more = {"replacement": True, "batch_size": 200, "epochs": 3}
    assert_same(layers(LAYERS["ReLU"]), dataset("labels"), gn.CrossEntropy(), OPTIMIZERS["SGD"], **more)


@pytest.mark.parametrize("kind", ["uint8", "int64", "float32", "float64"])
@both_types
@pytest.mark.parametrize(
    "first",
    [
        [],
        [lambda: gn.Standardize()],
        [lambda: gn.Standardize(per_feature=False)],
        [lambda: gn.Standardize(), lambda: gn.Standardize()],
        [lambda: gn.QuantileNormalize(50)],
    ],
    ids=["none", "Standardize", "one mean", "twice", "QuantileNormalize"],
)
def test_raw_rows_of_any_type(first: list[Callable[[], gn.Layer]], dtype: str, kind: str) -> None:
    def make() -> list[gn.Layer]:
        scale = 0.001 if not first and kind == "uint8" else 0.1
        return [*(one() for one in first), gn.Dense(13, 9, init=f"normal({scale})"), gn.Tanh(), gn.Dense(9, 3)]

    assert_same(make, dataset("labels", dtype=kind), gn.CrossEntropy(), OPTIMIZERS["SGD"], dtype)


@both_types
def test_targets_in_their_own_unit(dtype: str) -> None:
    data = dataset("values")
    for part in (data.train, data.val, data.test):
        part.y = 1e6 + 1e4 * part.y
    assert_same(
        layers(LAYERS["SiLU"], lambda: [gn.Unstandardize()]), data, gn.Huber(), OPTIMIZERS["momentum"], dtype, epochs=3
    )


def test_parameters_before_the_first_dense_layer() -> None:
    make = layers(LAYERS["ReLU"])
    for first in (lambda: gn.BatchNorm(13), lambda: gn.LayerNorm(13), lambda: gn.Dropout(0.2), gn.Tanh):
        assert_same(lambda first=first: [first(), *make()[1:]], dataset("labels"), gn.CrossEntropy(), OPTIMIZERS["SGD"])


@settings(max_examples=100, deadline=None)
@given(
    widths=st.lists(st.integers(1, 70), min_size=2, max_size=5),
    batch_size=st.integers(1, 100),
    middle=st.sampled_from(["ReLU", "Tanh", "GELU", "LeakyReLU"]),
    dtype=st.sampled_from(sorted(ROUNDING)),
)
def test_networks_of_any_shape(widths: list[int], batch_size: int, middle: str, dtype: str) -> None:
    data = dataset("values", n_in=widths[0], n_out=widths[-1])

    def make() -> list[gn.Layer]:
        found: list[gn.Layer] = []
        for n_in, n_out in itertools.pairwise(widths):
            found += [*(LAYERS[middle]() if found else []), gn.Dense(n_in, n_out, init="lecun")]
        return found

    assert_same(make, data, gn.MSE(), lambda: gn.SGD(0.001, momentum=0.5), dtype, batch_size=batch_size, epochs=1)


@pytest.mark.parametrize("optimizer", ["momentum", "clipped AdamW"])
@both_types
def test_bits_dont_depend_on_the_number_of_threads(dtype: str, optimizer: str) -> None:
    data = dataset("labels", n_in=70)
    thetas, outputs = [], []
    for count in (1, 2, 3, 5):
        net = gn.Network(
            [
                gn.Standardize(),
                gn.Dense(70, 65, max_norm=1.0),
                gn.BatchNorm(65),
                gn.ReLU(),
                gn.Dense(65, 40),
                gn.LayerNorm(40),
                gn.GELU(),
                gn.Dropout(0.1),
                gn.Dense(40, 3),
            ],
            dtype,
            threads=count,
        )
        gn.fit(net, data, gn.CrossEntropy(), OPTIMIZERS[optimizer](), epochs=4, batch_size=33)
        thetas.append(net.theta)
        outputs.append(net.predict(np.tile(data.test.x, (40, 1))))
    assert all(np.array_equal(thetas[0], theta) for theta in thetas)
    assert all(np.array_equal(outputs[0], output) for output in outputs)


def test_one_argument_switches_and_the_summary_tells(capsys: pytest.CaptureFixture[str]) -> None:
    net = gn.Network([gn.Dense(4, 3)], threads=1)
    net.summary()
    level = loading.level(np.dtype(np.float32))
    assert f"compiled kernels ({level}), at most 1 thread" in capsys.readouterr().out
    net.fast = False
    net.summary()
    assert capsys.readouterr().out.splitlines()[-1] == "computed by NumPy"
    gn.Network([gn.Dense(4, 3), gn.Softmax()]).summary()
    assert "there is no kernel for Softmax" in capsys.readouterr().out


def test_what_isnt_covered_is_done_by_the_readable_layers() -> None:
    class Swish(gn.SiLU):
        pass

    class Slow(gn.SGD):
        pass

    class Own(gn.MSE):
        pass

    net, swish = gn.Network([gn.Dense(4, 3)]), gn.Network([gn.Dense(4, 3), Swish()])
    assert FastStep.uncovered(swish, gn.MSE(), gn.SGD(0.1)) == "there is no kernel for Swish"
    assert FastStep.uncovered(net, Own(), gn.SGD(0.1)) == "there is no kernel for Own"
    assert FastStep.uncovered(net, gn.MSE(), Slow(0.1)) == "there is no kernel for Slow"
    data = dataset("labels")
    own = gn.Network([gn.Standardize(), gn.Dense(13, 9), Swish(), gn.Dense(9, 3)])
    assert gn.fit(own, data, gn.CrossEntropy(), gn.Adam(), epochs=2)["train_loss"][-1] < 2


def test_every_public_class_has_a_kernel_or_a_reason_to_have_none() -> None:
    tables = (kernels.KERNELS, kernels.PREPARED, kernels.WITHOUT)
    assert public(gn.Layer) == {layer for table in tables for layer in table}
    assert sum(map(len, tables)) == len(public(gn.Layer))
    assert public(gn.Loss) == set(kernels.LOSSES)
    assert public(gn.Optimizer) == set(kernels.OPTIMIZERS)


def test_every_kernel_in_c_is_in_the_table() -> None:
    found = loading.load_kernels(np.dtype(np.float32))
    assert isinstance(found, structures.Library)
    assert set(found.numbers) == set(kernels.kind_names())


@pytest.mark.parametrize("n", [0, 1, 2, 9, 99, 511, 512, 513, 2000])
@pytest.mark.parametrize(
    "embedding", [list, lambda: [gn.PiecewiseLinear(11, 8, 32, plain=2)], lambda: [gn.PiecewiseLinear(13, 3, 7, "A")]]
)
@both_types
def test_prediction_of_any_number_of_rows(dtype: str, embedding: Callable[[], list[gn.Layer]], n: int) -> None:
    first = embedding()
    width = first[0].width_out(13) if first else 13
    net = gn.Network([gn.Standardize(), *first, gn.Dense(width, 41), gn.GELU(), gn.Dense(41, 3)], dtype)
    net.theta += 0.1 * np.random.default_rng(1).normal(size=net.theta.size).astype(dtype)
    net.fit_preprocessing(dataset("labels").train.x)
    for x in (np.random.default_rng(0).normal(size=(n, 13)), np.full((n, 13), 7, np.uint8)):
        rows = x.astype(dtype) if x.dtype == np.float64 else x
        y = net.predict(rows)
        assert (y.dtype, y.shape) == (np.dtype(dtype), (n, 3))
        readable, rounding = net.copy("float64").forward(rows), 3 * ROUNDING[dtype]
        np.testing.assert_allclose(y, readable, rtol=rounding, atol=rounding * np.abs(readable).max(initial=1))
        for few in ([0], [n // 2, n - 1]) if n else ():  # the same bits alone as among others
            np.testing.assert_array_equal(net.predict(rows[few]), y[few])


@pytest.mark.parametrize("kind", ["float32", "float64", "uint8"])
@both_types
def test_quantiles_are_those_of_the_readable_layer(dtype: str, kind: str) -> None:
    rng = np.random.default_rng(0)
    train = np.c_[rng.normal(100, 30, 3000), rng.integers(0, 3, 3000), 10 * rng.integers(0, 9, 3000), np.full(3000, 7)]
    net = gn.Network([gn.QuantileNormalize(), gn.RobustScale(), gn.Dense(4, 2)], dtype)
    net.fit_preprocessing(train.astype(kind))
    other = gn.QuantileNormalize(noise=0.01).fit(train)
    net.layers[0].knots[:, 1] = other.knots[:, 1]
    edges = [-1e30, 0, 1, 7, 255, 1e30, *train[:9, 0]]
    x = np.r_[
        train,
        rng.uniform(0, 255, (3000, 4)),
        np.repeat(np.clip(edges, 0, 255) if kind == "uint8" else edges, 4).reshape(-1, 4),
    ]
    rows = x.astype(kind)
    y = net.prepare(rows)
    assert y.dtype == np.dtype(dtype)
    net.fast = False
    np.testing.assert_allclose(y, net.prepare(rows), rtol=ROUNDING[dtype], atol=ROUNDING[dtype])


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "int64"])
@both_types
def test_rows_are_prepared_as_by_the_readable_layers(dtype: str, kind: str) -> None:
    rng = np.random.default_rng(0)
    train = np.c_[rng.normal(3, 30, 700), rng.integers(0, 3, 700), rng.integers(0, 60, 700), rng.integers(0, 2, 700)]
    x = np.r_[train, rng.integers(-2, 9, (300, 4)), np.full((1, 4), 1000)]
    if np.dtype(kind).kind == "f":
        x[::5, 0], x[3::7, 1], x[5::8, 2] = np.nan, np.nan, 0.5
    columns = gn.Columns([0, 3, 0, 2], [0, 1], [[2, 7], [0, 365.2425]])
    for layers in (
        [columns, gn.QuantileNormalize(50)],
        [columns, gn.Rotations(4, [[0, 1], [2, 0]], plain=7), gn.Standardize(), gn.RobustScale()],
        [gn.Columns([0] * 4), gn.Standardize(per_feature=False, eps=0.1)],
        [gn.Columns([2, 3, 2, 2])],
        [gn.TargetMeans(4, [1, 2], [3, 60], 2), gn.Columns([0, 3, 0, 2, 0, 0, 0, 0], [0])],
    ):
        net = gn.Network([type(layer)(**layer.config()) for layer in layers] + [gn.LayerNorm(width(layers))], dtype)
        net.fit_preprocessing(train.astype(kind), rng.normal(size=(700, 2)))
        rows = x.astype(kind)
        y, alone = net.prepare(rows), net.prepare(rows[3:4])
        np.testing.assert_array_equal(alone, y[3:4])
        net.fast = False
        np.testing.assert_allclose(y, net.prepare(rows), rtol=ROUNDING[dtype], atol=ROUNDING[dtype])


def width(layers: list[gn.Layer]) -> int:
    """That of rows after layers."""
    found = 4
    for layer in layers:
        found = layer.width_out(found) or found
    return found


def test_prediction_follows_what_is_fitted_or_set_anew() -> None:
    net = gn.Network([gn.Standardize(), gn.Dense(3, 2), gn.BatchNorm(2)])
    x = np.random.default_rng(0).normal(3, 2, (500, 3))
    with pytest.raises(ValueError, match="is not fitted"):
        net.predict(x)
    for scale in (1, 10):
        net.layers[0].fit(x * scale)
        np.testing.assert_allclose(net.predict(x), net.forward(x), rtol=1e-5, atol=1e-6)
    net.theta *= 2
    net.set_state({"2.running_mean": np.array([1.0, 2.0])})
    np.testing.assert_allclose(net.predict(x), net.forward(x), rtol=1e-5, atol=1e-6)
    assert net.predict(x[:0]).shape == (0, 2)
    np.testing.assert_allclose(net.predict(x[::2, ::-1]), net.forward(x[::2, ::-1]), rtol=1e-5, atol=1e-6)


def test_outputs_of_one_call_outlive_the_next() -> None:
    net = gn.Network([gn.Dense(3, 2), gn.Unstandardize()])
    net.layers[1].fit(np.arange(20.0).reshape(10, 2))
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    first = net.predict(x[0])
    kept = first.copy()
    net.predict(x[1])
    assert np.array_equal(first, kept)


def test_momenta_too_small_for_all_their_digits_become_0_and_nothing_else_does() -> None:
    net, optimizer = gn.Network([gn.Dense(2, 1)]), gn.Adam()
    step = FastStep(net, np.zeros((4, 2), np.float32), np.ones((4, 1)), gn.MSE(), optimizer, 4)
    momentum = optimizer.state()["m"]
    momentum[...] = 1.2e-38  # nine tenths of it have fewer digits
    step(np.arange(4), 1.0)
    assert (momentum[:2] == 0).all()
    assert momentum[2] != 0  # the bias has a gradient
    assert np.float32(1e-40) * np.ones(1, np.float32) > 0  # outside of the kernels


def test_divergence_leaves_the_weights_and_names_the_layer() -> None:
    data = dataset("values")
    net = gn.Network([gn.Dense(13, 9), gn.ReLU(), gn.Dense(9, 3)])
    before = net.theta.copy()
    with pytest.raises(gn.DivergenceError, match="the loss became"):
        gn.fit(net, data, gn.MSE(), gn.SGD(1e30), epochs=3)
    assert not np.array_equal(net.theta, before)
    net = gn.Network([gn.Dense(13, 9), gn.ReLU(), gn.Dense(9, 3)])
    net.layers[0].W[0, 0] = np.nan
    with pytest.raises(gn.DivergenceError, match="output that isn't finite is that of layer 0"):
        gn.fit(net, data, gn.MSE(), gn.SGD(0.1))


def test_trainings_in_several_threads_and_forked_processes_are_the_same() -> None:
    data = dataset("labels")

    def theta() -> np.ndarray:
        net = gn.Network([gn.Standardize(), gn.Dense(13, 64), gn.ReLU(), gn.Dense(64, 3)], threads=2)
        gn.fit(net, data, gn.CrossEntropy(), gn.Adam(), epochs=20, batch_size=32)
        return net.theta

    wanted, found = theta(), []
    workers = [threading.Thread(target=lambda: found.append(theta())) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 3
    assert all(np.array_equal(wanted, other) for other in found)
    if hasattr(os, "fork"):
        child = os.fork()
        if child == 0:
            os._exit(0 if np.array_equal(wanted, theta()) else 1)
        assert os.waitpid(child, 0)[1] == 0


def test_threads_respect_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert threads.available() >= 1
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert threads.available() == 1
    with pytest.raises(ValueError, match="threads must be a whole number of at least 1"):
        gn.Network([gn.Dense(1, 1)], threads=0)


class EachStep(gn.Callback):
    """Looks at each step, so that the kernels can't take several at once."""

    def on_step(self, run: gn.Training) -> None:
        assert run.history.step_loss


@pytest.mark.parametrize(
    "optimizer",
    [gn.SGD(0.05, momentum=0.9), gn.SGD(0.05, nesterov=True, momentum=0.9), gn.Adam(clip_norm=0.5), gn.AdamW(0.01)],
    ids=["momentum", "Nesterov", "clipped Adam", "AdamW"],
)
def test_epochs_at_once_are_the_same_bits_as_step_by_step(optimizer: gn.Optimizer) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(700, 6)), rng.integers(0, 3, 700)
    data = gn.Dataset.from_arrays(x, y)

    def made() -> list[list[gn.Layer]]:
        embedded = [gn.QuantileNormalize(), gn.PiecewiseLinear(6, 8, 8), gn.Dense(48, 16), gn.ReLU(), gn.Dropout(0.3)]
        return [
            [gn.Standardize(), gn.Dense(6, 40), gn.BatchNorm(40), gn.GELU(), gn.Dropout(0.2), gn.Dense(40, 3)],
            [*embedded, gn.Dense(16, 3)],
            [gn.GaussianNoise(0.1), gn.Dense(6, 7, max_norm=1), gn.Tanh(), gn.Dense(7, 3)],
        ]

    for number in range(len(made())):
        found = []
        for callbacks in ([], [EachStep()]):
            net = gn.Network(made()[number], seed=1)
            history = gn.fit(
                net,
                data,
                gn.CrossEntropy(0.1),
                copy.deepcopy(optimizer),
                epochs=4,
                batch_size=33,
                schedule=gn.Cosine(),
                average=gn.SWA(0.5),
                callbacks=callbacks,
            )
            rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history.epochs]
            found.append((net.theta.tobytes(), rows, history.step_loss, history.step_lr))
        assert found[0] == found[1]


def test_a_loss_that_isnt_finite_ends_an_epoch_at_once_as_it_does_step_by_step() -> None:
    data = gn.Dataset.from_arrays(np.random.default_rng(0).normal(size=(300, 3)), np.arange(300.0))
    found = []
    for callbacks in ([], [EachStep()]):
        net = gn.Network([gn.Dense(3, 4), gn.ReLU(), gn.Dense(4, 1)])
        with pytest.raises(gn.DivergenceError) as error:
            gn.fit(net, data, gn.MSE(), gn.SGD(1e3), batch_size=8, callbacks=callbacks, validate=False)
        found.append((str(error.value), net.theta.tobytes()))
    assert found[0] == found[1]


def test_the_fastest_count_is_found_and_found_again() -> None:
    for limit, fast in ((4, 1), (4, 2), (4, 4), (1, 1)):
        chooser = threads.Threads(limit)
        counts = []
        for _ in range(3000):
            count = chooser.counts[chooser.choice]
            counts.append(count)
            chooser.choice = chooser.choices.send((1.0 if count == fast else 1.5, 1))
        assert counts[:3] == [1] * 3
        assert counts[100:].count(fast) > 0.9 * len(counts[100:])


CHECK = """
import sys, numpy as np, glassnet as gn
net = gn.Network([gn.Dense(3, 2)], sys.argv[1])
net.summary()
data = gn.Dataset.from_arrays(np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2)
gn.fit(net, data, gn.CrossEntropy(), gn.SGD(0.1), epochs=1)
"""


def summary_with(tmp_path: Path, dtype: str = "float32", **environment: str) -> str:
    kept = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "GLASSNET_KERNELS": "native"}
    env = os.environ | kept | environment
    shown = subprocess.run([sys.executable, "-c", CHECK, dtype], env=env, capture_output=True, text=True, check=True)
    return shown.stdout.splitlines()[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME is Linux's")
def test_kernels_are_compiled_once_for_each_type_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "glassnet" / "kernels"
    assert "compiled kernels" in summary_with(tmp_path)
    (kept,) = folder.iterdir()
    made = kept.stat().st_mtime_ns
    assert "compiled kernels" in summary_with(tmp_path)
    assert kept.stat().st_mtime_ns == made
    assert "compiled kernels" in summary_with(tmp_path, "float64")
    assert len(list(folder.iterdir())) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME is Linux's")
def test_without_a_compiler_or_a_cache_numpy_does_it(tmp_path: Path) -> None:
    assert "NumPy (there is no C compiler (nowhere))" in summary_with(tmp_path, CC="nowhere")
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho 'x.c:1: error: unknown machine' >&2\nexit 1\n")
    broken.chmod(0o755)
    assert "can't compile the kernels: x.c:1: error: unknown machine" in summary_with(tmp_path, CC=str(broken))
    (tmp_path / "file").write_text("")
    assert "can't be kept" in summary_with(tmp_path, XDG_CACHE_HOME=str(tmp_path / "file"))


def test_the_key_of_the_kept_library_names_the_processor() -> None:
    assert compiling._processor()


def test_replaced_arrays_are_never_reached_into() -> None:
    data = dataset("labels")
    net = gn.Network([gn.Dense(13, 9), gn.BatchNorm(9), gn.ReLU(), gn.Dense(9, 3)])
    x = data.test.x.astype(np.float32)
    first = net.predict(x)
    net.layers[0].W = 2 * net.layers[0].W
    assert "W of layer 0 is not part of theta" in str(FastStep.uncovered(net, gn.MSE(), gn.SGD(0.1)))
    np.testing.assert_allclose(net.predict(x), net.forward(x), rtol=1e-5)
    assert not np.allclose(net.predict(x), first)
    other = gn.Network([gn.BatchNorm(13), gn.Dense(13, 3)])
    other.layers[0].running_mean = np.ones(13, np.float32)
    assert "running_mean of layer 0 is not a float64" in str(FastStep.uncovered(other, gn.MSE(), gn.SGD(0.1)))
    assert gn.fit(other, data, gn.CrossEntropy(), gn.SGD(0.1), epochs=1)["train_loss"][-1] > 0
    optimizer = gn.SGD(0.1, momentum=0.9)
    optimizer.velocity = np.zeros(5)
    with pytest.raises(ValueError, match=r"its velocity has shape \(5,\), the network's parameters \(42,\)"):
        gn.fit(gn.Network([gn.Dense(13, 3)]), data, gn.CrossEntropy(), optimizer)


def test_what_is_set_anew_is_seen() -> None:
    x = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    net = gn.Network([gn.Dense(4, 5), gn.LeakyReLU(0.1), gn.Dense(5, 3)])
    net.predict(x)
    net.layers[1].slope = 0.9
    np.testing.assert_allclose(net.predict(x), net.forward(x), rtol=1e-5, atol=1e-6)
    net.layers.pop()
    np.testing.assert_allclose(net.predict(x), net.forward(x), rtol=1e-5, atol=1e-6)
    net.threads = -1
    with pytest.raises(ValueError, match="threads must be a whole number of at least 1"):
        net.predict(x)


class Changes(gn.Callback):
    """Sets everything that training reads, in its midst."""

    def on_step(self, run: Training) -> None:
        step = len(run.history.step_loss)
        run.loss.label_smoothing = 0.01 * step
        run.net.layers[2].momentum = 0.5 / step
        run.net.layers[4].rate = 0.3 * (step % 2)
        run.optimizer.weight_decay = 0.1 * step
        if step == 3:
            run.optimizer.velocity = np.zeros_like(run.optimizer.velocity)
            run.net.layers[2].running_mean = np.ones(9)


def test_callbacks_may_change_what_they_see() -> None:
    data = dataset("labels")
    trained = []
    for fast in (False, True):
        net = gn.Network(
            [gn.Standardize(), gn.Dense(13, 9), gn.BatchNorm(9), gn.Tanh(), gn.Dropout(0.2), gn.Dense(9, 3)], fast=fast
        )
        gn.fit(
            net, data, gn.CrossEntropy(), gn.SGD(0.05, momentum=0.9), 2, 25, callbacks=[Changes()], restore_best=False
        )
        trained.append(net)
    np.testing.assert_allclose(trained[1].theta, trained[0].theta, atol=1e-5)
    for name, value in trained[0].state().items():
        np.testing.assert_allclose(trained[1].state()[name], value, rtol=1e-5, atol=1e-6)


def test_preprocessing_of_ones_own_is_done_by_the_readable_layers() -> None:
    class Noise(gn.Standardize):
        pass

    assert (
        FastStep.uncovered(gn.Network([Noise(), gn.Dense(4, 3)]), gn.MSE(), gn.SGD(0.1))
        == "there is no kernel for Noise"
    )
