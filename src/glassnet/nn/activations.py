"""Activations: functions of each value alone, and Softmax, a function of each row. Shapes: x, y, dy, dx (N, width)."""

from __future__ import annotations

import math

import numpy as np

from glassnet.checks import number
from glassnet.nn.layer import Array, Layer
from glassnet.nn.written import Letter, Unit

SHORT = 8  # values in a row: fewer are summed one by one, as NumPy does


def logistic(x: Array, out: Array) -> Array:
    """1 / (1 + exp(-x)), with x clipped where the exponential would overflow; exact in both tails."""
    limit = math.log(np.finfo(out.dtype).max) - 1
    np.clip(x, -limit, limit, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    out += 1
    return np.reciprocal(out, out=out)


def normal_distribution(x: Array, out: Array) -> Array:
    """P(x) = erfc(-x / sqrt 2) / 2, the distribution function of N(0, 1); exact in both tails."""
    try:
        from scipy.special import ndtr
    except ImportError:  # five times slower
        out[...] = np.frompyfunc(lambda value: math.erfc(-value / math.sqrt(2)) / 2, 1, 1)(x)
        return out
    return ndtr(x, out=out)


class Activation(Layer):
    """A layer without parameters that leaves the width of a row as it is."""

    elementwise = True


class ReLU(Activation):
    """Rectified linear unit: y = max(x, 0); dx = dy where x > 0, else 0 (at the kink x = 0 too)."""

    sentence = "Lets positive values through and turns negative ones into 0: such a unit is off."
    formula = "max({x}, 0)"

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = max(x, 0)."""
        self.y: Array = np.maximum(x, 0, out=self.buffer("y", x.shape, x.dtype))
        return self.y

    def backward(self, dy: Array) -> Array:
        """dx = dy * (x > 0)."""
        active = np.greater(self.y, 0, out=self.buffer("active", dy.shape, bool))
        return np.multiply(dy, active, out=self.buffer("dx", dy.shape, dy.dtype))

    def side(self) -> Array:
        """Whether x > 0."""
        return self.y > 0


class LeakyReLU(Activation):
    """y = x where x > 0, else slope * x; dx = dy or slope * dy. Maas et al. 2013 (ICML workshop on deep learning)."""

    sentence = "Lets positive values through and multiplies negative ones by {slope:g}."
    formula = "({x} if {x} > 0 else {slope*}*{x*})"

    def __init__(self, slope: float = 0.01) -> None:
        self.slope: float = number(slope, "LeakyReLU: slope")

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x or slope * x."""
        self.positive: Array = np.greater(x, 0, out=self.buffer("positive", x.shape, bool))
        y = np.multiply(x, self.slope, out=self.buffer("y", x.shape, x.dtype))
        np.copyto(y, x, where=self.positive)
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy or slope * dy."""
        dx = np.multiply(dy, self.slope, out=self.buffer("dx", dy.shape, dy.dtype))
        np.copyto(dx, dy, where=self.positive)
        return dx

    def side(self) -> Array:
        """Whether x > 0."""
        return self.positive.copy()


class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x)); dx = dy * y * (1 - y)."""

    sentence = "Squeezes each value into 0 to 1."
    formula = "1 / (1 + exp(-{x*}))"

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = 1 / (1 + exp(-x))."""
        self.y: Array = logistic(x, out=self.buffer("y", x.shape, x.dtype))
        return self.y

    def backward(self, dy: Array) -> Array:
        """dx = dy * y * (1 - y)."""
        dx = np.subtract(1, self.y, out=self.buffer("dx", dy.shape, dy.dtype))
        dx *= self.y
        dx *= dy
        return dx


class Tanh(Activation):
    """y = tanh(x); dx = dy * (1 - y^2)."""

    sentence = "Squeezes each value into -1 to 1."
    formula = "tanh({x})"

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = tanh(x)."""
        self.y: Array = np.tanh(x, out=self.buffer("y", x.shape, x.dtype))
        return self.y

    def backward(self, dy: Array) -> Array:
        """dx = dy * (1 - y^2)."""
        dx = np.square(self.y, out=self.buffer("dx", dy.shape, dy.dtype))
        np.subtract(1, dx, out=dx)
        dx *= dy
        return dx


class Exp(Activation):
    """y = exp(x); dx = dy * y. The last layer of a network whose outputs are counts or rates: see Poisson."""

    sentence = "Turns each value into a positive one: its exponential."
    formula = "exp({x})"

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = exp(x)."""
        self.y: Array = np.exp(x, out=self.buffer("y", x.shape, x.dtype))
        return self.y

    def backward(self, dy: Array) -> Array:
        """dx = dy * y."""
        return np.multiply(dy, self.y, out=self.buffer("dx", dy.shape, dy.dtype))


class GELU(Activation):
    """Gaussian error linear unit: y = x * P(x), P the distribution function of N(0, 1) and p its density.

    dx = dy * (P(x) + x * p(x)). Hendrycks & Gimpel 2016 (arXiv:1606.08415); this is the exact form, not the tanh one.
    P(x) comes from SciPy, which is loaded at the first use, or from Python's `math` if SciPy isn't installed.
    """

    sentence = "Lets large values through, and less and less of those around and below 0."
    formula = "{x*}*{P*}"
    note = "P is the distribution function of N(0, 1)"

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x * P(x)."""
        self.x = x
        self.cumulative: Array = normal_distribution(x, out=self.buffer("cumulative", x.shape, x.dtype))
        return np.multiply(x, self.cumulative, out=self.buffer("y", x.shape, x.dtype))

    def backward(self, dy: Array) -> Array:
        """dx = dy * (P(x) + x * p(x))."""
        dx = np.square(self.x, out=self.buffer("dx", dy.shape, dy.dtype))
        dx *= -0.5
        np.exp(dx, out=dx)
        dx *= 1 / math.sqrt(2 * math.pi)
        dx *= self.x
        dx += self.cumulative
        dx *= dy
        return dx

    def letters(self, at: Unit) -> dict[str, Letter]:
        """P(x)."""
        x = at.letter("x")
        return {"P": Letter(f"P({x.name})", (1 + math.erf(x.value / math.sqrt(2))) / 2)}


class SiLU(Activation):
    """y = x * s with s = 1 / (1 + exp(-x)); dx = dy * s * (1 + x * (1 - s)).

    Elfwing et al. 2017 (arXiv:1702.03118), also known as swish.
    """

    sentence = "Lets large values through, and less and less of those around and below 0."
    formula = "{x*} / (1 + exp(-{x*}))"

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x * s."""
        self.x = x
        self.gate: Array = logistic(x, out=self.buffer("gate", x.shape, x.dtype))
        return np.multiply(x, self.gate, out=self.buffer("y", x.shape, x.dtype))

    def backward(self, dy: Array) -> Array:
        """dx = dy * s * (1 + x * (1 - s))."""
        dx = np.subtract(1, self.gate, out=self.buffer("dx", dy.shape, dy.dtype))
        dx *= self.x
        dx += 1
        dx *= self.gate
        dx *= dy
        return dx


def of_rows(operation: np.ufunc, x: Array) -> Array:
    """Return the maximum or the sum of each row (N, 1). Of short rows column by column: NumPy begins each row anew."""
    if not 0 < x.shape[1] < SHORT:
        return np.asarray(operation.reduce(x, axis=1, keepdims=True))
    result = x[:, :1].copy()
    for j in range(1, x.shape[1]):
        operation(result, x[:, j : j + 1], out=result)
    return result


class Softmax(Activation):
    """Each row becomes probabilities: y_i = exp(x_i) / sum_j exp(x_j), computed after subtracting the row's maximum.

    The Jacobian of a row is diag(y) - y y^T, so dx = y * (dy - sum_j dy_j y_j).
    To train with CrossEntropy, leave Softmax out: that loss takes logits.
    """

    sentence = "Turns the values of a row into shares that add up to 1."
    formula = "exp({x}{-m}) / {total}"
    note = "m is the row's largest x"
    elementwise = False

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = exp(x) / sum exp(x), row by row."""
        y = np.subtract(x, of_rows(np.maximum, x), out=self.buffer("y", x.shape, x.dtype))
        np.exp(y, out=y)
        y /= of_rows(np.add, y)
        self.y = y
        return y

    def backward(self, dy: Array) -> Array:
        """dx = y * (dy - sum_j dy_j y_j)."""
        dx = np.multiply(dy, self.y, out=self.buffer("dx", dy.shape, dy.dtype))
        along = dx.sum(axis=1, keepdims=True)
        np.subtract(dy, along, out=dx)
        dx *= self.y
        return dx

    def letters(self, at: Unit) -> dict[str, Letter]:
        """The row's largest x, and the sum of exponentials that y is a share of."""
        row = at.x[at.row].astype(np.float64)
        m = float(row.max())
        return {"m": Letter("m", m), "total": Letter("sum over j of exp(x[j] - m)", float(np.exp(row - m).sum()))}
