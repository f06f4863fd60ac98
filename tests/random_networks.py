"""Random networks over every layer, with fitted preprocessing and rows to predict: for ONNX Runtime and `predict`."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import onnxruntime

import glassnet as gn
from glassnet.exchange import to_onnx

ACTIVATIONS = [gn.ReLU, gn.LeakyReLU, gn.Sigmoid, gn.Tanh, gn.GELU, gn.SiLU, gn.Softmax]
INPUT_TYPES = ["float32", "float64", "uint8", "int64"]


@dataclass
class Drawn:
    """A network, and rows that it takes."""

    net: gn.Network
    x: np.ndarray

    def session(self) -> onnxruntime.InferenceSession:
        """The exported network in ONNX Runtime."""
        model = to_onnx(self.net, input_dtype=self.x.dtype)
        return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def draw(random: Random) -> Drawn:
    """Draw layers, widths, types and numbers.

    LayerNorm gets rows of 16 values and more: of two it leaves the sign of their difference, which may be rounding.
    """
    rng = np.random.default_rng(random.randrange(2**32))
    dtype, rows_type = random.choice(["float32", "float64"]), random.choice(INPUT_TYPES)
    n_in, n_out = random.randint(1, 12), random.randint(1, 6)
    before: list[gn.Layer] = random.choice(
        [
            [],
            [gn.Standardize()],
            [gn.Standardize(per_feature=False, eps=random.choice([0.0, 0.1]))],
            [gn.QuantileNormalize(random.choice([2, 7, 100, 1000]), random.choice([0.0, 1e-3]))],
            [gn.QuantileNormalize(50), gn.Standardize()],
        ]
    )
    net = gn.Network([*before, *_layers(random, n_in, n_out)], dtype, seed=random.randrange(1000))
    net.theta += 0.1 * rng.standard_normal(net.theta.size)
    for layer in net.layers:
        if isinstance(layer, gn.BatchNorm):
            layer.running_mean, layer.running_var = rng.standard_normal(layer.width), rng.uniform(0.1, 3, layer.width)
    x = _rows(random, rng, n_in, rows_type, raw=bool(before))
    net.fit_preprocessing(x[:200], rng.normal(random.choice([0, 2e5]), random.choice([0.1, 1e4]), (200, n_out)))
    return Drawn(net, x.astype(rows_type))


def _layers(random: Random, n_in: int, n_out: int) -> list[gn.Layer]:
    layers: list[gn.Layer] = []
    width = n_in
    for _ in range(random.randint(0, 4)):
        layers.append(gn.Dense(width, width := random.choice([1, 2, 5, 16, 64, 100])))
        layers += random.choice([[], [], [gn.BatchNorm(width)], [gn.LayerNorm(width)] if width > 5 else []])
        activation = random.choice(ACTIVATIONS)
        layers.append(activation(random.choice([0.01, 0.3, -0.2])) if activation is gn.LeakyReLU else activation())
        layers += random.choice([[], [gn.Dropout(0.3)], [gn.GaussianNoise(0.3)]])
    layers.append(gn.Dense(width, n_out))
    return layers + random.choice([[], [], [gn.Softmax()], [gn.Sigmoid()], [gn.Unstandardize()], [gn.Tanh(), gn.Exp()]])


def _rows(random: Random, rng: np.random.Generator, n_in: int, dtype: str, raw: bool) -> np.ndarray:
    """230 rows, such as tables hold if they are raw: large offsets, few distinct values, tails; 15 lie far outside."""
    if dtype == "uint8":
        return rng.integers(0, 256, (230, n_in)).astype(float)
    columns = []
    for _ in range(n_in):
        column = rng.standard_normal(230)
        if raw:
            column = random.choice(
                [
                    column,
                    np.round(-119.6 + 2 * column, 2),  # longitudes
                    np.exp(3 * column),
                    rng.integers(0, 3, 230),
                    np.full(230, 7.1),
                    1.7e9 + 1e6 * column,  # times in seconds
                ]
            )
        columns.append(column)
    x = np.column_stack(columns).astype(float)
    x[200:215] += (x[:200].max(axis=0) - x[:200].min(axis=0)) * rng.uniform(-3, 3, (15, n_in))
    return x


def difference(drawn: Drawn, session: onnxruntime.InferenceSession | None = None) -> float:
    """How far the outputs are from those of `predict`: at most, and as a share of the largest output.

    Of probabilities, which a last Softmax or Sigmoid makes, it is the difference itself.
    """
    (y,) = (session or drawn.session()).run(["y"], {"x": drawn.x})
    with np.errstate(invalid="ignore"):  # OpenBLAS may raise the flag for what lies beside its arrays
        expected = drawn.net.predict(drawn.x)
    assert y.shape == expected.shape
    assert y.dtype == expected.dtype
    share = isinstance(drawn.net.layers[-1], gn.Softmax | gn.Sigmoid)
    size = 1 if share else np.abs(expected).max()
    return float((np.abs(y.astype(float) - expected) / size).max())
