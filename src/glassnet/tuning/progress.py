"""The progress of a search: a bar on a terminal, a line per trial elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glassnet.terminal import bar_fits, say
from glassnet.tuning.space import Space
from glassnet.tuning.study import finished, latest
from glassnet.tuning.workers import FAILED, begun, kind

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


class SearchProgress:
    """A bar with the trial, its epoch, the best value, the number of pruned trials, and the time left.

    It is on standard error. If that is no terminal, it is a line for each trial. If `shown` is false, it is nothing. A
    context manager.
    """

    def __init__(self, monitor: str, study: Study, space: Space, wanted: int, shown: bool) -> None:
        self.monitor = monitor
        self.study = study
        self.space = space
        self.wanted = wanted
        self.shown = shown
        self.bar: Any = None
        self.told = ""

    def __enter__(self) -> SearchProgress:
        if self.shown and bar_fits():
            from tqdm import tqdm

            self.bar = tqdm(
                total=self.wanted,
                initial=min(len(begun(self.study)), self.wanted),
                leave=False,
                bar_format="{desc} |{bar}| {n_fmt}/{total_fmt} trials, {remaining} left{postfix}",
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def epoch(self, number: int, epoch: int) -> None:
        """Show the trial and its epoch."""
        if self.bar is not None:
            self.bar.set_description(f"trial {number}, epoch {epoch}")

    def end(self, trial: FrozenTrial, values: dict[str, Any], seconds: float) -> None:
        """Show a trial's result."""
        if not self.shown:
            return
        best = self.best()
        if self.bar is None:
            told = " ".join(f"{key}={value}" for key, value in values.items())
            self.say(f"trial {trial.number}  {told}  {self.result(trial)}  (best {best})  {seconds:.1f} s")
            return
        self.bar.n = min(len(begun(self.study)), self.wanted)  # other processes' trials, too
        pruned = sum(kind(each) == "pruned" for each in self.study.get_trials(deepcopy=False))
        self.bar.set_postfix_str(f"best {self.monitor} {best}, {pruned} pruned")

    def confirm(self, done: int, total: int, number: int, seed: int) -> None:
        """Show the finalist that is trained once more."""
        if self.bar is not None:
            self.bar.set_description(f"trial {number} again, with seed {seed} ({done + 1}/{total})")
        elif self.shown:
            self.say(f"trial {number} again, with seed {seed} ({done + 1}/{total})")

    def say(self, line: str) -> None:
        """Print a line on standard error, if anything is shown."""
        if self.shown:
            say(line, error=True)

    def waiting(self, trials: int) -> None:
        """Show how many trials of other processes have to end first."""
        told = f"waiting for {trials} {'trial' if trials == 1 else 'trials'} of other processes"
        if self.bar is not None:
            self.bar.set_description(told)
        elif told != self.told:
            self.say(told)
        self.told = told

    def result(self, trial: FrozenTrial) -> str:
        """A trial's value, or the reason why it has none."""
        what = kind(trial)
        if what == "finished":
            return f"val {self.monitor} {trial.value:.5g}"
        if what == FAILED:
            return f"failed: {trial.user_attrs[FAILED]}"
        return f"pruned after epoch {trial.last_step}, val {self.monitor} {latest(trial):.5g}"

    def best(self) -> str:
        """The best value so far, and its trial."""
        found = finished(self.study, self.space)
        return f"{found[0].value:.5g}, trial {found[0].number}" if found else "none yet"
