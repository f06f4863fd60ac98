"""Trainings on the workers of joblib: on a cluster, where `joblib.parallel_config` names one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from glassnet.fast.threads import available, sharing
from glassnet.files import own_folder, reason
from glassnet.recipes.directory import HISTORY_FILE, claimed
from glassnet.recipes.progress import TrainingsProgress
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import located, train_one
from glassnet.train import DivergenceError, History

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


def train_on_workers(runs: Mapping[Path, Recipe], show: TrainingsProgress) -> None:
    """Train each recipe in its folder, which all workers have to see. Raises the first error."""
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend
    from threadpoolctl import threadpool_limits

    backend, jobs = get_active_backend()
    jobs = -1 if jobs is None else jobs
    here = getattr(backend, "supports_sharedmem", False)  # the workers are threads of this process
    at_once = min(len(runs), max(1, backend.effective_n_jobs(jobs)))
    threads = max(1, available() // at_once) if here else None  # elsewhere the backend gives each worker its share
    folders = {str(out.resolve()): out for out in runs}
    each = "generator_unordered" if getattr(backend, "supports_return_generator", True) else "list"  # Ray's doesn't
    tasks = (delayed(_train)(name, located(runs[out]), threads) for name, out in folders.items())
    with watched(runs, show), threadpool_limits(threads) if here else nullcontext():
        for name, error in Parallel(n_jobs=jobs, return_as=each, batch_size=1)(tasks):
            if error is not None:
                raise named(error, folders[name])
            show.end(folders[name])


def named(error: Exception, out: Path) -> Exception:
    """The error of a training, with its name, unless it is about the recipe or the data, which all share."""
    kind = next((kind for kind in (DivergenceError, OSError) if isinstance(error, kind)), None)
    said = reason(error)
    return error if kind is None else kind(said if said.startswith(str(out)) else f"{out}: {said}")


def _train(name: str, recipe: Recipe, threads: int | None) -> tuple[str, Exception | None]:
    """The work of one worker: a training, which says what went wrong."""
    out = Path(name)
    try:
        if not out.parent.is_dir():
            fault = f"is no folder on {socket.gethostname()}: runs have to be where all workers see them"
            raise FileNotFoundError(f"{out.parent} {fault}")
        own_folder(out)
        with claimed(out, MEMBER_PATIENCE), sharing(threads):
            train_one(recipe, out)
    except ERRORS as error:
        return name, error
    return name, None


@contextmanager
def watched(runs: Mapping[Path, Recipe], show: TrainingsProgress) -> Iterator[None]:
    """Show in this block how far the trainings are, by what they write into their folders, wherever they run."""
    over = threading.Event()
    seen = {out: len(_epochs(out)) for out in runs}

    def watch() -> None:
        last = False
        while not last:
            last = over.wait(PAUSE)
            for out, recipe in runs.items():
                epochs = _epochs(out)
                for done, epoch in list(enumerate(epochs, 1))[seen[out] :]:
                    show.epoch(out, done, _told(recipe, epoch))
                seen[out] = max(seen[out], len(epochs))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _epochs(out: Path) -> list[dict[str, float]]:
    try:
        return History.from_csv(out / HISTORY_FILE).epochs
    except (OSError, ValueError):  # it hasn't begun
        return []


def _told(recipe: Recipe, epoch: dict[str, float]) -> str:
    monitor = recipe.training.monitor or ("accuracy" if "val_accuracy" in epoch else "loss")
    shown = {"loss": epoch["train_loss"], f"val {monitor}": epoch.get(f"val_{monitor}")}
    return "  ".join(f"{name} {value:.4g}" for name, value in shown.items() if value is not None)
