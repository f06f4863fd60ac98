"""The trials so far, which several processes, on several machines, read and write together.

They are in a file, Optuna's journal: one line appended for each event, under a lock (journal.py). It needs no server,
no SQL. Where machines share no folder, they are in a database (storage.py).
"""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.data import Dataset
from glassnet.files import remove_abandoned
from glassnet.recipes import Recipe
from glassnet.recipes.identity import checksum
from glassnet.recipes.space import Range
from glassnet.train.metrics import HIGHER_IS_BETTER
from glassnet.tuning.space import Space, chosen_values, own_values
from glassnet.tuning.workers import OWN, PROCESS, Others, begun, kind, this_process

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

JOURNAL, NAME, SUMMARY = "study.journal", "glassnet", "study.json"
SEARCH = "search"  # the attribute of a study that tells what is searched
FIRST = 10  # trials drawn at random before the sampler learns from them
FULL = 5  # trials trained to the end before any is pruned
# A trial is pruned in the second half of its epochs if it is worse than this share of the finished trials were at the
# same epoch. Earlier, a high learning rate that falls to zero looks bad and ends well: on MNIST with OneCycle, ranks
# after a third of the epochs correlate with the final ones by 0.4, after two thirds by 0.75.
KEPT = 75.0


def open_study(
    out: Path | None, recipe: Recipe, space: Space, monitor: str, data: Dataset, storage: BaseStorage | None = None
) -> Study:
    """Begin a study, or go on with the one that is there: in the folder `out`, or in a storage.

    Its first trial is the recipe as it is, if the space holds it. In a storage its name tells what is searched, so that
    many searches share one, and processes that search for the same find each other. There `out` may be None.

    Raises ValueError if the study there belongs to another search, FileExistsError if `out` holds anything else,
    OSError if it can't be written.
    """
    import optuna
    from optuna.storages import JournalStorage

    from glassnet.tuning.journal import Journal

    search = {
        "recipe": _identity(recipe),
        "space": {key: asdict(each) for key, each in space.items()},
        "data": _seen(data),
    }
    name = NAME if storage is None else f"{NAME} {recipe.name} {_digest(search)}"
    journal = None if storage is not None or out is None else out / JOURNAL
    if out is not None:
        remove_abandoned(out)
        there = journal.is_file() if journal else _summarised(out) == name
        if not there and out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FileExistsError(f"{out} holds no search and is not an empty folder: choose another --out")
        out.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    backend = Journal(journal) if journal else None
    try:
        study = optuna.create_study(
            storage=JournalStorage(backend) if backend else storage,
            study_name=name,
            load_if_exists=True,
            direction="maximize" if monitor in HIGHER_IS_BETTER else "minimize",
            pruner=optuna.pruners.PercentilePruner(
                KEPT, n_startup_trials=FULL, n_warmup_steps=recipe.training.epochs // 2
            ),
        )
    except OSError:
        raise
    except Exception as error:  # Optuna believes what it reads: an odd entry may raise anything
        if backend is None:
            raise
        fault = f"line {backend.line} is no entry of a search ({type(error).__name__}: {error})"
        raise _damaged(journal, name, fault) from None
    found = study.user_attrs.get(SEARCH)
    if found is None:
        study.set_user_attr(SEARCH, search)
    elif found != search:
        raise ValueError(f"{out} holds another search: {_difference(found, search)}; choose another --out")
    for trial in study.get_trials(deepcopy=False):
        if odd := _oddity(trial, space):
            raise _damaged(journal, name, f"trial {trial.number} {odd}")
    Others(study).bury()
    enqueue_own(study, recipe, space)
    return study


def enqueue_own(study: Study, recipe: Recipe, space: Space) -> None:
    """Let the recipe as it is be tried next, unless it was, or is, or can't be."""
    own = own_values(recipe, space)
    if own is not None and not any(OWN in t.user_attrs and _counts(t) for t in study.get_trials(deepcopy=False)):
        study.enqueue_trial(own, user_attrs={OWN: True})


