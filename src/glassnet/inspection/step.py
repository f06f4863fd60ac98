"""The parts of one step of learning: the numbers of each layer, of each parameter, and of the whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glassnet.nn import Loss, Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One layer in the step: forward, y = output (N, width_out) from x = input (N, width_in), and backward.

    dy = dL/doutput came to it on the way back, and dx = dL/dinput went on to the layer before.
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

    before and after: its values. gradient: dL/dw of the loss alone. step_gradient: the gradient that the optimizer
    used, clipped and with L2 added; None if that changed nothing. velocity: the optimizer's vectors after the step, by
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
class TracedStep:
    """One step of learning, in the order in which it happens.

    x: the rows (N, n_in), as the first layer takes them; t: the targets. layers: forward in their order, each output
    the next one's input; backward in the opposite order, each dx the dy of the layer before. loss: its value before the
    step; loss_terms (N,): the loss of each row alone, whose mean is the loss; loss_after: the loss of the same rows
    after the step, in training mode with the same noise. penalty: l2/2 * sum W^2 before the step, which the optimizer's
    l2 adds, or 0. parameters: by name, such as "1.W", in the order of theta. Arrays have the network's type, except x,
    t and the output of an Unstandardize, in float64.

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
