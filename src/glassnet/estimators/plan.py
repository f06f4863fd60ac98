"""The plan of one call of fit or partial_fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glassnet.optim import Optimizer
from glassnet.train import Settings


@dataclass(frozen=True)
class Plan:
    """A training by `sgd` or `adam`.

    training: its settings; more rows in a batch than there are means all. incremental: whether it is the one epoch of
    partial_fit. alpha: of scikit-learn's L2 penalty; None leaves weights to the optimizer. epsilon: added to the root
    of Adam's second moment before that is corrected, as scikit-learn does; None leaves it to the optimizer. patience:
    epochs without improvement before training stops. complete: whether all epochs are meant to be trained, so that
    nobody need be warned.
    """

    optimizer: Optimizer
    training: Settings
    incremental: bool
    alpha: float | None
    epsilon: float | None
    patience: float
    scoring: Any
    complete: bool = False
