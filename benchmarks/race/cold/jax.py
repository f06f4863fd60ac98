"""The recipe mnist-fast with JAX: all epochs are one compiled function."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from race import digits
from race.cases import parameters
from race.contenders.jax import scores
from race.recipe import IMAGES, read

recipe, data = read(), digits.load()


def loss(weights: Any, x: Any, y: Any) -> Any:
    """Cross-entropy with smoothed labels."""
    log_p = jax.nn.log_softmax(scores(weights, x))
    target = jax.nn.one_hot(y, 10) * (1 - recipe.label_smoothing) + recipe.label_smoothing / 10
    return -(target * log_p).sum(axis=1).mean()


@partial(jax.jit, donate_argnums=0)
def train(weights: Any, x: Any, y: Any, batches: Any, learning_rates: Any) -> Any:
    """All steps."""

    def step(state: Any, now: Any) -> Any:
        weights, velocity = state
        rows, lr = now
        gradient = jax.grad(loss)(weights, x[rows], y[rows])
        velocity = jax.tree.map(lambda v, g: recipe.momentum * v - lr * g, velocity, gradient)
        return (jax.tree.map(jnp.add, weights, velocity), velocity), None

    start = (weights, jax.tree.map(jnp.zeros_like, weights))
    return jax.lax.scan(step, start, (batches, learning_rates))[0][0]


x_train, x_test = data.standardised(IMAGES)
rng = np.random.default_rng(0)
whole = IMAGES // recipe.batch * recipe.batch  # every step of a scan has the same shape: a last short batch is left out
batches = np.concatenate([rng.permutation(IMAGES)[:whole].reshape(-1, recipe.batch) for _ in range(recipe.epochs)])
weights = jax.tree.map(jnp.array, parameters(recipe.widths))
trained = train(weights, x_train, data.y[:IMAGES], batches, recipe.learning_rates(len(batches)))
digits.report(np.asarray(jax.jit(scores)(trained, x_test)).argmax(axis=1), data.y_test)
