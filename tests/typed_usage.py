"""A user's program with types: test_wheel.py checks it by mypy --strict against the installed package, and runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

import glassnet as gn
from glassnet.estimators import MLPClassifier
from glassnet.exchange import from_sklearn
from glassnet.exchange.graph import Graph
from glassnet.train import Training

Array = npt.NDArray[Any]


class Scale(gn.Layer):
    """y = s * x, with one trained s per column."""

    parameters = ("s",)

    def __init__(self, width: int) -> None:
        self.width = width

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of s."""
        return {"s": (self.width,)}

    def initialize(self, rng: np.random.Generator) -> None:
        """Begin as the identity."""
        self.s[...] = 1

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return s * x."""
        self.x = x
        return x * self.s

    def backward(self, dy: Array) -> Array:
        """Fill ds and return dx."""
        self.ds[...] = (dy * self.x).sum(axis=0)
        return dy * self.s

    def onnx(self, graph: Graph, x: str) -> str:
        """Write it as ONNX."""
        return graph.add("Mul", x, self.s)


class Count(gn.Callback):
    """Counts epochs."""

    epochs = 0

    def on_epoch(self, run: Training) -> None:
        """Count one."""
        self.epochs += 1


data = assert_type(gn.load("digits"), gn.Dataset)
assert_type(data.train, gn.Split)
net = gn.Network([gn.Standardize(per_feature=False), gn.Dense(64, 32), gn.ReLU(), Scale(32), gn.Dense(32, 10)], seed=1)
count, doctor = Count(), gn.Doctor()
schedule: gn.Schedule = gn.OneCycle()
optimizer: gn.Optimizer = gn.SGD(lr=0.1, momentum=0.9)
history = gn.fit(
    net, data, gn.CrossEntropy(), optimizer, epochs=3, batch_size=64, schedule=schedule, callbacks=[count, doctor]
)
assert_type(history, gn.History)
assert_type(history["val_loss"], list[float])
assert_type(history.best_epoch, int | None)
assert_type(doctor.findings, list[gn.Finding])
assert_type(gn.evaluate(net, data.test, gn.CrossEntropy()), dict[str, float])

dense = net.layers[1]
assert_type(net.layers, list[gn.Layer])
assert isinstance(dense, gn.Dense)
assert_type(dense.W, Array)
assert_type(net.theta, Array)
assert_type(net.predict_proba(data.test.x), Array)
report = assert_type(gn.gradcheck(net, data.train.x[:2], data.train.y[:2], gn.CrossEntropy()), gn.GradientReport)
assert_type(report.passed, bool)
step = assert_type(gn.trace(net, data.test.x[:1], data.test.y[:1], gn.CrossEntropy(), optimizer), gn.Trace)
assert_type(step.to_json(), str)
named: Iterator[tuple[str, Array, Array]] = net.named_parameters()

path = Path("net.safetensors")
net.save(path)
assert_type(gn.Network.load(path), gn.Network)
net.export("net.onnx", outputs="softmax")
both = assert_type(gn.Ensemble([net, gn.Network.load(path)], "classification"), gn.Ensemble)
assert_type(both.predict_proba(data.test.x), Array)
both.export("both.onnx")
gn.export(both, "both.onnx")
convert: Callable[[Any], gn.Network] = from_sklearn
model = MLPClassifier((16,), max_iter=5, tol=1.0, n_iter_no_change=1).fit(data.train.x, data.train.y)
assert_type(model, MLPClassifier)
assert_type(model.predict(data.test.x), Array)
assert_type(model.network_, gn.Network)

if count.epochs != 3:  # never; so that a type checker sees what must be wrong
    print(gn.Densse)  # type: ignore[attr-defined]
    gn.Dense("64", 32)  # type: ignore[arg-type]
    gn.fit(net, data, gn.CrossEntropy())  # type: ignore[call-arg]
    net.export("net.onnx", output="softmax")  # type: ignore[call-arg]
    print(data.trian)  # type: ignore[attr-defined]
print("typed")
