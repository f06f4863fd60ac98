"""JAX: a whole epoch is one compiled function."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from race.cases import MOMENTUM, Case, Parameters, parameters
from race.contenders import Predict
from race.digits import Digits


def scores(weights: Any, x: Any, dtype: str = "float32") -> Any:
    """The outputs of the last layer; dtype: that of the products' terms. Their sums are float32."""

    def affine(x: Any, W: Any, b: Any) -> Any:
        return jnp.matmul(x.astype(dtype), W.astype(dtype), preferred_element_type=jnp.float32) + b

    for W, b in weights[:-1]:
        x = jax.nn.relu(affine(x, W, b))
    return affine(x, *weights[-1])


def loss(weights: Any, x: Any, y: Any, dtype: str) -> Any:
    """Cross-entropy, the mean over the batch."""
    log_p = jax.nn.log_softmax(scores(weights, x, dtype))
    return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean()


@partial(jax.jit, donate_argnums=0, static_argnames="dtype")
def train(state: Any, x: Any, y: Any, batches: Any, lr: Any, dtype: str) -> Any:
    """One epoch. Rows are gathered batch by batch: faster than permuting all of them first."""

    def step(state: Any, rows: Any) -> Any:
        weights, velocity = state
        gradient = jax.grad(loss)(weights, x[rows], y[rows], dtype)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v - lr * g, velocity, gradient)
        return (jax.tree.map(jnp.add, weights, velocity), velocity), None

    return jax.lax.scan(step, state, batches)[0]


class Trainer:
    """The data stay in JAX's memory; only the order of the rows goes there each epoch."""

    def __init__(self, case: Case, digits: Digits) -> None:
        jax.clear_caches()
        x, x_test = digits.standardised(case.rows)
        self.case = case
        self.x, self.y, self.x_test = jnp.asarray(x), jnp.asarray(digits.y[: case.rows]), jnp.asarray(x_test)
        weights = jax.tree.map(jnp.array, parameters(case.widths))
        self.state = (weights, jax.tree.map(jnp.zeros_like, weights))
        self.rng = np.random.default_rng(0)

    def epoch(self) -> None:
        """Wait for it too: JAX returns before it has computed."""
        batches = self.rng.permutation(self.case.rows).reshape(-1, self.case.batch)
        self.state = jax.block_until_ready(train(self.state, self.x, self.y, batches, self.case.lr, self.case.dtype))

    def labels(self) -> NDArray[np.int64]:
        """The classes with the highest scores."""
        return np.asarray(scores(self.state[0], self.x_test).argmax(axis=1))


def multiplier(a: NDArray[np.float32], b: NDArray[np.float32]) -> Callable[[], Any]:
    """A function that multiplies the two: by AVX-512, where the processor has it and NumPy's library doesn't use it."""
    compiled = jax.jit(jnp.matmul)
    left, right = jnp.asarray(a), jnp.asarray(b)
    return lambda: jax.block_until_ready(compiled(left, right))


def predictor(weights: Parameters) -> Predict:
    """One compiled function."""
    compiled = jax.jit(partial(scores, jax.tree.map(jnp.array, weights)))
    return lambda x: np.asarray(compiled(x))
