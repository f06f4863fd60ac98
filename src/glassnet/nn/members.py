"""Parameter-efficient ensembles: k members in one network, which share its layers and differ in a few parameters each.

TabM and TabM-mini, Gorishniy et al. 2024 (arXiv:2410.24210). `Members` makes k rows of each row, one per member. The
layers after it don't know of members and take N * k rows. `MemberHeads` gives each member an output map of its own.
`MemberMean`, at the end, averages the outputs in inference. In training it doesn't: the loss is the mean of the
members' losses, so each member learns by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from glassnet.checks import positive, positive_int
from glassnet.nn.activations import Softmax, logistic
from glassnet.nn.initializers import initializer
from glassnet.nn.layer import Array, Layer
from glassnet.nn.losses import Loss, Task
from glassnet.nn.preprocessing import Unstandardize
from glassnet.nn.written import Letter, Unit, Written, numeral, weighted_sum


class Member(Layer):
    """The base of the layers of members: k, and rows in the order in which `Members` makes them."""

    k: int
    width: int

    def split(self, x: Array) -> Array:
        """Return rows x (N * k, width) as (N, k, width)."""
        return x.reshape(-1, self.k, x.shape[1])

    def own(self, name: str, at: Unit) -> Letter:
        """The entry of a parameter (k, width) that belongs to the row's member."""
        j = at.row % self.k
        return Letter(f"{name}[{j},{at.unit}]", float(getattr(self, name)[j, at.unit]))

    @property
    def width_in(self) -> int:
        """width."""
        return self.width