def sampler(recipe: Recipe, study: Study) -> BaseSampler:
    """Make the sampler of the next trial. Its place is its seed, so a stopped search goes on as it would have.

    With other processes, the seed includes this process, so that two that begin at once don't try the same.

    Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization" (TPE), in its multivariate form.
    """
    from optuna.samplers import TPESampler

    host, number = this_process()
    running = any(kind(trial) == "running" for trial in begun(study))
    # containers' processes all have the number 1, and workers may be threads of one process
    beside = [zlib.crc32(host.encode()), number, threading.get_native_id()] if running else []
    seed = np.random.SeedSequence([recipe.seed, len(begun(study)), *beside]).generate_state(1)[0]
    return TPESampler(n_startup_trials=FIRST, seed=int(seed))


def latest(trial: FrozenTrial) -> float | None:
    """Return a trial's value, or the latest that it reported."""
    step = trial.last_step
    return trial.value if trial.value is not None or step is None else trial.intermediate_values[step]


def finished(study: Study, space: Space) -> list[FrozenTrial]:
    """Return the trials that were trained to the end, best first, each setting once."""
    sign = -1 if study.direction.name == "MAXIMIZE" else 1
    trials = [trial for trial in study.get_trials(deepcopy=False) if kind(trial) == "finished"]
    found: dict[str, FrozenTrial] = {}
    for trial in sorted(trials, key=lambda trial: (sign * (trial.value or 0.0), trial.number)):
        found.setdefault(str(chosen_values(trial.params, space)), trial)
    return list(found.values())


def _seen(data: Dataset) -> str:
    """Return a checksum of the rows that trials are trained on and judged by."""
    crc = checksum(data.train.x, data.train.y, data.val.x, data.val.y)
    return f"{len(data.train)} and {len(data.val)} rows, checksum {crc:08x}"


def _oddity(trial: FrozenTrial, space: Space) -> str | None:
    """Name an entry of a trial that glassnet can't have written, if there is one."""
    results = [trial.value, *trial.intermediate_values.values()]
    if not all(each is None or (isinstance(each, int | float) and not isinstance(each, bool)) for each in results):
        return "has a result that is no number"
    if kind(trial) == "finished" and (trial.value is None or not trial.params.keys() >= space.keys()):
        return "is finished, but lacks a result or a value"
    for key, each in space.items():
        param = trial.params.get(key)
        if isinstance(each, Range):
            fits = param is None or (isinstance(param, int | float) and each.low <= param <= each.high)
        else:
            fits = param is None or param in [json.dumps(value) for value in each.choices]
        if not fits:
            return f"has {param!r} for {key}"
    process = trial.user_attrs.get(PROCESS, this_process())
    if not isinstance(process, list) or [type(each) for each in process] != [str, int]:
        return f"was trained by {process!r}, which is no process"
    return None


def _counts(trial: FrozenTrial) -> bool:
    """Whether a trial is done or will be. It won't if it was stopped, or if its process ended as it took it."""
    return kind(trial) not in ("stopped", "waiting") or trial.state.name == "WAITING"


def _identity(recipe: Recipe) -> dict[str, Any]:
    """The settings that trials have in common. The place of the data may differ from machine to machine."""
    settings = {key: value for key, value in recipe.to_dict().items() if key not in ("ensemble", "tune", "description")}
    return settings | {"data": {key: value for key, value in settings["data"].items() if key != "source"}}


def _digest(search: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(search, sort_keys=True).encode()).hexdigest()[:12]


def _summarised(out: Path) -> str | None:
    """The name of the study whose result is in a folder."""
    try:
        told = json.loads((out / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told.get("study") if isinstance(told, dict) else None


def _damaged(journal: Path | None, name: str, fault: str) -> ValueError:
    if journal is None:
        return ValueError(f"the study {name!r} is damaged: {fault}; delete it there, or choose another --storage")
    remedy = "delete its lines, and the search can go on, or choose another --out"
    return ValueError(f"{journal} is damaged: {fault}; {remedy}")


def _difference(then: Any, now: Any, name: str = "") -> str:
    """The first thing in which two nested tables differ, in words."""
    if isinstance(then, dict) and isinstance(now, dict):
        key = next(key for key in [*now, *then] if then.get(key) != now.get(key))
        return _difference(then.get(key), now.get(key), f"{name}.{key}".removeprefix(".recipe").lstrip("."))
    return f"{name} was {'not set' if then is None else then}, now it is {'not set' if now is None else now}"
