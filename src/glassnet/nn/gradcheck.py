"""Are the gradients right? Each is compared with the change of the loss when one number is nudged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from glassnet.nn.layer import Array, Layer
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network
from glassnet.nn.randomness import MASKS

Numbered = tuple[int, Layer]  # a layer with its place in the network

STEPS = (1e-3, 1e-4, 1e-5)  # smaller ones where a larger one crosses a kink or the function bends too much
AGREED = 1e-8  # an error so small that no smaller step is tried
FLOOR = 1e-4  # entries below this share of the largest gradient are compared on its scale
ROUNDING = 1e-3  # taken for the largest gradient, as a share of the loss or of 1, when all are smaller
EPSILON = 4 * float(np.finfo(np.float64).eps)  # the rounding of an output, and then of f, as a share of its size
TOLERANCE = 1e-6  # of the relative error


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient, `analytic` by backward, `numeric` by the differences that agree with it best.

    h is their step, loss_plus and loss_minus the loss with the entry moved by h up and down. All but `analytic` are
    NaN at a kink: every step would carry a unit across it.
    """

    name: str
    index: tuple[int, ...]
    analytic: float
    numeric: float = math.nan
    relative_error: float = math.nan
    h: float = math.nan
    loss_plus: float = math.nan
    loss_minus: float = math.nan

    @property
    def at_kink(self) -> bool:
        """Whether the function has a kink right here, so that there is no gradient to compare with."""
        return math.isnan(self.h)

    @property
    def passed(self) -> bool:
        """Whether the entry could be checked, with a relative error of at most 1e-6."""
        return self.relative_error <= TOLERANCE

    def __str__(self) -> str:
        place = f"dL/d {self.name}[{', '.join(map(str, self.index))}]"
        if self.at_kink:
            return f"{place}: backward gives {self.analytic:.9g}, but right here is a kink, where no gradient exists"
        return (
            f"{place}: backward gives {self.analytic:.9g}, the loss says {self.numeric:.9g}"
            f" (h = {self.h:.3g}: {self.loss_plus:.9g} after adding h, {self.loss_minus:.9g} after subtracting it);"
            f" relative error {self.relative_error:.1e}, {'passed' if self.passed else 'FAILED'}"
        )


@dataclass
class Row:
    """The result for one parameter, or for the input x."""

    name: str
    shape: tuple[int, ...]
    checked: int = 0
    at_kinks: int = 0  # entries that no step could check because the function has a kink right there
    max_relative_error: float = 0.0
    worst: tuple[int, ...] = ()  # the index of the largest error, with its two gradients
    analytic: float = 0.0
    numeric: float = 0.0


