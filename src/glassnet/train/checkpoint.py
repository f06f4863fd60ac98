"""Training that survives a crash: a checkpoint holds all that decides how it goes on."""

from __future__ import annotations

import os

import numpy as np

from glassnet.nn.checks import positive_int
from glassnet.nn.layer import Array
from glassnet.nn.storage import read_arrays, write_arrays
from glassnet.train.history import History
from glassnet.train.training import Best, Callback, Training


class Checkpoint(Callback):
    """Write a checkpoint to `path` after every `every` epochs, each replacing the one before atomically.

    It is one safetensors file (`Network.load` reads it too) with the weights, the optimizer's vectors, the mean
    weights, the best ones so far and the history; settings and position are JSON in its header. Random
    state needs no room: the order of rows, the noise of training and what augmentation does are drawn anew in each
    epoch from the seed and the epoch's number.
    `fit(..., resume=path)` goes on from it, to the same bits as training that was never interrupted.
    """

    def __init__(self, path: str | os.PathLike[str], every: int = 1) -> None:
        self.path = path
        self.every = positive_int(every, "Checkpoint: every")

    def on_epoch(self, run: Training) -> None:
        """Write if it is time."""
        if len(run.history) % self.every == 0:
            save(run, self.path)


def save(run: Training, path: str | os.PathLike[str]) -> None:
    """Write the state of a training after a whole epoch."""
    history = run.history
    arrays = run.net.arrays()
    arrays |= {f"optimizer/{name}": value for name, value in run.optimizer.state().items()}
    arrays |= {"history/step_loss": np.array(history.step_loss), "history/step_lr": np.array(history.step_lr)}
    header = {
        "network": run.net.describe(),
        "settings": run.settings(),
        "steps": run.optimizer.steps,
        "epochs": history.epochs,
    }
    if run.mean is not None:
        arrays["mean/theta"] = run.mean
    if run.best is not None:
        arrays |= {"best/theta": run.best.theta} | {f"best/{name}": value for name, value in run.best.state.items()}
        header["best"] = {"epoch": run.best.epoch, "score": run.best.score}
    write_arrays(path, arrays, header)


def restore(run: Training, path: str | os.PathLike[str]) -> None:
    """Set a training that hasn't begun to where the checkpoint left it.

    Raises ValueError if the file is no checkpoint, is damaged, or comes from a training with other settings.
    """
    arrays, header = read_arrays(path)
    if "settings" not in header:
        raise ValueError(f"{os.fspath(path)} holds a network but no training to go on with: it is not a checkpoint")
    then, now = header["settings"], run.settings()
    for name, value in now.items():
        if then.get(name) != value:
            raise ValueError(
                f"{os.fspath(path)} was written by another training: {name} was {then.get(name)}, now it is {value}"
            )
    run.net.set_arrays(arrays)
    run.optimizer.set_state(_under("optimizer", arrays), header["steps"])
    run.history = History(arrays["history/step_loss"].tolist(), arrays["history/step_lr"].tolist(), header["epochs"])
    run.mean = arrays.get("mean/theta")
    if "best" in header:
        best = _under("best", arrays)
        run.best = Best(header["best"]["epoch"], tuple(header["best"]["score"]), best.pop("theta"), best)


def _under(room: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(f"{room}/"): value for name, value in arrays.items() if name.startswith(f"{room}/")}
