"""Numbers far from 0, and where the network's type begins and ends."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.estimators import MLPRegressor
from glassnet.exchange import to_onnx

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
Y = 2 * X[:, 0] + X[:, 1] ** 2
OFFSETS = [0.0, -1e6, 1e7, 1e9, -1e11]
R2 = 0.9


def trained(offset: float, fast: bool = True, seed: int = 0, dtype: str = "float32") -> tuple[gn.Network, gn.Dataset]:
    data = gn.Dataset.from_arrays(X, Y + offset)
    layers = [gn.Standardize(), gn.Dense(3, 16), gn.Tanh(), gn.Dense(16, 1), gn.Unstandardize()]
    net = gn.Network(layers, dtype, seed=seed, fast=fast)
    gn.fit(net, data, gn.MSE(), gn.Adam(0.02), 30, 16)
    return net, data


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("offset", OFFSETS)
def test_what_was_learned_of_targets_far_from_0_is_in_the_answers(offset: float, fast: bool) -> None:
    net, data = trained(offset, fast)
    assert net.predict(X).dtype == net.predict(X[:0]).dtype == np.float64
    near = net.predict(X)[:, 0] - offset
    assert 1 - ((near - Y) ** 2).mean() / Y.var() > R2
    found = gn.evaluate(net, data.train, gn.MSE())
    assert found["r2"] > R2
    assert found["loss"] == pytest.approx(found["mse"], rel=1e-9)
    np.testing.assert_allclose(gn.Ensemble([net, net], "regression").predict(X), net.predict(X), rtol=1e-15)
    assert gn.train.metrics.baseline(data.train, data.train, gn.MSE())["r2"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("offset", OFFSETS)
def test_onnx_gives_targets_far_from_0(offset: float, tmp_path: Any) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    nets = [trained(offset, seed=seed)[0] for seed in (0, 1)]
    for model in (nets[0], gn.Ensemble(nets, "regression")):
        model.export(tmp_path / "model.onnx", input_dtype="float64")
        session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
        (y,) = session.run(["y"], {"x": X})
        assert y.dtype == np.float64
        np.testing.assert_allclose(y - offset, model.predict(X) - offset, atol=1e-4)


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_right_gradient_isnt_blamed_for_targets_far_from_0(offset: float) -> None:
    net, data = trained(offset)
    assert gn.gradcheck(net, X[:6], Y[:6] + offset, gn.MSE(), entries=8).passed
    traced = gn.trace(net, X[:4], Y[:4] + offset, gn.MSE(), gn.SGD(0.1))
    assert traced.check("1.W", (0, 0)).passed
    assert traced.loss == pytest.approx(trained_loss(net, offset), rel=1e-3)
    found = gn.examine(net, data, gn.MSE(), gn.SGD(0.1), epochs=1)
    shown = next(finding.evidence for finding in found if finding.name == "hardest-rows").partition(";")[0]
    target, answer = re.findall(r"(?:target|prediction) (-?[0-9.e+-]+)", shown)
    assert target != answer
    assert not {"wrong-gradient", "initial-loss", "output-bias"} & {finding.name for finding in found}


def trained_loss(net: gn.Network, offset: float) -> float:
    return float(np.square((net.predict(X[:4])[:, 0] - offset - Y[:4]) / net.layers[-1].scale[0]).mean())


def test_a_wrong_gradient_is_found_for_targets_far_from_0() -> None:
    class Wrong(gn.Tanh):
        def backward(self, dy: Any) -> Any:
            return super().backward(dy) * 1.05

    net = gn.Network([gn.Standardize(), gn.Dense(3, 8), Wrong(), gn.Dense(8, 1), gn.Unstandardize()])
    net.fit_preprocessing(X, Y + 1e8)
    assert not gn.gradcheck(net, X[:6], Y[:6] + 1e8, gn.MSE()).passed


@pytest.mark.parametrize("rows", [np.float32, np.float64])
def test_the_preset_answers_targets_far_from_0(rows: type, small_preset: None) -> None:
    def fitted(offset: float) -> Any:
        model = MLPRegressor(random_state=0, preset="strong")
        return model.fit(X.astype(rows), Y + offset).predict(X.astype(rows)) - offset

    np.testing.assert_allclose(fitted(1e9), fitted(0.0), atol=1e-2)


@given(offset=st.floats(-1e12, 1e12), scale=st.floats(1e-3, 1e3), dtype=st.sampled_from(["float32", "float64"]))
@settings(max_examples=50, deadline=None)
def test_the_way_back_to_the_targets_unit_rounds_as_float64_does(offset: float, scale: float, dtype: str) -> None:
    t = offset + scale * Y
    layer = gn.Unstandardize().fit(t)
    u = ((t - layer.mean) / layer.scale)[:, None].astype(dtype)
    exact = u.astype(np.longdouble) * layer.scale + layer.mean
    assert np.abs(layer.forward(u) - exact).max() <= 4 * np.spacing(np.abs(t).max())


SCALED: dict[str, Callable[[], list[gn.Layer]]] = {
    "Standardize": lambda: [gn.Standardize()],
    "RobustScale": lambda: [gn.RobustScale()],
    "QuantileNormalize": lambda: [gn.QuantileNormalize(20)],
    "Columns": lambda: [gn.Columns([0, 0, 0])],
    "Rotations": lambda: [gn.Rotations(3), gn.RobustScale()],
}


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("kind", [np.float64, np.int64])
@pytest.mark.parametrize("name", SCALED)
def test_inputs_far_from_0_are_centred_before_they_are_rounded(name: str, kind: type, fast: bool) -> None:
    def answers(offset: float) -> Any:
        x = (np.round(1000 * X) + offset).astype(kind)
        layers = SCALED[name]()
        net = gn.Network([*layers, gn.Dense(wide(layers), 4)], fast=fast)
        return net.fit_preprocessing(x, Y) or net.predict(x)

    np.testing.assert_allclose(answers(2.0**31), answers(0), atol=1e-4)  # float32 has steps of 256 there


PREPROCESSING: dict[str, Callable[[], list[gn.Layer]]] = SCALED | {
    "Rotations alone": lambda: [gn.Rotations(3)],
    "Rotations and a plain column": lambda: [gn.Rotations(2, plain=1)],
    "Standardize, Rotations": lambda: [gn.Standardize(), gn.Rotations(3)],
    "Rotations twice": lambda: [gn.Rotations(3), gn.Rotations(17)],
    "a layer of one's own": lambda: [Log()],
    "none": list,
}


class Log(gn.nn.Preprocessing):
    """y = log(1 + |x|), in the row's type. Backward: not needed."""

    def forward(self, x: Any, training: bool = False) -> Any:
        return np.log1p(np.abs(x.astype(np.float64)))

    def backward(self, dy: Any) -> Any:
        return dy


