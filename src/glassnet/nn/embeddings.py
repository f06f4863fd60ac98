"""Embeddings of numeric features: each becomes several values, by trained functions of it alone.

Gorishniy et al. 2022 (arXiv:2203.05556), section 3. They come after preprocessing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from glassnet.checks import count, number, positive_int
from glassnet.nn.layer import Array, Layer, Shape
from glassnet.nn.preprocessing import Fitted
from glassnet.nn.written import Letter, Unit, Written, fill, weighted_sum


class Embedding(Layer):
    """The base of embeddings: the first `width` columns are embedded, the last `plain` passed through behind them."""

    def __init__(self, width: int, dim: int, plain: int) -> None:
        name = type(self).__name__
        self.width: int = positive_int(width, f"{name}: width")
        self.dim: int = positive_int(dim, f"{name}: dim")
        self.plain: int = count(plain, f"{name}: plain")

    @property
    def width_in(self) -> int:
        """width + plain."""
        return self.width + self.plain

    def width_out(self, width_in: int | None) -> int:
        """width * dim + plain."""
        return self.width * self.dim + self.plain

    def split(self, y: Array) -> tuple[Array, Array]:
        """Return views of rows y (N, width * dim + plain): (N, width, dim) and (N, plain)."""
        embedded = y[:, : self.width * self.dim]
        shape = (len(y), self.width, self.dim)
        strides = (y.strides[0], self.dim * y.strides[1], y.strides[1])
        return np.lib.stride_tricks.as_strided(embedded, shape, strides), y[:, self.width * self.dim :]

    def result(self, x: Array, embedded: Array) -> Array:
        """Return y of embedded values (N, width, dim) and the plain columns of x."""
        y = self.buffer("y", (len(x), self.width_out(None)))
        first, last = self.split(y)
        first[...] = embedded
        last[...] = x[:, self.width :]
        return y

    def passed_through(self, at: Unit) -> Written:
        """Write a value behind the embedded ones."""
        j = self.width + at.unit - self.width * self.dim
        return fill("{x}", at, {"x": Letter(f"x[{j}]", float(at.x[at.row, j]))})

    def input_gradient(self, dy: Array, dx: Array) -> Array:
        """Return dL/dx (N, width + plain) of its embedded part dx (N, width) and the plain part of dy."""
        whole = self.buffer("dx", (len(dy), self.width + self.plain))
        whole[:, : self.width] = dx
        whole[:, self.width :] = self.split(dy)[1]
        return whole


class PiecewiseLinear(Embedding, Fitted):
    """A continuous function of each feature, linear between `bins` + 1 edges: quantiles of its training column.

    For x in bin b, from e[b] to e[b + 1], let t = (x - e[b]) / (e[b + 1] - e[b]). The outermost bins go on beyond their
    edges. Version "A":  y = W[0] + ... + W[b - 1] + t W[b] + bias,  which is the paper's piecewise-linear encoding (1,
    ..., 1, t, 0, ..., 0) times W. Version "B" adds a linear term x V, and its W starts at zero (the authors' package
    rtdl_num_embeddings). Equal quantiles are one edge, so a feature of few values has fewer bins than W.
    Shapes, for each of `width` features: x (N, width), W (width, bins, dim), V and bias (width, dim), y (N, width *
    dim); `plain` further columns are passed through at the end of x and y. edges (bins + 1, width), with infinity in
    place of edges that a feature hasn't. With `min_rows`, a bin holds at least about that number of training rows.
    Backward: with G[b] the sum of dy over the rows of bin b, and H[b] that of t dy:  dW[b] = H[b] + G[b + 1] + G[b + 2]
    + ...,  dbias = sum of dy,  dV = sum of x dy,  dx = dy . (W[b] / (e[b + 1] - e[b]) + V).
    Raises ValueError for sizes that are no positive whole numbers, or another version.
    """

    state: ClassVar[tuple[str, ...]] = ("edges",)
    sentence = "Turns each feature into {dim} values: curves of straight pieces over it, whose slopes are trained."
    edges: Array
    W: Array
    V: Array
    bias: Array
    dW: Array
    dV: Array
    dbias: Array
    parameters: ClassVar[tuple[str, ...]] = ("W", "V", "bias")
    decayed: ClassVar[tuple[str, ...]] = ("W", "V")
    bin: Array
    length: Array
    t: Array

    def __init__(
        self,
        width: int,
        dim: int,
        bins: int = 48,
        version: str = "B",
        plain: int = 0,
        min_rows: int = 1,
        distinct: bool = False,
    ) -> None:
        super().__init__(width, dim, plain)
        self.bins: int = positive_int(bins, "PiecewiseLinear: bins")
        self.min_rows: int = positive_int(min_rows, "PiecewiseLinear: min_rows")
        if version not in ("A", "B"):
            raise ValueError(f'PiecewiseLinear: version must be "A" or "B", not {version!r}')
        self.version = version
        self.distinct: bool = bool(distinct)

    def state_shapes(self, width_in: int | None) -> dict[str, Shape]:
        """edges (bins + 1, width)."""
        return {"edges": (self.bins + 1, self.width)}

    def check_state(self, state: Mapping[str, Array]) -> None:
        """Raise ValueError unless each feature has two edges or more, which rise, and after them infinity alone."""
        if "edges" in state:
            edges = state["edges"]
            there = np.isfinite(edges)
            rising = (edges[1:] > edges[:-1]) | (edges[1:] == np.inf)
            if not (there[:2].all() and rising.all()):
                raise ValueError("edges must rise, with at least two for each feature")

    def fit(self, x: Array) -> Self:
        """Take the edges from each column of x (N, width + plain); at most N of them."""
        bins = min(self.bins, max(1, (len(x) - 1) // self.min_rows))
        self.edges = np.full((self.bins + 1, self.width), np.inf)
        for column, edges in zip(x.T, self.edges.T, strict=False):
            found = self._edges_of(column.astype(np.float64), bins)
            if len(found) == 1:  # a constant: one bin, of unit width
                found = np.append(found, found + 1)
            edges[: len(found)] = found
        return self

    def _edges_of(self, column: Array, bins: int) -> Array:
        """Return the edges of at most so many bins of a feature, in order."""
        if not self.distinct:
            return np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)))
        values = np.unique(column)
        if len(values) <= bins:
            return values
        halves = (column, bins // 2 + 1), (values, bins - bins // 2)
        return np.unique(np.concatenate([np.quantile(of, np.linspace(0, 1, count)) for of, count in halves]))

    def check(self, x: Array) -> None:
        """Raise ValueError if the edges aren't fitted."""
        super().check(x[:, : self.width])

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = sum of W over the bins below x, + t W[b] + bias, and in version B + x V."""
        self.check(x)
        self.x = x
        features = np.arange(self.width)
        last = np.isfinite(self.edges).sum(axis=0) - 2  # each feature's last bin
        self.bin = np.empty((len(x), self.width), np.intp)
        for j, edges in enumerate(self.edges.T):
            self.bin[:, j] = np.searchsorted(edges[1 : last[j] + 1], x[:, j], side="right")
        low, high = self.edges[self.bin, features], self.edges[self.bin + 1, features]
        self.length = (high - low).astype(self.dtype)
        self.t = ((x[:, : self.width] - low) / (high - low)).astype(self.dtype)[:, :, np.newaxis]
        below = np.cumsum(self.W, axis=1) - self.W
        y = below[features, self.bin] + self.t * self.W[features, self.bin] + self.bias
        if self.version == "B":
            y += x[:, : self.width, np.newaxis] * self.V
        return self.result(x, y)

    def backward(self, dy: Array) -> Array:
        """dx = dy . (W[b] / length + V), and the parameters' gradients."""
        self.parameter_gradients(dy)
        slope = self.W[np.arange(self.width), self.bin] / self.length[:, :, np.newaxis]
        if self.version == "B":
            slope += self.V
        return self.input_gradient(dy, (self.split(dy)[0] * slope).sum(axis=2))

    def parameter_gradients(self, dy: Array) -> None:
        """dW[b] = H[b] + sum of G over the bins above b, dbias and dV."""
        dy = self.split(dy)[0]
        G, H = np.zeros_like(self.W), np.zeros_like(self.W)
        places = np.arange(self.width), self.bin
        np.add.at(G, places, dy)
        np.add.at(H, places, self.t * dy)
        from_here = np.cumsum(G[:, ::-1], axis=1)[:, ::-1]
        np.add(H, from_here - G, out=self.dW)
        np.sum(dy, axis=0, out=self.dbias)
        if self.version == "B":
            np.einsum("nf,nfd->fd", self.x[:, : self.width], dy, out=self.dV)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """W (width, bins, dim), V (width, dim) in version B, bias (width, dim)."""
        small = (self.width, self.dim)
        return {"W": (self.width, self.bins, self.dim), "V": small if self.version == "B" else (0, 0), "bias": small}

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw W, or in version B V instead, and bias."""
        self.W[...] = 0
        first, fan = (self.W, self.bins) if self.version == "A" else (self.V, self.dim)
        for parameter in (first, self.bias):
            parameter[...] = rng.uniform(-1, 1, parameter.shape) / math.sqrt(fan)

    def side(self) -> Array:
        """Which bin each value lies in."""
        return self.bin

    def written(self, at: Unit) -> Written:
        """Write component d of feature f: the value at the lower edge of the bin, and how far x goes into it."""
        f, d = divmod(at.unit, self.dim)
        if f >= self.width:
            return self.passed_through(at)
        x, edges = float(at.x[at.row, f]), self.edges[np.isfinite(self.edges[:, f]), f]
        b = int(np.searchsorted(edges[1:-1], x, side="right"))
        low, high = float(edges[b]), float(edges[b + 1])
        letters = {
            "below": Letter(f"sum of W[{f},0..{b - 1},{d}]" if b else "0", float(self.W[f, :b, d].sum())),
            "x": Letter(f"x[{f}]", x),
            "low": Letter(f"e[{b}]", low),
            "length": Letter(f"(e[{b + 1}] - e[{b}])", high - low),
            "W": Letter(f"W[{f},{b},{d}]", float(self.W[f, b, d])),
            "bias": Letter(f"bias[{f},{d}]", float(self.bias[f, d])),
        }
        template = "{below} + ({x}{-low}) / {length}*{W*}{+bias}"
        if self.version == "B":
            letters["V"] = Letter(f"V[{f},{d}]", float(self.V[f, d]))
            template += " + {x*}*{V*}"
        return fill(template, at, letters, f"e are the edges of the bins of x[{f}]")


class Periodic(Embedding):
    """Sines and cosines of each feature, then a linear map and a ReLU: y = max(0, [sin z, cos z] W + b).

    z = 2 pi x c, with n trained frequencies c for each feature, which start as N(0, sigma^2). Shapes, for each of
    `width` features: x (N, width), c (width, n), W (width, 2 n, dim), b (width, dim), y (N, width * dim); `plain`
    further columns are passed through at the end of x and y.
    Backward: with g = dy where y > 0:  db = sum of g,  dW = [sin z, cos z]^T g,  and with [p, q] = g W^T and
    dz = p cos z - q sin z:  dc = 2 pi sum of x dz,  dx = 2 pi c . dz.
    Raises ValueError for sizes that are no positive whole numbers, or a negative sigma.
    """

    parameters: ClassVar[tuple[str, ...]] = ("c", "W", "b")
    sentence = "Turns each feature into {dim} values, made of {n} waves over it whose frequencies are trained."
    decayed: ClassVar[tuple[str, ...]] = ("W",)
    c: Array
    W: Array
    b: Array
    dc: Array
    dW: Array
    db: Array
    x: Array
    waves: Array
    positive: Array

    def __init__(self, width: int, dim: int, n: int = 48, sigma: float = 0.1, plain: int = 0) -> None:
        super().__init__(width, dim, plain)
        self.n: int = positive_int(n, "Periodic: n")
        self.sigma: float = number(sigma, "Periodic: sigma", low=0)

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = max(0, [sin z, cos z] W + b)."""
        self.x = x[:, : self.width]
        z = 2 * math.pi * self.x[:, :, np.newaxis] * self.c
        self.waves = np.concatenate([np.sin(z), np.cos(z)], axis=2)
        y = np.matmul(self.waves.swapaxes(0, 1), self.W).swapaxes(0, 1) + self.b
        self.positive = y > 0
        return self.result(x, y * self.positive)

    def backward(self, dy: Array) -> Array:
        """Fill the gradients as above; dx = 2 pi c . dz."""
        g = (self.split(dy)[0] * self.positive).swapaxes(0, 1)
        np.sum(g, axis=1, out=self.db)
        np.matmul(self.waves.transpose(1, 2, 0), g, out=self.dW)
        pull = np.matmul(g, self.W.swapaxes(1, 2)).swapaxes(0, 1)
        sine, cosine = self.waves[:, :, : self.n], self.waves[:, :, self.n :]
        dz = 2 * math.pi * (pull[:, :, : self.n] * cosine - pull[:, :, self.n :] * sine)
        np.einsum("nf,nfc->fc", self.x, dz, out=self.dc)
        return self.input_gradient(dy, np.einsum("nfc,fc->nf", dz, self.c))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """c (width, n), W (width, 2 n, dim), b (width, dim)."""
        return {"c": (self.width, self.n), "W": (self.width, 2 * self.n, self.dim), "b": (self.width, self.dim)}

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw c from N(0, sigma^2), W and b evenly from +-1 / sqrt(2 n)."""
        self.c[...] = self.sigma * rng.standard_normal(self.c.shape)
        for parameter in (self.W, self.b):
            parameter[...] = rng.uniform(-1, 1, parameter.shape) / math.sqrt(2 * self.n)

    def side(self) -> Array:
        """Where y > 0."""
        return self.positive

    def written(self, at: Unit) -> Written:
        """Write component d of feature f: the weighted sum of its waves, or 0."""
        f, d = divmod(at.unit, self.dim)
        if f >= self.width:
            return self.passed_through(at)
        z = 2 * math.pi * float(at.x[at.row, f]) * self.c[f].astype(np.float64)
        waves = [*np.sin(z).tolist(), *np.cos(z).tolist()]
        bias = Letter(f"b[{f},{d}]", float(self.b[f, d]))
        total = weighted_sum(waves, self.W[f, :, d].tolist(), bias, "wave[{i}]", f"W[{f},{{i}},{d}]")
        note = f"waves 0 to {self.n - 1} are the sines of 2 pi c x[{f}], the others the cosines"
        return Written(f"max({total.formula}, 0)", f"max({total.numbers}, 0)", note)
