"""Faults of the network, to be seen before training. Each function makes a healthy plan sick; `variant` is how."""

from __future__ import annotations

from collections.abc import Callable

from broken import CentreRows, Neighbour, Untransposed, WrongScale, WrongTanh
from networks import mlp
from plan import Plan

import glassnet as gn


def dense_layers(net: gn.Network) -> list[gn.Dense]:
    """All of a network."""
    return [layer for layer in net.layers if isinstance(layer, gn.Dense)]


def after_first_activation(plan: Plan) -> tuple[int, int]:
    """Where the first hidden layer ends in `layers`, and its width."""
    first, second = plan.dense()[:2]
    width = plan.layers[second].width_in
    assert width is not None, f"{plan.layers[second]!r} follows layer {first}"
    return second, width


def initial_loss(plan: Plan, variant: int) -> None:
    """The last layer's weights are far too large: the first guesses are wild, and sure of themselves."""

    def weights(net: gn.Network) -> None:
        dense_layers(net)[-1].W[...] *= (30, 100, 300)[variant]

    plan.weights = weights


def wrong_gradient(plan: Plan, variant: int) -> None:
    """A layer of one's own has a mistake in its backward."""
    place, width = after_first_activation(plan)
    wrong: list[gn.Layer] = [WrongTanh()]
    if variant == 1:
        wrong = [WrongScale(width)]
    elif variant == 2:
        wrong = [Untransposed(width, width), gn.ReLU()]
    plan.layers[place:place] = wrong


def mixed_rows(plan: Plan, variant: int) -> None:
    """A layer of one's own mixes the rows of a batch, in inference too."""
    place, _ = after_first_activation(plan)
    plan.layers.insert(place, Neighbour() if variant == 1 else CentreRows())


def zero_weights(plan: Plan, variant: int) -> None:
    """All weights start at zero, or all at one other number: hidden units stay equal to each other."""

    def weights(net: gn.Network) -> None:
        for layer in dense_layers(net):
            layer.W[...] = (0.0, 0.1, 0.01)[variant]

    plan.weights = weights


def vanishing_activations(plan: Plan, variant: int) -> None:
    """A deep network starts with weights so small that nothing of the input reaches its end."""
    n_in, out = plan.widths
    activation: Callable[[], gn.Layer] = (gn.ReLU, gn.Tanh, gn.GELU)[variant]
    plan.replace_trained(mlp([n_in, *[48] * (8, 10, 12)[variant], out], activation, "normal(0.01)"))


def exploding_activations(plan: Plan, variant: int) -> None:
    """A deep network starts with weights so large that values grow from layer to layer."""
    n_in, out = plan.widths
    activation: Callable[[], gn.Layer] = (gn.ReLU, gn.LeakyReLU, gn.SiLU)[variant]
    plan.replace_trained(mlp([n_in, *[64] * (4 + variant), out], activation, "normal(1.0)"))


def dead_relu(plan: Plan, variant: int) -> None:
    """Biases of -10 (or of -30, or in one layer) keep ReLUs at zero for every row."""

    def weights(net: gn.Network) -> None:
        hidden = dense_layers(net)[:-1]
        for layer in hidden[-1:] if variant == 1 else hidden:
            layer.b[...] = (-10, -10, -30)[variant]

    plan.weights = weights


def softmax_twice(plan: Plan, variant: int) -> None:
    """Softmax (or Sigmoid) comes before a loss that applies it itself."""
    plan.layers.append(gn.Sigmoid() if isinstance(plan.loss, gn.BinaryCrossEntropy) else gn.Softmax())


def bottleneck(plan: Plan, variant: int) -> None:
    """A hidden layer of one or two units comes before six or more classes."""
    n_in, out = plan.widths
    plan.replace_trained(mlp(([n_in, 64, 1, out], [n_in, 64, 2, 64, out], [n_in, 1, 64, out])[variant]))


def output_range(plan: Plan, variant: int) -> None:
    """An activation after the last Dense keeps outputs from where the targets are."""
    plan.layers.insert(plan.dense()[-1] + 1, (gn.ReLU, gn.Sigmoid, gn.Tanh)[variant]())


def linear_network(plan: Plan, variant: int) -> None:
    """Dense follows on Dense, with nothing between: however deep, it is one linear map."""
    n_in, out = plan.widths
    hidden = [[64], [64, 64], [128, 64, 32]][variant]
    plan.replace_trained([layer for layer in mlp([n_in, *hidden, out]) if isinstance(layer, gn.Dense)])


def output_bias(plan: Plan, variant: int) -> None:
    """The last bias is far from the classes' shares, or the targets' mean."""

    def weights(net: gn.Network) -> None:
        dense_layers(net)[-1].b[0] = (50, 30, 100)[variant]

    plan.weights = weights
