"""What one call of fit or partial_fit is to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glassnet.optim import Optimizer, Schedule
from glassnet.train import Average


@dataclass(frozen=True)
class Plan:
    """The settings of a training by `sgd` or `adam`.

    batch_size: rows in a batch; more than there are means all. alpha: of scikit-learn's L2 penalty; None leaves weights
    to the optimizer. epsilon: added to the root of Adam's second moment before that is corrected, as scikit-learn does;
    None leaves it to the optimizer. patience: epochs without improvement before training stops. complete: whether all
    epochs are meant to be trained, so that nobody need be warned.
    """

    optimizer: Optimizer
    schedule: Schedule
    epochs: int
    batch_size: int
    alpha: float | None
    epsilon: float | None
    patience: float
    scoring: Any
    complete: bool = False
    average: Average | None = None
    dropout_schedule: Schedule | None = None
    weight_decay_schedule: Schedule | None = None
