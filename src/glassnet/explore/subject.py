"""The subject of the explorer: a network, its data, and its training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Any

from glassnet import recipes
from glassnet.data import Dataset
from glassnet.explore import shipped
from glassnet.explore.course import unused
from glassnet.explore.encoding import whole
from glassnet.nn import Ensemble, Loss, Network
from glassnet.nn.ensemble import leading
from glassnet.nn.layer import Array
from glassnet.optim import Constant, Optimizer
from glassnet.recipes import Recipe
from glassnet.recipes.finished import load_same_data, which_network
from glassnet.recipes.run import load_data

PARTS = ("test", "val", "train")


@dataclass(frozen=True, eq=False)
class Subject:
    """A network with its data and its training.

    optimizer: as in the recipe. But the rate of a schedule is its peak. Trained weights have come down from it, so they
    go on with a hundredth of it. Otherwise the first steps would undo the training.
    trained: whether its weights are those of a training. file: the Python expression of the file that holds them, if
    there is one. source: how the network was made, in a line. why_not: why it can't be trained here, or None.
    """

    title: str
    recipe: Recipe
    net: Network
    data: Dataset
    loss: Loss
    optimizer: Optimizer
    trained: bool
    file: str | None
    source: str
    why_not: str | None = None

    @property
    def note(self) -> str | None:
        """The difference between training here and the recipe's, if there is one."""
        return "constant rate; the recipe's schedule is not used" if _scheduled(self.recipe) else None

    def begin(self, fresh: bool) -> Optimizer:
        """Return an unused optimizer for the weights as they were opened or, as in the recipe, for untrained ones."""
        return self.recipe.build_optimizer() if fresh else unused(self.optimizer)

    def label(self, target: float | None) -> str:
        """Return the name of a class, or a value as text."""
        if target is None:
            return "not finite"
        return f"{target:.6g}" if self.data.task == "regression" else self.data.classes[int(target)]

    def row(self, part: Any, row: Any) -> tuple[Array, Array]:
        """Return a row x (1, n_in) of a part, raw, and its target (1,). Raises ValueError if it isn't there."""
        if part not in PARTS:
            raise ValueError(f"there is no part {short(part)}; there are {', '.join(PARTS)}")
        split, i = getattr(self.data, part), whole(row, "row")
        if i >= len(split):
            raise ValueError(f"the {part} part has {len(split):,} rows, counted from 0: there is no row {i}")
        return split.x[i : i + 1], split.y[i : i + 1]

    def part_with_rows(self) -> str:
        """Return the name of the part to take examples from: the test part, if it has rows."""
        return next(part for part in PARTS if len(getattr(self.data, part)))


def open_subject(what: str | None = None) -> Subject:
    """Open a run directory, a recipe by its name or its .toml file, or, without either, the shipped network.

    Raises ValueError for anything else, or data that aren't what the run was trained on; OSError if files are missing.
    """
    if what is None:
        return _shipped()
    return _run(Path(what)) if what and Path(what).is_dir() else _recipe(what)


def _shipped() -> Subject:
    recipe, net = shipped.recipe(), shipped.network()
    here = shipped.mnist_is_here()
    data = load_data(recipe) if here else shipped.examples()
    why_not = (
        None
        if here
        else "MNIST isn't on this machine: run glassnet data fetch mnist, then start glassnet explore again"
    )
    source = net.info["made by"]
    return _subject(recipe, net, data, trained=True, file="shipped.network()", source=source, why_not=why_not)


def _run(path: Path) -> Subject:
    recipe, model = recipes.open_run(path)
    data, net, of = load_same_data(path, recipe, model), leading(model), ""
    file = f"gn.Network.load({str(path / 'model.safetensors')!r})"
    source = f"glassnet train {path / 'recipe.toml'}"
    if isinstance(model, Ensemble):
        file = f"gn.Ensemble.load({str(path / 'model.safetensors')!r}).networks[{model.networks.index(net)}]"
        source += f": {which_network(model)}"
        of = f", one of a pack of {len(model.networks)}"
    return _subject(recipe, net, data, trained=True, file=file, source=source, of=of)


def _recipe(what: str) -> Subject:
    if not what.endswith(".toml") and what not in recipes.names():
        raise ValueError(
            f"{what!r} can't be explored: name a run directory, a recipe's .toml file or one of the recipes"
            f" {', '.join(recipes.names())}; a table is trained on first: glassnet train TABLE --target COLUMN"
        )
    recipe = recipes.load(what)
    data = load_data(recipe)
    net = recipe.settle(data).net
    net.fit_preprocessing(data.train.x, data.train.y)
    source = f"untrained, drawn with seed {recipe.seed}; to train it: glassnet train {what}"
    return _subject(recipe, net, data, trained=False, file=None, source=source)


def _subject(
    recipe: Recipe,
    net: Network,
    data: Dataset,
    *,
    trained: bool,
    file: str | None,
    source: str,
    why_not: str | None = None,
    of: str = "",
) -> Subject:
    widths = [net.n_in or data.n_in, *(layer.width_out(None) for layer in net.layers if layer.shapes().get("W"))]
    recipe = recipe.sized(len(data.train))
    title = f"{recipe.name.removeprefix('explore-')}, {'-'.join(map(str, widths))}{of}"
    loss, optimizer = recipe.build_loss(data.task), recipe.build_optimizer()
    if trained and _scheduled(recipe):
        optimizer.lr /= 100
    return Subject(title, recipe, net, data, loss, optimizer, trained, file, source, why_not)


def _scheduled(recipe: Recipe) -> bool:
    return not isinstance(recipe.build_schedule(), Constant)
