"""The progress of trainings side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassnet.recipes.recipe import Recipe
from glassnet.terminal import bar_fits, say, shown


class TrainingsProgress:
    """A bar of all trainings' epochs on a terminal, a line for each epoch of each elsewhere, on standard error.

    If `shown` is false, nothing. A context manager.
    """

    def __init__(self, runs: Mapping[Path, Recipe], shown: bool) -> None:
        self.epochs: dict[Path, int] = {out: recipe.training.epochs for out, recipe in runs.items()}
        self.done: dict[Path, int] = dict.fromkeys(runs, 0)
        self.shown = shown
        self.bar: Any = None

    def __enter__(self) -> TrainingsProgress:
        if self.shown and bar_fits():
            from tqdm import tqdm

            self.bar = tqdm(
                total=sum(self.epochs.values()), leave=False, bar_format="{desc} |{bar}| {remaining} left{postfix}"
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def epoch(self, out: Path, done: int, text: str) -> None:
        """Show the number of epochs that a training has done."""
        self.done[out] = done
        if self.bar is not None:
            self.bar.set_description(shown(f"{out.name}, epoch {done}/{self.epochs[out]}"), refresh=False)
            self.bar.set_postfix_str(text, refresh=False)
            self._move()
        elif self.shown:
            say(f"{out.name}  epoch {done}/{self.epochs[out]}  {text}", error=True)

    def end(self, out: Path) -> None:
        """Show that a training has ended, perhaps early."""
        self.done[out] = self.epochs[out]
        if self.bar is not None:
            self._move()

    def _move(self) -> None:
        self.bar.n = sum(self.done.values())
        self.bar.refresh()
