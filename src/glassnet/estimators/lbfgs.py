"""Full-batch training by SciPy's L-BFGS-B (Byrd et al. 1995, SIAM J. Sci. Comput. 16:1190-1208)."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning

from glassnet.estimators.objective import Objective, squares
from glassnet.estimators.parameters import NOT_FINITE, MLPParameters
from glassnet.estimators.passes import is_noisy, step_for
from glassnet.estimators.state import State
from glassnet.estimators.validation import Rows
from glassnet.nn import Network
from glassnet.nn.layer import Array
from glassnet.optim import SGD


def fit(trained: Network, rows: Rows, objective: Objective, settings: MLPParameters, state: State) -> None:
    """Train a network until the gradient's largest entry is at most tol, or max_iter or max_fun are reached.

    Raises ValueError for dropout, which changes the loss at each call.
    """
    if is_noisy(trained):
        raise ValueError("solver='lbfgs' takes no dropout, which changes the loss at each call: use 'adam' or 'sgd'")
    net = trained.copy("float64")  # its line search needs the precision
    objective = replace(objective, dtype=net.dtype)
    targets = objective.targets(rows.y)
    weight = float(len(rows.y)) if rows.weight is None else float(rows.weight.sum())
    row_weights = objective.row_weights(len(rows.y), rows.weight)
    x = rows.x.astype(np.float64, copy=False)
    # A step at a learning rate of 0 leaves the weights alone. It reads the gradient, with the optimizer's penalty
    # added.
    optimizer = SGD(1.0, l2=settings.alpha / weight)
    step = step_for(net, x, targets, objective.loss, optimizer, len(targets), reads_gradients=True)
    everything = np.arange(len(targets))

    def penalty() -> float:
        return 0.5 * settings.alpha * squares(net) / weight

    def loss_and_gradient(theta: Array) -> tuple[float, Array]:
        net.theta[...] = theta
        value = step(everything, 0.0, row_weights)
        return value + penalty(), net.grad.copy()

    def show(intermediate_result: scipy.optimize.OptimizeResult) -> None:
        state.epochs += 1
        print(f"Iteration {state.epochs}, objective = {intermediate_result.fun:.8f}")

    state.epochs = 0
    with _own_blas_on_one_thread():
        found = scipy.optimize.minimize(
            loss_and_gradient,
            net.theta.copy(),
            method="L-BFGS-B",
            jac=True,
            callback=show if settings.verbose else None,
            options={"maxfun": settings.max_fun, "maxiter": settings.max_iter, "gtol": settings.tol},
        )
    net.theta[...] = found.x
    state.epochs = min(found.nit, settings.max_iter)
    state.loss = (float(found.fun) - penalty()) * objective.reported + penalty()
    if found.status != 0:
        warnings.warn(
            f"lbfgs failed to converge after {found.nit} iteration(s) (status={found.status}): {found.message}."
            " Increase max_iter or max_fun, or scale the data.",
            ConvergenceWarning,
            stacklevel=6,
        )
    trained.theta[...] = found.x
    if not np.isfinite(found.x).all():
        raise ValueError(NOT_FINITE)


def _own_blas_on_one_thread() -> AbstractContextManager[Any]:
    """Keep SciPy's copy of BLAS, which works on short vectors here, from spinning beside NumPy's."""
    from threadpoolctl import ThreadpoolController

    libraries = ThreadpoolController()
    own = [each["filepath"] for each in libraries.info() if "scipy" in each["filepath"]]
    return libraries.select(filepath=own).limit(limits=1)
