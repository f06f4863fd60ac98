"""Random numbers of training between layers: Dropout multiplies by them, GaussianNoise adds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import ClassVar

import numpy as np

from glassnet.checks import number
from glassnet.nn.layer import Array, Layer
from glassnet.nn.written import Letter, Unit


class Noise(Layer):
    """A layer that draws random numbers in training, and passes x through otherwise.

    `amount` names the argument for the strength of the noise. At 0 nothing is drawn. It may be set at any time.
    `strength` is the same number under one name for all noise layers.
    """

    amount: ClassVar[str]
    elementwise = True

    @property
    def strength(self) -> float:
        """The value of the argument named by `amount`."""
        return float(getattr(self, self.amount))

    @strength.setter
    def strength(self, value: float) -> None:
        setattr(self, self.amount, value)

    def go_to(self, number: int) -> None:
        """Let the next forward pass in training be that of a number: its noise doesn't depend on earlier passes."""
        raise TypeError(f"{type(self).__name__} has no go_to")


def random_bits(key: int, out: Array, spare: Array) -> None:
    """Fill `out` (n,) with random numbers, uint32, each computed from its place alone; `spare` (n,) is for working.

    Two rounds of the function "lowbias32" (C. Wellons 2018, "Prospecting for hash functions"), each with half the key.
    """
    spare[...] = 1
    spare[:1] = key & 0xFFFFFFFF
    np.cumsum(spare, dtype=np.uint32, out=out)  # low, low + 1, ...
    _mix(out, spare)
    out ^= np.uint32(key >> 32)
    _mix(out, spare)


def _mix(x: Array, spare: Array) -> None:
    x ^= np.right_shift(x, np.uint32(16), out=spare)
    x *= np.uint32(0x7FEB352D)
    x ^= np.right_shift(x, np.uint32(15), out=spare)
    x *= np.uint32(0x846CA68B)
    x ^= np.right_shift(x, np.uint32(16), out=spare)


def pass_key(key: int, passes: int) -> int:
    """Return the key of a forward pass, counted from 0: splitmix64 (Steele et al. 2014, OOPSLA, figure 16)."""
    whole = 2**64 - 1
    z = (key + passes * 0x9E3779B97F4A7C15) & whole
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & whole
    z = (z ^ z >> 27) * 0x94D049BB133111EB & whole
    return z ^ z >> 31


class Dropout(Noise):
    """In training, each value is set to zero with probability `rate` and the others are divided by 1 - rate.

    So the expected output is x, and inference passes x through ("inverted" dropout).
    Srivastava et al. 2014 (JMLR 15:1929-1958), section 10. Shapes: x, y (N, width).
    Backward: dx = dy * mask, with mask = 0 or 1 / (1 - rate).
    Raises ValueError unless 0 <= rate < 1.
    """

    amount = "rate"
    sentence = "In training, turns a random {rate:.0%} of the values into 0. Otherwise it lets all through."
    formula = "{x*}*{mask}"
    note = "a value is kept and scaled up, or dropped; at rate 0 nothing is dropped"
    mask: Array | None

    def __init__(self, rate: float) -> None:
        self.rate: float = number(rate, "Dropout: rate", low=0, below=1)
        self.reseed([0])

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x * mask in training, x otherwise."""
        self.mask = None
        self.passes += training
        if not training or self.rate == 0:
            return x
        bits, spare = self.buffer("bits", x.shape, np.uint32), self.buffer("spare", x.shape, np.uint32)
        random_bits(pass_key(self.key, self.passes - 1), bits.reshape(-1), spare.reshape(-1))
        self.mask = self.buffer("mask", x.shape, x.dtype)
        np.greater_equal(bits, np.uint32(self.rate * 2**32), out=self.mask)
        self.mask /= 1 - self.rate
        return np.multiply(x, self.mask, out=self.buffer("y", x.shape, x.dtype))

    def backward(self, dy: Array) -> Array:
        """dx = dy * mask."""
        if self.mask is None:
            return dy
        return np.multiply(dy, self.mask, out=self.buffer("dx", dy.shape, dy.dtype))

    def letters(self, at: Unit) -> dict[str, Letter]:
        """The mask: the factor of the value."""
        x, y = at.letter("x").value, at.letter("y").value
        return {"mask": Letter(f"mask[{at.unit}]", y / x if x else 1.0)}

    def reseed(self, seed: list[int]) -> None:
        """Start the random numbers anew: the same seed gives the same ones."""
        self.key: int = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
        self.passes: int = 0  # forward passes in training since then

    def go_to(self, number: int) -> None:
        """Count the forward passes from this number on."""
        self.passes = number


class GaussianNoise(Noise):
    """In training, numbers from N(0, std^2) are added to the values; inference passes x through.

    After BatchNorm, std is a share of the values' own spread, as in the noisy layers of Rasmus et al. 2015
    (arXiv:1507.02672), section 3.2. Shapes: x, y (N, width). Backward: dx = dy.
    Raises ValueError for a std below 0.
    """

    amount = "std"
    sentence = "In training, adds random numbers of size {std:g} to the values. Otherwise it adds none."
    formula = "{x}{+noise}"
    note = "noise is drawn anew in each step of training; at std 0 nothing is added"

    def __init__(self, std: float) -> None:
        self.std: float = number(std, "GaussianNoise: std", low=0)
        self.reseed([0])

    def forward(self, x: Array, training: bool = False) -> Array:
        """y = x + noise in training, x otherwise."""
        if not training or self.std == 0:
            return x
        y = self.buffer("y", x.shape, x.dtype)
        self.draw(y)
        y *= self.std
        y += x
        return y

    def backward(self, dy: Array) -> Array:
        """dx = dy."""
        return dy

    def letters(self, at: Unit) -> dict[str, Letter]:
        """The number that was added."""
        return {"noise": Letter(f"noise[{at.unit}]", at.letter("y").value - at.letter("x").value)}

    def reseed(self, seed: list[int]) -> None:
        """Start the random numbers anew: the same seed gives the same ones."""
        self.seed: list[int] = seed
        self.rng: np.random.Generator = np.random.default_rng(seed)

    def go_to(self, number: int) -> None:
        """Seed the random numbers by this number, too."""
        self.rng = np.random.default_rng([*self.seed[:-1], number, self.seed[-1]])

    def draw(self, out: Array) -> None:
        """Fill an array with the random numbers of a forward pass, from N(0, 1)."""
        self.rng.standard_normal(out=out, dtype=out.dtype.type)


@contextmanager
def silenced(layers: Iterable[Layer]) -> Iterator[None]:
    """Switch the noise of these layers off for a while."""
    noisy = [(layer, layer.strength) for layer in layers if isinstance(layer, Noise)]
    for layer, _ in noisy:
        layer.strength = 0.0
    try:
        yield
    finally:
        for layer, strength in noisy:
            layer.strength = strength
