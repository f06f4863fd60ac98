"""A look at a network on a few rows: the signals of each layer, and the gradient of each parameter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glassnet.inspection.norms import norm
from glassnet.nn import Dense, Loss, Network, ReLU, Sigmoid, Tanh
from glassnet.nn.layer import Array, Layer

# Beyond these outputs the slope is less than 1/25 of the largest.
FLAT: dict[type[Layer], tuple[float, float]] = {Tanh: (-0.99, 0.99), Sigmoid: (0.01, 0.99)}
NAN = float("nan")


@dataclass(frozen=True)
class LayerLook:
    """One layer. Of Dense: `spread`, the standard deviation of its output, and `signal`, the root mean square of dL/dy.
    Of activations: the share of units that are `dead` (a ReLU: 0 for every row), of outputs that are `saturated`.
    """

    index: int
    name: str
    kind: str
    spread: float = 0.0
    dead: float = 0.0
    saturated: float = 0.0
    signal: float = NAN


@dataclass(frozen=True)
class ParameterLook:
    """One parameter, by Euclidean norms: its value, the data's gradient, and its move in a step."""

    name: str
    size: float
    gradient: float
    moved: float = NAN
    decayed: bool = False


@dataclass(frozen=True)
class Look:
    """A look after `step` steps, with the loss of its rows and the learning rate of the next step."""

    step: int
    loss: float
    layers: list[LayerLook]
    parameters: list[ParameterLook]
    rate: float = NAN

    @property
    def squares(self) -> float:
        """The sum of the squares of all weights that are penalised or decayed."""
        return sum(p.size**2 for p in self.parameters if p.decayed)

    @property
    def gradient(self) -> float:
        """The norm of the whole gradient of the data."""
        return float(np.sqrt(sum(p.gradient**2 for p in self.parameters)))


def layer_looks(net: Network, x: Array, training: bool) -> list[LayerLook]:
    """Look at the outputs of all layers for rows x (N, n_in); `net` should be a copy."""
    return _forward(net, x, training, [repr(layer) for layer in net.layers])[0]


def _forward(net: Network, x: Array, training: bool, names: list[str]) -> tuple[list[LayerLook], Array]:
    looks = []
    with np.errstate(all="ignore"):
        for i, (layer, y) in enumerate(zip(net.layers, net.outputs(x, training), strict=True)):
            looks.append(_layer_look(i, layer, names[i], y))
    return looks, y


def _layer_look(index: int, layer: Layer, name: str, y: Array) -> LayerLook:
    spread = dead = saturated = 0.0
    if isinstance(layer, Dense):
        spread = float(y.std())
    elif isinstance(layer, ReLU):
        dead = float((y.max(axis=0) <= 0).mean())
    elif type(layer) in FLAT:
        low, high = FLAT[type(layer)]
        saturated = float(((y < low) | (y > high)).mean())
    return LayerLook(index, name, type(layer).__name__, spread, dead, saturated)


class Glass:
    """Looks again and again at the same network, which should be a copy."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.names: list[str] = [repr(layer) for layer in net.layers]
        self.decayed: set[str] = {f"{i}.{name}" for i, layer in enumerate(net.layers) for name in layer.decayed}
        self.first: int = next((i for i, layer in enumerate(net.layers) if layer.size), len(net.layers))

    def look(self, x: Array, t: Array, loss: Loss, step: int) -> Look:
        """Look at a forward and a backward pass of rows x with targets t, back to the first trained layer."""
        net = self.net
        layers, y = _forward(net, x, True, self.names)
        with np.errstate(all="ignore"):
            value = loss.forward(y, t)
            dy = loss.backward()
            for i in reversed(range(self.first, len(net.layers))):
                if isinstance(net.layers[i], Dense):
                    layers[i] = replace(layers[i], signal=norm(dy) / dy.size**0.5)
                if i > self.first:
                    dy = net.layers[i].backward(dy)
                else:
                    net.layers[i].parameter_gradients(dy)
        parameters = [
            ParameterLook(name, norm(p), norm(dp), decayed=name in self.decayed)
            for name, p, dp in net.named_parameters()
        ]
        return Look(step, value, layers, parameters)
