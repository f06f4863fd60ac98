"""The tables of a recipe: the data, the network and the training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from glassnet.checks import positive_int
from glassnet.data.dates import Order
from glassnet.data.labels import Task
from glassnet.pack.candidate import ENDS
from glassnet.pack.pack import NETWORKS
from glassnet.recipes.parts import Part
from glassnet.recipes.space import RawSpace, read_space
from glassnet.train.settings import Regime


@dataclass
class DataTable:
    """[data]: the data to learn from. The options are those of `gn.load`."""

    source: str  # a name that `gn.load` knows, or the path of a table
    target: str | None = None
    drop: list[str] | None = None  # columns of a table that aren't inputs
    task: Task | None = None
    dates: Order | None = None  # where the values don't show it
    split: str | None = None
    by: str | None = None  # the column that a split by "time" or "group" goes by
    folds: int | None = None  # parts of a table, each of which is tested by a network that was trained on the others
    fold: int | None = None  # the one that is tested, counted from 0; by default all are, in turn
    memory: str | None = None  # such as "4GB": a table that may be larger is read in pieces, see `gn.load`
    cache: str | None = None  # the folder that keeps these pieces
    seed: int | None = None  # of a table's split; by default the recipe's
    validation: bool = True  # false: its rows train, too, in the last training, when everything is chosen


@dataclass
class NetworkTable:
    """[network]: inputs, embedding, for each hidden width Dense, normalization, activation and dropout, then Dense."""

    inputs: Part = "Standardize"  # or QuantileNormalize, RobustScale, or "none"
    rotations: int | None = None  # the most pairs of columns that get rotated copies, if they interact strongly
    embedding: Part | None = None  # of each feature: PiecewiseLinear or Periodic, as {name = ..., dim = 16}
    target_means: bool = False  # of the rows that share a value, for columns whose values repeat
    category_dim: int | None = None  # trained values for each category, in place of its column of 0 and 1
    hidden: list[int] = field(default_factory=lambda: [128])
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
    """[training]: settings of `gn.fit`."""

    epochs: int = 20


@dataclass
class DecisionTable:
    """[decision]: how probabilities become a class, by a metric or by costs, chosen on rows held out from training.

    metric: "f1", "balanced_accuracy" or "accuracy", for two classes. cost: of mistakes, as "no:yes=5,yes:no=1"; the
    others cost 1.
    """

    metric: str | None = None
    cost: str | None = None

    def __post_init__(self) -> None:
        if (self.metric is None) == (self.cost is None):
            raise ValueError("recipe: a decision goes by a metric or by costs: give one of them")


@dataclass
class PackTable:
    """[pack]: small networks that hold out other rows answer, and not one that trains as [training] says.

    The recipe describes what they have in common. candidates: for each kind of them the settings in which it differs,
    such as {"network": {"dropout": 0.4}}, and `task` if it is for classification or regression alone; by default there
    is one kind. networks, ends and batch_size are those of `glassnet.pack.fit_pack`. space: from what further kinds are
    drawn while there is time, as in [tune].
    """

    networks: int = NETWORKS
    ends: list[int] = field(default_factory=lambda: list(ENDS))
    batch_size: int | None = None
    candidates: dict[str, Any] = field(default_factory=dict)
    space: RawSpace = field(default_factory=dict)

    def __post_init__(self) -> None:
        positive_int(self.networks, "recipe: pack.networks")
        if self.batch_size is not None:
            positive_int(self.batch_size, "recipe: pack.batch_size")
        self.space = dict(read_space(self.space, "pack.space"))
