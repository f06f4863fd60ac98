"""A trace beside PyTorch's autograd, in float64: each gradient on the way back, and what the optimizer makes of it.

`make parity` runs it: three networks, two steps each, so that the optimizer remembers one. The largest relative
difference of a loss (before and after the step), of a gradient (by a parameter, by the output and the input of a layer)
and of a parameter's update must be at most 1e-10. Batches are rows of digits and diabetes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import glassnet as gn
from torch_twin import difference, twin

STEPS, ROWS = 2, 16
TOLERANCE = 1e-10


@dataclass
class Pairing:
    """The same network, loss and optimizer for both."""

    name: str
    layers: list[gn.Layer]
    data: gn.Dataset
    loss: gn.Loss
    torch_loss: Any
    optimizer: gn.Optimizer
    torch_optimizer: Callable[[list[Any]], Any]
    decay: float = 0.0  # PyTorch's weight_decay, of weight matrices alone


def pairings() -> Iterator[Pairing]:
    """Every network: PyTorch's SGD has L2 under the name of weight_decay."""
    digits, diabetes = gn.load("digits"), gn.load("diabetes")
    entropy, mse = torch.nn.CrossEntropyLoss(), torch.nn.MSELoss()
    yield Pairing(
        "ReLU, cross-entropy, momentum with L2, clipped",
        [gn.Dense(64, 32), gn.ReLU(), gn.Dense(32, 20), gn.ReLU(), gn.Dense(20, 10)],
        digits,
        gn.CrossEntropy(),
        entropy,
        gn.SGD(0.01, momentum=0.9, l2=0.05, clip_norm=0.5),
        lambda p: torch.optim.SGD(p, 0.01, momentum=0.9),
        0.05,
    )
    yield Pairing(
        "tanh, MSE in standard units, AdamW",
        [gn.Dense(10, 32), gn.Tanh(), gn.Dense(32, 16), gn.Tanh(), gn.Dense(16, 1), gn.Unstandardize()],
        diabetes,
        gn.MSE(),
        mse,
        gn.AdamW(1e-3),
        lambda p: torch.optim.AdamW(p, 1e-3),
        1e-2,
    )
    yield Pairing(
        "batch norm, cross-entropy, Nesterov momentum",
        [gn.Dense(64, 50), gn.BatchNorm(50), gn.ReLU(), gn.Dense(50, 10)],
        digits,
        gn.CrossEntropy(),
        entropy,
        gn.SGD(0.01, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.01, momentum=0.9, nesterov=True),
    )


def compare(pair: Pairing) -> tuple[float, float, float]:
    """Return the largest relative difference of a loss, a gradient and an update."""
    net = gn.Network(pair.layers, "float64", seed=0)
    net.fit_preprocessing(pair.data.train.x, pair.data.train.y)
    model = twin(net)
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": [p], "weight_decay": pair.decay if p.ndim == 2 else 0.0} for p in trained]
    torch_optimizer = pair.torch_optimizer(groups)
    x = gn.Standardize(per_feature=False).fit(pair.data.train.x).forward(pair.data.train.x)
    rng = np.random.default_rng(0)
    losses, gradients, updates = [0.0], [0.0], [0.0]
    for _ in range(STEPS):
        rows = rng.integers(len(x), size=ROWS)
        t = pair.data.train.y[rows]
        trace = gn.trace(net, x[rows], t, pair.loss, pair.optimizer, apply=True)

        before = [p.detach().clone() for p in trained]
        torch_optimizer.zero_grad()
        values = passed(model, x[rows])
        value = torch_value(pair, net, values[-1], t)
        value.backward()
        losses.append(difference(trace.loss, value.item()))
        for layer, came, went in zip(trace.layers, values, values[1:], strict=False):
            gradients += [difference(layer.dx, came.grad.numpy()), difference(layer.dy, went.grad.numpy())]
        largest = max(float(p.grad.norm()) for p in trained)
        # A bias before batch norm has gradient zero: what is left there is rounding, in both.
        counted = [float(p.grad.norm()) > 1e-6 * largest for p in trained]
        ours = list(trace.parameters.values())
        gradients += [
            difference(mine.gradient, p.grad.numpy().T) for mine, p, c in zip(ours, trained, counted, strict=True) if c
        ]
        clip(trained, pair.optimizer.clip_norm)
        torch_optimizer.step()
        updates += [
            difference(mine.update, (p.detach() - old).numpy().T)
            for mine, p, old, c in zip(ours, trained, before, counted, strict=True)
            if c
        ]
        after = torch_value(pair, net, passed(model, x[rows])[-1], t)
        losses.append(difference(trace.loss_after, after.item()))
    return max(losses), max(gradients), max(updates)


def passed(model: Any, x: Any) -> list[Any]:
    """The values before, between and after the layers, all of which keep their gradients."""
    values = [torch.tensor(x, requires_grad=True)]
    for module in model:
        values.append(module(values[-1]))
        values[-1].retain_grad()
    return values


def torch_value(pair: Pairing, net: gn.Network, y: Any, t: Any) -> Any:
    """PyTorch's loss: of values, in the standard units of the network's last layer."""
    last = net.layers[-1]
    if not isinstance(last, gn.Unstandardize):
        return pair.torch_loss(y, torch.tensor(t))
    mean, scale = torch.tensor(last.mean), torch.tensor(last.scale)
    return pair.torch_loss((y - mean) / scale, (torch.tensor(t)[:, None] - mean) / scale)


def clip(parameters: list[Any], largest: float | None) -> None:
    """Scale the gradients down to that norm; PyTorch's own clip_grad_norm_ adds 1e-6 to the norm first."""
    norm = float(torch.cat([p.grad.ravel() for p in parameters]).norm())
    if largest is not None and norm > largest:
        for p in parameters:
            p.grad *= largest / norm


def main() -> bool:
    """Print one line for each network; return whether all agree."""
    all_passed = True
    print(f"\ngn.trace, {STEPS} steps of {ROWS} rows in float64, largest relative difference\n")
    print(f"{'':51} {'loss':>9} {'gradient':>9} {'update':>9}")
    for pair in pairings():
        found = compare(pair)
        passed_it = max(found) <= TOLERANCE
        all_passed = all_passed and passed_it
        verdict = "" if passed_it else f"  more than {TOLERANCE:.0e}"
        print(f"{pair.name:51} {found[0]:9.1e} {found[1]:9.1e} {found[2]:9.1e}{verdict}")
    return all_passed
