"""What can be done with a run, and with a recipe short of training it: evaluate, check gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glassnet.nn import GradientReport
from glassnet.nn import gradcheck as check_gradients
from glassnet.recipes.finished import load_same_data
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import load_data, open_run, results


def evaluate_run(run: Path) -> dict[str, Any]:
    """Evaluate a finished run's network on its data anew; return what metrics.json holds of results.

    What metrics.json and history.csv hold isn't read: they may be damaged.
    Raises ValueError if the data aren't what the network was trained on, such as a table with other columns.
    """
    recipe, net = open_run(run)
    data = load_same_data(run, recipe, net)
    found = results(net, data, recipe.build_loss(data.task))
    return {"recipe": recipe.name, "task": data.task, "data": str(data)} | found


def gradcheck(recipe: Recipe, rows: int = 8, entries: int = 30) -> GradientReport:
    """Check a recipe's network on its first training rows: `entries` numbers of each parameter and of the input."""
    data = load_data(recipe)
    net = recipe.build_network(data.n_in, data.n_out, data.task)
    net.fit_preprocessing(data.train.x, data.train.y)
    loss = recipe.build_loss(data.task)
    return check_gradients(net, data.train.x[:rows], data.train.y[:rows], loss, entries=entries)
