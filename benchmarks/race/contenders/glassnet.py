"""glassnet, through its public face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import glassnet as gn
from race.cases import MOMENTUM, THREADS, Case, Parameters, parameters
from race.contenders import Predict
from race.digits import Digits


def network(weights: Parameters, *before: gn.Layer, dtype: str = "float32") -> gn.Network:
    """Build Dense layers with ReLU between them, of these weights, after the layers `before`."""
    layers: list[gn.Layer] = []
    for W, _ in weights:
        layers += [gn.Dense(*W.shape), gn.ReLU()]
    net = gn.Network([*before, *layers[:-1]], dtype, threads=THREADS)
    dense = [layer for layer in net.layers if isinstance(layer, gn.Dense)]
    for layer, (W, b) in zip(dense, weights, strict=True):
        layer.W[...], layer.b[...] = W, b
    return net


class Trainer:
    """Takes the raw pixels: standardising them is the network's first layer."""

    def __init__(self, case: Case, digits: Digits) -> None:
        self.case = case
        test = gn.Split(digits.x_test, digits.y_test)
        self.data = gn.Dataset(
            name="mnist",
            train=gn.Split(digits.x[: case.rows], digits.y[: case.rows]),
            val=test,
            test=test,
            task="classification",
            classes=tuple("0123456789"),
            features=(),
            image_shape=(28, 28),
            target="digit",
        )
        self.net = network(parameters(case.widths), gn.Standardize(per_feature=False), dtype=case.dtype)
        self.optimizer = gn.SGD(case.lr, MOMENTUM)
        self.epochs = 0

    def epoch(self) -> None:
        """One call of gn.fit; the seed gives each its own order."""
        gn.fit(
            self.net, self.data, gn.CrossEntropy(), self.optimizer, 1, self.case.batch, seed=self.epochs, validate=False
        )
        self.epochs += 1

    def labels(self) -> NDArray[np.int64]:
        """The classes with the highest scores."""
        return self.net.predict(self.data.test.x).argmax(axis=1)


def predictor(weights: Parameters) -> Predict:
    """The method itself."""
    return network(weights).predict
