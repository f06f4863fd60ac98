"""The search: trial after trial, then the best few once more with further seeds."""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.checks import positive
from glassnet.data import Dataset
from glassnet.extras import need
from glassnet.meanwhile import meanwhile
from glassnet.recipes import Recipe
from glassnet.recipes.reading import changed
from glassnet.recipes.run import located
from glassnet.recipes.space import TuneTable
from glassnet.recipes.workers import number_of_workers, on_workers, require_shared, workers_chosen
from glassnet.train import DivergenceError
from glassnet.tuning.interrupt import Interrupt
from glassnet.tuning.progress import SearchProgress
from glassnet.tuning.result import Finalist, Result, write
from glassnet.tuning.space import Space, check_space, chosen_values, space_of, suggest
from glassnet.tuning.storage import connected, without_password
from glassnet.tuning.study import enqueue_own, finished, open_study, sampler
from glassnet.tuning.trial import BreakOff, Outcome, data_of, monitor_of, run
from glassnet.tuning.workers import FAILED, OWN, PAUSE, Others, begun, claim, kind, signs_of_life, tell

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
    recipe: Recipe,
    out: Path,
    *,
    trials: int | None = None,
    time_limit: float | None = None,
    storage: str | None = None,
    progress: bool = False,
) -> Result:
    """Search for better values of a recipe, judged by its validation metric, and fill the folder `out`.

    Its search space is recipe.tune.space, or by default the learning rate with momentum or weight decay. The first
    trial is the recipe as it is. The best few trials, and the first, are then trained with further seeds. The best mean
    wins. If `out` holds the same search, it goes on. Several processes may do so at the same time. `trials` (default:
    recipe.tune.trials) counts the trials of all. What a killed process was training is tried anew. `time_limit`, in
    seconds, ends the search earlier. Ctrl-C ends it at once, and it can go on later. The test part of the data is
    dropped before the first trial.

    Within a `joblib.parallel_config` the workers that it names search, as many as it says. `out` then has to be where
    all see it, unless there is a storage.

    storage: the URL of a database, or of Optuna's gRPC proxy, which keeps the trials in place of a file in `out`. So
    processes on machines that share no folder search together, each with an `out` of its own.

    Raises ValueError for a recipe, space or data that make no sense, for a folder of another search, for a URL that is
    none, and if no trial was finished; NotInstalledError; FileExistsError if `out` holds anything else; OSError, also
    if the storage doesn't answer.
    """
    check_installed()
    table = recipe.tune or TuneTable()
    wanted = replace(table, trials=table.trials if trials is None else trials).trials
    end = time.monotonic() + (math.inf if time_limit is None else positive(time_limit, "time_limit"))
    data, space = data_of(recipe), space_of(recipe)
    monitor = monitor_of(recipe, data)
    check_space(recipe, space, monitor, data)
    with connected(storage) as opened:
        study = open_study(out, recipe, space, monitor, data, opened)
        with Interrupt() as ctrl_c, SearchProgress(monitor, study, space, wanted, progress) as show:
            search = Search(recipe, space, data, study, show, ctrl_c)
            before = f"; going on after {len(begun(study))} trials" if begun(study) else ""
            show.say(f"{data}: the test part was dropped, no trial can see it{before}")
            if storage is not None:
                show.say(f"the study is {study.study_name!r} in {without_password(storage)}")
            finalists: list[Finalist] = []
            try:
                if workers_chosen():
                    _spread(search, out, wanted, end, storage)
                _try_all(search, wanted, end)
                finalists = _confirm(search, table.confirm)
            except KeyboardInterrupt:
                ctrl_c.noted = True
        return write(out, recipe, space, monitor, data, study, finalists, search.seeds, ctrl_c.noted)


