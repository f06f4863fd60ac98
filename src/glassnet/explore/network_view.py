"""The page's description of a network and the rows of its data, before any number goes through it."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.data.schema import Column
from glassnet.explore.encoding import json_numbers
from glassnet.explore.subject import PARTS, Subject
from glassnet.nn import Columns, Dense

LOOKED_THROUGH = 200  # rows, for the one to open on and for mistakes


def describe(subject: Subject, rows: int = LOOKED_THROUGH) -> dict[str, Any]:
    """Return the answer to GET /api/network, as JSON can hold it. It opens on one of the first `rows`,
    and knows the mistakes among them."""
    net, data = subject.net, subject.data
    layers, width = [], net.n_in or data.n_in
    for i, layer in enumerate(net.layers):
        width = layer.width_out(width) or width
        layers.append(
            {
                "index": i,
                "kind": type(layer).__name__,
                "name": repr(layer),
                "config": layer.config(),
                "width": width,
                "explained": layer.in_words(),
                "parameters": {name: list(shape) for name, shape in layer.shapes().items()},
            }
        )
    x = getattr(data, subject.part_with_rows()).x
    optimizer = subject.optimizer
    return {
        "name": data.name,
        "title": subject.title,
        "task": data.task,
        "classes": list(data.classes),
        "features": list(data.features),
        "target": data.target,
        "trained": subject.trained,
        "source": subject.source,
        "image_shape": None if data.image_shape is None else list(data.image_shape),
        "image_maximum": None if data.image_shape is None else int(x.max()),
        "loss": repr(subject.loss),
        "batch_size": subject.recipe.training.batch_size,
        "optimizer": {
            "name": type(optimizer).__name__,
            "lr": optimizer.lr,
            "momentum": getattr(optimizer, "momentum", None),
        },
        "rows": {part: len(getattr(data, part)) for part in reversed(PARTS)},
        "note": subject.note,
        "can_train": subject.why_not is None,
        "why_not": subject.why_not,
        **first_rows(subject, rows),
        "layers": layers,
        "prepared": _prepared(subject),
        "ranges": None if data.image_shape is not None else _ranges(subject),
    }


def _prepared(subject: Subject) -> int:
    """Return how many layers prepare a table's row, before the first Dense. Of images none: their pixels are seen."""
    if subject.data.image_shape is not None:
        return 0
    return next((i for i, layer in enumerate(subject.net.layers) if isinstance(layer, Dense)), 0)


def first_rows(subject: Subject, rows: int) -> dict[str, Any]:
    """Return the number of the row to open on, and those of the mistakes among the first rows, the worst one first.

    It opens on a right answer, the least sure one: a step on it has something to learn. Of values, none is right:
    it opens on the middle one by error, and the mistakes are the tenth with the largest errors.
    """
    part = getattr(subject.data, subject.part_with_rows())
    x, t = part.x[:rows], part.y[:rows]
    with np.errstate(all="ignore"):
        if subject.data.task == "regression":
            error = np.nan_to_num(np.abs(subject.net.predict(x).reshape(-1) - t))
            worst = np.argsort(-error, kind="stable")
            return {"opening": int(worst[len(t) // 2]), "mistakes": worst[: -(-len(t) // 10)].tolist()}
        p = np.nan_to_num(subject.net.predict_proba(x))
    doubt, wrong = -p[np.arange(len(t)), t], p.argmax(axis=1) != t
    worst = np.argsort(-doubt, kind="stable")
    return {"opening": int(next((i for i in worst if not wrong[i]), 0)), "mistakes": worst[wrong[worst]].tolist()}


def example(subject: Subject, part: Any, row: Any) -> dict[str, Any]:
    """Return the answer to GET /api/example: a row, raw, and its target. Raises ValueError if it isn't there."""
    x, t = subject.row(part, row)
    target = t[0].item()
    return {"part": part, "row": int(row), "x": json_numbers(x[0]), "target": target, "label": subject.label(target)}


def _ranges(subject: Subject) -> list[dict[str, Any]]:
    """Of each column its kind, and the least, the largest and the middle value in the training rows, if any is there.

    A value that is missing may be given where the network takes one. Categories have their names.
    """
    data, takes_missing = subject.data, isinstance(subject.net.layers[0], Columns)
    schema = data.schema or tuple(Column(name) for name in data.features)
    x = (data.train if len(data.train) else getattr(data, subject.part_with_rows())).x
    ranges = []
    for known, column in zip(schema, x.T, strict=True):
        there = column[~np.isnan(column)] if column.dtype.kind == "f" else column
        low, high, middle = (there.min(), there.max(), np.median(there)) if len(there) else (0.0, 0.0, 0.0)
        typical = float(np.rint(middle)) if known.kind in ("category", "boolean") else float(middle)
        ranges.append(
            {
                "name": known.name,
                "kind": known.kind,
                "categories": list(known.categories),
                "missing": takes_missing,
                "min": float(low),
                "max": float(high),
                "typical": typical,
            }
        )
    return ranges
