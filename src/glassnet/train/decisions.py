"""From probabilities to a class, where mistakes don't cost the same, or a metric is to be as good as it can be.

A decision is a matrix of costs (C, C): what it costs to answer the second class for a row of the first. The class of
the least expected cost is answered (Elkan 2001, The Foundations of Cost-Sensitive Learning, IJCAI). A threshold t for
the probability of one of two classes is the matrix in which missing it costs 1 - t, and calling the other so costs t.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from glassnet.checks import number
from glassnet.data.checks import listed
from glassnet.nn.layer import Array

MOST = 200  # points of a curve


@dataclass(frozen=True)
class Counts:
    """Rows at thresholds (k,): found, those of the class that are answered so, wrong, those that aren't; of all."""

    found: Array
    wrong: Array
    positives: int
    negatives: int


METRICS: dict[str, Callable[[Counts], Array]] = {
    "f1": lambda n: 2 * n.found / np.maximum(1, n.found + n.wrong + n.positives),
    "balanced_accuracy": lambda n: (n.found / n.positives + 1 - n.wrong / n.negatives) / 2,
    "accuracy": lambda n: (n.found + n.negatives - n.wrong) / (n.positives + n.negatives),
}


@dataclass(frozen=True)
class Decision:
    """How probabilities of classes become an answer.

    costs: rows are true classes, columns the answers. by: what it was chosen by, in words. positive: the class whose
    probability must exceed the threshold, of two classes; of more, both are None.
    """

    costs: list[list[float]]
    by: str
    positive: str | None = None
    threshold: float | None = None

    @classmethod
    def read(cls, info: dict[str, Any]) -> Self | None:
        """Return the decision that a network's `info` holds, if it does."""
        return cls(**info["decision"]) if "decision" in info else None

    def __call__(self, p: Array) -> Array:
        """Return the class (N,) of the least expected cost, for probabilities p (N, C)."""
        chosen: Array = (p.astype(np.float64) @ np.array(self.costs)).argmin(axis=1)
        return chosen

    def __str__(self) -> str:
        if self.threshold is None:
            return f"answers are those of the least expected cost, by {self.by}"
        if not 0 < self.threshold < 1:
            how = "never" if self.threshold >= 1 else "always"
            return f"{self.positive} is {how} answered, which is best by {self.by}"
        return f"{self.positive} is answered if its probability exceeds {self.threshold:.3g}, chosen by {self.by}"


def threshold_of(info: dict[str, Any]) -> float:
    """Return the probability of the second of two classes beyond which a network with this `info` answers it."""
    decision = Decision.read(info)
    if decision is None or decision.threshold is None:
        return 0.5
    return decision.threshold if decision.positive == info["classes"][1] else 1 - decision.threshold


def answered(p: Array, decision: Decision | None) -> Array:
    """Return the classes (N,) answered for probabilities p (N, C): by default the most probable ones."""
    return p.argmax(axis=1) if decision is None else decision(p)


def check_metric(metric: str, classes: Sequence[str]) -> None:
    """Raise ValueError unless a threshold for these classes can be chosen by a metric."""
    if metric not in METRICS:
        raise ValueError(f"there is no metric {metric!r} to choose a threshold by; there are {listed(METRICS)}")
    if len(classes) != 2:
        raise ValueError(f"a threshold by a metric is for two classes, and there are {len(classes)}: give costs")


def by_metric(p: Array, y: Array, metric: str, classes: Sequence[str]) -> Decision:
    """Choose the threshold at which a metric is best for rows with labels y (N,), of two classes.

    p (N, 2): their probabilities. The metric is that of the rarer class. Raises ValueError for another metric, more
    classes, and rows of one class alone.
    """
    check_metric(metric, classes)
    positive = _rarer(y)
    return _threshold(p, y, positive, METRICS[metric], f"the {metric} of {len(y):,} held-out rows", classes)


def by_costs(p: Array, y: Array, costs: Array, classes: Sequence[str]) -> Decision:
    """Choose how to answer so that mistakes cost least: costs (C, C), true classes first.

    Of two classes it is the threshold that costs least for rows with labels y (N,) and probabilities p (N, 2). Of more,
    it is the class of the least expected cost. Raises ValueError for two classes and rows of one alone.
    """
    if len(classes) != 2:
        return Decision(costs.tolist(), "the costs of mistakes")
    positive = _rarer(y)
    missed, called = costs[positive, 1 - positive], costs[1 - positive, positive]

    def saved(n: Counts) -> Array:
        return -(missed * (n.positives - n.found) + called * n.wrong)

    return _threshold(p, y, positive, saved, f"the cost of mistakes in {len(y):,} held-out rows", classes)