def _try_all(search: Search, wanted: int, end: float) -> None:
    """Trial after trial, until as many as are wanted are done, by this process or another, or time is up.

    So the last processes wait for each other: one of them may be killed, and its trial is then another's.
    """
    study, others = search.study, Others(search.study)
    while time.monotonic() < end and not search.ctrl_c.noted:
        others.bury()
        enqueue_own(study, search.recipe, search.space)
        counted = begun(study)
        running = sum(kind(trial) == "running" for trial in counted)
        if len(counted) < wanted:
            study.sampler = sampler(search.recipe, study)
            _try(search, wanted)
        elif running and len(counted) - running < wanted:
            search.show.waiting(running)
            with search.ctrl_c.allowed():
                time.sleep(PAUSE)
        else:
            return


def _spread(search: Search, out: Path, wanted: int, end: float, storage: str | None) -> None:
    """Let workers search together, until all is done or time is up; show their trials. Raises the first error."""
    given = located(search.recipe), str(out.resolve()), wanted, end - time.monotonic(), storage
    with _announced(search), search.ctrl_c.allowed():
        for error in on_workers(_join, [given] * min(number_of_workers(), wanted)):
            if error is not None:
                raise error


def _join(recipe: Recipe, out: str, wanted: int, seconds: float, storage: str | None) -> Exception | None:
    """A worker's part of a search."""
    end = time.monotonic() + seconds
    try:
        if storage is None:
            require_shared(Path(out))
        data, space = data_of(recipe), space_of(recipe)
        monitor = monitor_of(recipe, data)
        with connected(storage) as opened, Interrupt() as ctrl_c:
            study = open_study(None if storage else Path(out), recipe, space, monitor, data, opened)
            show = SearchProgress(monitor, study, space, wanted, False)
            search = Search(recipe, space, data, study, show, ctrl_c)
            _try_all(search, wanted, end)
            _confirm(search, (recipe.tune or TuneTable()).confirm)
    except KeyboardInterrupt:
        return None
    except (*BREAKS, OSError) as error:
        return error
    return None


@contextmanager
def _announced(search: Search) -> Iterator[None]:
    """Show in this block the trials that others end."""
    seen = {trial.number for trial in search.study.get_trials(deepcopy=False) if trial.state.is_finished()}

    def look() -> None:
        for trial in search.study.get_trials(deepcopy=False):
            if trial.state.is_finished() and trial.number not in seen:
                seen.add(trial.number)
                if kind(trial) != "stopped":
                    took = trial.duration.total_seconds() if trial.duration else 0.0
                    search.show.end(trial, chosen_values(trial.params, search.space), took)

    with meanwhile(look, PAUSE):
        yield
    look()


def _try(search: Search, wanted: int) -> None:
    """One trial: ask for values, train, and record the result."""
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    asked = search.study.ask()
    start = time.perf_counter()
    try:
        if not claim(search.study, asked, wanted):
            return
        suggest(asked, search.space)
        values = chosen_values(asked.params, search.space)
        search.show.epoch(asked.number, 1)
        try:
            with signs_of_life(asked):
                known = _known(search, values)
                outcome = known or _train(search, changed(search.recipe, values), _watch(search, asked))
        except BREAKS as error:
            asked.set_user_attr(FAILED, str(error) or type(error).__name__)
            told = tell(search.study, asked.number, TrialState.PRUNED)  # the sampler counts it as a bad trial
        else:
            asked.set_user_attr("epochs", outcome.epochs)
            if outcome.pruned:
                told = tell(search.study, asked.number, TrialState.PRUNED)
            else:
                told = tell(search.study, asked.number, TrialState.COMPLETE, outcome.value)
    except UpdateFinishedTrialError:
        told = False
    except BaseException:  # Ctrl-C, a full disk
        with suppress(Exception):  # a storage that doesn't answer: others will find that this process is gone
            tell(search.study, asked.number, TrialState.FAIL)
        raise
    if told:
        found = search.study.get_trials(deepcopy=False)[asked.number]
        search.show.end(found, values, time.perf_counter() - start)
    else:  # the machine slept, perhaps
        search.show.say(f"trial {asked.number} was taken for dead by another process, so it isn't counted")


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
