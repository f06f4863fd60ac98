"""Optimizers move weights. They see one flat parameter vector and one flat gradient, and nothing of layers."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from glassnet.checks import number, positive
from glassnet.configured import Configured
from glassnet.memory import aligned_zeros

Array = npt.NDArray[Any]


class Parameters(Protocol):
    """The parts of a network that an optimizer needs: `theta` and `grad` (n,), and the groups that they consist of.

    A group has: part, its slice of both; decayed, whether decay and L2 act on it; lr_factor, which multiplies the
    learning rate; max_norm, the largest Euclidean norm of each of its `columns` columns, or None.
    """

    theta: Array
    grad: Array
    groups: list[Any]


class Optimizer(Configured):
    """The base of all: clip the gradient, add L2 to it, decay the weights, `update`, then bound the norms of columns.

    lr: the learning rate, times the schedule's factor. clip_norm: if the gradient's Euclidean norm is larger, scale it
    down to this (Pascanu et al. 2013, arXiv:1211.5063, algorithm 1). l2: adds l2 * w, the gradient of the penalty l2/2
    * sum w^2, to the gradient of weight matrices. weight_decay: w <- w - lr * weight_decay * w, decoupled from the
    gradient (Loshchilov & Hutter 2019, arXiv:1711.05101). Biases and normalisation are neither penalised nor decayed.
    Raises ValueError for a negative number, or lr or clip_norm of 0.
    """

    slots: ClassVar[tuple[str, ...]] = ()  # the vectors, each of theta's size, that are remembered between steps

    def __init__(self, lr: float, weight_decay: float, l2: float, clip_norm: float | None) -> None:
        name = type(self).__name__
        self.owner: Array | None = None  # the vector that the slots belong to
        self.lr: float = positive(lr, f"{name}: lr")
        self.weight_decay: float = number(weight_decay, f"{name}: weight_decay", low=0)
        self.l2: float = number(l2, f"{name}: l2", low=0)
        self.clip_norm: float | None = None if clip_norm is None else positive(clip_norm, f"{name}: clip_norm")
        self.steps: int = 0

    def step(self, net: Parameters, factor: float = 1.0) -> None:
        """Move net.theta by net.grad, in place, with the learning rate lr * factor.

        Clipping and L2 change net.grad, in place too. For another network than before, the optimizer begins anew.
        """
        theta, grad = net.theta, net.grad
        self.start(theta)
        self.steps += 1
        if self.clip_norm is not None:
            norm = float(np.linalg.norm(grad))
            if not math.isfinite(norm):  # the squares overflow, unless they are scaled by the largest entry
                largest = float(np.abs(grad).max())
                norm = largest * float(np.linalg.norm(grad / largest))
            if norm > self.clip_norm:
                grad *= self.clip_norm / norm
        lr = self.lr * factor
        for group in net.groups:
            part = group.part
            if group.decayed and self.l2:
                grad[part] += np.multiply(theta[part], self.l2, out=self.scratch[part])
            if group.decayed and self.weight_decay:
                theta[part] *= 1 - lr * group.lr_factor * self.weight_decay
        self.update(theta, grad, _rates(lr, net.groups, theta))
        for group in net.groups:
            if group.max_norm is not None:
                _bound(theta[group.part].reshape(-1, group.columns), group.max_norm)

    def update(self, theta: Array, grad: Array, lr: float | Array) -> None:
        """Apply the rule itself, with one learning rate for all parameters, or one for each (n,)."""
        raise TypeError(f"{type(self).__name__} has no update")

    def state(self) -> dict[str, Array]:
        """Return the slots, once they exist. With them, training goes on as if it had never stopped."""
        return {name: getattr(self, name) for name in self.slots if hasattr(self, name)}

    def set_state(self, state: dict[str, Array], steps: int) -> None:
        """Take copies of a `state` from after that number of steps. Raises ValueError for a name that is no slot."""
        unknown = next((name for name in state if name not in self.slots), None)
        if unknown is not None:
            raise ValueError(f"{self!r} has no {unknown}")
        self.owner = None
        for name, value in state.items():
            setattr(self, name, value.copy())
        self.steps = steps

    def start(self, theta: Array) -> None:
        """Make the slots for this vector, unless they exist. Slots set by hand or by `set_state` are kept at first."""
        if theta is self.owner:
            return
        self.scratch: Array = np.empty_like(theta)
        if self.owner is not None:
            self.steps = 0
        for name in self.slots:
            if self.owner is not None or not hasattr(self, name):
                setattr(self, name, aligned_zeros(theta.shape, theta.dtype))
            elif getattr(self, name).shape != theta.shape:
                shape = getattr(self, name).shape
                raise ValueError(f"{self!r}: its {name} has shape {shape}, the network's parameters {theta.shape}")
            else:  # a copy, because the given array may be read-only, such as a file that joblib has mapped
                given, slot = getattr(self, name), aligned_zeros(theta.shape, theta.dtype)
                slot[...] = given
                setattr(self, name, slot)
        self.owner = theta

    def __getstate__(self) -> dict[str, Any]:
        # A copy keeps the slots, for a copy of the network, which has another vector.
        return {name: value for name, value in vars(self).items() if name != "scratch"} | {"owner": None}


def _rates(lr: float, groups: list[Any], theta: Array) -> float | Array:
    """The learning rate, for each parameter if the groups' differ."""
    if all(group.lr_factor == 1 for group in groups):
        return lr
    rates = np.full_like(theta, lr)
    for group in groups:
        rates[group.part] = lr * group.lr_factor
    return rates