def read_costs(text: str, classes: Sequence[str]) -> Array:
    """Read the costs of mistakes, such as "no:yes=5,yes:no=1": to answer yes for a no costs 5. Others cost 1.

    Returns the matrix (C, C), true classes first. Raises ValueError for a class that isn't one of these, and for costs
    that aren't numbers of at least 0, or all 0.
    """
    costs = 1.0 - np.eye(len(classes))
    pairs = {f"{true}:{said}": (i, j) for i, true in enumerate(classes) for j, said in enumerate(classes) if i != j}
    for part in text.split(","):
        name, _, value = part.rpartition("=")
        if (pair := pairs.get(name.strip())) is None:
            known = ", ".join(list(pairs)[:4]) + (" and others" if len(pairs) > 4 else "")
            raise ValueError(f"the cost {part.strip()!r} is of no mistake: write TRUE:ANSWER=NUMBER, with {known}")
        try:
            costs[pair] = number(float(value), name, 0)
        except ValueError:
            raise ValueError(f"the cost of {name.strip()} is a number of at least 0, not {value.strip()!r}") from None
    if not costs.any():
        raise ValueError("all mistakes cost 0, so nothing can be chosen by them")
    return costs


def curves(p: Array, y: Array, costs: Array | None, classes: Sequence[str]) -> dict[str, list[Any]]:
    """Return what follows from each threshold of the probability of a class: a table of columns.

    p (N, C): probabilities of rows with labels y (N,). Of two classes only the second's are listed, of more each one's
    against all others. "recall" over "false_positive_rate" is the ROC curve, "precision" over "recall" the other.
    "cost" is the mean cost of a row, for two classes, if costs are given. At most 200 thresholds of a class are listed.
    """
    columns: dict[str, list[Any]] = {}
    for c in [1] if len(classes) == 2 else range(len(classes)):
        thresholds, n = _counts(p[:, c], y == c)
        if not (n.positives and n.negatives):
            continue
        chosen = np.unique(np.linspace(0, len(thresholds) - 1, min(MOST, len(thresholds))).astype(int))
        said = n.found + n.wrong
        table = {
            "class": [classes[c]] * len(chosen),
            "threshold": thresholds[chosen],
            "precision": np.divide(n.found, said, out=np.ones(len(said)), where=said > 0)[chosen],
            "recall": (n.found / n.positives)[chosen],
            "false_positive_rate": (n.wrong / n.negatives)[chosen],
            "f1": METRICS["f1"](n)[chosen],
        }
        if costs is not None and len(classes) == 2:
            table["cost"] = ((costs[1, 0] * (n.positives - n.found) + costs[0, 1] * n.wrong) / len(y))[chosen]
        for name, values in table.items():
            columns.setdefault(name, []).extend(values)
    return columns


def _threshold(
    p: Array, y: Array, positive: int, score: Callable[[Counts], Array], by: str, classes: Sequence[str]
) -> Decision:
    thresholds, n = _counts(p[:, positive], y == positive)
    if not (n.positives and n.negatives):
        raise ValueError("the rows that a threshold is chosen by are all of one class: there must be some of both")
    t = float(thresholds[int(score(n).argmax())])
    costs = np.zeros((2, 2))
    costs[positive, 1 - positive], costs[1 - positive, positive] = 1 - t, t
    return Decision(costs.tolist(), by, classes[positive], t)


def _counts(score: Array, true: Array) -> tuple[Array, Counts]:
    """Thresholds that divide scores (N,) differently, from 1 down to 0, and what exceeds each of them."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order].astype(np.float64)
    ends = np.flatnonzero(np.append(ordered[1:] < ordered[:-1], True))
    found, seen = np.append(0, true[order].cumsum()[ends]), np.append(0, ends + 1)
    between = np.concatenate([[1.0], (ordered[ends[:-1]] + ordered[ends[:-1] + 1]) / 2, [0.0]])
    return between, Counts(found, seen - found, int(true.sum()), int((~true).sum()))


def _rarer(y: Array) -> int:
    """The rarer of two classes; of equally many rows the second."""
    return int(2 * y.sum() <= len(y))
