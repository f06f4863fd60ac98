"""Preprocessing as layers: fitted on the training rows alone, saved with the weights, never trained.

They take raw rows of any numeric type (uint8 pixels, float64 table columns), compute in the more precise of the
row's and the network's type, and give the network's (see `one_by_one`). They are constants of the network:
`backward` gives dx.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from glassnet.checks import number, positive_int
from glassnet.nn.layer import Array, Layer, Shape
from glassnet.nn.written import Letter, Unit

FAR = 1e100  # in quartiles from the median: its square is a number still
CHUNK = 250_000  # values at a time: they fit into a cache, and there is never a float copy of all pixels


class Fitted(Layer):
    """A layer that is fitted rather than trained; `Network.fit_preprocessing` does so once, before training."""

    @property
    def fitted(self) -> bool:
        """Whether the layer has seen data."""
        return all(hasattr(self, name) for name in self.state)

    def fit(self, x: Array) -> Self:
        """Fit the layer to the training rows x (N, width)."""
        raise TypeError(f"{type(self).__name__} has no fit")

    def fit_with(self, x: Array, y: Array | None) -> Self:
        """Fit the layer to rows x with the targets y, which most layers ignore."""
        return self.fit(x)

    def check(self, x: Array) -> None:
        """Raise ValueError if the layer isn't fitted, or was fitted on rows of another width."""
        if not self.fitted:
            raise ValueError(f"{self!r} is not fitted: train with gn.fit, or call net.fit_preprocessing(x) first")
        width = getattr(self, self.state[0]).shape[-1]
        if width not in (1, x.shape[1]):
            raise ValueError(f"{self!r} was fitted on rows of {width} values, not {x.shape[1]}")


def check_scale(state: Mapping[str, Array]) -> None:
    """Raise ValueError if a scale is 0, because values are divided by it."""
    if "scale" in state and (state["scale"] == 0).any():
        raise ValueError("scale holds 0")


class Preprocessing(Fitted):
    """A fitted layer that takes raw rows: it comes before all trained layers."""


def one_by_one(layers: Sequence[Layer], x: Array, dtype: npt.DTypeLike, training: bool = False) -> Iterator[Array]:
    """Yield the output of each layer for rows x: from the last preprocessing on, they are of the network's dtype.

    Preprocessing that is followed by more of it may be more precise: rotated columns, whose mean is then taken off.
    """
    for layer, after in zip(layers, (*layers[1:], None), strict=True):
        x = layer.forward(x, training)
        if isinstance(layer, Preprocessing) and not isinstance(after, Preprocessing):
            x = x.astype(dtype, copy=False)
        yield x


