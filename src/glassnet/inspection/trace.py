"""One step of learning as data: every number of forward, loss, backward and update, on a copy of the network."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.inspection import show
from glassnet.inspection.step import LayerTrace, ParameterTrace, TracedStep
from glassnet.inspection.trace_check import check_entry
from glassnet.inspection.trace_derivative import derivative, local_derivative
from glassnet.inspection.trace_equation import Equation, equation
from glassnet.nn import Loss, Network
from glassnet.nn.gradcheck import Entry
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.train.units import training_loss


class Trace(TracedStep):
    """A step, with methods for its equations and checks. `TracedStep` describes its fields."""

    def equation(self, layer: int, unit: int, row: int = 0) -> Equation:
        """Return the equation of output `unit` of layer number `layer` for a row: the formula with its numbers.

        Raises ValueError for a layer, unit or row that isn't there.
        """
        return equation(self.net.layers, [self.x, *(each.output for each in self.layers)], layer, unit, row)

    def check(self, parameter: str, index: int | tuple[int, ...]) -> Entry:
        """Compare one gradient entry with the central difference of the loss, in float64, with the noise of the step.

        `parameter` is a name such as "1.W", or "x"; `index` its entry: (3, 5), or 5 of a vector or of a single row x.
        Raises ValueError for an entry that isn't there, or if the loss isn't finite.
        """
        return check_entry(self, parameter, index)

    def to_dict(self, arrays: Callable[[Array], Any] | None = None) -> dict[str, Any]:
        """Return all numbers in nested dicts. `arrays` converts each array, which otherwise stays as it is."""
        return show.as_dict(self, arrays)

    def to_json(self) -> str:
        """Return all numbers as JSON: arrays as nested lists, NaN and infinity as null."""
        return show.as_json(self)

    def __str__(self) -> str:
        return show.text(self)

    def __repr__(self) -> str:
        return (
            f"Trace(rows={len(self.x)}, layers={len(self.layers)}, loss={self.loss:g}, loss_after={self.loss_after:g})"
        )

    def _repr_html_(self) -> str:
        return show.html(self)


def trace(
    net: Network, x: npt.ArrayLike, t: npt.ArrayLike, loss: Loss, optimizer: Optimizer, *, apply: bool = False
) -> Trace:
    """Make one step of learning on the rows x (N, n_in), or one row (n_in,), with targets t, and keep every number.

    It is the step that `fit` makes of this batch, by the readable layers in training mode. The noise of training is
    drawn from the network's seed and the number of steps that the optimizer has made. Network and optimizer don't
    change. With apply=True they make exactly this step. If the loss isn't finite, nothing is moved, as in `fit`: each
    parameter's `after` is its `before`.
    Raises ValueError for rows or targets that don't fit, a network whose preprocessing isn't fitted, or with apply=True
    a loss that isn't finite.
    """
    before, working = net.copy(), net.copy()
    x, t = _batch(net, x, t)
    objective = training_loss(copy.deepcopy(loss), before)
    mover = copy.deepcopy(optimizer)
    if optimizer.owner is not net.theta:
        mover.owner = optimizer.owner  # its vectors, if any, belong to another network, so it begins anew
    noise = net.seed, optimizer.steps
    working.reseed(*noise)
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow shows in the numbers
        values = [x]  # before, between and after the layers
        values += [y.copy() for y in working.outputs(x, training=True)]
        value = objective.forward(values[-1], t)
        if apply and not math.isfinite(value):
            raise ValueError(f"the loss is {value}, so nothing was moved: trace without apply=True to see why")
        gradients = [objective.backward().copy()]  # the gradients by these values, the last one first
        slopes: list[Array | None] = []
        for layer, y in zip(reversed(working.layers), reversed(values), strict=False):
            slopes.append(local_derivative(layer, y))
            gradients.append(layer.backward(gradients[-1]).copy())
        gradients.reverse()
        slopes.reverse()
        gradient = working.grad.copy()
        mover.start(working.theta)
        if math.isfinite(value):
            mover.step(working)
        after = working.copy()
        after.reseed(*noise)
        loss_after = objective.forward(after.forward(x, training=True), t)
        terms = [objective.forward(values[-1][i : i + 1], t[i : i + 1]) for i in range(len(x))]
    layers = [
        LayerTrace(
            i,
            repr(layer),
            type(layer).__name__,
            values[i],
            values[i + 1],
            slopes[i],
            derivative(layer),
            gradients[i + 1],
            gradients[i],
        )
        for i, layer in enumerate(working.layers)
    ]
    made = Trace(
        x,
        t,
        layers,
        value,
        np.array(terms, net.dtype),
        loss_after,
        _penalty(before, mover),
        _parameters(before, gradient, working, mover),
        before,
        objective,
        mover,
    )
    if apply:
        _apply(net, optimizer, working, mover)
    return made


def _batch(net: Network, x: npt.ArrayLike, t: npt.ArrayLike) -> tuple[Array, Array]:
    """Copies of rows and targets; a single row and its target become a batch of one."""
    x, t = np.array(x), np.array(t)
    if x.ndim == 1:
        x, t = x[None], t.reshape(1) if t.size == 1 else t.reshape(1, -1)
    x = net.as_input(x)
    if not len(x):
        raise ValueError("a trace needs at least one row")
    return x, t


def _penalty(net: Network, optimizer: Optimizer) -> float:
    """l2/2 * sum w^2 of the weights that L2 acts on."""
    squares = sum(float(np.square(net.theta[part], dtype=np.float64).sum()) for part in net.decayed)
    return optimizer.l2 / 2 * squares


def _parameters(before: Network, gradient: Array, after: Network, optimizer: Optimizer) -> dict[str, ParameterTrace]:
    """Cut the flat vectors into parameters."""
    found: dict[str, ParameterTrace] = {}
    start = 0
    for name, value, _ in before.named_parameters():
        part, shape = slice(start, start + value.size), value.shape
        start = part.stop
        used = after.grad[part]
        changed = not np.array_equal(gradient[part], used, equal_nan=True)
        found[name] = ParameterTrace(
            name,
            value,
            gradient[part].reshape(shape),
            used.reshape(shape) if changed else None,
            {slot: vector[part].reshape(shape) for slot, vector in optimizer.state().items()},
            after.theta[part].reshape(shape),
        )
    return found


def _apply(net: Network, optimizer: Optimizer, after: Network, moved: Optimizer) -> None:
    """Bring both to where their copies are, in place: others may hold views."""
    optimizer.start(net.theta)
    optimizer.steps = moved.steps
    for name, vector in moved.state().items():
        getattr(optimizer, name)[...] = vector
    net.theta[...], net.grad[...] = after.theta, after.grad
    state = after.state()
    for name, array in net.state().items():
        array[...] = state[name]
