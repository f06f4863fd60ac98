"""How one unit's output came about: the layer's formula, and the same with its numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.inspection.numbers import number
from glassnet.nn import (
    GELU,
    BatchNorm,
    Dense,
    Dropout,
    GaussianNoise,
    Layer,
    LayerNorm,
    LeakyReLU,
    QuantileNormalize,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Standardize,
    Tanh,
    Unstandardize,
)
from glassnet.nn.layer import Array

if TYPE_CHECKING:
    from glassnet.inspection.trace import Trace

SHOWN = 6  # products of a sum that are written out; of more, the largest


@dataclass(frozen=True)
class Term:
    """One product of a weighted sum: the value x of input number `input`, times the weight w."""

    input: int
    x: float
    w: float
    product: float


@dataclass(frozen=True)
class Equation:
    """How output `unit` of a layer came about for a row of the batch; str() writes it as one line.

    formula names the numbers, numbers holds them, value is the layer's output; note explains a letter in the formula.
    Of Dense, `terms` are all products in the order of the inputs, and `bias` is what was added; other layers have none.
    """

    layer: int
    unit: int
    row: int
    formula: str
    numbers: str
    value: float
    note: str = ""
    terms: tuple[Term, ...] = ()
    bias: float | None = None

    def __str__(self) -> str:
        line = " = ".join(filter(None, [f"y[{self.unit}]", self.formula, self.numbers, number(self.value)]))
        return f"{line} ({self.note})" if self.note else line


def equation(trace: Trace, layer: int, unit: int, row: int = 0) -> Equation:
    """Write the equation of one unit, as `Trace.equation` says."""
    _check(layer, len(trace.layers), "the network has layers", "layer")
    traced = trace.layers[layer]
    _check(row, len(traced.output), "the trace has rows", "row")  # after Members, one for each member of each row
    it = trace.net.layers[layer]  # with the values before the step
    return layer_equation(it, layer, traced.input, traced.output, unit, row, traced.local)


def layer_equation(
    it: Layer, index: int, x: Array, y: Array, unit: int, row: int = 0, slopes: Array | None = None
) -> Equation:
    """Write how output `unit` of a layer, number `index` in its network, came about for row `row`.

    x (N, width_in) and y (N, width_out): what the layer took and gave. slopes: dy/dx (N, width), which tells the mask
    of dropout. Raises ValueError if there is no such unit.
    """
    _check(unit, y.shape[1], f"layer {index}, {it!r}, has units", "unit")
    value = float(y[row, unit])
    if type(it).forward is Dense.forward:
        return _weighted_sum(it, x[row], Equation(index, unit, row, "", "", value))
    slope = None if slopes is None else float(slopes[row, unit])
    write = FORMULAS.get(type(it).forward)
    if write is None:
        return Equation(index, unit, row, "...", "", value, f"no formula known for {it!r}")
    formula, numbers, note = write(Unit(it, x, row, unit, value, slope))
    return Equation(index, unit, row, formula, numbers, value, note)


@dataclass(frozen=True)
class Unit:
    """What a formula is about: one output y of a layer, for one row of its inputs; slope: dy/dx, if there is one."""

    layer: Any
    inputs: Array
    row: int
    unit: int
    y: float
    slope: float | None

    @property
    def x(self) -> float:
        """The input at the same place."""
        return float(self.inputs[self.row, self.unit])

    @property
    def name(self) -> str:
        """What formulas call that input."""
        return f"x[{self.unit}]"

    def of(self, values: Array) -> float:
        """The entry of a vector that belongs to the unit; of a vector of length 1, that."""
        return float(values[self.unit if len(values) > 1 else 0])


Written = tuple[str, str, str]  # the formula, the same with numbers, and a note, which may be empty


def _weighted_sum(layer: Any, x: Array, about: Equation) -> Equation:
    """y[u] = sum over i of x[i] W[i, u] + b[u]; of a long sum, the largest products and how much the rest makes."""
    u, bias = about.unit, float(layer.b[about.unit])
    pairs = enumerate(zip(x.tolist(), layer.W[:, u].tolist(), strict=True))
    terms = tuple(Term(i, a, w, a * w) for i, (a, w) in pairs)
    largest = sorted(terms, key=lambda term: -abs(term.product))[:SHOWN]
    shown = terms if len(terms) <= SHOWN else largest
    names = [f"x[{term.input}] W[{term.input},{u}]" for term in shown]
    products = [f"{_factor(term.x)}*{_factor(term.w)}" for term in shown]
    if more := len(terms) - len(shown):
        rest = sum(term.product for term in terms) - sum(term.product for term in shown)
        what = f"... {more:,} more term{'s' if more > 1 else ''}"
        names.append(what)
        products.append(f"({what} = {number(rest)})")
    formula, numbers = " + ".join([*names, f"b[{u}]"]), " + ".join(products) + _plus(bias)
    return Equation(about.layer, u, about.row, formula, numbers, about.value, "", terms, bias)


def _relu(at: Unit) -> Written:
    return f"max({at.name}, 0)", f"max({number(at.x)}, 0)", ""


def _leaky_relu(at: Unit) -> Written:
    slope = number(at.layer.slope)
    numbers = number(at.x) if at.x > 0 else f"{slope}*{_factor(at.x)}"
    return f"({at.name} if {at.name} > 0 else {slope} {at.name})", numbers, ""


def _sigmoid(at: Unit) -> Written:
    return f"1 / (1 + exp(-{at.name}))", f"1 / (1 + exp({number(-at.x)}))", ""


def _tanh(at: Unit) -> Written:
    return f"tanh({at.name})", f"tanh({number(at.x)})", ""


def _gelu(at: Unit) -> Written:
    share = (1 + math.erf(at.x / math.sqrt(2))) / 2
    return f"{at.name} P({at.name})", f"{_factor(at.x)}*{number(share)}", "P is the distribution function of N(0, 1)"


def _silu(at: Unit) -> Written:
    return f"{at.name} / (1 + exp(-{at.name}))", f"{number(at.x)} / (1 + exp({number(-at.x)}))", ""


def _softmax(at: Unit) -> Written:
    row = at.inputs[at.row].astype(np.float64)
    largest = float(row.max())
    total = float(np.exp(row - largest).sum())
    numbers = f"exp({number(at.x)}{_plus(-largest)}) / {number(total)}"
    return f"exp({at.name} - m) / sum over j of exp(x[j] - m)", numbers, "m is the row's largest x"


def _dropout(at: Unit) -> Written:
    mask = 1.0 if at.slope is None else at.slope
    note = "a value is kept and scaled up, or dropped" if at.layer.rate else "at rate 0 nothing is dropped"
    return f"{at.name} mask[{at.unit}]", f"{_factor(at.x)}*{number(mask)}", note


def _gaussian_noise(at: Unit) -> Written:
    note = "noise is drawn anew in each step of training" if at.layer.std else "at std 0 nothing is added"
    return f"{at.name} + noise[{at.unit}]", f"{number(at.x)}{_plus(at.y - at.x)}", note


def _normalized(at: Unit, values: Array, of: str) -> Written:
    """Of BatchNorm and LayerNorm, which differ in what they take mean and variance of."""
    values = values.astype(np.float64)
    mean, var, u = float(values.mean()), float(values.var()), at.unit
    gamma, beta, eps = float(at.layer.gamma[u]), float(at.layer.beta[u]), at.layer.eps
    return (
        f"gamma[{u}] ({at.name} - mean) / sqrt(var + eps) + beta[{u}]",
        f"{_factor(gamma)}*({number(at.x)}{_plus(-mean)}) / sqrt({number(var)} + {number(eps)}){_plus(beta)}",
        f"mean and var are those of the {of}",
    )


def _batch_norm(at: Unit) -> Written:
    return _normalized(at, at.inputs[:, at.unit], "column in the batch")


def _layer_norm(at: Unit) -> Written:
    return _normalized(at, at.inputs[at.row], "row")


def _standardize(at: Unit) -> Written:
    mean, scale = at.of(at.layer.mean), at.of(at.layer.scale)
    return f"({at.name} - mean) / scale", f"({number(at.x)}{_plus(-mean)}) / {number(scale)}", ""


def _unstandardize(at: Unit) -> Written:
    mean, scale = at.of(at.layer.mean), at.of(at.layer.scale)
    return f"mean + scale {at.name}", f"{number(mean)} + {number(scale)}*{_factor(at.x)}", ""


def _quantile_normalize(at: Unit) -> Written:
    share = statistics.NormalDist().cdf(at.y)
    note = "F is the share of training rows below, Q the quantile of N(0, 1)"
    return f"Q(F({at.name}))", f"Q(F({number(at.x)})) = Q({number(share)})", note


# By the method that computes it: a subclass with a forward of its own has a formula of its own.
FORMULAS: dict[Callable[..., Array], Callable[[Unit], Written]] = {
    ReLU.forward: _relu,
    LeakyReLU.forward: _leaky_relu,
    Sigmoid.forward: _sigmoid,
    Tanh.forward: _tanh,
    GELU.forward: _gelu,
    SiLU.forward: _silu,
    Softmax.forward: _softmax,
    Dropout.forward: _dropout,
    GaussianNoise.forward: _gaussian_noise,
    BatchNorm.forward: _batch_norm,
    LayerNorm.forward: _layer_norm,
    Standardize.forward: _standardize,
    Unstandardize.forward: _unstandardize,
    QuantileNormalize.forward: _quantile_normalize,
}


def _check(number: int, size: int, has: str, what: str) -> None:
    if not 0 <= number < size:
        raise ValueError(f"{has} 0 to {size - 1}, so there is no {what} {number}")


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def _plus(value: float) -> str:
    return f" - {number(-value)}" if value < 0 else f" + {number(value)}"
