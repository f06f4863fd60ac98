"""A recipe: a whole experiment as data, and the objects that are built from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from glassnet import nn, optim
from glassnet.data import Augmentation, Dataset
from glassnet.data.labels import Task
from glassnet.nn.checks import count
from glassnet.nn.rotations import strong_pairs
from glassnet.recipes.parts import Part, call, make
from glassnet.recipes.sizes import batch_size, by_rows
from glassnet.recipes.space import TuneTable
from glassnet.train import Average

Widths = list[int] | dict[str, Any]  # of the hidden layers, or the arguments of `by_rows`

MOST_MEMBERS = 1000  # of an ensemble


@dataclass
class DataTable:
    """[data]: what to learn from. The options are those of `gn.load`."""

    source: str  # a name that `gn.load` knows, or the path of a CSV or Parquet file
    target: str | None = None
    drop: list[str] | None = None  # columns of a table that aren't inputs
    task: Task | None = None
    split: str | None = None
    seed: int | None = None  # of a table's split; by default the recipe's
    validation: bool = True  # false: its rows train, too; for the last training, when everything is chosen
    truncate_targets: bool = False  # cut the decimals off the targets that training sees (the seed does)


@dataclass
class NetworkTable:
    """[network]: inputs, embedding, for each hidden width Dense, normalization, activation and dropout, then Dense."""

    inputs: Part = "Standardize"  # or QuantileNormalize, RobustScale, or "none"
    rotations: int | None = None  # up to so many pairs of columns, that interact strongly, get rotated copies
    embedding: Part | None = None  # of each feature: PiecewiseLinear or Periodic, as {name = ..., dim = 16}
    category_dim: int | None = None  # so many trained values for each category, in place of its column of 0 and 1
    members: int | None = None  # so many networks in one, which share these layers (TabM-mini)
    member_scales: bool | None = None  # with scales of each member's own before and after each of them (TabM)
    hidden: Widths = field(default_factory=lambda: [128])
    activation: Part = "ReLU"
    normalization: str | None = None  # BatchNorm or LayerNorm
    dropout: float = 0.0
    noise: float = 0.0  # standard deviation of GaussianNoise, before each activation
    input_noise: float = 0.0  # the same of what embeddings make of the inputs
    input_dropout: float = 0.0  # of what embeddings make of the inputs, if there are any
    init: str = "he"
    max_norm: float | None = None  # of the weights into each unit of every Dense
    lr_factors: list[float] | None = None  # of the learning rate, one for each Dense
    standardize_target: bool = True  # of values: the network works with unit targets, its outputs are in their unit
    dtype: str = "float32"
    fast: bool = True  # compiled kernels where they cover the network
    threads: int | None = None  # at most so many of them side by side


@dataclass
class TrainingTable:
    """[training]: the arguments of `gn.fit`."""

    epochs: int = 20
    batch_size: int = 128
    min_steps: int | None = None  # in an epoch: where there are few rows, smaller batches make as many
    replacement: bool = False
    monitor: str | None = None
    patience: int | None = None
    restore_best: bool = True
    average: Part | None = None  # EMA or SWA
    dropout_schedule: Part | None = None
    weight_decay_schedule: Part | None = None


@dataclass
class Recipe:
    """A whole experiment. `loss` is by default CrossEntropy for classes and MSE for values.

    Raises ValueError for numbers that are too low, an unknown report, or a name that can't be a folder's.
    """

    name: str
    data: DataTable
    description: str = ""
    seed: int = 0
    ensemble: int = 1  # so many networks, with the seeds seed, seed + 1 and so on, that answer together
    report: str | None = None  # an extra figure in metrics.json, see `glassnet.recipes.seed_exercise`
    network: NetworkTable = field(default_factory=NetworkTable)
    loss: Part | None = None
    optimizer: Part = field(default_factory=lambda: {"name": "AdamW", "lr": 1e-3})
    schedule: Part = "Constant"
    augmentation: Part | None = None  # Distortions, for images
    training: TrainingTable = field(default_factory=TrainingTable)
    tune: TuneTable | None = None  # how `glassnet tune` searches

    def __post_init__(self) -> None:
        for where, value, least in (
            ("seed", self.seed, 0), ("data.seed", self.data.seed, 0), ("ensemble", self.ensemble, 1),
            ("network.rotations", self.network.rotations, 0), ("network.category_dim", self.network.category_dim, 1),
            ("network.members", self.network.members, 1), ("training.min_steps", self.training.min_steps, 1),
            *((f"training.{name}", getattr(self.training, name), 1) for name in ("epochs", "batch_size", "patience")),
        ):  # fmt: skip
            if value is not None:
                count(value, f"recipe: {where}", least)
        if self.ensemble > MOST_MEMBERS:
            raise ValueError(
                f"recipe: ensemble must be at most {MOST_MEMBERS}, not {self.ensemble}: each is a training"
            )
        if self.report not in (None, "seed_figure"):
            raise ValueError(f"recipe: there is no report {self.report!r}; the only one is seed_figure")
        if not self.name or Path(self.name).name != self.name:  # it names the run directory
            raise ValueError(f"recipe: name must be a word or two without slashes, not {self.name!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as TOML can hold it."""
        return _without_none(asdict(self))

    def save(self, path: Path) -> None:
        """Write the recipe as TOML, atomically."""
        import tomli_w

        from glassnet.files import replacing

        with replacing(path) as part:
            part.write_text(tomli_w.dumps(self.to_dict()), encoding="utf-8")

    def build_network(self, n_in: int, n_out: int, task: str, columns: dict[str, Any] | None = None) -> nn.Network:
        """Make the network for rows of n_in values and n_out classes or values.

        columns: the arguments of a first layer Columns, if some values are categories or missing (`Dataset.columns`).
        BinaryCrossEntropy takes one output for two classes, Poisson a last Exp. Raises ValueError for nonsense.
        """
        return self.join(self.build_layers(n_in, n_out, task, columns))

    def network_for(self, data: Dataset) -> nn.Network:
        """Make the network for data that `for_data` has seen."""
        return self.build_network(data.n_in, data.n_out, data.task, data.columns())

    def join(self, layers: list[nn.Layer]) -> nn.Network:
        """Make a network of layers, with the seed and the type that the recipe says."""
        table = self.network
        settings = {"dtype": table.dtype, "seed": self.seed, "fast": table.fast, "threads": table.threads}
        return call(nn.Network, {"layers": layers, **settings}, "network")

    def build_layers(
        self, n_in: int, n_out: int, task: str, columns: dict[str, Any] | None = None, *, flags: bool = False
    ) -> list[nn.Layer]:
        """Make the layers that `build_network` joins. flags: a row may be of several of the n_out classes, or none."""
        table, loss = self.network, self.build_loss(task)
        if isinstance(table.hidden, dict):
            raise ValueError("network.hidden goes by the number of training rows: take recipe.sized(rows), or for_data")
        if isinstance(loss, nn.BinaryCrossEntropy) and not flags:
            if n_out != 2:
                raise ValueError(
                    f"loss: BinaryCrossEntropy is for two classes, the data have {n_out}: use CrossEntropy"
                )
            n_out = 1
        layers: list[nn.Layer] = []
        numbers, widths = n_in, [1] * n_in  # the columns of numbers, and how many values each column has become
        categories: list[int] = []
        if columns:
            first = nn.Columns(**columns)
            layers.append(first)
            numbers, widths = len(first.numbers), [1] * first.width_out(n_in)
            categories = [n for n in first.categories if n]
        if table.rotations and numbers > 1:
            pairs = {"pairs": table.rotations, "plain": len(widths) - numbers}
            turned = call(nn.Rotations, {"width": numbers} | pairs, "network.rotations")
            layers.append(turned)
            numbers, widths = numbers + turned.added, [1] * turned.width_out(None)
        if table.inputs != "none":
            layers.append(make(table.inputs, nn.Preprocessing, "network.inputs"))
        if table.category_dim is not None and categories:
            plain = len(widths) - sum(categories)
            sizes = {"categories": categories, "dim": table.category_dim, "plain": plain}
            layers.append(call(nn.CategoryEmbedding, sizes, "network.category_dim"))
            widths[plain:] = [table.category_dim] * len(categories)
        factors = [1.0] * (len(table.hidden) + 1) if table.lr_factors is None else table.lr_factors
        if len(factors) != len(table.hidden) + 1:
            raise ValueError(f"network.lr_factors: {len(table.hidden) + 1} layers need as many, not {len(factors)}")
        dense = {"init": table.init, "max_norm": table.max_norm}
        if table.embedding is not None and numbers:
            embedding = table.embedding if isinstance(table.embedding, dict) else {"name": table.embedding}
            sizes = {"width": numbers, "plain": sum(widths[numbers:])}
            embedded = make(sizes | embedding, nn.Embedding, "network.embedding")
            layers.append(embedded)
            widths[:numbers] = [embedded.dim] * numbers
        if table.input_noise:
            layers.append(call(nn.GaussianNoise, {"std": table.input_noise}, "network.input_noise"))
        if table.input_dropout:
            layers.append(call(nn.Dropout, {"rate": table.input_dropout}, "network.input_dropout"))
        width = sum(widths)
        k, scales = table.members or 1, table.member_scales
        if k != 1:
            chunks = widths if width > len(widths) else None
            layers.append(call(nn.Members, {"k": k, "width": width, "chunks": chunks}, "network.members"))
        elif scales:
            raise ValueError("network.member_scales: there are no members; set network.members, such as to 32")
        for i, (units, factor) in enumerate(zip(table.hidden, factors, strict=False)):
            layers += [nn.MemberScale(k, width)] if scales and i > 0 else []
            sizes = {"fan_in": width, "fan_out": units, "lr_factor": factor}
            layers.append(call(nn.Dense, sizes | dense, "network.hidden"))
            layers += [nn.MemberScale(k, units)] if scales else []
            if table.normalization is not None:
                layers.append(
                    make({"name": table.normalization, "width": units}, nn.Normalization, "network.normalization")
                )
            if table.noise:
                layers.append(call(nn.GaussianNoise, {"std": table.noise}, "network.noise"))
            layers.append(make(table.activation, nn.Activation, "network.activation"))
            if table.dropout:
                layers.append(call(nn.Dropout, {"rate": table.dropout}, "network.dropout"))
            width = units
        sizes = {"fan_in": width, "fan_out": n_out, "lr_factor": factors[-1]}
        if k == 1:
            layers.append(call(nn.Dense, sizes | dense, "network"))
        else:
            layers.append(call(nn.MemberHeads, {"k": k, "init": table.init} | sizes, "network"))
        if isinstance(loss, nn.Poisson):  # of positive outputs
            layers.append(nn.Exp())
        if k != 1:
            of = {nn.CrossEntropy: "classes", nn.BinaryCrossEntropy: "logits"}.get(type(loss), "values")
            layers.append(nn.MemberMean(k, of))
        if task == "regression" and table.standardize_target and not isinstance(loss, nn.Poisson):
            layers.append(nn.Unstandardize())
        return layers

    def build_loss(self, task: str) -> nn.Loss:
        """Make the loss; raise ValueError if it is for another task than the data's."""
        default = "CrossEntropy" if task == "classification" else "MSE"
        loss: nn.Loss = make(self.loss or default, nn.Loss, "loss")
        if loss.task != task:
            raise ValueError(f"loss: {type(loss).__name__} is for {loss.task}, but the data are for {task}")
        return loss

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
        """Return the recipe for so many training rows, on which the size of a batch and of the layers may depend."""
        training, network = self.training, self.network
        if training.min_steps is not None:
            size = batch_size(rows, training.min_steps, training.batch_size)
            training = replace(training, batch_size=size, min_steps=None)
        if isinstance(network.hidden, dict):
            network = replace(network, hidden=call(by_rows, {**network.hidden, "rows": rows}, "network.hidden"))
        return replace(self, training=training, network=network)

    def for_data(self, data: Dataset, pairs: Sequence[tuple[str, str]] | None = None) -> Recipe:
        """Return the recipe with what it leaves to the data: what `sized` makes, and `rotations`.

        Without validation rows, there is no patience either. pairs: what `strong_pairs` returns for these data, if it
        is known.
        """
        made = self.sized(len(data.train))
        if not len(data.val):
            made = replace(made, training=replace(made.training, patience=None))
        pairs = self.strong_pairs(data) if pairs is None else pairs
        return replace(made, network=replace(made.network, rotations=len(pairs)))

    def strong_pairs(self, data: Dataset) -> list[tuple[str, str]]:
        """Return the names of the pairs of columns that get rotated copies."""
        if not self.network.rotations:
            return []
        kinds = data.categories or ((),) * data.n_in
        numbers = [j for j, names in enumerate(kinds) if not names]
        x = data.train.x[:, numbers].astype(np.float64)
        names = [data.features[j] for j in numbers]
        return [(names[i], names[j]) for i, j in strong_pairs(x, data.train.y, self.network.rotations)]

    def build_training(self) -> dict[str, Any]:
        """Make the arguments of `fit` that [training] holds, and the schedule and the augmentation."""
        kinds: dict[str, type[Any]] = {
            "average": Average, "dropout_schedule": optim.Schedule, "weight_decay_schedule": optim.Schedule,
        }  # fmt: skip
        parts = {name: getattr(self.training, name) for name in kinds}
        made = {n: None if p is None else make(p, kinds[n], f"training.{n}") for n, p in parts.items()}
        whole = {"schedule": self.build_schedule(), "augmentation": self.build_augmentation()}
        settings = vars(self.training) | made | whole
        del settings["min_steps"]
        return settings


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }
