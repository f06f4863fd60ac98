"""One step of learning as data: every number of forward, loss, backward and update, on a copy of the network."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.inspection import show
from glassnet.inspection.trace_check import check
from glassnet.inspection.trace_derivative import derivative, local_derivative
from glassnet.inspection.trace_equation import Equation, equation
from glassnet.nn import Loss, Network
from glassnet.nn.gradcheck import Entry
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.train.units import training_loss


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One layer in the step: forward, y = output (N, width_out) from x = input (N, width_in), and backward.

    dy = dL/doutput is what came to it on the way back, dx = dL/dinput what it passed on to the layer before.
    local: dy/dx (N, width) of an elementwise layer (an activation, Dropout, preprocessing), so that dx = dy * local;
    None for other layers. derivative: the rule of `backward` in words. name: its repr; kind: its class.
    """

    index: int
    name: str
    kind: str
    input: Array
    output: Array
    local: Array | None
    derivative: str
    dy: Array
    dx: Array


@dataclass(frozen=True, eq=False)
class ParameterTrace:
    """One parameter in the step; all arrays have its shape.

    before and after: its values. gradient: dL/dw of the loss alone. step_gradient: what the optimizer used, with the
    gradient clipped and L2 added; None if that changed nothing. velocity: the optimizer's vectors after the step, by
    name: {"velocity": v} of SGD, {"m": ..., "v": ...} of Adam.
    """

    name: str
    before: Array
    gradient: Array
    step_gradient: Array | None
    velocity: dict[str, Array]
    after: Array

    @property
    def update(self) -> Array:
        """after - before."""
        return self.after - self.before

    @property
    def update_ratio(self) -> float:
        """Norm of the update over the norm of the values before; infinite for values that were all zero."""
        size = float(np.linalg.norm(self.before))
        return float(np.linalg.norm(self.update)) / size if size else math.inf


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """One step of learning, in the order in which it happens.

    x: the rows (N, n_in), as the first layer takes them; t: the targets. layers: forward in their order, each output
    the next one's input; backward in the opposite order, each dx the dy of the layer before. loss: its value before
    the step; loss_terms (N,): that of each row alone, whose mean it is; loss_after: of the same rows, in training mode
    with the same noise, after the step. penalty: l2/2 * sum W^2 before it, which the optimizer's l2 adds; 0 without.
    parameters: by name, such as "1.W", in the order of theta. Arrays have the network's type, but for x, t and what an
    Unstandardize gives, in float64.

    net is a copy of the network before the step, objective the loss that training minimises (in standard units if the
    network ends in Unstandardize), optimizer a copy that has made the step: none, if the loss isn't finite.
    """

    x: Array
    t: Array
    layers: list[LayerTrace]
    loss: float
    loss_terms: Array
    loss_after: float
    penalty: float
    parameters: dict[str, ParameterTrace]
    net: Network
    objective: Loss
    optimizer: Optimizer

    def equation(self, layer: int, unit: int, row: int = 0) -> Equation:
        """Return how output `unit` of layer number `layer` came about for a row: the formula with its numbers.

        Raises ValueError for a layer, unit or row that isn't there.
        """
        return equation(self.net.layers, [self.x, *(each.output for each in self.layers)], layer, unit, row)

    def check(self, parameter: str, index: int | tuple[int, ...]) -> Entry:
        """Compare one gradient entry with the central difference of the loss, in float64, with the noise of the step.

        `parameter` is a name such as "1.W", or "x"; `index` its entry: (3, 5), or 5 of a vector or of a single row x.
        Raises ValueError for an entry that isn't there, or if the loss isn't finite.
        """
        return check(self, parameter, index)

    def to_dict(self, arrays: Callable[[Array], Any] | None = None) -> dict[str, Any]:
        """Return all numbers in nested dicts; `arrays` converts each array, which otherwise stays what it is."""
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

    It is the step that `fit` makes of this batch, by the readable layers in training mode; the noise of training is
    drawn from the network's seed and the number of steps that the optimizer has made. Network and optimizer are
    unchanged afterwards, or with apply=True have made exactly this step. If the loss isn't finite, nothing is moved,
    as in `fit`: each parameter's `after` is its `before`.
    Raises ValueError for rows or targets that don't fit, a network whose preprocessing isn't fitted, or with apply=True
    a loss that isn't finite.
    """
    before, working = net.copy(), net.copy()
    x, t = _batch(net, x, t)
    objective = training_loss(copy.deepcopy(loss), before)
    mover = copy.deepcopy(optimizer)
    if optimizer.owner is not net.theta:
        mover.owner = optimizer.owner  # its vectors, if any, are another network's: it begins anew
    noise = net.seed, optimizer.steps
    working.reseed(*noise)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows shows in the numbers
        values = [x]  # before, between and after the layers
        values += [y.copy() for y in working.outputs(x, training=True)]
        value = objective.forward(values[-1], t)
        if apply and not math.isfinite(value):
            raise ValueError(f"the loss is {value}, so nothing was moved: trace without apply=True to see why")
        gradients = [objective.backward().copy()]  # of the loss by these values, the last one first
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
            i, repr(layer), type(layer).__name__, values[i], values[i + 1],
            slopes[i], derivative(layer), gradients[i + 1], gradients[i],
        )
        for i, layer in enumerate(working.layers)
    ]  # fmt: skip
    made = Trace(
        x, t, layers, value, np.array(terms, net.dtype), loss_after, _penalty(before, mover),
        _parameters(before, gradient, working, mover), before, objective, mover,
    )  # fmt: skip
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
