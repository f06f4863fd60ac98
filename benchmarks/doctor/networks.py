"""The networks and the optimizers that a competent person would use, and the healthy cases: all of them, crossed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import datasets
from plan import HALVES, Case, Plan, n_out

import glassnet as gn

Build = Callable[[int, int], list[gn.Layer]]


def mlp(
    widths: Sequence[int],
    activation: Callable[[], gn.Layer] = gn.ReLU,
    init: str = "he",
    norm: Callable[[int], gn.Layer] | None = None,
    dropout: float = 0.0,
) -> list[gn.Layer]:
    """Dense layers of these widths, with activation, normalisation and dropout between them."""
    layers: list[gn.Layer] = []
    for before, after in pairwise(widths[:-1]):
        layers += [gn.Dense(before, after, init), *([norm(after)] if norm else []), activation()]
        layers += [gn.Dropout(dropout)] if dropout else []
    return [*layers, gn.Dense(widths[-2], widths[-1], init)]


ARCHITECTURES: dict[str, Build] = {
    "shallow": lambda i, o: mlp([i, 64, o]),
    "wide": lambda i, o: mlp([i, 256, o]),
    "deep": lambda i, o: mlp([i, 64, 64, 64, 64, o]),
    "six-layers": lambda i, o: mlp([i, 128, 96, 64, 48, 32, o]),
    "batchnorm": lambda i, o: mlp([i, 128, 64, o], norm=gn.BatchNorm),
    "layernorm": lambda i, o: mlp([i, 128, 64, o], gn.GELU, norm=gn.LayerNorm),
    "dropout": lambda i, o: mlp([i, 256, 128, o], dropout=0.2),
    "tanh": lambda i, o: mlp([i, 64, 64, o], gn.Tanh, "glorot"),
    "deep-tanh": lambda i, o: mlp([i, 64, 64, 64, 64, o], gn.Tanh, "glorot"),
    "silu": lambda i, o: mlp([i, 128, 64, o], gn.SiLU),
    "gelu": lambda i, o: mlp([i, 96, 96, 96, o], gn.GELU),
    "leaky": lambda i, o: mlp([i, 128, 64, o], gn.LeakyReLU),
}

OPTIMIZERS: dict[str, Callable[[float], gn.Optimizer]] = {
    "sgd": lambda factor: gn.SGD(0.02 * factor, momentum=0.9),
    "adam": lambda factor: gn.Adam(2e-3),
    "adamw": lambda factor: gn.AdamW(3e-3, weight_decay=0.05, clip_norm=1.0),
    "nesterov": lambda factor: gn.SGD(0.01 * factor, momentum=0.9, nesterov=True, l2=1e-4),
}
SQUARES = 0.25  # the factor of SGD's rate where the loss is a mean of squares, which bends more than cross-entropy


def healthy(base: str, seed: int) -> Plan:
    """A training with nothing wrong, of data/network/optimizer."""
    data, architecture, optimizer = base.split("/")
    source = datasets.ALL[data]
    made, loss = datasets.load(data, seed), source.loss()
    layers = [source.inputs(), *ARCHITECTURES[architecture](made.n_in, n_out(made, loss))]
    if made.task == "regression" and source.unit:
        layers.append(gn.Unstandardize())
    chosen = OPTIMIZERS[optimizer](SQUARES if made.task == "regression" else 1.0)
    return Plan(made, layers, loss, chosen, source.batch_size, source.epochs, seed)


def cases() -> Iterator[Case]:
    """Each data set with each architecture, and the optimizers in turn."""
    optimizers = list(OPTIMIZERS)
    number = 0
    for d, data in enumerate(datasets.ALL):
        if not datasets.here(data):
            continue
        for a, architecture in enumerate(ARCHITECTURES):
            if architecture in datasets.ALL[data].too_large:
                continue
            base = f"{data}/{architecture}/{optimizers[(a + a // 4 + d) % 4]}"
            make = partial(healthy, base, 100 + 20 * d + a)
            half, number = HALVES[(number + d) % 2], number + 1
            yield Case(f"healthy/{base}", "healthy", (), half, make, make)
