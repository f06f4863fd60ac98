"""Trainings side by side: a process for each, as many at once as there are cores for.

These processes end with the one that started them, in any way, and a killed one is named. Joblib's own don't, so they
are used only where `joblib.parallel_config` asks for workers.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.checks import positive_int
from glassnet.fast.threads import VARIABLES, available
from glassnet.files import own_folder
from glassnet.program import SIGNALS
from glassnet.recipes.directory import claimed
from glassnet.recipes.progress import TrainingsProgress
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import train_one
from glassnet.recipes.workers import ERRORS, MEMBER_PATIENCE, named, train_on_workers, workers_chosen
from glassnet.train import Callback, Training
from glassnet.train.progress import numbers

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess


def train_side_by_side(runs: Mapping[Path, Recipe], progress: bool = False) -> None:
    """Train each recipe in its folder, which is made when it begins: from its checkpoint, if it holds one.

    The end of this function, or of its process, ends all trainings. Raises the error of the first training that fails,
    and ChildProcessError for one whose process was killed.

    Within a `joblib.parallel_config` the workers that it names train.
    """
    if workers_chosen():
        with TrainingsProgress(runs, progress) as show:
            train_on_workers(runs, show)
        return
    waiting = list(runs.items())
    free = shares(len(waiting), available(), waiting[0][1].network.threads if waiting else None)
    running: dict[connection.Connection, tuple[SpawnProcess, Path, int]] = {}
    with TrainingsProgress(runs, progress) as show:
        try:
            while waiting or running:
                while waiting and free:
                    out, recipe = waiting.pop(0)
                    threads = free.pop(0)
                    pipe, process = _start(recipe, out, threads)
                    running[pipe] = process, out, threads
                ready = connection.wait(running)
                for pipe in [pipe for pipe in running if pipe in ready]:
                    process, out, threads = running[pipe]
                    try:
                        told = pipe.recv()
                    except EOFError:  # it has ended
                        process.join()
                        del running[pipe]
                        free.append(threads)
                        if process.exitcode:
                            fault = f"{out}: its process ended with status {process.exitcode}"
                            raise ChildProcessError(fault) from None
                        show.end(out)
                        continue
                    if isinstance(told, Exception):
                        raise named(told, out)
                    show.epoch(out, *told)
        finally:
            for process, _, _ in running.values():
                process.kill()  # at once: its checkpoint is whole at any moment
            for process, _, _ in running.values():
                process.join()


def shares(runs: int, cores: int, threads: int | None = None) -> list[int]:
    """Return the number of threads of each training that runs at the same time. Together they use all cores.

    threads: the number for each. By default it is as many as there are cores for.
    """
    if threads is not None:
        threads = positive_int(threads, "threads")
        return [threads] * min(runs, max(1, cores // threads))
    at_once = min(runs, cores)
    return [cores // at_once + (i < cores % at_once) for i in range(at_once)]


def _start(recipe: Recipe, out: Path, threads: int) -> tuple[connection.Connection, SpawnProcess]:
    """Start a training, and return the connection that it reports to, and its process."""
    context = get_context("spawn")  # a forked process would share locks and threads that it hasn't
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_train, args=(recipe, out, threads, sender), daemon=True)
    with _signals_held_back():
        process.start()
    sender.close()  # so that the training's is the last one, and its end can be read
    return receiver, process


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Hold signals back, as a process that is started in the block then does from its beginning: ours will end it.

    One that comes in the block comes after it, and finds no process that was started by half.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _train(recipe: Recipe, out: Path, threads: int, pipe: connection.Connection) -> None:
    """The work of a training's process."""
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))
    with threadpool_limits(threads):  # NumPy has read those already
        try:
            own_folder(out)
            with claimed(out, MEMBER_PATIENCE):
                train_one(recipe, out, callbacks=[_Tell(pipe)])
        except ERRORS as error:
            _report(pipe, error)


def _report(pipe: connection.Connection, what: object) -> None:
    """Tell the process that started this one. If it has ended, this one ends in silence, too."""
    try:
        pipe.send(what)
    except BrokenPipeError:
        os._exit(1)


def _end_with_parent() -> None:
    """End this process when the one that started it has ended in any way."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Tell(Callback):
    """Reports the progress of a training."""

    def __init__(self, pipe: connection.Connection) -> None:
        self.pipe = pipe

    def on_epoch(self, run: Training) -> None:
        """Send the number of epochs, and the loss and the validation metric of the latest, as text."""
        shown = numbers(run, run.history.epochs[-1]["train_loss"])
        _report(self.pipe, (len(run.history), "  ".join(f"{name} {value}" for name, value in shown.items())))
