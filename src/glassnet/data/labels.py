"""Targets as numbers: the task that they pose, and class labels as 0..C-1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Task = Literal["classification", "regression"]
TASKS: tuple[Task, ...] = ("classification", "regression")


def infer_task(y: NDArray[Any]) -> Task:
    """Floating-point targets are values to predict. Integers, booleans and text are classes."""
    return "regression" if y.dtype.kind == "f" else "classification"


def check_task(task: str) -> None:
    """Raise ValueError unless `task` is one of TASKS."""
    if task not in TASKS:
        raise ValueError(f"unknown task {task!r}; it is 'classification' or 'regression'")


def encode(y: NDArray[Any], classes: Sequence[str] | None = None) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Turn class labels into the numbers 0..C-1 and the names of the classes.

    y (N,): text, booleans or whole numbers. Without `classes`, the classes are the distinct values of y in
    ascending order, named by their text. With `classes`, y holds either names among them or their indices.
    Raises ValueError on fractions, on labels outside the classes and on fewer than two classes.
    """
    y = _plain(y)
    if classes is None:
        values, labels = np.unique(y, return_inverse=True)
        names = tuple(str(value) for value in values)
    else:
        names = tuple(classes)
        if len(set(names)) < len(names):
            raise ValueError("two classes have the same name")
        labels = _look_up(y, names) if y.dtype.kind == "U" else _within(y, len(names))
    if len(names) < 2:
        raise ValueError(f"there is one class only ({', '.join(names)}); a classifier needs two or more")
    return labels.astype(np.int64), names


def look_up(y: NDArray[Any], names: Sequence[str]) -> NDArray[np.int64]:
    """Return the numbers of class labels among the names of classes, which whole numbers have as well as text.

    Raises ValueError for a label that isn't among them.
    """
    return _look_up(_plain(y).astype(np.str_), tuple(names))


def _plain(y: NDArray[Any]) -> NDArray[Any]:
    """Labels as text, whole numbers or booleans."""
    if y.dtype.kind in "OT":
        return _text(y)
    if y.dtype.kind == "f":
        return _whole(y)
    if y.dtype.kind not in "biuU":
        raise ValueError(f"class labels of type {y.dtype} aren't understood; give text or whole numbers")
    return y


def _text(y: NDArray[Any]) -> NDArray[np.str_]:
    for row, value in enumerate(y):
        if not isinstance(value, str):
            raise ValueError(f"y[{row}] is {value!r}; class labels are all text or all whole numbers")
    return y.astype(np.str_)


def _whole(y: NDArray[np.floating]) -> NDArray[np.int64]:
    wrong = np.flatnonzero(~np.isfinite(y) | (y != np.rint(y)))
    if wrong.size:
        raise ValueError(f"the target holds {y[wrong[0]]}, which can't be a class; the task is 'regression'")
    return y.astype(np.int64)


def _look_up(y: NDArray[np.str_], names: tuple[str, ...]) -> NDArray[np.int64]:
    order = np.argsort(names)
    ordered = np.array(names, np.str_)[order]
    places = np.minimum(np.searchsorted(ordered, y), len(names) - 1)
    if (wrong := np.flatnonzero(ordered[places] != y)).size:
        row = wrong[0]
        raise ValueError(f"label {str(y[row])!r} in y[{row}] isn't among the {len(names)} classes")
    labels: NDArray[np.int64] = order[places]
    return labels


def _within(y: NDArray[Any], n_classes: int) -> NDArray[Any]:
    outside = np.flatnonzero((y < 0) | (y >= n_classes))
    if outside.size:
        row = outside[0]
        raise ValueError(f"label {y[row]} in y[{row}] is outside the {n_classes} classes 0..{n_classes - 1}")
    return y
