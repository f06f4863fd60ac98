"""The settings of a training: one list for `fit`, recipes, the estimators and the explorer."""

from __future__ import annotations

from dataclasses import dataclass, field

from glassnet.data.augmentation import Augmentation
from glassnet.optim import Constant, Schedule
from glassnet.train.averages import Average


@dataclass(kw_only=True)
class Regime:
    """The settings that a recipe's [training] takes. `fit` takes them by the same names, and describes each."""

    epochs: int = 10
    batch_size: int = 128
    average: Average | None = None
    dropout_schedule: Schedule | None = None
    weight_decay_schedule: Schedule | None = None
    replacement: bool = False
    monitor: str | None = None
    patience: int | None = None
    restore_best: bool = True
    shards: int | None = None
    sync_every: int | None = None


@dataclass(kw_only=True)
class Settings(Regime):
    """All settings of a training: those of [training], and those for which a recipe has a place of their own."""

    schedule: Schedule = field(default_factory=Constant)
    augmentation: Augmentation | None = None
    seed: int = 0
