"""A recipe: a whole experiment as data, and the objects that are built from it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet import nn, optim
from glassnet.checks import count, positive
from glassnet.configured import Stateless
from glassnet.data import Augmentation, Dataset
from glassnet.data.checks import listed
from glassnet.extras import need
from glassnet.nn.interactions import strong_pairs
from glassnet.pack.trainee import batch_size
from glassnet.plots.style import PictureFormat
from glassnet.recipes.confusion import left_out
from glassnet.recipes.parts import Part, call, make
from glassnet.recipes.space import TuneTable
from glassnet.recipes.stack import Pairs, build_layers, outputs
from glassnet.recipes.tables import DataTable, DecisionTable, NetworkTable, PackTable, TrainingTable
from glassnet.train.settings import Regime, Settings

MOST_MEMBERS = 1000  # of an ensemble
POSITIVE = ("epochs", "batch_size", "patience", "shards", "sync_every")  # in [training]


@dataclass
class Recipe:
    """A whole experiment. `loss` is by default CrossEntropy for classes and MSE for values.

    Its entry class_weight, "balanced" or {class = weight}, multiplies the losses of the rows of each class in training.
    "balanced" gives all classes the same weight together.

    Raises ValueError for numbers that are too low or a name that can't be a folder's.
    """

    name: str
    data: DataTable
    description: str = ""
    seed: int = 0
    ensemble: int = 1  # networks that answer together, with the seeds seed, seed + 1 and so on
    network: NetworkTable = field(default_factory=NetworkTable)
    loss: Part | None = None
    optimizer: Part = field(default_factory=lambda: {"name": "AdamW", "lr": 1e-3})
    schedule: Part = "Constant"
    augmentation: Part | None = None  # Distortions, for images
    training: TrainingTable = field(default_factory=TrainingTable)
    pack: PackTable | None = None  # small networks that answer together, in place of one
    decision: DecisionTable | None = None  # how probabilities become a class; by default the likeliest is answered
    tune: TuneTable | None = None  # how `glassnet tune` searches
    pictures: PictureFormat = "png"  # or "svg"

    def __post_init__(self) -> None:
        for where, value, least in (
            ("seed", self.seed, 0),
            ("data.seed", self.data.seed, 0),
            ("ensemble", self.ensemble, 1),
            ("network.rotations", self.network.rotations, 0),
            ("network.category_dim", self.network.category_dim, 1),
            *(
                (f"training.{name}", getattr(self.training, name), 1)
                for name in ("epochs", "batch_size", "patience", "shards")
            ),
        ):
            if value is not None:
                count(value, f"recipe: {where}", least)
        if self.ensemble > MOST_MEMBERS:
            raise ValueError(
                f"recipe: ensemble must be at most {MOST_MEMBERS}, not {self.ensemble}: each is a training"
            )
        if self.pack is not None and self.ensemble > 1:
            raise ValueError("recipe: a pack is an ensemble already: leave out ensemble, or [pack]")
        if self.data.folds is not None and self.data.fold is None and self.ensemble > 1:
            raise ValueError("recipe: the folds' networks are an ensemble already: leave out ensemble, or data.folds")
        if not self.name or Path(self.name).name != self.name:  # it names the run directory
            raise ValueError(f"recipe: name must be a word or two without slashes, not {self.name!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as TOML can hold it."""
        said: dict[str, Any] = _as_toml(self)
        return said

    def save(self, path: Path) -> None:
        """Write the recipe as TOML, atomically."""
        need("cli", "tomli_w")
        import tomli_w

        from glassnet.files import replacing

        with replacing(path) as part:
            part.write_text(tomli_w.dumps(self.to_dict()), encoding="utf-8")

    def settle(self, data: Dataset, pairs: Pairs | None = None) -> Experiment:
        """Make everything that a training on these data needs, and settle what the recipe leaves open.

        The data decide the size of batches (see `sized`) and the pairs of columns that get rotated copies. Without
        validation rows there is no patience. Of a pack it is one network, as [network]
        and [training] say. pairs: those of another settled recipe, if they are known. Raises ValueError for
        nonsense.
        """
        if self.network.target_means:
            raise ValueError("recipe: network.target_means is for a kind of network in [pack.candidates]")
        recipe, loss = self.sized(len(data.train)), self.build_loss(data.task)
        if not len(data.val):
            recipe = replace(recipe, training=replace(recipe.training, patience=None))
        pairs = self.strong_pairs(data) if pairs is None else pairs
        layers = build_layers(recipe.network, loss, data.n_in, outputs(loss, data.n_out), data.columns(), pairs)
        numbers = [data.features[j] for j in data.numbers] if pairs else []
        notes = [f"interact strongly, so rotated copies are added: {numbers[i]} and {numbers[j]}" for i, j in pairs]
        return Experiment(
            recipe.join(layers),
            loss,
            recipe.build_optimizer(),
            recipe.build_training(),
            pairs,
            [*data.notes, *left_out(len(data.classes)), *notes],
        )

    def build_network(self, n_in: int, n_out: int, task: str, columns: dict[str, Any] | None = None) -> nn.Network:
        """Make the network for rows of n_in values and n_out classes or values, without data to settle on.

        columns: the arguments of a first layer Columns, if some values are categories or missing (`Dataset.columns`).
        BinaryCrossEntropy takes one output for two classes, Poisson a last Exp. Raises ValueError for nonsense.
        """
        loss = self.build_loss(task)
        return self.join(build_layers(self.network, loss, n_in, outputs(loss, n_out), columns))

    def join(self, layers: list[nn.Layer]) -> nn.Network:
        """Make a network of layers, with the recipe's seed and type."""
        table = self.network
        settings = {"dtype": table.dtype, "seed": self.seed, "fast": table.fast, "threads": table.threads}
        return call(nn.Network, {"layers": layers, **settings}, "network")

    def build_loss(self, task: str) -> nn.Loss:
        """Make the loss. Raise ValueError if it is for another task than the data's."""
        part = {"name": self.loss} if isinstance(self.loss, str) else dict(self.loss or {})
        part.pop("class_weight", None)
        default = {"name": "CrossEntropy" if task == "classification" else "MSE"}
        loss: nn.Loss = make(default | part, nn.Loss, "loss")
        if loss.task != task:
            raise ValueError(f"loss: {type(loss).__name__} is for {loss.task}, but the data are for {task}")
        return loss

    def class_weights(self, data: Dataset) -> NDArray[np.float64] | None:
        """Return the weight of each class's rows in training (n_classes,), or None if all count the same.

        Raises ValueError for data without classes, a class that isn't one of them, and a weight that is no number.
        """
        wanted = self.loss.get("class_weight") if isinstance(self.loss, dict) else None
        if wanted is None:
            return None
        if data.task != "classification":
            raise ValueError("loss.class_weight: the target has values, and no classes")
        counts = np.bincount(data.train.y, minlength=len(data.classes))
        if wanted == "balanced":
            return counts.sum() / np.maximum(1, counts) / np.count_nonzero(counts)
        if not isinstance(wanted, dict):
            raise ValueError(f'loss.class_weight is "balanced" or a table of classes, not {wanted!r}')
        weights = np.ones(len(data.classes))
        for name, weight in wanted.items():
            if name not in data.classes:
                raise ValueError(f"loss.class_weight: there is no class {name!r}; there are {listed(data.classes)}")
            weights[data.classes.index(name)] = positive(weight, f"loss.class_weight.{name}")
        return weights

    def build_optimizer(self) -> optim.Optimizer:
        """Make the optimizer."""
        return make(self.optimizer, optim.Optimizer, "optimizer")

    def build_schedule(self) -> optim.Schedule:
        """Make the schedule."""
        return make(self.schedule, optim.Schedule, "schedule")

    def build_augmentation(self) -> Augmentation | None:
        """Make the augmentation, if there is one."""
        return None if self.augmentation is None else make(self.augmentation, Augmentation, "augmentation")

    def sized(self, rows: int) -> Recipe:
        """Return the recipe for this number of training rows, which decides the size of a pack's batches."""
        if self.pack is None:
            return self
        size = batch_size(rows) if self.pack.batch_size is None else self.pack.batch_size
        return replace(self, training=replace(self.training, batch_size=size))

    def strong_pairs(self, data: Dataset) -> Pairs:
        """Return the pairs of columns that get rotated copies, counted among those of numbers."""
        if not self.network.rotations:
            return []
        return strong_pairs(data.train.x[:, data.numbers].astype(np.float64), data.train.y, self.network.rotations)

    def build_training(self) -> Settings:
        """Make the settings of the training: those that [training] holds, the schedule, the augmentation, the seed."""
        said = {each.name: getattr(self.training, each.name) for each in fields(Regime)}
        schedule, augmentation = self.build_schedule(), self.build_augmentation()
        return Settings(**said, schedule=schedule, augmentation=augmentation, seed=self.seed)


@dataclass(frozen=True, eq=False)
class Experiment:
    """A recipe settled on its data: the objects of a training.

    settings: as vars(settings), the further arguments of `gn.fit`. pairs: of columns of numbers, which get rotated
    copies. notes: lines for people about the data and the decisions.
    """

    net: nn.Network
    loss: nn.Loss
    optimizer: optim.Optimizer
    settings: Settings
    pairs: Pairs
    notes: list[str]


def _as_toml(value: Any) -> Any:
    """Return a part of a recipe as TOML can hold it. TOML has no None, so a None, which is a default, is left out."""
    if isinstance(value, Stateless):
        return {"name": type(value).__name__} | _as_toml(value.config())
    if is_dataclass(value):
        value = {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, dict):
        return {key: _as_toml(each) for key, each in value.items() if each is not None}
    return value
