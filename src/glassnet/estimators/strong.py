"""preset="strong": the pack of the recipe `table`, the default of `glassnet train my.csv`, and rows with gaps and text.

`read` and `read_both` are what those of plain.py are without a preset.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_X_y

from glassnet.data import Dataset, Split
from glassnet.data.checks import blaming
from glassnet.data.dataset import require_squares
from glassnet.data.schema import as_info, names_of
from glassnet.estimators import hooks, parameters, tables
from glassnet.estimators.parameters import MLPParameters
from glassnet.estimators.problem import Problem
from glassnet.estimators.validation import Rows
from glassnet.nn.layer import Array
from glassnet.pack import Pack
from glassnet.pack.pack import FEWEST_ROWS

# The parameters that it goes by, and those that change the recipe, by what the recipe calls them.
KNOWN = {"preset", "time_limit", "loss", "class_weight", "random_state", "verbose"}
CHANGED = {"max_iter": "epochs", "learning_rate_init": "lr", "batch_size": "batch_size"}
LOSSES = {"squared_error": "MSE", "absolute_error": "MAE", "huber": "Huber", "poisson": "Poisson"}


def read(
    estimator: BaseEstimator, table: tables.TableColumns | None, X: Any, reset: bool
) -> tuple[Array, tables.TableColumns | None]:
    """Return rows X, an array or a data frame, as the floats that the network takes, and the table of a frame."""
    return tables.numbers(estimator, table, X, reset)


def read_both(
    estimator: BaseEstimator, table: tables.TableColumns | None, X: Any, y: Any, reset: bool, values: bool
) -> tuple[Array, Array, tables.TableColumns | None]:
    """Return rows X as the floats that the network takes, y as an array, and the table of a frame."""
    x, table = tables.numbers(estimator, table, X, reset)
    x, y = check_X_y(
        x, y, multi_output=True, y_numeric=values, ensure_min_samples=FEWEST_ROWS, estimator=estimator, **tables.CHECKS
    )
    if values and y.dtype.kind in "biuf":  # text is refused later, as in all estimators
        with blaming("y"):
            require_squares(y)
    return x, y, table


def check(settings: MLPParameters, *, all_at_once: bool) -> None:
    """Raise ValueError for anything that a pack would pass over. all_at_once: whether it gets all rows, and no others.

    It holds out rows of its own, and decides layers, optimizer and the length of the training.
    """
    if not all_at_once:
        raise ValueError("preset='strong' has fit(X, y) alone: it needs all rows at once, and holds some out by itself")
    if hooks.has_own(settings):
        raise ValueError("preset='strong' reports to no callbacks, as it trains many networks: leave out set_callbacks")
    if others := sorted(parameters.given(settings) - KNOWN - CHANGED.keys()):
        raise ValueError(f"preset='strong' decides {', '.join(others)} itself: leave the default")


def fit(settings: MLPParameters, problem: Problem, rows: Rows, random: Any) -> Pack:
    """Train a pack on rows, some of whose values may be NaN, and encoded targets (N, n_outputs)."""
    from glassnet import recipes  # they take as long to import as all other rooms
    from glassnet.recipes.packs import fit_recipe

    given = parameters.given(settings) & CHANGED.keys()
    recipe = recipes.with_training(recipes.load("table"), **{CHANGED[name]: getattr(settings, name) for name in given})
    recipe.seed = int(random.randint(2**31))
    if problem.task == "regression":
        recipe.loss = LOSSES[problem.loss]
    elif problem.out_activation == "logistic":
        recipe.loss = "BinaryCrossEntropy"
    y = rows.y.argmax(axis=1) if problem.out_activation == "softmax" else rows.y.astype(np.float64)
    table = problem.table or tables.TableColumns.numbers(f"x{i}" for i in range(rows.x.shape[1]))
    features, target = names_of(table.schema), problem.info["target"]
    none = Split(rows.x[:0], y[:0])
    rest = problem.task, (), tuple(features), None, target, table.schema
    data = Dataset("X", Split(rows.x, y, weights=rows.weight), none, none, *rest)
    return fit_recipe(
        recipe,
        data,
        n_out=rows.y.shape[1],
        info=problem.info | {"features": features} | as_info(table.schema),
        time_limit=settings.time_limit,
        tell=print if settings.verbose else lambda _: None,
    )
