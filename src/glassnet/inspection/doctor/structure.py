"""Checks of the network as it is written down, before anything is computed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from glassnet.inspection.doctor.finding import Finding
from glassnet.inspection.doctor.patient import Patient
from glassnet.nn import (
    BinaryCrossEntropy,
    CrossEntropy,
    Dense,
    Dropout,
    Layer,
    Noise,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    Unstandardize,
)
from glassnet.nn.normalization import Normalization
from glassnet.optim import SGD

HEAVY_DROPOUT = 0.8  # Srivastava et al. 2014 (JMLR 15), section 7.3: fewer than 2 in 5 units hurt
LONG_MOMENTUM = 0.99  # Sutskever et al. 2013, section 3: 0.99 was the most that helped before the last phase
BEYOND = 0.01  # share of targets that an output activation may fail to reach
RANGES: dict[type[Layer], tuple[float, float]] = {ReLU: (0, np.inf), Sigmoid: (0, 1), Tanh: (-1, 1)}
CALIBRATED = "calibrated on the doctor's corpus (docs/doctor.md)"


def squashed_logits(patient: Patient) -> Iterator[Finding]:
    """Cross-entropy takes logits: after a Softmax or Sigmoid of the network's own, they are squashed twice."""
    last = patient.net.layers[-1]
    if isinstance(patient.loss, (CrossEntropy, BinaryCrossEntropy)) and isinstance(last, (Softmax, Sigmoid)):
        yield Finding(
            "softmax-twice",
            "error",
            f"layer {len(patient.net.layers) - 1}, {last!r}",
            f"{type(patient.loss).__name__} applies its own {_inverse(patient)} to outputs that lie in 0..1 already",
            "Scores between 0 and 1 can't express certainty: the loss can't fall far, and its gradient is squeezed.",
            f"remove the last {last!r}; net.predict_proba gives probabilities without it",
            "CrossEntropy and BinaryCrossEntropy take logits (their docstrings)",
        )


def _inverse(patient: Patient) -> str:
    return "softmax" if isinstance(patient.loss, CrossEntropy) else "sigmoid"


def classes_as_values(patient: Patient) -> Iterator[Finding]:
    """A regression loss on class numbers."""
    if patient.data.task == "classification" and patient.loss.task == "regression":
        yield Finding(
            "loss-task-mismatch",
            "error",
            f"loss {patient.loss!r}",
            f"the targets are {len(patient.data.classes)} classes, and the loss treats their numbers as values",
            "Class 9 is then nine times as much as class 1, and between 0 and 2 the network must answer 1.",
            "use CrossEntropy with one output per class",
            "Bishop 2006, Pattern Recognition and Machine Learning, section 4.1.3",
        )


def bottleneck(patient: Patient) -> Iterator[Finding]:
    """A layer narrower than the output, and than the input."""
    n_out, dense = patient.data.n_out, _dense(patient)
    narrow = [(i, layer) for i, layer in dense[:-1] if layer.fan_out < min(n_out, dense[0][1].fan_in)]
    if narrow:
        i, layer = min(narrow, key=lambda pair: pair[1].fan_out)
        yield Finding(
            "bottleneck",
            "warning",
            f"layer {i}, {layer!r}",
            f"{layer.fan_out} units before {n_out} outputs",
            "All that the later layers know of a row passes through these few numbers.",
            f"give it at least {n_out} units, better several times as many",
            "a layer's output spans at most as many dimensions as it has units",
        )


def unreachable_targets(patient: Patient) -> Iterator[Finding]:
    """An activation after the last Dense whose range doesn't hold the targets."""
    layers = patient.net.layers
    unit = layers[-1] if isinstance(layers[-1], Unstandardize) else None
    place = len(layers) - (2 if unit else 1)
    last = layers[place]
    if type(last) not in RANGES or not _dense(patient):
        return
    low, high = RANGES[type(last)]
    if patient.loss.task == "regression":
        t = patient.targets(patient.data.train)
        t = (t - unit.mean) / unit.scale if unit is not None else t
        beyond = float(np.mean((t < low) | (t > high)))
        if beyond <= BEYOND:
            return
        evidence = f"{beyond:.0%} of the training targets lie outside its range, {low:g} to {high:g}"
        advice = f"remove the last {last!r}: an output of values is a plain Dense"
    elif isinstance(last, (ReLU, Tanh)):
        evidence = f"scores can only lie in {low:g} to {high:g}"
        advice = f"remove the last {last!r}: logits are any numbers"
    else:
        return
    yield Finding(
        "output-range",
        "error" if patient.loss.task == "regression" else "warning",
        f"layer {place}, {last!r}",
        evidence,
        "What the last activation can't output is never learned, and where it is flat no gradient passes.",
        advice,
        "the range of the activation (its docstring)",
    )


def linear_network(patient: Patient) -> Iterator[Finding]:
    """Two Dense layers with no activation between: their product is one matrix."""
    between = (Noise, Normalization)
    layers = [(i, layer) for i, layer in enumerate(patient.net.layers) if not isinstance(layer, between)]
    pairs = [(i, j) for (i, a), (j, b) in itertools.pairwise(layers) if isinstance(a, Dense) and isinstance(b, Dense)]
    if pairs:
        where = ", ".join(f"{i} and {j}" for i, j in pairs[:3]) + (" and more" if len(pairs) > 3 else "")
        yield Finding(
            "linear-network",
            "warning",
            f"between layers {where}",
            "two Dense layers follow each other without an activation",
            "x W1 W2 is x times one matrix: the second layer adds parameters and nothing that the first couldn't do.",
            "put an activation such as ReLU() between them",
            "the product of two matrices is a matrix",
        )


def heavy_dropout(patient: Patient) -> Iterator[Finding]:
    """Dropout that leaves too little."""
    heavy = [
        (i, layer)
        for i, layer in enumerate(patient.net.layers)
        if isinstance(layer, Dropout) and layer.rate >= HEAVY_DROPOUT
    ]
    if heavy:
        i, layer = max(heavy, key=lambda pair: pair[1].rate)
        yield Finding(
            "heavy-dropout",
            "warning",
            f"layer {i}, {layer!r}",
            f"{layer.rate:.0%} of the units are dropped in each step",
            "What is left carries too little of a row to learn from, and the noise drowns the gradient.",
            "a rate of 0.5 for hidden layers, 0.2 for inputs, or none",
            "Srivastava et al. 2014 (JMLR 15), section 7.3",
        )


def long_momentum(patient: Patient) -> Iterator[Finding]:
    """Momentum that remembers longer than training lasts, or turns."""
    optimizer = patient.optimizer
    if isinstance(optimizer, SGD) and optimizer.momentum > LONG_MOMENTUM:
        memory = 1 / (1 - optimizer.momentum)
        yield Finding(
            "momentum-high",
            "warning",
            f"optimizer {optimizer!r}",
            f"momentum {optimizer.momentum:g} sums up about {memory:,.0f} steps: in effect a learning rate of"
            f" {optimizer.lr * memory:,.3g}",
            "The weights run on for hundreds of steps after the gradient has turned, and overshoot.",
            "momentum=0.9",
            "Sutskever et al. 2013 (ICML), section 3",
        )


def _dense(patient: Patient) -> list[tuple[int, Dense]]:
    return [(i, layer) for i, layer in enumerate(patient.net.layers) if isinstance(layer, Dense)]


CHECKS = (
    squashed_logits,
    classes_as_values,
    bottleneck,
    unreachable_targets,
    linear_network,
    heavy_dropout,
    long_momentum,
)
