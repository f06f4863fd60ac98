"""A network of dtype bfloat16 trains with products of rounded terms, and is a float32 network in all else."""

from __future__ import annotations

import itertools
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.fast.loading import load_kernels
from glassnet.fast.training import FastStep
from glassnet.nn.bfloat16 import bfloat16
from glassnet.train.step import ReadableStep

kernels = load_kernels(np.dtype(np.float32))
fast = pytest.mark.skipif(
    isinstance(kernels, Exception) or not kernels.has_matrix_unit(), reason="no matrix unit for bfloat16"
)


def network(sizes: list[int], seed: int = 0, threads: int = 1, dtype: str = "bfloat16") -> gn.Network:
    layers = [layer for n, m in itertools.pairwise(sizes) for layer in (gn.Dense(n, m), gn.Tanh())]
    return gn.Network(layers[:-1], dtype, seed=seed, threads=threads)


def data(x: np.ndarray, t: np.ndarray) -> gn.Dataset:
    return gn.Dataset.from_arrays(x, t, task="classification", val=0.1, test=0.1)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_rounding_goes_to_the_nearest_and_halves_to_the_even(x: float) -> None:
    rounded = float(bfloat16(np.array([x], np.float32))[0])
    if math.isinf(rounded):
        assert abs(x) >= (2 - 2**-8) * 2.0**127  # halfway between the largest bfloat16 and the next power of two
        return
    step = 2.0 ** (max(math.frexp(x)[1], -125) - 8)  # from one bfloat16 to the next
    assert rounded == round(x / step) * step  # Python's round goes to the even one, too


def test_rounding_keeps_what_is_not_finite() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, -0.0], np.float32)
    odd = np.append(odd, np.array([0x7F800001, 0xFFFFFFFF], np.uint32).view(np.float32))  # other NaN
    rounded = bfloat16(odd)
    assert np.array_equal(np.isnan(rounded), np.isnan(odd))
    assert np.array_equal(rounded[1:4], odd[1:4])
    assert np.signbit(rounded[3])


def test_terms_are_rounded_in_training_and_only_there() -> None:
    rng = np.random.default_rng(0)
    net = network([5, 3])
    x, dy = rng.normal(size=(7, 5)).astype(np.float32), rng.normal(size=(7, 3)).astype(np.float32)
    layer = net.layers[0]
    trained = net.forward(x, training=True)
    dx = net.backward(dy)
    narrow = bfloat16(x), bfloat16(layer.W), bfloat16(dy)
    assert np.allclose(trained, narrow[0] @ narrow[1] + layer.b, atol=1e-6)
    assert np.allclose(layer.dW, narrow[0].T @ narrow[2], atol=1e-5)
    assert np.allclose(dx, narrow[2] @ narrow[1].T, atol=1e-5)
    assert np.allclose(net.predict(x), x @ layer.W + layer.b, atol=1e-6)
    assert not np.allclose(trained, x @ layer.W + layer.b, atol=1e-6)


def test_the_precision_goes_with_the_network(tmp_path: Path) -> None:
    net = network([5, 4, 3])
    net.save(tmp_path / "net.safetensors")
    for other in (gn.Network.load(tmp_path / "net.safetensors"), net.copy(), pickle.loads(pickle.dumps(net))):
        assert other.precision == "bfloat16"
        assert other.dtype == np.float32
        assert all(layer.narrow for layer in other.layers)
    wide = net.copy("float64")
    assert wide.precision == "float64"
    assert not wide.layers[0].narrow
    assert "bfloat16" in repr(net)


def test_the_gradient_check_is_of_the_exact_formulas() -> None:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(9, 5)), rng.integers(0, 3, 9)
    assert gn.gradcheck(network([5, 4, 3]), x, t, gn.CrossEntropy()).passed


@fast
@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 70), min_size=2, max_size=4), rows=st.integers(1, 70), threads=st.integers(1, 3),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_the_matrix_unit_computes_what_the_layers_say(sizes: list[int], rows: int, threads: int, seed: int) -> None:
    compare(sizes, rows, threads, seed)


def test_a_processor_without_the_unit_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(kernels, Exception):
        pytest.skip(str(kernels))
    monkeypatch.setattr(kernels, "has_matrix_unit", lambda: 0)
    why = FastStep.uncovered(network([2, 2]), gn.MSE(), gn.SGD(0.1))
    assert why is not None
    assert "no matrix unit" in why
    assert gn.Network.engine is not None
    assert why in gn.Network.engine.describe(network([2, 2]))
    assert FastStep.uncovered(network([2, 2], dtype="float32"), gn.MSE(), gn.SGD(0.1)) is None


@fast
def test_a_batch_may_be_larger_than_what_is_packed_at_once() -> None:
    compare([40, 33, 3], 2500, 2, 0)


def compare(sizes: list[int], rows: int, threads: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, t = rng.normal(size=(rows, sizes[0])).astype(np.float32), rng.normal(size=(rows, sizes[-1])).astype(np.float32)
    nets = [network(sizes, seed, threads) for _ in range(2)]
    makes = zip((ReadableStep, FastStep), nets, strict=True)
    steps = [make(net, x, t, gn.MSE(), gn.SGD(0.1), rows) for make, net in makes]
    losses = [step(np.arange(rows), 1.0) for step in steps]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    # A sum that is rounded to a neighbour of what the other has rounded it to differs by one part in 256.
    assert np.allclose(nets[0].theta, nets[1].theta, rtol=1e-3, atol=1e-4)


@fast
def test_bits_dont_depend_on_the_number_of_threads() -> None:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(300, 50)).astype(np.float32), rng.integers(0, 5, 300)
    found = []
    for threads in (1, 2, 3):
        net = network([50, 90, 70, 5], threads=threads)
        gn.fit(net, data(x, t), gn.CrossEntropy(), gn.AdamW(1e-3), epochs=2, batch_size=64)
        found.append(net.theta.tobytes())
    assert len(set(found)) == 1


def test_it_learns_as_float32_does() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2)).astype(np.float32)
    t = (x.prod(axis=1) > 0).astype(int)
    for dtype in ("float32", "bfloat16"):
        net = network([2, 32, 2], dtype=dtype)
        gn.fit(net, data(x, t), gn.CrossEntropy(), gn.Adam(1e-2), epochs=40)
        assert (net.predict(x).argmax(axis=1) == t).mean() > 0.95
