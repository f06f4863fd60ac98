"""The doctor's examination of whole experiments."""

from __future__ import annotations

from pathlib import Path

from glassnet.inspection import Finding, examine
from glassnet.nn import Network
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import HISTORY, as_trained, load_data, open_run
from glassnet.train import History

EPOCHS = 3  # enough to see a training go wrong


def examine_recipe(
    recipe: Recipe, epochs: int = EPOCHS, trained: tuple[Network, History] | None = None
) -> list[Finding]:
    """Examine a recipe on its data with a short training, or instead of its result a network `trained` by it."""
    data = load_data(recipe)
    net = recipe.build_network(data.n_in, data.n_out, data.task)
    training = recipe.training
    return examine(
        net, as_trained(data, recipe), recipe.build_loss(data.task), recipe.build_optimizer(),
        epochs=min(epochs, training.epochs), batch_size=training.batch_size, seed=recipe.seed,
        schedule=recipe.build_schedule(), replacement=training.replacement, trained=trained,
    )  # fmt: skip


def examine_run(run: Path) -> list[Finding]:
    """Examine a finished run: its recipe with a short training, and the network that it left."""
    recipe, net = open_run(run)
    return examine_recipe(recipe, trained=(net, History.from_csv(run / HISTORY)))
