"""Ten training steps beside PyTorch, from the same weights on the same batches: losses, gradients, weights.

    make parity

Exit status 1 if any loss or gradient tensor differs by more than 1e-5 (float32) or 1e-10 (float64), relatively: of a
tensor, the Euclidean norm of the difference over the norm of PyTorch's. Batches are rows of digits and diabetes.
Then every gradient and update of a trace beside PyTorch's, and models whose weights are loaded from a file of
PyTorch's: see parity_trace.py and parity_import.py.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import glassnet as gn
import parity_import
import parity_trace
from torch_twin import difference, twin

STEPS, ROWS = 10, 8  # few rows: each unit of each row is a chance that rounding carries one across its kink
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


@dataclass
class Pairing:
    """The same experiment for both: layers, data, loss and optimizer, ours and theirs."""

    name: str
    layers: Callable[[], list[gn.Layer]]
    data: gn.Dataset
    loss: gn.Loss
    torch_loss: Any
    optimizer: Callable[[], gn.Optimizer]
    torch_optimizer: Callable[[Any], Any]


def six_layers() -> list[gn.Layer]:
    """The shape of the seed's MNIST network, on 8x8 digits."""
    widths = [64, 512, 200, 128, 100, 64, 10]
    layers: list[gn.Layer] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [gn.Dense(fan_in, fan_out), gn.ReLU()]
    return layers[:-1]


def tanh() -> list[gn.Layer]:
    """A smooth network for values."""
    return [gn.Dense(10, 32, init="glorot"), gn.Tanh(), gn.Dense(32, 16, init="glorot"), gn.Tanh(), gn.Dense(16, 1)]


def batch_norm() -> list[gn.Layer]:
    """Batch norm in training mode; dropout is there, but off."""
    return [
        gn.Dense(64, 50),
        gn.BatchNorm(50),
        gn.ReLU(),
        gn.Dropout(0.0),
        gn.Dense(50, 30),
        gn.BatchNorm(30),
        gn.ReLU(),
        gn.Dropout(0.0),
        gn.Dense(30, 10),
    ]


def pairings() -> Iterator[Pairing]:
    """Every experiment."""
    digits, diabetes = gn.load("digits"), gn.load("diabetes")
    entropy, mse = torch.nn.CrossEntropyLoss(), torch.nn.MSELoss()
    # The seed's own learning rate. A unit that rounding carries across its kink in one of the two changes a gradient by
    # far more than rounding; small steps and few rows make that rare.
    sgd = (lambda: gn.SGD(2e-3, momentum=0.9), lambda p: torch.optim.SGD(p, 2e-3, momentum=0.9))
    adam = (lambda: gn.Adam(1e-3), lambda p: torch.optim.Adam(p, 1e-3))
    yield Pairing("six ReLU layers, cross-entropy, momentum", six_layers, digits, gn.CrossEntropy(), entropy, *sgd)
    yield Pairing("tanh, MSE, momentum", tanh, diabetes, gn.MSE(), mse, *sgd)
    yield Pairing("batch norm, cross-entropy, momentum", batch_norm, digits, gn.CrossEntropy(), entropy, *sgd)
    yield Pairing("six ReLU layers, cross-entropy, Adam", six_layers, digits, gn.CrossEntropy(), entropy, *adam)
    yield Pairing("tanh, MSE, Adam", tanh, diabetes, gn.MSE(), mse, *adam)


def compare(pair: Pairing, dtype: str) -> tuple[float, float, float]:
    """Train both; return the largest relative difference of a loss, a gradient tensor, and the final weights."""
    net = gn.Network(pair.layers(), dtype, seed=0)
    model = twin(net)
    optimizer, torch_optimizer = pair.optimizer(), pair.torch_optimizer(model.parameters())
    x = gn.Standardize(per_feature=False).fit(pair.data.train.x).forward(pair.data.train.x).astype(dtype)
    t = pair.data.train.y if pair.loss.task == "classification" else pair.data.train.y.astype(dtype)[:, None] / 100
    losses, gradients = [0.0], [0.0]
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        rows = rng.integers(len(x), size=ROWS)
        value = pair.loss.forward(net.forward(x[rows], training=True), t[rows])
        net.backward(pair.loss.backward())
        torch_optimizer.zero_grad()
        torch_value = pair.torch_loss(model(torch.tensor(x[rows])), torch.tensor(t[rows]))
        torch_value.backward()
        losses.append(difference(value, torch_value.item()))
        largest = max(float(p.grad.norm()) for p in model.parameters())
        for (_, _, ours), p in zip(net.named_parameters(), model.parameters(), strict=True):
            # A bias before batch norm has gradient zero: what is left there is rounding, in both.
            if float(p.grad.norm()) > 1e-6 * largest:
                gradients.append(difference(ours, p.grad.numpy().T))
        optimizer.step(net)
        torch_optimizer.step()
    theirs = np.concatenate([p.detach().numpy().T.ravel() for p in model.parameters()])
    return max(losses), max(gradients), difference(net.theta, theirs)


def main() -> int:
    """Print one line for each experiment and type; return the exit status."""
    all_passed = True
    print(f"{STEPS} steps of {ROWS} rows, largest relative difference from PyTorch {torch.__version__}\n")
    print(f"{'':42} {'':8} {'loss':>9} {'gradient':>9} {'weights':>9}")
    for pair in pairings():
        for dtype, tolerance in TOLERANCE.items():
            loss, gradient, weights = compare(pair, dtype)
            passed = max(loss, gradient) <= tolerance
            all_passed = all_passed and passed
            verdict = "" if passed else f"  more than {tolerance:.0e}"
            print(f"{pair.name:42} {dtype:8} {loss:9.1e} {gradient:9.1e} {weights:9.1e}{verdict}")
    rest = [parity_trace.main(), parity_import.main()]
    return 0 if all_passed and all(rest) else 1


if __name__ == "__main__":
    sys.exit(main())
