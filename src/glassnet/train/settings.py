"""The settings of a training: one list for `fit`, recipes, the estimators and the explorer."""

from __future__ import annotations

from dataclasses import dataclass, field

from glassnet.data.augmentation import Augmentation
from glassnet.optim import Constant, Schedule
from glassnet.train.averages import Average


@dataclass(kw_only=True)
class Settings:
    """The settings of a training. `fit` takes the same by the same names, and describes each."""

    epochs: int = 10
    batch_size: int = 128
    schedule: Schedule = field(default_factory=Constant)
    average: Average | None = None
    augmentation: Augmentation | None = None
    dropout_schedule: Schedule | None = None
    weight_decay_schedule: Schedule | None = None
    seed: int = 0
    replacement: bool = False
    monitor: str | None = None
    patience: int | None = None
    restore_best: bool = True
