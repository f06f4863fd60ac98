"""What is explored: a network, the data it is for, and how it learns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from glassnet import recipes
from glassnet.data import Dataset
from glassnet.explore import shipped
from glassnet.nn import Loss, Network
from glassnet.optim import Optimizer
from glassnet.recipes import Recipe
from glassnet.recipes.run import as_trained, load_data, names_of

PARTS = ("test", "val", "train")


@dataclass(frozen=True, eq=False)
class Subject:
    """A network and what goes with it.

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

    def part_with_rows(self) -> str:
        """Return the name of the part to take examples from: the test part, if it has rows."""
        return next(part for part in PARTS if len(getattr(self.data, part)))


def open_subject(what: str | None = None) -> Subject:
    """Open a run directory, a recipe by its name or its .toml file, or, without either, the shipped network.

    Raises ValueError for anything else, or data that aren't what the run was trained on; OSError if files are missing.
    """
    if what is None:
        return _shipped()
    return _run(Path(what)) if Path(what).is_dir() else _recipe(what)


def _shipped() -> Subject:
    recipe, net = shipped.recipe(), shipped.network()
    here = shipped.mnist_is_here()
    data = _data(recipe) if here else shipped.examples()
    why_not = None if here else "MNIST isn't on this machine: glassnet data fetch mnist"
    source = net.info["made by"]
    return _subject(recipe, net, data, trained=True, file="shipped.network()", source=source, why_not=why_not)


def _run(path: Path) -> Subject:
    recipe, net = recipes.open_run(path)
    data = _data(recipe)
    for name, value in names_of(data).items():
        if net.info.get(name) != value:
            raise ValueError(f"{recipe.data.source} is not what {path} was trained on: its {name} changed")
    file = f"gn.Network.load({str(path / 'model.safetensors')!r})"
    return _subject(recipe, net, data, trained=True, file=file, source=f"glassnet train {path / 'recipe.toml'}")


def _recipe(what: str) -> Subject:
    recipe = recipes.choose(what)
    data = _data(recipe)
    net = recipe.build_network(data.n_in, data.n_out, data.task)
    net.fit_preprocessing(data.train.x, data.train.y)
    source = f"untrained, drawn with seed {recipe.seed}; to train it: glassnet train {what}"
    return _subject(recipe, net, data, trained=False, file=None, source=source)


def _subject(
    recipe: Recipe, net: Network, data: Dataset, *, trained: bool, file: str | None, source: str,
    why_not: str | None = None,
) -> Subject:  # fmt: skip
    widths = [net.n_in or data.n_in, *(layer.width_out(None) for layer in net.layers if layer.shapes().get("W"))]
    title = f"{recipe.name.removeprefix('explore-')}, {'-'.join(map(str, widths))}"
    loss, optimizer = recipe.build_loss(data.task), recipe.build_optimizer()
    return Subject(title, recipe, net, data, loss, optimizer, trained, file, source, why_not)


def _data(recipe: Recipe) -> Dataset:
    return as_trained(load_data(recipe), recipe)
