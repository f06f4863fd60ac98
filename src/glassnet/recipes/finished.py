"""All that a run directory holds, read once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassnet.data import Dataset
from glassnet.nn import Loss, Network
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import HISTORY, METRICS, RECIPE, load_data, names_of, open_run
from glassnet.train import History


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished run: its recipe, its network, what metrics.json holds, and its history."""

    path: Path
    recipe: Recipe
    net: Network
    metrics: dict[str, Any]
    history: History

    @classmethod
    def read(cls, path: Path) -> Finished:
        """Read the run directory `path`. Raises ValueError if it is none, or damaged; OSError if a file is missing."""
        recipe, net = open_run(path)
        try:
            metrics = json.loads((path / METRICS).read_text(encoding="utf-8"))
            history = History.from_csv(path / HISTORY)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} is damaged: its metrics or its history can't be read ({error})") from None
        return cls(path, recipe, net, metrics, history)

    @property
    def task(self) -> str:
        """The task: "classification" or "regression"."""
        return str(self.net.info["task"])

    @property
    def loss(self) -> Loss:
        """The loss that it was trained with."""
        return self.recipe.build_loss(self.task)

    @property
    def recipe_text(self) -> str:
        """The recipe as TOML."""
        return (self.path / RECIPE).read_text(encoding="utf-8")

    def load_data(self) -> Dataset:
        """Load what it was trained on. Raises ValueError or OSError if that isn't there any more, or was changed."""
        data = load_data(self.recipe)
        for name, value in names_of(data).items():
            if self.net.info.get(name) != value:
                raise ValueError(
                    f"{self.recipe.data.source} is not what {self.path} was trained on: its {name} changed"
                )
        return data
