"""Sets of classes that hold the true one as often as asked."""

from __future__ import annotations

import numpy as np

from glassnet.intervals.conformal import HELD_AT_LEAST, PERCENT, USUAL, percent, require_rows, threshold
from glassnet.nn.layer import Array


class ClassSets:
    """All classes whose probability is at least a threshold, which held-out rows decide; the likeliest is always one.

    Each class has a threshold of its own, so that a rare class is found as often as asked, too, and not only the common
    ones (Vovk 2012, "Conditional validity of inductive conformal predictors"; Sadinle, Lei & Wasserman 2019,
    arXiv:1609.00451). Classes of fewer than 30 held-out rows share one. least (50, C): the probability that is enough,
    for coverages of 50% to 99%.
    """

    def __init__(self, least: Array) -> None:
        self.least = least

    @classmethod
    def fit(cls, p: Array, y: Array) -> ClassSets:
        """Take the thresholds from probabilities p (N, C) of held-out rows, whose classes are y (N,).

        Raises ValueError for fewer than 30 rows.
        """
        require_rows(len(y))
        true = p[np.arange(len(y)), y].astype(np.float64)
        own = [true[y == c] if (y == c).sum() >= HELD_AT_LEAST else true for c in range(p.shape[1])]
        return cls(np.array([[-threshold(-each, share / 100) for each in own] for share in PERCENT.tolist()]))

    def __call__(self, p: Array, coverage: float = USUAL) -> Array:
        """Return whether each class is in the set of each row (N, C).

        Raises ValueError for a coverage that isn't between 0.5 and 0.99.
        """
        found = p >= self.least[percent(coverage) - PERCENT[0]]
        found[np.arange(len(p)), p.argmax(axis=1)] = True
        return found
