"""From the network of a recipe to its layers."""

from __future__ import annotations

from typing import Any

from glassnet import nn
from glassnet.recipes.parts import call, make
from glassnet.recipes.tables import NetworkTable

Pairs = list[tuple[int, int]]  # of columns, counted among those of numbers


def build_layers(
    table: NetworkTable,
    loss: nn.Loss,
    n_in: int,
    n_out: int,
    columns: dict[str, Any] | None = None,
    pairs: Pairs | None = None,
) -> list[nn.Layer]:
    """Make the layers for rows of n_in values and n_out outputs, as the loss needs them.

    columns: the arguments of a first layer Columns, if some values are categories or missing. pairs: of columns that
    get rotated copies; by default the layer finds as many as the table says. Raises ValueError for nonsense.
    """
    stack = Stack(table, n_in)
    if columns:
        stack.columns(columns)
    stack.rotate(table.rotations if pairs is None else pairs)
    stack.scale()
    stack.embed_categories()
    stack.embed_numbers()
    stack.disturb_inputs()
    stack.hidden()
    stack.head(n_out)
    stack.end(loss)
    return stack.layers


def outputs(loss: nn.Loss, n_out: int) -> int:
    """Return the number of outputs that the loss needs for n_out classes or values. Raises ValueError if it can't."""
    if not isinstance(loss, nn.BinaryCrossEntropy):
        return n_out
    if n_out != 2:
        raise ValueError(f"loss: BinaryCrossEntropy is for two classes, the data have {n_out}: use CrossEntropy")
    return 1


class Stack:
    """The layers so far, and the columns that they give: numbers, then marks of missing values, then categories.

    widths: the number of values that each column has become. A hidden layer is one column. numbers: the number of
    columns that are numbers.
    categories: the number of categories of each other column.
    """

    def __init__(self, table: NetworkTable, n_in: int) -> None:
        self.units: list[int] = table.hidden
        needed = len(table.hidden) + 1
        self.factors: list[float] = [1.0] * needed if table.lr_factors is None else table.lr_factors
        if len(self.factors) != needed:
            raise ValueError(f"network.lr_factors: {needed} layers need as many, not {len(self.factors)}")
        self.table = table
        self.layers: list[nn.Layer] = []
        self.numbers: int = n_in
        self.widths: list[int] = [1] * n_in
        self.categories: list[int] = []

    @property
    def width(self) -> int:
        """How many values a row has by now."""
        return sum(self.widths)

    def columns(self, arguments: dict[str, Any]) -> None:
        """Fill and mark missing values. A category becomes a column of 0 and 1."""
        if means := arguments.get("means"):
            adding = nn.TargetMeans(**means)
            self.layers.append(adding)
            arguments = arguments | {"categories": arguments["categories"] + [0] * adding.added}
        first = nn.Columns(**{name: value for name, value in arguments.items() if name != "means"})
        self.layers.append(first)
        self.numbers, self.widths = first.continuous, [1] * first.width_out(self.width)
        self.categories = [n for n in first.categories if n]

    def rotate(self, pairs: int | Pairs | None) -> None:
        """Add rotated copies of pairs of numbers."""
        if pairs and self.numbers > 1:
            sizes = {"width": self.numbers, "pairs": pairs, "plain": self.width - self.numbers}
            turned = call(nn.Rotations, sizes, "network.rotations")
            self.layers.append(turned)
            self.numbers, self.widths = self.numbers + turned.added, [1] * turned.width_out(None)

    def scale(self) -> None:
        """Bring all columns to one scale."""
        if self.table.inputs != "none":
            self.layers.append(make(self.table.inputs, nn.Preprocessing, "network.inputs"))

    def embed_categories(self) -> None:
        """Give each category trained values."""
        dim = self.table.category_dim
        if dim is not None and self.categories:
            plain = self.width - sum(self.categories)
            sizes = {"categories": self.categories, "dim": dim, "plain": plain}
            self.layers.append(call(nn.CategoryEmbedding, sizes, "network.category_dim"))
            self.widths[plain:] = [dim] * len(self.categories)

    def embed_numbers(self) -> None:
        """Give each number several values."""
        part = self.table.embedding
        if part is not None and self.numbers:
            sizes = {"width": self.numbers, "plain": sum(self.widths[self.numbers :])}
            arguments = part if isinstance(part, dict) else {"name": part}
            embedding = make(sizes | arguments, nn.Embedding, "network.embedding")
            self.layers.append(embedding)
            self.widths[: self.numbers] = [embedding.dim] * self.numbers

    def disturb_inputs(self) -> None:
        """Add the noise of the inputs."""
        if self.table.input_noise:
            self.layers.append(call(nn.GaussianNoise, {"std": self.table.input_noise}, "network.input_noise"))
        if self.table.input_dropout:
            self.layers.append(call(nn.Dropout, {"rate": self.table.input_dropout}, "network.input_dropout"))

    def hidden(self) -> None:
        """Add the hidden layers, each with its normalization, activation and dropout."""
        table = self.table
        dense = {"init": table.init, "max_norm": table.max_norm}
        for units, factor in zip(self.units, self.factors, strict=False):
            sizes = {"fan_in": self.width, "fan_out": units, "lr_factor": factor}
            self.layers.append(call(nn.Dense, sizes | dense, "network.hidden"))
            self.widths = [units]
            if table.normalization is not None:
                part = {"name": table.normalization, "width": units}
                self.layers.append(make(part, nn.Normalization, "network.normalization"))
            if table.noise:
                self.layers.append(call(nn.GaussianNoise, {"std": table.noise}, "network.noise"))
            self.layers.append(make(table.activation, nn.Activation, "network.activation"))
            if table.dropout:
                self.layers.append(call(nn.Dropout, {"rate": table.dropout}, "network.dropout"))

    def head(self, n_out: int) -> None:
        """Add the last layer with parameters."""
        table = self.table
        sizes = {"fan_in": self.width, "fan_out": n_out, "lr_factor": self.factors[-1], "init": table.init}
        self.layers.append(call(nn.Dense, sizes | {"max_norm": table.max_norm}, "network"))

    def end(self, loss: nn.Loss) -> None:
        """Turn the last outputs into those that the loss takes and people read."""
        if isinstance(loss, nn.Poisson):  # of positive outputs
            self.layers.append(nn.Exp())
        if loss.task == "regression" and self.table.standardize_target and not isinstance(loss, nn.Poisson):
            self.layers.append(nn.Unstandardize())
