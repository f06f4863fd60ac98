"""The recipe mnist-fast, for libraries that don't know recipes."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PATH = Path(__file__).parents[2] / "src" / "glassnet" / "recipes" / "mnist-fast.toml"
IMAGES = 50_000  # the other 10,000 of the training files are for validation


@dataclass
class Recipe:
    """What mnist-fast says; it is trained by SGD, with the learning rate up and down once."""

    widths: tuple[int, ...]
    epochs: int
    batch: int
    lr: float
    momentum: float
    warmup: float
    label_smoothing: float

    def learning_rates(self, steps: int | None = None) -> NDArray[np.float32]:
        """The learning rate of each step: up in a straight line for the share `warmup` of the steps, then down to 0."""
        steps = steps or self.epochs * math.ceil(IMAGES / self.batch)
        rising = self.warmup * steps
        step = np.arange(steps)
        up, down = (step + 1) / rising, (steps - step) / (steps - rising)
        return (self.lr * np.minimum(np.minimum(up, down), 1)).astype(np.float32)


def read() -> Recipe:
    """Read the file. Raises ValueError if it asks for more than the scripts here do."""
    table = tomllib.loads(PATH.read_text(encoding="utf-8"))
    optimizer, schedule, network = table["optimizer"], table["schedule"], dict(table["network"])
    hidden, inputs = network.pop("hidden"), network.pop("inputs")
    known = {"name": "SGD", "lr": 0, "momentum": 0}
    if (
        network
        or inputs != {"name": "Standardize", "per_feature": False}
        or optimizer["name"] != "SGD"
        or optimizer.keys() - known
        or schedule["name"] != "OneCycle"
    ):
        raise ValueError(f"{PATH.name} has settings that the other libraries' scripts don't follow: extend them")
    training = table["training"]
    return Recipe(
        (784, *hidden, 10),
        training["epochs"],
        training["batch_size"],
        optimizer["lr"],
        optimizer.get("momentum", 0.0),
        schedule.get("warmup", 0.1),
        table["loss"].get("label_smoothing", 0.0),
    )
