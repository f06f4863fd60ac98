"""Split-conformal calibration: rows that weren't trained on show how far a bound must move to hold often enough.

Papadopoulos et al. 2002; Vovk, Gammerman & Shafer 2005. If the rows to come are like these, the true value lies within
at least as often as asked, whatever the model is worth.
"""

from __future__ import annotations

import math

import numpy as np

from glassnet.checks import number
from glassnet.nn.layer import Array

PERCENT = np.arange(50, 100)  # the coverages that are calibrated
USUAL = 0.9
HELD_AT_LEAST = 30  # held-out rows


def percent(coverage: float) -> int:
    """Return a coverage as a whole number of percent. Raises ValueError unless it lies between 0.5 and 0.99."""
    share = number(coverage, "coverage", low=0)
    if not 0.5 <= share <= 0.99:
        raise ValueError(f"coverage lies between 0.5 and 0.99, so {share:g} isn't possible")
    return round(100 * share)


def require_rows(n: int) -> None:
    """Raise ValueError if so few held-out rows tell nothing."""
    if n < HELD_AT_LEAST:
        raise ValueError(
            f"intervals need at least {HELD_AT_LEAST} rows that were held out of training, and there are {n}"
        )


def threshold(scores: Array, coverage: float) -> float:
    """Return the score that the share `coverage` of rows to come stays below, from scores (n,) of held-out rows.

    The k-th smallest, with k = ceil((n + 1) * coverage), at most the largest.
    """
    n = len(scores)
    k = min(n, math.ceil((n + 1) * coverage)) - 1
    return float(np.partition(scores, k)[k])
