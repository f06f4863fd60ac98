"""The tables of kernels, with the facts that each needs. Kinds have the names of their classes, in C as here.

A test compares these tables with the library's public classes. A class without a kernel must say why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.fast.preparing import STEPS
from glassnet.fast.structures import TOGETHER, COptimizer
from glassnet.nn import (
    GELU,
    MAE,
    MSE,
    BatchNorm,
    BinaryCrossEntropy,
    CategoryEmbedding,
    CrossEntropy,
    Dense,
    Dropout,
    Exp,
    GaussianNoise,
    Huber,
    Layer,
    LayerNorm,
    LeakyReLU,
    Loss,
    Periodic,
    PiecewiseLinear,
    Poisson,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    Unstandardize,
)
from glassnet.nn.layer import Array
from glassnet.optim import SGD, Adam, AdamW, Optimizer

New = Callable[..., int]  # the address of new memory of a shape, of the network's type or another dtype


@dataclass(frozen=True)
class Kernel:
    """A layer's kernel. `sizes`, `constants`, `arrays` and `memory` are in the order in which the C code numbers them.

    sizes, constants: names of the layer's attributes.
    moved: the names of float64 vectors that training moves. In C they come first among the arrays.
    arrays: other arrays that it reads besides its parameters.
    memory: the arrays that forward leaves for backward, for a number of rows of y and their width.
    scratch: the numbers in which a thread sums gradients, besides those of products.
    own_dx: dx can't be where dy is. in_place: y can be where x is, because nobody needs x afterwards.
    reads_y: backward needs y. infers: whether it is used in inference.
    """

    sizes: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    arrays: Callable[[Any], Sequence[Array]] = lambda layer: ()
    memory: Callable[[Any, New, int, int], Sequence[int]] = lambda layer, new, rows, width: ()
    scratch: Callable[[Any], int] = lambda layer: 0
    own_dx: bool = False
    in_place: bool = False
    reads_y: bool = False
    infers: bool = True


NONE = Kernel()


def _edges_inner(layer: PiecewiseLinear) -> Sequence[Array]:
    layer.check(np.empty((0, layer.width_in)))
    edges = np.ascontiguousarray(layer.edges.T, layer.dtype)
    return [edges, np.where(np.isinf(edges[:, 2:]), np.nan, edges[:, 1:-1])]  # inner: NaN has no value above it


def _low_scale_column(layer: CategoryEmbedding) -> Sequence[Array]:
    layer.check(np.empty((0, layer.width_in)))
    column = np.repeat(np.arange(len(layer.categories), dtype=np.int64), layer.categories)
    return [np.ascontiguousarray(layer.low, np.float64), np.ascontiguousarray(layer.scale, np.float64), column]


def _one_for_each_value(_: Layer, new: New, rows: int, width: int) -> Sequence[int]:
    return [new(rows, width)]


def _x_hat_and_inv_std(_: Layer, new: New, rows: int, width: int) -> Sequence[int]:
    return [new(rows, width), new(max(rows, width))]  # inv_std: of each column, or row


def _share_bin(layer: PiecewiseLinear | Folded, new: New, rows: int, _: int) -> list[int]:
    # The place of each value in its bin, and the bin: for a layer Folded, of some features at a time.
    features = TOGETHER if isinstance(layer, Folded) else layer.width
    return [new(features, rows), new(features, rows, dtype=f"u{layer.dtype.itemsize}")]


def _share_bin_below(layer: PiecewiseLinear, new: New, rows: int, width: int) -> Sequence[int]:
    # And for each feature the sums of W over the bins below.
    return [*_share_bin(layer, new, rows, width), new(*layer.shapes()["W"])]


def _waves(layer: Periodic, new: New, rows: int, _: int) -> Sequence[int]:
    return [new(rows, layer.width, 2 * layer.n)]


def _listed(layer: CategoryEmbedding, new: New, rows: int, _: int) -> Sequence[int]:
    # The u of each row that aren't 0, their numbers, and how many there are.
    numbers = f"u{layer.dtype.itemsize}"
    return [new(rows, layer.width), new(rows, layer.width, dtype=numbers), new(rows, dtype=numbers)]


def _narrow_terms(layer: Dense) -> int:
    # Two columns of tiles and 512 lines of a matrix, or the same and the sums of a gradient of up to 1024 rows.
    n_in, n_out = (-(-n // 32) for n in (layer.fan_in, layer.fan_out))
    return max(34 * 256 * max(n_in, n_out), 2**14 * (1 + n_in) + 1024 * n_in) if layer.narrow else 0


def _of_a_feature(layer: PiecewiseLinear) -> int:
    return 2 * layer.size // layer.width + 2 * layer.dim


def _of_a_feature_in_waves(layer: Periodic) -> int:
    # Three times W, then c, the waves, b and y; or the waves and y of as many rows as a vector has numbers.
    return max(6 * layer.n * layer.dim + 3 * layer.n + 2 * layer.dim, 16 * (2 * layer.n + layer.dim))


class Folded(Layer):
    """PiecewiseLinear and the Dense behind it as one layer, which a program for inference has in their place."""

    def __init__(self, embedding: PiecewiseLinear, dense: Dense) -> None:
        self.embedding = embedding
        self.dense = dense
        self.width, self.dim, self.bins, self.dtype = embedding.width, embedding.dim, embedding.bins, embedding.dtype

    @property
    def width_in(self) -> int:
        """That of the embedding."""
        return self.embedding.width_in

    def width_out(self, width_in: int | None) -> int:
        """That of the dense layer."""
        return self.dense.fan_out

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The parameters of both, in order."""
        return {
            f"{i}.{name}": shape
            for i, each in enumerate((self.embedding, self.dense))
            for name, shape in each.shapes().items()
        }