@dataclass
class GradientReport:
    """One row per parameter and for x; `passed` if every error is within the tolerance."""

    tolerance: float
    rows: list[Row] = field(default_factory=list)

    @property
    def max_relative_error(self) -> float:
        """The largest error of all."""
        return max((row.max_relative_error for row in self.rows), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether entries were checked and every error is within the tolerance. A NaN never is."""
        return any(row.checked for row in self.rows) and self.max_relative_error <= self.tolerance

    def __str__(self) -> str:
        lines = [f"{'':10} {'shape':>14} {'checked':>9} {'at kinks':>9} {'max relative error':>19}"]
        lines += [
            f"{row.name:10} {row.shape!s:>14} {row.checked:>9,} {row.at_kinks:>9,} {row.max_relative_error:>19.1e}"
            + (
                ""
                if row.max_relative_error <= self.tolerance
                else f"  at {row.worst}: backward gives {row.analytic:.6e}, the loss says {row.numeric:.6e}"
            )
            for row in self.rows
        ]
        verdict = "passed" if self.passed else "FAILED"
        return "\n".join([*lines, f"{verdict}: {self.max_relative_error:.1e}, tolerance {self.tolerance:.0e}"])


def gradcheck(
    net: Network,
    x: npt.ArrayLike,
    t: Array,
    loss: Loss,
    *,
    training: bool = True,
    entries: int | None = None,
    tolerance: float = TOLERANCE,
) -> GradientReport:
    """Compare every gradient of `net` with central differences of the loss, on a float64 copy.

    x (N, n_in) and t are a batch. `training` chooses the mode (the noise of training stays the same). `entries` checks
    that number of entries of each parameter and of x, drawn with a fixed seed, instead of all.

    The difference quotient is the one of fourth order, with f(h) the loss after adding h to one entry:
        [8 (f(h) - f(-h)) - (f(2h) - f(-2h))] / 12 h,   whose error is h^4 f'''''/30  (Fornberg 1988, table 1).
    The error of an entry is |analytic - numeric| / max(|analytic|, |numeric|, 1e-4 * the largest gradient), the least
    over up to three steps h: a wrong gradient is wrong for each of them. A step that would carry any unit across a kink
    (such as a ReLU's) is not used. An entry without any usable step is counted in `at_kinks` rather than as an error.
    Outputs far from 0, such as values near 1e9 that differ by 1, are rounded by a share of their size. Differences that
    this rounding explains are no error. Raises ValueError if the loss of this batch isn't finite.
    """
    probe, rng = GradientProbe(net, x, t, loss, training), np.random.default_rng(0)
    return GradientReport(tolerance, [probe.row(name, rng, entries) for name in probe.gradients])


class GradientProbe:
    """A batch at which single entries of the gradients are compared with differences, as in `gradcheck`.

    `gradients` holds the values and the gradient of each parameter, and of "x". Raises ValueError if the loss of the
    batch isn't finite.
    """

    layers: list[Numbered]
    x: Array
    t: Array
    loss: Loss
    training: bool
    here: list[Array]
    rounding: float
    gradients: dict[str, tuple[Array, Array]]
    spread: Array
    floor: float
    outputs: Array

    def __init__(self, net: Network, x: npt.ArrayLike, t: Array, loss: Loss, training: bool = True) -> None:
        net = net.copy("float64")
        rows = np.array(net.as_input(x), dtype=np.float64)
        net.fit_preprocessing(rows, np.asarray(t))
        self._begin(list(enumerate(net.layers)), rows, t, loss, training)

    @classmethod
    def of_layers(cls, net: Network, x: npt.ArrayLike, training: bool = True) -> Iterator[GradientProbe]:
        """Yield a probe of each layer by itself, whose loss is a random linear function of the layer's outputs.

        One pass of rows x (N, n_in) finds the input of each layer, so the time of all checks goes by the number of
        layers. (The probe of a whole network passes all layers for every entry.) The preprocessing must be fitted.
        Raises ValueError at a layer whose outputs aren't finite.
        """
        net = net.copy("float64")
        rows, rng = np.array(net.as_input(x), dtype=np.float64), np.random.default_rng(0)
        for numbered in enumerate(net.layers):
            y = _forward([numbered], rows, training)
            probe = cls.__new__(cls)
            probe._begin([numbered], rows, rng.standard_normal(y.shape), _Linear(), training)
            yield probe
            rows = y

    def _begin(self, layers: list[Numbered], x: Array, t: Array, loss: Loss, training: bool) -> None:
        self.layers, self.x, self.t, self.loss, self.training = layers, x, t, loss, training
        centre = self._value()
        if not math.isfinite(centre):
            raise ValueError(f"gradcheck: the loss of this batch is {centre}, so its gradient can't be checked")
        self.here = self._sides()
        with np.errstate(over="ignore", invalid="ignore"):  # infinite values are found, and reported, below
            dy = self.loss.backward()
            rounding = EPSILON * float(np.abs(dy * self.outputs).sum())
            self.rounding = rounding if math.isfinite(rounding) else 0.0
            for _, layer in reversed(layers):
                dy = layer.backward(dy)
        self.gradients = {
            f"{i}.{name}": (getattr(layer, name), getattr(layer, f"d{name}").copy())
            for i, layer in layers
            for name in layer.parameters
        } | {"x": (x, dy.copy())}
        std = x.std(axis=0)
        self.spread = np.where(std > 0, std, 1.0)  # columns may have any unit
        largest = max(float(np.abs(d[np.isfinite(d)]).max(initial=0)) for _, d in self.gradients.values())
        # Gradients that are nearly zero are mostly rounding.
        self.floor = FLOOR * max(largest, ROUNDING * max(1.0, abs(centre)))

    def row(self, name: str, rng: np.random.Generator, entries: int | None = None) -> Row:
        """Compare the gradient of a parameter, or of "x": all of its entries, or some, drawn by `rng`."""
        array, _ = self.gradients[name]
        row = Row(name, array.shape)
        chosen = np.arange(array.size)
        if entries is not None and entries < array.size:
            chosen = np.sort(rng.choice(array.size, entries, replace=False))
        for flat in chosen:
            entry = self.check(name, tuple(int(i) for i in np.unravel_index(flat, array.shape)))
            if entry.at_kink:
                row.at_kinks += 1
                continue
            row.checked += 1
            if entry.relative_error > row.max_relative_error:
                row.max_relative_error, row.worst = entry.relative_error, entry.index
                row.analytic, row.numeric = entry.analytic, entry.numeric
        return row

    def check(self, name: str, index: tuple[int, ...]) -> Entry:
        """Compare one entry of the gradient of a parameter, such as "1.W", or of "x"."""
        array, gradient = self.gradients[name]
        unit = float(max(self.spread[index[1]] if name == "x" else 1.0, abs(array[index])))
        found = Entry(name, index, float(gradient[index]))
        for h in (step * unit for step in STEPS):
            rounding = self.rounding / h
            if abs(found.analytic - found.numeric) < rounding:  # a smaller step would say less
                break
            f = self._moved(array, index, h)
            if f is None:
                continue
            numeric = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * h)
            error = _relative_error(found.analytic, numeric, self.floor, rounding)
            if found.at_kink or error < found.relative_error:
                found = replace(found, numeric=numeric, relative_error=error, h=h, loss_plus=f[1], loss_minus=f[-1])
            if error <= AGREED:
                break
        return found

    def _value(self) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            self.outputs = _forward(self.layers, self.x, self.training)
            return self.loss.forward(self.outputs, self.t)

    def _sides(self) -> list[Array]:
        found = [*(layer.side() for _, layer in self.layers), self.loss.side()]
        return [side for side in found if side is not None]

    def _moved(self, array: Array, index: tuple[int, ...], h: float) -> dict[int, float] | None:
        """The losses after adding -2h, -h, h and 2h to array[index]; None if one of these crosses a kink."""
        kept = array[index]
        f: dict[int, float] = {}
        smooth = True
        for k in (-2, -1, 1, 2):
            array[index] = kept + k * h
            f[k] = self._value()
            smooth = smooth and all(map(np.array_equal, self._sides(), self.here))
        array[index] = kept
        return f if smooth else None


def _forward(layers: Sequence[Numbered], x: Array, training: bool) -> Array:
    """The outputs of these layers, with the noise that `Network.reseed` gives each of them, the same at each call."""
    for i, layer in layers:
        layer.reseed([0, MASKS + i])
        x = layer.forward(x, training)
    return x.copy()  # the buffer it lies in will be written again


class _Linear(Loss):
    """L = sum of y * t, of which t is the derivative."""

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        self.t = t
        return float((y * t).sum())

    def backward(self) -> Array:
        return self.t


def _relative_error(analytic: float, numeric: float, floor: float, rounding: float) -> float:
    """|analytic - numeric| over the larger of both, or over `floor` if they are small; infinite if not finite.

    A difference that rounding may explain counts as 0.
    """
    difference = abs(analytic - numeric)
    if difference == 0:
        return 0.0
    if not math.isfinite(difference):
        return math.inf
    error = difference / max(abs(analytic), abs(numeric), floor)
    return min(error, AGREED) if difference <= rounding else error
