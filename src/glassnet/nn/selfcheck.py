"""Every layer with every loss, in several shapes and both modes: the cases that the gradient check must pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TypeVar

import numpy as np

from glassnet.nn import activations, losses
from glassnet.nn.activations import Activation, Exp, LeakyReLU
from glassnet.nn.categories import CategoryEmbedding
from glassnet.nn.columns import Columns
from glassnet.nn.embeddings import Periodic, PiecewiseLinear
from glassnet.nn.gradcheck import GradientReport, gradcheck
from glassnet.nn.layer import Array, Layer
from glassnet.nn.layers import Dense
from glassnet.nn.losses import BinaryCrossEntropy, CrossEntropy, Huber, Loss, Poisson
from glassnet.nn.means import TargetMeans
from glassnet.nn.network import Network
from glassnet.nn.noise import Dropout, GaussianNoise
from glassnet.nn.normalization import BatchNorm, LayerNorm
from glassnet.nn.preprocessing import QuantileNormalize, RobustScale, Standardize, Unstandardize
from glassnet.nn.rotations import Rotations

T = TypeVar("T")


def _below(base: type[T], module: ModuleType) -> list[type[T]]:
    """Return the classes of a module that are kinds of `base`: each can be made without arguments."""
    found = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, base)]
    return [kind for kind in found if kind is not base]


def _of_any_width(kind: type[Activation]) -> Callable[[int], Layer]:
    return lambda width: kind()


# One or more settings of each layer, for a given width.
LAYERS: list[Callable[[int], Layer]] = [
    lambda width: Dense(width, width, init="lecun"),
    *(_of_any_width(kind) for kind in _below(Activation, activations)),
    lambda width: LeakyReLU(slope=0.3),
    lambda width: Dropout(0.4),
    lambda width: GaussianNoise(0.3),
    lambda width: BatchNorm(width),
    lambda width: LayerNorm(width),
]
INPUTS: list[Callable[[], Layer]] = [
    Standardize,
    lambda: Standardize(per_feature=False),
    QuantileNormalize,
    RobustScale,
]
# Layers that come after the input, for rows of a given width, and give wider rows.
EMBEDDINGS: list[Callable[[int], Layer]] = [
    lambda width: PiecewiseLinear(width, 2, bins=4, version="A"),
    lambda width: PiecewiseLinear(width, 3, bins=3),
    lambda width: PiecewiseLinear(1, 2, bins=60, plain=width - 1),
    lambda width: Periodic(width, 2, n=3),
    lambda width: Periodic(1, 3, n=2, sigma=1.0, plain=width - 1),
    lambda width: CategoryEmbedding([1] * width, 3),
    lambda width: CategoryEmbedding([1 + width // 2], 2, plain=(width - 1) // 2),
]
LOSSES: list[Loss] = [
    *(kind() for kind in _below(Loss, losses)),
    Huber(delta=0.3),
    CrossEntropy(label_smoothing=0.1),
]
SHAPES = [(4, 3, 5, 3), (1, 2, 3, 2), (5, 1, 1, 1), (2, 7, 4, 5)]  # rows, inputs, hidden width, outputs


@dataclass(frozen=True)
class Case:
    """A small network, a batch and a loss whose gradients are to be checked."""

    layer: str
    name: str
    net: Network
    x: Array
    t: Array
    loss: Loss
    training: bool

    def check(self) -> GradientReport:
        """Run the check."""
        return gradcheck(self.net, self.x, self.t, self.loss, training=self.training)


def cases() -> Iterator[Case]:
    """Yield a case for every layer x loss x shape x mode; CrossEntropy with labels and with probabilities."""
    for make_layer in LAYERS:
        for loss in LOSSES:
            for rows, n_in, width, n_out in SHAPES:
                layers = [Dense(n_in, width, init="lecun"), make_layer(width), Dense(width, n_out, init="lecun")]
                layers += [Exp()] if isinstance(loss, Poisson) else []
                yield from _both_modes(layers, layers[1], loss, rows, n_in, n_out)
    for make_input in INPUTS:
        for loss in LOSSES:
            for rows, n_in, _, n_out in SHAPES:
                for subject in (0, -1):
                    last = Exp() if isinstance(loss, Poisson) else Unstandardize()
                    layers = [make_input(), Dense(n_in, n_out, init="lecun"), last]
                    yield from _both_modes(layers, layers[subject], loss, rows, n_in, n_out)

    for loss in LOSSES:
        for rows, n_in, _, n_out in SHAPES:
            first = Columns([0] * n_in, missing=[n_in - 1], cycles=[(0, 50.0)])
            layers = [first, Dense(n_in + 2, n_out, init="lecun"), *([Exp()] if isinstance(loss, Poisson) else [])]
            yield from _both_modes(layers, first, loss, rows, n_in, n_out)
            turned = Rotations(max(1, n_in - 1), pairs=2, angles=5, plain=min(1, n_in - 1))
            layers = [turned, Dense(turned.width_out(n_in), n_out, init="lecun")]
            layers += [Exp()] if isinstance(loss, Poisson) else []
            yield from _both_modes(layers, turned, loss, rows, n_in, n_out)
            known = TargetMeans(n_in, [0], [50], n_out)
            layers = [known, Dense(n_in + n_out, n_out, init="lecun")]
            layers += [Exp()] if isinstance(loss, Poisson) else []
            yield from _both_modes(layers, known, loss, rows, n_in, n_out)
            for make_embedding in EMBEDDINGS:
                embedding = make_embedding(n_in)
                layers = [embedding, Dense(embedding.width_out(n_in) or 0, n_out, init="lecun")]
                layers += [Exp()] if isinstance(loss, Poisson) else []
                yield from _both_modes(layers, embedding, loss, rows, n_in, n_out)


def _both_modes(layers: list[Layer], subject: Layer, loss: Loss, rows: int, n_in: int, n_out: int) -> Iterator[Case]:
    rng = np.random.default_rng([rows, n_in, n_out])
    net = Network(layers, "float64", seed=1)
    net.theta += 0.1 * rng.standard_normal(net.theta.size)  # so that biases, gamma and beta aren't special
    net.fit_preprocessing(rng.standard_normal((50, n_in)), rng.standard_normal((50, n_out)))
    x = rng.standard_normal((rows, n_in))
    for t in _targets(loss, rows, n_out, rng):
        for training in (True, False):
            mode = "training" if training else "inference"
            name = f"{subject!r} {loss!r} x {(rows, n_in)} y {(rows, n_out)} t {t.dtype}, {mode}"
            yield Case(type(subject).__name__, name, net, x, t, loss, training)


def _targets(loss: Loss, rows: int, n_out: int, rng: np.random.Generator) -> list[Array]:
    if isinstance(loss, CrossEntropy):
        return [rng.integers(n_out, size=rows), rng.dirichlet(np.ones(n_out), size=rows)]
    if isinstance(loss, BinaryCrossEntropy):
        return [rng.random((rows, n_out))]
    if isinstance(loss, Poisson):
        return [rng.poisson(1.5, (rows, n_out)).astype(float)]
    return [rng.standard_normal((rows, n_out))]


@dataclass
class LayerChecks:
    """The results of the check for all cases of one layer."""

    name: str
    cases: int = 0
    checked: int = 0
    at_kinks: int = 0
    max_relative_error: float = 0.0
    passed: bool = True


def summary() -> list[LayerChecks]:
    """Check every case; return one group for each layer."""
    groups: dict[str, LayerChecks] = {}
    for case in cases():
        report = case.check()
        group = groups.setdefault(case.layer, LayerChecks(case.layer))
        group.cases += 1
        group.checked += sum(row.checked for row in report.rows)
        group.at_kinks += sum(row.at_kinks for row in report.rows)
        group.max_relative_error = max(group.max_relative_error, report.max_relative_error)
        group.passed = group.passed and report.passed
    return list(groups.values())