def _tables(layer: Folded) -> int:
    # The sums of W over the bins below, both terms of each bin for some features, and their products with 32 columns.
    return layer.bins * (layer.dim + 2 * TOGETHER * (layer.dim + 32))


KERNELS: dict[type[Layer], Kernel] = {
    Dense: Kernel(sizes=("narrow",), scratch=_narrow_terms, own_dx=True),
    ReLU: Kernel(in_place=True, reads_y=True),
    LeakyReLU: Kernel(constants=("slope",)),
    Sigmoid: Kernel(in_place=True, reads_y=True),
    Tanh: Kernel(in_place=True, reads_y=True),
    GELU: Kernel(),
    SiLU: Kernel(),
    Exp: Kernel(in_place=True, reads_y=True),
    # The strength of noise and the source of its random numbers are read at each step.
    Dropout: Kernel(memory=_one_for_each_value, infers=False),
    GaussianNoise: Kernel(memory=_one_for_each_value, in_place=True, infers=False),
    BatchNorm: Kernel(constants=("eps", "momentum"), moved=("running_mean", "running_var"), memory=_x_hat_and_inv_std),
    LayerNorm: Kernel(constants=("eps",), memory=_x_hat_and_inv_std, own_dx=True),
    PiecewiseLinear: Kernel(
        sizes=("width", "dim", "bins"), arrays=_edges_inner, memory=_share_bin_below, scratch=_of_a_feature, own_dx=True
    ),
    Periodic: Kernel(
        sizes=("width", "dim", "n"), memory=_waves, scratch=_of_a_feature_in_waves, own_dx=True, reads_y=True
    ),
    CategoryEmbedding: Kernel(
        sizes=("width", "dim"), arrays=_low_scale_column, memory=_listed, scratch=lambda layer: layer.size, own_dx=True
    ),
}
FOLDED = Kernel(
    sizes=("width", "dim", "bins"),
    arrays=lambda layer: _edges_inner(layer.embedding),
    memory=_share_bin,
    scratch=_tables,
)
# Layers that prepare all rows once, before the kernels see them.
PREPARED: tuple[type[Layer], ...] = tuple(STEPS)
WITHOUT: dict[type[Layer], str] = {
    Unstandardize: "applied to the outputs after the kernels, and in training to the targets",
    Softmax: "CrossEntropy takes the scores before it",
}


def chosen(layers: Sequence[Layer], training: bool) -> list[tuple[Layer, Kernel]]:
    """Return the layers that a program has for these, each with its kernel."""
    found: list[tuple[Layer, Kernel]] = []
    for layer in layers:
        kernel = KERNELS[type(layer)]
        before = found[-1][0] if found else None
        if not training and type(layer) is Dense and type(before) is PiecewiseLinear:
            found[-1] = Folded(before, layer), FOLDED
        elif training or kernel.infers:
            found.append((layer, kernel))
    return found


# The name of each loss's constant, if it has one.
LOSSES: dict[type[Loss], str | None] = {
    CrossEntropy: "label_smoothing",
    BinaryCrossEntropy: None,
    MSE: None,
    MAE: None,
    Huber: "delta",
    Poisson: None,
}


def _sgd(optimizer: SGD, c: COptimizer) -> str:
    c.momentum = optimizer.momentum
    return "Nesterov" if optimizer.nesterov else "SGD"


def _adam(optimizer: Adam, c: COptimizer) -> str:
    c.eps, (c.beta1, c.beta2) = optimizer.eps, optimizer.betas
    return "Adam"


# A function for each optimizer, which writes its numbers for the next step and returns the name of its rule.
OPTIMIZERS: dict[type[Optimizer], Callable[[Any, COptimizer], str]] = {SGD: _sgd, Adam: _adam, AdamW: _adam}


RULES = ("SGD", "Nesterov", "Adam")


def kind_names() -> list[str]:
    """Return the names of all kinds, which must be in the library."""
    return [*(kind.__name__ for kind in (*KERNELS, *LOSSES, *PREPARED)), Folded.__name__, *RULES]
