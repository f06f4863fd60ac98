"""Showing how training goes: a bar on a terminal, a line per epoch elsewhere; and a CSV file."""

from __future__ import annotations

import os
import sys
from typing import Any

from glassnet.train.run import Callback, Run


class Progress(Callback):
    """A bar with epoch, loss, validation metric and time left, on standard error; plain lines if that's no terminal."""

    def on_start(self, run: Run) -> None:
        """Begin where training begins."""
        self.bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            done = len(run.history) * run.steps_per_epoch
            self.bar = tqdm(total=run.epochs * run.steps_per_epoch, initial=done, unit="step", leave=False)

    def on_step(self, run: Run) -> None:
        """Move the bar."""
        if self.bar is not None:
            self.bar.set_description(f"epoch {len(run.history) + 1}/{run.epochs}", refresh=False)
            self.bar.set_postfix(self._numbers(run), refresh=False)
            self.bar.update()

    def on_epoch(self, run: Run) -> None:
        """Print the epoch's line."""
        if self.bar is None:
            numbers = "  ".join(f"{name} {value}" for name, value in self._numbers(run).items())
            row = run.history.epochs[-1]
            print(f"epoch {len(run.history)}/{run.epochs}  {numbers}  {row['seconds']:.1f} s", file=sys.stderr)

    def on_end(self, run: Run) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()

    @staticmethod
    def _numbers(run: Run) -> dict[str, str]:
        history = run.history
        started_epoch = len(history.step_loss) > len(history) * run.steps_per_epoch or not history.epochs
        loss = history.step_loss[-1] if started_epoch else history.epochs[-1]["train_loss"]
        numbers = {"loss": f"{loss:.4f}"}
        if history.epochs and run.monitor is not None:
            numbers[f"val {run.monitor}"] = f"{history.epochs[-1][f'val_{run.monitor}']:.4f}"
        return numbers


class CSVLog(Callback):
    """Keep the history in a CSV file, written anew after each epoch."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path

    def on_epoch(self, run: Run) -> None:
        """Write the file."""
        run.history.to_csv(self.path)
