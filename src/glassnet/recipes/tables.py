"""The tables of a recipe: the data, the network and the training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from glassnet.data.labels import Task
from glassnet.recipes.parts import Part
from glassnet.train.settings import Regime

Widths = list[int] | dict[str, Any]  # of the hidden layers, or the arguments of `by_rows`


@dataclass
class DataTable:
    """[data]: the data to learn from. The options are those of `gn.load`."""

    source: str  # a name that `gn.load` knows, or the path of a CSV or Parquet file
    target: str | None = None
    drop: list[str] | None = None  # columns of a table that aren't inputs
    task: Task | None = None
    split: str | None = None
    seed: int | None = None  # of a table's split; by default the recipe's
    validation: bool = True  # false: its rows train, too, in the last training, when everything is chosen


@dataclass
class NetworkTable:
    """[network]: inputs, embedding, for each hidden width Dense, normalization, activation and dropout, then Dense."""

    inputs: Part = "Standardize"  # or QuantileNormalize, RobustScale, or "none"
    rotations: int | None = None  # the most pairs of columns that get rotated copies, if they interact strongly
    embedding: Part | None = None  # of each feature: PiecewiseLinear or Periodic, as {name = ..., dim = 16}
    category_dim: int | None = None  # trained values for each category, in place of its column of 0 and 1
    members: int | None = None  # networks in one, which share these layers (TabM-mini)
    member_scales: bool | None = None  # with scales of each member's own before and after each of them (TabM)
    hidden: Widths = field(default_factory=lambda: [128])
    activation: Part = "ReLU"
    normalization: str | None = None  # BatchNorm or LayerNorm
    dropout: float = 0.0
    noise: float = 0.0  # standard deviation of GaussianNoise, before each activation
    input_noise: float = 0.0  # the same for the embedded inputs
    input_dropout: float = 0.0  # of the embedded inputs, if there are any
    init: str = "he"
    max_norm: float | None = None  # of the weights into each unit of every Dense
    lr_factors: list[float] | None = None  # of the learning rate, one for each Dense
    standardize_target: bool = True  # of values: the network works with unit targets, its outputs are in their unit
    dtype: str = "float32"
    fast: bool = True  # compiled kernels, if they cover the network
    threads: int | None = None  # the most threads side by side


@dataclass(kw_only=True)
class TrainingTable(Regime):
    """[training]: settings of `gn.fit`, and one more."""

    epochs: int = 20
    min_steps: int | None = None  # in an epoch, made by smaller batches if there are few rows
