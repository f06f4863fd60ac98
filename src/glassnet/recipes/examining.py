"""The doctor's examination of whole experiments."""

from __future__ import annotations

from pathlib import Path

from glassnet.data import Dataset
from glassnet.inspection import Finding, examine
from glassnet.nn import Network
from glassnet.recipes.finished import Finished
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import load_data
from glassnet.train import History

EPOCHS = 3  # enough to see a training go wrong


def examine_recipe(recipe: Recipe, epochs: int = EPOCHS) -> list[Finding]:
    """Examine a recipe on its data, with a training of at most `epochs` epochs."""
    return _examine(recipe, load_data(recipe), epochs)


def examine_run(run: Path, epochs: int = EPOCHS) -> list[Finding]:
    """Examine a finished run: its recipe with a training of at most `epochs` epochs, and the network that it left.

    Raises ValueError or OSError if its data are gone or were changed.
    """
    finished = Finished.read(run)
    return examine_finished(finished, finished.load_data(), epochs)


def examine_finished(run: Finished, data: Dataset, epochs: int = EPOCHS) -> list[Finding]:
    """Do the same to a run and its data that were read already."""
    net = run.network.copy()
    net.info |= {name: value for name, value in run.net.info.items() if name == "decision"}  # an ensemble's is its own
    return _examine(run.recipe, data, epochs, (net, run.history))


def _examine(
    recipe: Recipe, data: Dataset, epochs: int, trained: tuple[Network, History] | None = None
) -> list[Finding]:
    settled = recipe.settle(data)
    how = settled.settings
    return examine(
        settled.net,
        data,
        settled.loss,
        settled.optimizer,
        epochs=min(epochs, how.epochs),
        batch_size=how.batch_size,
        seed=how.seed,
        schedule=how.schedule,
        replacement=how.replacement,
        trained=trained,
    )