FIRST: dict[str, Callable[[int], list[gn.Layer]]] = {
    "Dense": lambda w: [gn.Dense(w, 1)],
    "BatchNorm": lambda w: [gn.BatchNorm(w), gn.Dense(w, 1)],
    "LayerNorm": lambda w: [gn.LayerNorm(w), gn.Dense(w, 1)],
    "ReLU": lambda w: [gn.ReLU(), gn.Dense(w, 1)],
    "GELU": lambda w: [gn.GELU(), gn.Dense(w, 1)],
    "Dropout": lambda w: [gn.Dropout(0.2), gn.Dense(w, 1)],
    "PiecewiseLinear": lambda w: [gn.PiecewiseLinear(w, 2, 4), gn.Dense(2 * w, 1)],
    "PiecewiseLinear, plain": lambda w: [gn.PiecewiseLinear(2, 2, 4, "A", plain=w - 2), gn.Dense(w + 2, 1)],
    "Periodic": lambda w: [gn.Periodic(w, 2, 3), gn.Dense(2 * w, 1)],
    "CategoryEmbedding": lambda w: [gn.CategoryEmbedding([1, 1], 2, plain=w - 2), gn.Dense(w + 2, 1)],
}


def wide(layers: list[gn.Layer]) -> int:
    width: int | None = 3
    for layer in layers:
        width = layer.width_out(width)
    return width or 3


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("before", PREPROCESSING)
def test_any_first_layer_follows_any_preprocessing_in_any_type(before: str, first: str) -> None:
    for dtype, kind in itertools.product(["float32", "float64"], [np.float32, np.float64, np.uint8, np.int64]):
        x, t = np.abs(10 * X[:40]).astype(kind), Y[:40]
        answers, close = [], 1e-3 if dtype == "float32" else 1e-9
        for fast in (True, False):
            layers = PREPROCESSING[before]()
            net = gn.Network([*layers, *FIRST[first](wide(layers))], dtype, fast=fast)
            gn.fit(net, gn.Dataset.from_arrays(x, t), gn.MSE(), gn.SGD(1e-6), 1, 20)
            own = list(net.outputs(x))[max(0, len(layers) - 1) :]
            traced = gn.trace(net, x[:2], t[:2], gn.MSE(), gn.SGD(1e-6)).layers[max(0, len(layers) - 1) :]
            answers.append(net.predict(x))
            assert {y.dtype for y in [*own, *(layer.output for layer in traced), answers[-1]]} == {net.dtype}
        np.testing.assert_allclose(*answers, rtol=close, atol=close)


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("before", [name for name in PREPROCESSING if name != "a layer of one's own"])
def test_onnx_has_the_networks_type_from_the_first_layer_on(before: str, first: str) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    for dtype, kind in itertools.product(["float32", "float64"], ["float32", "float64", "uint8", "int64"]):
        x, layers = np.abs(10 * X[:40]).astype(kind), PREPROCESSING[before]()
        net = gn.Network([*layers, *FIRST[first](wide(layers))], dtype)
        net.fit_preprocessing(x, Y[:40])
        model = to_onnx(net, input_dtype=kind)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (y,) = session.run(["y"], {"x": x})
        assert y.dtype == net.dtype
        np.testing.assert_allclose(y, net.predict(x), rtol=1e-3, atol=1e-3)


def test_values_however_far_from_the_median_are_drawn_in_to_3() -> None:
    layer = gn.RobustScale().fit(np.arange(5.0)[:, np.newaxis])
    far = np.array([[-np.inf], [-1e300], [1e200], [np.inf]])
    np.testing.assert_allclose(layer.forward(far), [[-3], [-3], [3], [3]])
