"""preset="pack": a pack of small networks answers. Its rows are those of preset="strong"."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.data.schema import as_info, names_of
from glassnet.estimators import parameters, tables
from glassnet.estimators.parameters import MLPParameters
from glassnet.estimators.problem import Problem
from glassnet.estimators.validation import Rows
from glassnet.pack import Pack, fit_pack
from glassnet.pack.answers import Kind

KNOWN = {"preset", "class_weight", "random_state", "verbose"}  # the parameters that a pack goes by


def check(settings: MLPParameters, *, all_at_once: bool) -> None:
    """Raise ValueError for anything that a pack would pass over. all_at_once: whether it gets all rows, and no others.

    It holds out rows of its own, and decides layers, optimizer and the length of the training.
    """
    if not all_at_once:
        raise ValueError("preset='pack' has fit(X, y) alone: it needs all rows at once, and holds some out by itself")
    if others := sorted(parameters.given(settings) - KNOWN):
        raise ValueError(f"preset='pack' decides {', '.join(others)} itself: leave the default")


def fit(settings: MLPParameters, problem: Problem, rows: Rows, random: Any) -> Pack:
    """Train a pack on rows, some of whose values may be NaN, and encoded targets (N, n_outputs)."""
    x, y = rows.x, rows.y
    table = problem.table or tables.TableColumns.numbers(problem.features or [f"x{i}" for i in range(x.shape[1])])
    missing = np.flatnonzero(np.isnan(x).any(axis=0)).tolist()
    kinds: dict[str, Kind] = {"softmax": "classes", "logistic": "flags"}
    kind = kinds.get(problem.out_activation, "values")
    return fit_pack(
        x,
        y,
        kind,
        {"categories": [len(column.categories) for column in table.schema], "missing": missing},
        info=problem.info | {"features": names_of(table.schema)} | as_info(table.schema),
        weights=rows.weight,
        seed=int(random.randint(2**31)),
        tell=print if settings.verbose else lambda _: None,
    )
