"""The plan of one call of fit or partial_fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glassnet.optim import Optimizer
from glassnet.train import Settings


@dataclass(frozen=True)
class Plan:
    """A training by `sgd` or `adam`.

    training: its settings. A batch larger than the data means all rows. incremental: whether it is the one epoch of
    partial_fit. alpha: of scikit-learn's L2 penalty. epsilon: added to the
    root of Adam's second moment before its correction, as in scikit-learn, or None to leave it to the optimizer.
    patience: epochs without improvement before training stops.
    """

    optimizer: Optimizer
    training: Settings
    incremental: bool
    alpha: float
    epsilon: float | None
    patience: float
    scoring: Any