class Standardize(Preprocessing):
    """y = (x - mean) / (std + eps), by the training rows. A column that is constant there is only centred.

    Shapes: x, y (N, width), mean and scale (width,), or (1,) with per_feature=False: one mean and one standard
    deviation of all values. That suits pixels, whose nearly constant columns would blow up. Backward: dx = dy / scale.
    """

    state: ClassVar[tuple[str, ...]] = ("mean", "scale")
    sentence = "Subtracts the training data's mean and divides by their standard deviation: inputs of a like size."
    formula = "({x}{-mean}) / {scale}"
    elementwise = True
    mean: Array
    scale: Array

    def __init__(self, per_feature: bool = True, eps: float = 0.0) -> None:
        self.per_feature = per_feature
        self.eps: float = number(eps, "Standardize: eps", low=0)

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """Both (width,), or (1,)."""
        shape = (width_in if self.per_feature else 1,)
        return {"mean": shape, "scale": shape}

    def check_state(self, state: Mapping[str, Array]) -> None:
        """Raise ValueError if a number isn't finite, or a scale 0."""
        super().check_state(state)
        check_scale(state)

    def fit(self, x: Array) -> Self:
        """Take mean and standard deviation from x (N, width), in float64, in one pass (Chan et al. 1979, eq. 2.1)."""
        axis = 0 if self.per_feature else None
        rows = max(1, CHUNK // max(1, x.shape[1]))
        count, mean, squares = 0, np.zeros(1), np.zeros(1)
        for start in range(0, len(x), rows):
            chunk = x[start : start + rows].astype(np.float64)
            new = len(chunk) if self.per_feature else chunk.size
            chunk_mean = np.atleast_1d(chunk.mean(axis=axis))
            chunk -= chunk_mean
            away = chunk_mean - mean
            squares = squares + np.square(chunk, out=chunk).sum(axis=axis) + away**2 * (count * new / (count + new))
            mean = mean + away * (new / (count + new))
            count += new
        var = squares / count
        # Rounding leaves a constant column a variance of about (eps * mean)^2 rather than 0.
        constant = var <= (8 * np.finfo(np.float64).eps * mean) ** 2
        scale = np.where(constant, 0.0, np.sqrt(var)) + self.eps
        self.mean, self.scale = mean, np.where(scale == 0, 1.0, scale)
        return self

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = (x - mean) / scale."""
        self.check(x)
        y = self.buffer("y", x.shape, self.dtype)
        precise = np.result_type(x.dtype, self.dtype)
        np.subtract(x, self.mean, out=y, dtype=precise, casting="same_kind")
        return np.divide(y, self.scale, out=y, dtype=self.dtype, casting="same_kind")

    def backward(self, dy: Array) -> Array:
        """dx = dy / scale."""
        return np.divide(dy, self.scale, out=self.buffer("dx", dy.shape, dy.dtype), casting="same_kind")


class Unstandardize(Fitted):
    """The last layer of a regression: y = mean + std * x, so that outputs and loss are in the target's own unit.

    It is fitted to the training targets (N,) or (N, width). The layers before it then work with values of about unit
    size. Shapes: x, y (N, width), mean and scale (width,). Backward: dx = dy * scale. y is always float64, because near
    1e9 float32 has steps of 64. dx is of the network's type.

    With a `margin`, inference keeps y within the range of the training targets, low to high (width,), each widened by
    this share of the range. Training doesn't: the gradient must always tell the way back.
    """

    state: ClassVar[tuple[str, ...]] = ("mean", "scale")
    sentence = "Turns the answer from standard units back into the unit of the target."
    formula = "{mean} + {scale}*{x*}"
    elementwise = True
    mean: Array
    scale: Array
    low: Array
    high: Array

    def __init__(self, margin: float | None = None) -> None:
        self.margin: float | None = None if margin is None else number(margin, "Unstandardize: margin", low=0)
        if margin is not None:
            self.state = ("mean", "scale", "low", "high")  # type: ignore[misc]
            self.formula = f"min(max({self.formula}, {{low}}), {{high}})"  # type: ignore[misc]
            self.note = "low and high are the range of the training targets, and a margin"  # type: ignore[misc]

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """All (width,)."""
        return dict.fromkeys(self.state, (width_in,))

    def check_state(self, state: Mapping[str, Array]) -> None:
        """Raise ValueError if a number isn't finite, or a scale 0."""
        super().check_state(state)
        check_scale(state)

    def fit(self, x: Array) -> Self:
        """Take mean and standard deviation of the targets, and their range, in float64."""
        x = x.reshape(len(x), -1)
        standard = Standardize().fit(x)
        self.mean, self.scale = standard.mean, standard.scale
        if self.margin is not None:
            low, high = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64)
            self.low, self.high = low - self.margin * (high - low), high + self.margin * (high - low)
        return self

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = mean + scale * x, in inference within low and high."""
        self.check(x)
        y = x * self.scale
        y += self.mean
        self.within: Array | None = None
        if self.margin is not None and not training:
            self.within = (y >= self.low) & (y <= self.high)
            np.clip(y, self.low, self.high, out=y)
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy * scale; 0 where y was held at a bound."""
        dx = self.buffer("dx", dy.shape)
        np.multiply(dy, self.scale, out=dx, casting="same_kind")
        if self.within is not None:
            dx *= self.within
        return dx