class Members(Member):
    """Each row once for each of k members, multiplied by the member's own r: y[n * k + j] = r[j] * x[n].

    Shapes: x (N, width), r (k, width), y (N * k, width). dr[j] = sum over n of dy[n * k + j] * x[n], dx[n] = sum over j
    of dy[n * k + j] * r[j]. r starts as random signs. `chunks` are widths that add up to `width`, those of the
    embeddings of each feature. With them, r starts as one number from N(0, 1) for each member and chunk (section 3.3 of
    the paper, and its code). Raises ValueError for a k or width that is no positive whole number, or chunks of another
    sum.
    """

    sentence = "Makes {k} rows of each row, one for each member, which sees it multiplied by numbers of its own."
    formula = "{x*}*{r*}"

    parameters: ClassVar[tuple[str, ...]] = ("r",)
    r: Array
    dr: Array

    def __init__(self, k: int, width: int, chunks: Sequence[int] | None = None) -> None:
        self.k: int = positive_int(k, "Members: k")
        self.width: int = positive_int(width, "Members: width")
        self.chunks: list[int] | None = None
        if chunks is not None:
            self.chunks = [positive_int(chunk, "Members: a chunk") for chunk in chunks]
            if sum(self.chunks) != width:
                raise ValueError(f"Members: the chunks' widths add up to {sum(self.chunks)}, not to {width}")

    def forward(self, x: Array, training: bool = False) -> Array:
        """y[n * k + j] = r[j] * x[n]."""
        self.x = x
        y = self.buffer("y", (len(x) * self.k, self.width))
        np.multiply(x[:, np.newaxis], self.r, out=self.split(y))
        return y

    def backward(self, dy: Array) -> Array:
        """dr and dx: sums of dy * x over rows, and of dy * r over members."""
        self.parameter_gradients(dy)
        return np.einsum("nkw,kw->nw", self.split(dy), self.r, out=self.buffer("dx", self.x.shape))

    def parameter_gradients(self, dy: Array) -> None:
        """dr[j] = sum over n of dy[n * k + j] * x[n]."""
        np.einsum("nkw,nw->kw", self.split(dy), self.x, out=self.dr)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """r (k, width)."""
        return {"r": (self.k, self.width)}

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw r."""
        if self.chunks is None:
            self.r[...] = rng.integers(2, size=self.r.shape) * 2 - 1
        else:
            self.r[...] = np.repeat(rng.standard_normal((self.k, len(self.chunks))), self.chunks, axis=1)

    def letters(self, at: Unit) -> dict[str, Letter]:
        """The member's r, and the row that all members share."""
        x = Letter(f"x[{at.unit}]", float(at.x[at.row // self.k, at.unit]))
        return {"x": x, "r": self.own("r", at)}


class MemberScale(Member):
    """A scale and a bias of each member's own: y[n * k + j] = s[j] * x[n * k + j] + b[j].

    With one before and one after each Dense, a network of members is TabM rather than TabM-mini.
    Shapes: x, y (N * k, width), s, b (k, width). ds = sum over n of dy * x, db = sum over n of dy, dx = dy * s.
    s starts at 1, b at 0. Raises ValueError for a k or width that is no positive whole number.
    """

    sentence = "Multiplies each member's values by numbers of its own, and adds others."
    formula = "{x*}*{s*}{+b}"

    parameters: ClassVar[tuple[str, ...]] = ("s", "b")
    s: Array
    b: Array
    ds: Array
    db: Array

    def __init__(self, k: int, width: int) -> None:
        self.k: int = positive_int(k, "MemberScale: k")
        self.width: int = positive_int(width, "MemberScale: width")

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = s x + b, with the member's s and b."""
        self.x = x
        y = np.multiply(self.split(x), self.s, out=self.split(self.buffer("y", x.shape)))
        y += self.b
        return y.reshape(x.shape)

    def backward(self, dy: Array) -> Array:
        """dx = dy * s."""
        self.parameter_gradients(dy)
        return np.multiply(self.split(dy), self.s, out=self.split(self.buffer("dx", dy.shape))).reshape(dy.shape)

    def parameter_gradients(self, dy: Array) -> None:
        """ds and db: sums over rows of dy * x and of dy."""
        np.einsum("nkw,nkw->kw", self.split(dy), self.split(self.x), out=self.ds)
        np.sum(self.split(dy), axis=0, out=self.db)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """s and b, each (k, width)."""
        return {"s": (self.k, self.width), "b": (self.k, self.width)}

    def initialize(self, rng: np.random.Generator) -> None:
        """Start as the identity."""
        self.s[...] = 1
        self.b[...] = 0

    def letters(self, at: Unit) -> dict[str, Letter]:
        """The member's s and b."""
        return {name: self.own(name, at) for name in self.parameters}


class MemberHeads(Member):
    """An affine map of each member's own: y[n * k + j] = x[n * k + j] W[j] + b[j].

    Shapes: x (N * k, fan_in), W (k, fan_in, fan_out), b (k, fan_out), y (N * k, fan_out). Backward as in `Dense`, for
    each member's rows alone, and so is the start of W and b. Raises ValueError for a k or fan that is no positive
    whole number, or an unknown `init`.
    """

    sentence = "Gives each of the {k} members an output of its own: a weighted sum of all its values."

    parameters: ClassVar[tuple[str, ...]] = ("W", "b")
    decayed: ClassVar[tuple[str, ...]] = ("W",)
    W: Array
    b: Array
    dW: Array
    db: Array

    def __init__(self, k: int, fan_in: int, fan_out: int, init: str = "he", lr_factor: float = 1.0) -> None:
        self.lr_factor: float = positive(lr_factor, "MemberHeads: lr_factor")
        self.k: int = positive_int(k, "MemberHeads: k")
        self.fan_in: int = positive_int(fan_in, "MemberHeads: fan_in")
        self.fan_out: int = positive_int(fan_out, "MemberHeads: fan_out")
        self.init = init
        self.width: int = self.fan_in
        initializer(init)

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x W + b, with the member's W and b."""
        self.x = x
        y = self.buffer("y", (len(x), self.fan_out))
        by_member = self.split(y).swapaxes(0, 1)
        np.matmul(self.split(x).swapaxes(0, 1), self.W, out=by_member)
        by_member += self.b[:, np.newaxis]
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy W^T, and the parameters' gradients."""
        self.parameter_gradients(dy)
        dx = self.buffer("dx", self.x.shape)
        np.matmul(self.split(dy).swapaxes(0, 1), self.W.swapaxes(1, 2), out=self.split(dx).swapaxes(0, 1))
        return dx

    def parameter_gradients(self, dy: Array) -> None:
        """dW[j] = x^T dy and db[j] = sum of dy, over the member's rows."""
        np.matmul(self.split(self.x).transpose(1, 2, 0), self.split(dy).swapaxes(0, 1), out=self.dW)
        np.sum(self.split(dy), axis=0, out=self.db)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """W (k, fan_in, fan_out) and b (k, fan_out)."""
        return {"W": (self.k, self.fan_in, self.fan_out), "b": (self.k, self.fan_out)}

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw each member's W, and set b to zero."""
        for W in self.W:
            initializer(self.init)(W, rng)
        self.b[...] = 0

    def width_out(self, width_in: int | None) -> int:
        """fan_out."""
        return self.fan_out

    def written(self, at: Unit) -> Written:
        """The weighted sum of the member's values."""
        j, u = at.row % self.k, at.unit
        weights = self.W[j, :, u].tolist()
        return weighted_sum(at.x[at.row].tolist(), weights, self.own("b", at), "x[{i}]", f"W[{j},{{i}},{u}]")


class MemberMean(Layer):
    """The members' outputs side by side in training, and their mean in inference.

    Shapes: x (N * k, width); y (N, k * width) in training, the same numbers, and (N, width) in inference. `of` says
    what is averaged. For "values", y = mean over j of x[n * k + j]. For "classes", the members' probabilities,
    softmax(x), are averaged, and y is the logarithm of their mean (so that its softmax is the mean). For "logits",
    sigmoid(x) is averaged, and y is the mean's logit.
    Backward of a mean of f(x):  dx = f'(x) dy / (k f'(y)), and for classes, with p = softmax(x) and P = mean of p, dx =
    p * (dy / P - sum of p * dy / P) / k. Raises ValueError for a k that is no positive whole number, or another `of`.
    """

    sentence = "Puts the answers of the {k} members side by side in training. In use it gives their mean."
    p: Array
    mean: Array
    rest: Array

    def __init__(self, k: int, of: str = "values") -> None:
        self.k: int = positive_int(k, "MemberMean: k")
        if of not in ("values", "classes", "logits"):
            raise ValueError(f"MemberMean: of must be values, classes or logits, not {of!r}")
        self.of = of

    def forward(self, x: Array, training: bool = False) -> Array:
        """Reshape x in training. Otherwise take the mean."""
        self.training = training
        width = x.shape[1]
        if training:
            return x.reshape(-1, self.k * width)
        tiny = np.finfo(x.dtype).tiny
        if self.of == "values":
            self.p = x.reshape(-1, self.k, width)
            return self.average(self.p)
        p = Softmax().forward(x) if self.of == "classes" else logistic(x, out=np.empty_like(x))
        self.p = p.reshape(-1, self.k, width)
        self.mean = np.maximum(self.average(self.p), tiny)
        if self.of == "classes":
            return np.log(self.mean)
        self.rest = np.maximum(self.average(logistic(-x, out=np.empty_like(x)).reshape(self.p.shape)), tiny)
        return np.log(self.mean) - np.log(self.rest)

    def backward(self, dy: Array) -> Array:
        """dx as above; in training dy itself."""
        if self.training:
            return dy.reshape(-1, dy.shape[1] // self.k)
        p, width = self.p, dy.shape[1]
        if self.of == "values":
            dx = np.repeat(dy[:, np.newaxis], self.k, axis=1)
        elif self.of == "classes":
            pull = p * (dy / self.mean)[:, np.newaxis]
            dx = pull - p * pull.sum(axis=2, keepdims=True)
        else:
            dx = p * (1 - p) * (dy / (self.mean * self.rest))[:, np.newaxis]
        return (dx * self.shares()).reshape(-1, width)

    def average(self, p: Array) -> Array:
        """Return the mean (N, width) of the members' p (N, k, width)."""
        return p.mean(axis=1)

    def shares(self) -> Array:
        """How much of the mean each member is (k, 1)."""
        return np.full((self.k, 1), 1 / self.k, self.dtype)

    def written(self, at: Unit) -> Written:
        """Write a member's own output, as in training, or the mean of all."""
        width = at.x.shape[1]
        j, u = divmod(at.unit, width)
        if at.y.shape[1] != width:
            return Written(f"x[{u}] of member {j}", numeral(float(at.x[at.row * self.k + j, u])))
        each = ", ".join(numeral(value) for value in at.x[at.row * self.k : (at.row + 1) * self.k, u].tolist())
        mean = {"values": "mean", "classes": "log mean softmax", "logits": "logit mean sigmoid"}[self.of]
        return Written(f"{mean} over members of x[{u}]", f"{mean}({each})")


class WeightedMean(MemberMean):
    """A MemberMean in which members have other shares: those of `weights`, which are positive, divided by their sum."""

    def __init__(self, weights: Sequence[float], of: str = "values") -> None:
        super().__init__(len(weights), of)
        self.weights: list[float] = [positive(weight, "WeightedMean: a weight") for weight in weights]

    def average(self, p: Array) -> Array:
        """Return the weighted mean (N, width) of the members' p (N, k, width)."""
        return np.tensordot(p, self.shares()[:, 0].astype(p.dtype), axes=(1, 0))

    def shares(self) -> Array:
        """The weights (k, 1) of sum 1."""
        weights = np.array(self.weights)[:, np.newaxis]
        return weights / weights.sum()


class MemberLoss(Loss):
    """The mean of the k members' losses: L(y, t) of outputs y (N, k * width), side by side as `MemberMean` leaves them.

    Outputs of any other width, such as their mean in inference, have the loss itself. Not part of a recipe:
    `member_loss` makes it of a network.
    """

    shape: tuple[int, ...]

    def __init__(self, loss: Loss, k: int, width: int) -> None:
        self.loss: Loss = loss
        self.k: int = k
        self.width: int = width
        self.task: Task = loss.task

    def forward(self, y: Array, t: Array, weights: Array | None = None) -> float:
        """Compute the loss of each member's outputs for the same targets."""
        self.shape = y.shape
        if y.shape[1] != self.k * self.width:
            return self.loss.forward(y, t, weights)
        t = np.repeat(np.asarray(t), self.k, axis=0)
        weights = None if weights is None else np.repeat(weights, self.k)
        return self.loss.forward(y.reshape(-1, self.width), t, weights)

    def backward(self) -> Array:
        """Compute dL/dy at the latest forward."""
        return self.loss.backward().reshape(self.shape)

    def side(self) -> Array | None:
        """Return the side of a kink on which each entry was in the latest forward, as the loss itself does."""
        return self.loss.side()


def member_loss(loss: Loss, layers: Sequence[Layer], width: int | None) -> Loss:
    """Return the loss that training minimises: with members, the mean of theirs, for outputs `width` wide."""
    k = next((layer.k for layer in layers if isinstance(layer, MemberMean)), 1)
    return loss if k == 1 or width is None or isinstance(loss, MemberLoss) else MemberLoss(loss, k, width)


def check_members(layers: Sequence[Layer]) -> int:
    """Return how many members the network has, 1 without `Members`.

    Raises ValueError if their layers don't fit together: Members first, MemberMean last or before Unstandardize.
    """
    k = now = 1
    for i, layer in enumerate(layers):
        if isinstance(layer, Members):
            if now > 1 or k > 1:
                raise ValueError(f"layer {i}, {layer!r}: the network has members already")
            k = now = layer.k
        elif isinstance(layer, (Member, MemberMean)):
            if layer.k != now:
                raise ValueError(f"layer {i}, {layer!r}, is for {layer.k} members, but gets rows of {now}: see Members")
            if isinstance(layer, MemberMean):
                now = 1
                if any(not isinstance(after, Unstandardize) for after in layers[i + 1 :]):
                    raise ValueError(f"layer {i}, {layer!r}, comes last, or before Unstandardize")
    if now > 1:
        raise ValueError(f"a network with Members ends in MemberMean({now}), which averages their outputs")
    return k