def _bound(W: Array, most: float) -> None:
    """Scale the columns of W, in place, that have a larger Euclidean norm than `most` down to it."""
    W *= most / np.maximum(np.sqrt(np.einsum("ij,ij->j", W, W)), most)


class SGD(Optimizer):
    """Stochastic gradient descent, with classic momentum v <- momentum * v - lr * g; w <- w + v.

    nesterov=True moves by momentum * v - lr * g with the new v instead: the gradient as if seen from where the momentum
    leads (Sutskever et al. 2013, PMLR 28:1139-1147, as scikit-learn writes it).
    """

    slots: ClassVar[tuple[str, ...]] = ("velocity",)
    velocity: Array

    def __init__(
        self,
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        l2: float = 0.0,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(lr, weight_decay, l2, clip_norm)
        if not isinstance(nesterov, bool):
            raise ValueError(f"SGD: nesterov must be true or false, not {nesterov!r}")
        self.momentum: float = number(momentum, "SGD: momentum", low=0, below=1)
        self.nesterov: bool = nesterov

    def update(self, theta: Array, grad: Array, lr: float | Array) -> None:
        """v <- momentum * v - lr * g; w <- w + v."""
        step = np.multiply(grad, lr, out=self.scratch)
        self.velocity *= self.momentum
        self.velocity -= step
        if self.nesterov:
            theta -= step
            theta += np.multiply(self.velocity, self.momentum, out=self.scratch)
        else:
            theta += self.velocity


class Adam(Optimizer):
    """Adam: steps of about lr, for a gradient of any size.

    m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  w <- w - lr * m' / (sqrt(v') + eps), where
    m' = m / (1 - b1^t) and v' = v / (1 - b2^t). Kingma & Ba 2015 (arXiv:1412.6980), algorithm 1.
    weight_decay is decoupled here too. AdamW only has another default. The coupled kind is l2.
    """

    slots: ClassVar[tuple[str, ...]] = ("m", "v")
    m: Array
    v: Array

    def __init__(
        self,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        l2: float = 0.0,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(lr, weight_decay, l2, clip_norm)
        name = type(self).__name__
        if len(betas) != 2:
            raise ValueError(f"{name}: betas must be two numbers, not {betas!r}")
        first, second = (number(beta, f"{name}: betas", low=0, below=1) for beta in betas)
        self.betas: tuple[float, float] = first, second
        self.eps: float = positive(eps, f"{name}: eps")

    def update(self, theta: Array, grad: Array, lr: float | Array) -> None:
        """w <- w - lr * m' / (sqrt(v') + eps)."""
        b1, b2 = self.betas
        scratch = self.scratch
        self.m *= b1
        self.m += np.multiply(grad, 1 - b1, out=scratch)
        self.v *= b2
        np.square(grad, out=scratch)
        scratch *= 1 - b2
        self.v += scratch
        np.multiply(self.v, 1 / (1 - b2**self.steps), out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.eps
        np.divide(self.m, scratch, out=scratch)
        scratch *= lr / (1 - b1**self.steps)
        theta -= scratch


class AdamW(Adam):
    """Adam with decoupled weight decay. Loshchilov & Hutter 2019 (arXiv:1711.05101), algorithm 2."""

    def __init__(
        self,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        l2: float = 0.0,
        clip_norm: float | None = None,
    ) -> None:
        super().__init__(lr, betas, eps, weight_decay, l2, clip_norm)