class RobustScale(Preprocessing):
    """Centre each column by its median, scale it by its quartiles, and clip smoothly: y = z / sqrt(1 + (z / 3)^2).

    z = scale * (x - median), with scale = 1 / (q75 - q25) of the training rows. If these quartiles are equal, scale = 2
    / (max - min), and 0 for a constant column. So |y| < 3, and outliers keep their order. Holzmueller et al. 2024
    (arXiv:2407.04491), section 3. Shapes: x, y (N, width), median and scale (width,).
    Backward: dx = dy * scale * (1 + (z / 3)^2)^(-3/2).
    """

    state: ClassVar[tuple[str, ...]] = ("median", "scale")
    sentence = (
        "Measures each value from the column's median, in units of its middle half, and draws far ones in to +-3."
    )
    formula = "{z*} / sqrt(1 + ({z} / 3)**2)"
    note = "z = scale (x - median)"
    elementwise = True
    median: Array
    scale: Array
    z: Array

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """Both (width,)."""
        return {"median": (width_in,), "scale": (width_in,)}

    def fit(self, x: Array) -> Self:
        """Take median, quartiles and range of each column of x (N, width)."""
        low, q25, self.median, q75, high = np.quantile(x.astype(np.float64), [0, 0.25, 0.5, 0.75, 1], axis=0)
        width = np.where(q75 > q25, q75 - q25, (high - low) / 2)
        self.scale = np.divide(1, width, out=np.zeros_like(width), where=width > 0)
        return self

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = z / sqrt(1 + (z / 3)^2)."""
        self.check(x)
        self.z = (x - self.median) * self.scale
        y = self.buffer("y", x.shape, self.dtype)
        z = np.clip(self.z, -FAR, FAR)
        return np.divide(z, np.sqrt(1 + np.square(z / 3)), out=y, casting="same_kind")

    def backward(self, dy: Array) -> Array:
        """dx = dy * scale * (1 + (z / 3)^2)^(-3/2)."""
        slope = self.scale * np.hypot(1, self.z / 3) ** -3.0
        return np.multiply(dy, slope, out=self.buffer("dx", dy.shape, dy.dtype), casting="same_kind")

    def letters(self, at: Unit) -> dict[str, Letter]:
        """z of the unit."""
        centred = at.letter("x").value - at.letter("median").value
        return {"z": Letter("z", at.letter("scale").value * centred)}


class QuantileNormalize(Preprocessing):
    """Map each column to a normal distribution through its quantiles in the training rows.

    y = Phi^-1(F(x)): F is the column's empirical distribution function at `quantiles` points, and Phi^-1 the quantile
    function of N(0, 1), clipped to +-5.2 (the probabilities 1e-7 and 1 - 1e-7). Between the points y is interpolated
    linearly. At a frequent value F jumps, and y is the mean of the jump's two ends. `noise` (in standard deviations,
    seeded) is added to the training rows before the quantiles are taken, which spreads such values out. Gorishniy et
    al. 2021 (arXiv:2106.11959), section 4; scikit-learn's QuantileTransformer, which jumps to 5.2 for a frequent
    maximum. Rows of a less precise type meet the knots rounded to it, so that they still meet a frequent value.
    Shapes: x, y (N, width), knots (quantiles, width), levels (quantiles, 1). Backward: dx = dy * the segment's slope,
    zero beyond the outermost knots.
    """

    state: ClassVar[tuple[str, ...]] = ("knots", "levels")
    sentence = "Replaces each value by its rank in the training data, on the scale of a normal distribution."
    formula = "Q({share})"
    note = "F is the share of training rows below, Q the quantile of N(0, 1)"
    elementwise = True
    knots: Array
    levels: Array
    x: Array
    met: Array

    def __init__(self, quantiles: int = 1000, noise: float = 0.0) -> None:
        self.quantiles: int = positive_int(quantiles, "QuantileNormalize: quantiles")
        if quantiles < 2:
            raise ValueError(f"QuantileNormalize: quantiles must be at least 2, not {quantiles!r}")
        self.noise: float = number(noise, "QuantileNormalize: noise", low=0)

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """knots (quantiles, width) and levels (quantiles, 1), with fewer rows if there were fewer to fit to."""
        return {"knots": (None, width_in), "levels": (None, 1)}

    def check_state(self, state: Mapping[str, Array]) -> None:
        """Raise ValueError if a number isn't finite, or there isn't one rising level for each of the rising knots."""
        super().check_state(state)
        for name, values in state.items():
            if not len(values) or (np.diff(values, axis=0) < 0).any():
                raise ValueError(f"{name} must rise")
        if len({len(values) for values in state.values()}) > 1:
            raise ValueError("there must be as many levels as knots")

    def fit(self, x: Array) -> Self:
        """Take the quantiles of each column of x (N, width), at most N of them."""
        import statistics

        x = x.astype(np.float64)
        if self.noise:
            std = x.std(axis=0)
            rng = np.random.default_rng(0)
            x += self.noise * np.where(std > 0, std, 1.0) * rng.standard_normal(x.shape)
        share = np.linspace(0, 1, min(self.quantiles, len(x)))
        normal = statistics.NormalDist()
        self.levels = np.array([[normal.inv_cdf(p)] for p in np.clip(share, 1e-7, 1 - 1e-7)])
        self.knots = np.maximum.accumulate(np.quantile(x, share, axis=0))  # rounding must not make them fall
        return self

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = Phi^-1(F(x)), column by column."""
        self.check(x)
        self.x = x.astype(np.float64, copy=False)
        self.met = self.met_by(x.dtype).astype(np.float64, copy=False)
        y = self.buffer("y", x.shape, self.dtype)
        levels = self.levels[:, 0]
        for j, knots in enumerate(self.met.T):
            # Interpolated from the left and from the right: they differ where knots coincide.
            column = self.x[:, j]
            left = np.interp(column, knots, levels)
            right = -np.interp(-column, -knots[::-1], -levels[::-1])
            y[:, j] = (left + right) / 2
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy * slope of the segment that x lies in."""
        dx = self.buffer("dx", dy.shape, dy.dtype)
        rise = np.diff(self.levels[:, 0])
        for j, segment in enumerate(self.side().T):
            run = np.diff(self.met[:, j])
            slope = np.divide(rise, run, out=np.zeros_like(run), where=run > 0)
            dx[:, j] = dy[:, j] * np.concatenate([[0.0], slope, [0.0]])[segment]
        return dx

    def side(self) -> Array:
        """The number of the segment between knots that each value lies in; 0 and `quantiles` are beyond the ends."""
        columns = [np.searchsorted(knots, self.x[:, j], side="right") for j, knots in enumerate(self.met.T)]
        return np.stack(columns, axis=1)

    def letters(self, at: Unit) -> dict[str, Letter]:
        """F(x), by the normal distribution's value."""
        import statistics

        share = statistics.NormalDist().cdf(at.letter("y").value)
        return {"share": Letter(f"F({at.letter('x').name})", share)}

    def met_by(self, dtype: np.dtype[Any]) -> Array:
        """Return the knots as rows of that type meet them: float32's -122.23 isn't float64's, and F jumps there."""
        if dtype.kind != "f":
            return self.knots
        with np.errstate(over="ignore"):
            return self.knots.astype(dtype, copy=False)
