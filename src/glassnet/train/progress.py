"""The progress of training: a bar on a terminal, a line per epoch elsewhere, and a CSV file."""

from __future__ import annotations

import os
from typing import Any

from glassnet.terminal import bar_fits, say
from glassnet.train.training import Callback, Training


class Progress(Callback):
    """A bar with epoch, loss, validation metric and time left, on standard error; plain lines if no bar fits there."""

    for_people = True
    bar: Any = None

    def on_start(self, run: Training) -> None:
        """Begin at the epoch where training begins."""
        if bar_fits():
            from tqdm import tqdm

            done = len(run.history) * run.steps_per_epoch
            total = run.epochs * run.steps_per_epoch
            self.on_step = self._move_bar  # type: ignore[method-assign]  # without a bar, nobody looks at steps
            self.bar = tqdm(
                total=total, initial=done, leave=False, bar_format="{desc} |{bar}| {remaining} left{postfix}"
            )

    def _move_bar(self, run: Training) -> None:
        self.bar.set_description(f"epoch {len(run.history) + 1}/{run.epochs}", refresh=False)
        self.bar.set_postfix(numbers(run, run.history.step_loss[-1]), refresh=False)
        self.bar.update()

    def on_epoch(self, run: Training) -> None:
        """Print the epoch's line."""
        if self.bar is None:
            row = run.history.epochs[-1]
            shown = "  ".join(f"{name} {value}" for name, value in numbers(run, row["train_loss"]).items())
            say(f"epoch {len(run.history)}/{run.epochs}  {shown}  {row['seconds']:.1f} s", error=True)

    def on_end(self, run: Training) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()


class CSVLog(Callback):
    """Keep the history in a CSV file, written anew after each epoch."""

    for_people = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path

    def on_epoch(self, run: Training) -> None:
        """Write the file."""
        run.history.to_csv(self.path)


def numbers(run: Training, loss: float) -> dict[str, str]:
    """Return the loss, and the monitored metric of the latest validation, ready to print."""
    numbers = {"loss": f"{loss:.4g}"}
    if run.history.epochs and run.monitor is not None:
        numbers[f"val {run.monitor}"] = f"{run.history.epochs[-1][f'val_{run.monitor}']:.4g}"
    return numbers
