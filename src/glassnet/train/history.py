"""The history of a training: one number per step, one row per epoch."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from glassnet.extras import need
from glassnet.files import regular, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(repr=False)
class History:
    """The course of a training.

    `step_loss` and `step_lr`: the loss and the learning rate of each step. `epochs`: one dict per epoch with "epoch"
    (from 1), "lr" (of its last step), "train_loss" (mean over its steps), "val_loss" and the other validation metrics
    as "val_...", and "seconds" since the start. `best_epoch` is the one whose weights were kept, if validation chose.

    "train_loss" is of weights that moved within the epoch, with the noise of Dropout and augmentation. Beside
    validation there is "train_eval_loss", measured as "val_loss" is, on a fixed sample of at most 2,000 training rows,
    and no more than there are for validation.
    """

    step_loss: list[float] = field(default_factory=list)
    step_lr: list[float] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int | None = None
    interrupted: bool = False

    def __getitem__(self, column: str) -> list[float]:
        """Return one column of `epochs`, such as history["val_loss"]."""
        return [row[column] for row in self.epochs]

    def __repr__(self) -> str:
        best = f", best {self.best_epoch}" if self.best_epoch is not None else ""
        return f"History({len(self)} epochs{best}{', interrupted' if self.interrupted else ''})"

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.epochs)

    def plot(self) -> Figure:
        """Draw the loss and the validation metric over the epochs, as `glassnet.plots.curves`.

        In a notebook the figure shows by itself. `figure.savefig(path)` writes it. Raises NotInstalledError without
        matplotlib.
        """
        need("plots", "matplotlib")
        figure: Figure = import_module("glassnet.plots").curves(self.columns(), self.step_loss, self.best_epoch)
        return figure

    def columns(self) -> dict[str, list[float]]:
        """Return the epochs as columns."""
        return {name: self[name] for name in (self.epochs[0] if self.epochs else ())}

    @classmethod
    def from_csv(cls, path: str | os.PathLike[str]) -> History:
        """Read the epochs that `to_csv` wrote; the losses of single steps aren't in the file.

        Raises ValueError if it is no such file, OSError if it can't be read.
        """
        try:
            with regular(path).open(newline="", encoding="utf-8") as file:
                return cls(epochs=[{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)])
        except (ValueError, TypeError, csv.Error) as error:  # TypeError: more or fewer values than names
            raise ValueError(f"{os.fspath(path)} is no history of a training ({error})") from None

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line per epoch, atomically."""
        with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(self.columns()))
            writer.writeheader()
            writer.writerows(self.epochs)
