"""Trainings on the workers of joblib: on a cluster, where `joblib.parallel_config` names one."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from glassnet.fast.threads import available, sharing
from glassnet.files import own_folder, reason
from glassnet.meanwhile import meanwhile
from glassnet.recipes.directory import HISTORY_FILE, claimed
from glassnet.recipes.progress import TrainingsProgress
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import located, train_one
from glassnet.train import DivergenceError, History

Result = TypeVar("Result")
ERRORS = (ValueError, OSError, ArithmeticError, MemoryError)  # which the command line prints as one line
MEMBER_PATIENCE = 10.0  # seconds that a training waits for the one of a killed process, which ends by itself
PAUSE = 0.2  # seconds between two looks at how far trainings are


def workers_chosen() -> bool:
    """Whether this call is made within a `joblib.parallel_config` that says how many workers there are, or which."""
    try:
        from joblib.parallel import get_active_backend
    except ImportError:
        return False
    backend, jobs = get_active_backend()
    return jobs is not None or type(backend).__name__ != "LokyBackend"


def number_of_workers() -> int:
    """How many calls `on_workers` makes at once, at most: all cores of the backend, unless n_jobs says otherwise."""
    from joblib.parallel import get_active_backend

    backend, jobs = get_active_backend()
    return max(1, int(backend.effective_n_jobs(-1 if jobs is None else jobs)))


def on_workers(work: Callable[..., Result], arguments: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
    """Call `work` with each of these on the workers, each with its share of the cores; yield results as they come."""
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend
    from threadpoolctl import threadpool_limits

    backend, at_once = get_active_backend()[0], number_of_workers()
    here = getattr(backend, "supports_sharedmem", False)  # threads of this process; elsewhere the backend sets shares
    threads = max(1, available() // min(len(arguments) or 1, at_once)) if here else None
    each = "generator_unordered" if getattr(backend, "supports_return_generator", True) else "list"  # Ray's doesn't
    with threadpool_limits(threads) if here else nullcontext():
        parallel = Parallel(n_jobs=at_once, return_as=each, batch_size=1)
        yield from parallel(delayed(_share)(threads, work, given) for given in arguments)


def _share(threads: int | None, work: Callable[..., Result], given: tuple[Any, ...]) -> Result:
    with sharing(threads):
        return work(*given)


def train_on_workers(runs: Mapping[Path, Recipe], show: TrainingsProgress) -> None:
    """Train each recipe in its folder, which all workers have to see. Raises the first error."""
    folders = {str(out.resolve()): out for out in runs}
    arguments = [(name, located(runs[out])) for name, out in folders.items()]
    with watched(runs, show):
        for name, error in on_workers(_train, arguments):
            if error is not None:
                raise named(error, folders[name])
            show.end(folders[name])


def named(error: Exception, out: Path) -> Exception:
    """The error of a training, with its name, unless it is about the recipe or the data, which all share."""
    kind = next((kind for kind in (DivergenceError, OSError) if isinstance(error, kind)), None)
    said = reason(error)
    return error if kind is None else kind(said if said.startswith(str(out)) else f"{out}: {said}")


def _train(name: str, recipe: Recipe) -> tuple[str, Exception | None]:
    """The work of one worker: a training, which says what went wrong."""
    out = Path(name)
    try:
        require_shared(out.parent)
        own_folder(out)
        with claimed(out, MEMBER_PATIENCE):
            train_one(recipe, out)
    except ERRORS as error:
        return name, error
    return name, None


def require_shared(folder: Path) -> None:
    """Raise FileNotFoundError on a worker that doesn't see a folder of the one who called it."""
    if not folder.is_dir():
        fault = f"is no folder on {socket.gethostname()}: it has to be where all workers see it"
        raise FileNotFoundError(f"{folder} {fault}")


@contextmanager
def watched(runs: Mapping[Path, Recipe], show: TrainingsProgress) -> Iterator[None]:
    """Show in this block how far the trainings are, by what they write into their folders, wherever they run."""
    seen = {out: len(_epochs(out)) for out in runs}

    def look() -> None:
        for out, recipe in runs.items():
            epochs = _epochs(out)
            for done, epoch in list(enumerate(epochs, 1))[seen[out] :]:
                show.epoch(out, done, _told(recipe, epoch))
            seen[out] = max(seen[out], len(epochs))

    with meanwhile(look, PAUSE):
        yield
    look()


def _epochs(out: Path) -> list[dict[str, float]]:
    try:
        return History.from_csv(out / HISTORY_FILE).epochs
    except (OSError, ValueError):  # it hasn't begun
        return []


def _told(recipe: Recipe, epoch: dict[str, float]) -> str:
    monitor = recipe.training.monitor or ("accuracy" if "val_accuracy" in epoch else "loss")
    shown = {"loss": epoch["train_loss"], f"val {monitor}": epoch.get(f"val_{monitor}")}
    return "  ".join(f"{name} {value:.4g}" for name, value in shown.items() if value is not None)
