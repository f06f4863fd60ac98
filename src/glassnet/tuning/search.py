"""The search: trial after trial, then the best few once more with further seeds."""

from __future__ import annotations

import math
import random
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.checks import positive
from glassnet.data import Dataset
from glassnet.extras import need
from glassnet.recipes import Recipe
from glassnet.recipes.reading import changed
from glassnet.recipes.space import TuneTable
from glassnet.train import DivergenceError
from glassnet.tuning.interrupt import Interrupt
from glassnet.tuning.progress import SearchProgress
from glassnet.tuning.result import Finalist, Result, write
from glassnet.tuning.space import Space, check_space, chosen_values, space_of, suggest
from glassnet.tuning.study import FAILED, OWN, PROCESS, begun, finished, open_study, sampler, this_process
from glassnet.tuning.trial import BreakOff, Outcome, data_of, monitor_of, run

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial

SEEDS = 3  # the finalists are trained once more with these, not with the seed of the search
BREAKS = (ArithmeticError, ValueError, MemoryError)  # errors that end a trial, but not the search


@dataclass(frozen=True)
class Search:
    """The parts that are the same in all trials."""

    recipe: Recipe
    space: Space
    data: Dataset  # without the test part
    study: Study
    show: SearchProgress
    ctrl_c: Interrupt

    @property
    def seeds(self) -> list[int]:
        """The seeds of the finalists."""
        return [self.recipe.seed + i for i in range(1, SEEDS + 1)]


def check_installed() -> None:
    """Raise NotInstalledError if Optuna or a library that writes the result isn't installed."""
    need("tune", "optuna", "matplotlib", "tomli_w")


def tune(
    recipe: Recipe, out: Path, *, trials: int | None = None, time_limit: float | None = None, progress: bool = False
) -> Result:
    """Search for better values of a recipe, judged by its validation metric, and fill the folder `out`.

    Its search space is recipe.tune.space, or by default the learning rate with momentum or weight decay. The first
    trial is the recipe as it is. The best few trials, and the first, are then trained with further seeds. The best mean
    wins. If `out` holds the same search, it goes on. Several processes may do so at the same time. `trials` (default:
    recipe.tune.trials) counts the trials of all. `time_limit`, in seconds, ends the search earlier. Ctrl-C ends it at
    once, and it can go on later. The test part of the data is dropped before the first trial.

    Raises ValueError for a recipe, space or data that make no sense, for a folder of another search, and if no trial
    was finished; NotInstalledError; FileExistsError if `out` holds anything else; OSError.
    """
    check_installed()
    table = recipe.tune or TuneTable()
    wanted = replace(table, trials=table.trials if trials is None else trials).trials
    end = time.monotonic() + (math.inf if time_limit is None else positive(time_limit, "time_limit"))
    data, space = data_of(recipe), space_of(recipe)
    monitor = monitor_of(recipe, data)
    check_space(recipe, space, monitor, data)
    study = open_study(out, recipe, space, monitor, data)
    with Interrupt() as ctrl_c, SearchProgress(monitor, study, space, wanted, progress) as show:
        search = Search(recipe, space, data, study, show, ctrl_c)
        before = f"; going on after {len(begun(study))} trials" if begun(study) else ""
        show.say(f"{data}: the test part was dropped, no trial can see it{before}")
        finalists: list[Finalist] = []
        try:
            while len(begun(study)) < wanted and time.monotonic() < end and not ctrl_c.noted:
                study.sampler = sampler(recipe, study)
                _try(search)
            finalists = _confirm(search, table.confirm)
        except KeyboardInterrupt:
            ctrl_c.noted = True
    return write(out, recipe, space, monitor, data, study, finalists, search.seeds, ctrl_c.noted)


def _try(search: Search) -> None:
    """One trial: ask for values, train, and record the result."""
    from optuna.trial import TrialState

    asked = search.study.ask()
    asked.set_user_attr(PROCESS, this_process())
    start = time.perf_counter()
    try:
        suggest(asked, search.space)
        values = chosen_values(asked.params, search.space)
        search.show.epoch(asked.number, 1)
        try:
            outcome = _known(search, values) or _train(search, changed(search.recipe, values), _watch(search, asked))
        except BREAKS as error:
            asked.set_user_attr(FAILED, str(error) or type(error).__name__)
            found = search.study.tell(asked, state=TrialState.PRUNED)  # the sampler counts it as a bad trial
        else:
            asked.set_user_attr("epochs", outcome.epochs)
            state = TrialState.PRUNED if outcome.pruned else TrialState.COMPLETE
            found = search.study.tell(asked, None if outcome.pruned else outcome.value, state)
    except BaseException:  # Ctrl-C, a full disk
        search.study.tell(asked, state=TrialState.FAIL, skip_if_finished=True)
        raise
    search.show.end(found, values, time.perf_counter() - start)


def _known(search: Search, values: dict[str, Any]) -> Outcome | None:
    """The earlier result of the same values, which would give the same again."""
    same = [t for t in finished(search.study, search.space) if chosen_values(t.params, search.space) == values]
    return Outcome(float(same[0].value or 0.0), 0) if same else None


def _train(search: Search, recipe: Recipe, watch: BreakOff | None = None) -> Outcome:
    with search.ctrl_c.allowed():
        return run(recipe, search.data, watch)


def _watch(search: Search, asked: Trial) -> BreakOff:
    def watch(epoch: int, value: float) -> bool:
        with search.ctrl_c.allowed(False):
            asked.report(value, epoch)
            search.show.epoch(asked.number, epoch + 1)
            return asked.should_prune()

    return watch


def _confirm(search: Search, best: int) -> list[Finalist]:
    """Train the best few trials, and the recipe as it is, with further seeds; return them, best mean first.

    Each result is kept in the study, so processes share the work, and nothing is done twice.
    """
    study, space = search.study, search.space
    found = finished(study, space)
    chosen = found[:best] + [t for t in found[best:] if OWN in t.user_attrs] if best else []
    work = [(each, seed) for each in chosen for seed in search.seeds]
    random.shuffle(work)  # another process begins elsewhere
    for done, (each, seed) in enumerate(work):
        if _name(each, seed) not in study.user_attrs:
            search.show.confirm(done, len(work), each.number, seed)
            recipe = replace(changed(search.recipe, chosen_values(each.params, space)), seed=seed)
            study.set_user_attr(_name(each, seed), _judge(search, recipe))
    finalists = []
    for each in chosen:
        values = [study.user_attrs[_name(each, seed)] for seed in search.seeds]
        if None not in values:
            finalists.append(Finalist(each.number, values, statistics.mean(values), statistics.stdev(values)))
    return sorted(finalists, key=lambda each: each.mean, reverse=study.direction.name == "MAXIMIZE")


def _name(trial: FrozenTrial, seed: int) -> str:
    return f"trial {trial.number} with seed {seed}"


def _judge(search: Search, recipe: Recipe) -> float | None:
    try:
        return _train(search, recipe).value
    except DivergenceError:
        return None
