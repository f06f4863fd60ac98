"""Training that survives a crash: a checkpoint holds everything that decides the rest of it."""

from __future__ import annotations

import math
import os
from reprlib import repr as short
from textwrap import shorten
from typing import Any

import numpy as np

from glassnet.checks import count, positive_int
from glassnet.nn import declared
from glassnet.nn.layer import Array, Shape
from glassnet.nn.storage import read_arrays, write_arrays
from glassnet.train.history import History
from glassnet.train.training import Best, Callback, Training

LONGEST = 100  # characters of what computed a training


class Checkpoint(Callback):
    """Write a checkpoint to `path` after every `every` epochs, each replacing the one before atomically.

    It is one safetensors file (`Network.load` reads it too) with the weights, the optimizer's vectors, the mean
    weights, the best ones so far and the history. Settings and position are JSON in its header. There is no random
    state, because the order of rows, the noise of training and the augmentation of each epoch depend on the seed and
    the epoch's number alone. `fit(..., resume=path)` goes on from it, to the same bits as training that was never
    interrupted. Where other kernels compute it now, a UserWarning says that the last bits may differ.
    """

    for_people = True

    def __init__(self, path: str | os.PathLike[str], every: int = 1) -> None:
        self.path = path
        self.every: int = positive_int(every, "Checkpoint: every")

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
        "computed by": run.level,
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
    arrays, header = run.ranks.of_first(lambda: read_arrays(path))
    if "settings" not in header:
        raise ValueError(f"{os.fspath(path)} holds a network but no training to go on with: it is not a checkpoint")
    then, now = header["settings"], run.settings()
    if not isinstance(then, dict):
        raise ValueError(f"{os.fspath(path)} is damaged: its settings are {short(then)}")
    for name, value in now.items():
        if then.get(name) != value:
            changed = shorten(f"{name} was {then.get(name)}, now it is {value}", 1500, placeholder="...")
            raise ValueError(f"{os.fspath(path)} was written by another training: {changed}")
    try:
        check(run, arrays, header)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)} can't be gone on with, it is damaged: {error}") from None
    run.net.set_arrays(arrays)
    run.optimizer.set_state(under("optimizer", arrays), header["steps"])
    run.history = History(arrays["history/step_loss"].tolist(), arrays["history/step_lr"].tolist(), header["epochs"])
    run.level = header["computed by"]
    run.mean = under("mean", arrays).get("theta")
    if "best" in header:
        best = under("best", arrays)
        run.best = Best(header["best"]["epoch"], tuple(header["best"]["score"]), best.pop("theta"), best)


def under(room: str, arrays: dict[str, Array]) -> dict[str, Array]:
    """Return the arrays whose names begin with room/, without it."""
    return {name.removeprefix(f"{room}/"): value for name, value in arrays.items() if name.startswith(f"{room}/")}


def check(run: Training, arrays: dict[str, Array], header: dict[str, Any]) -> None:
    """Raise ValueError, naming the entry, unless a file is as `save` would write it for this training."""
    net, optimizer = run.net, run.optimizer
    declared.check_file(net.layers, net.n_in, net.dtype, arrays)
    missing = next((name for name in ("epochs", "steps", "computed by") if name not in header), None)
    if missing is not None:
        raise ValueError(f"{missing} is missing")
    vector, epochs = net.theta.shape, header["epochs"]
    if not isinstance(epochs, list) or len(epochs) > run.epochs:
        raise ValueError(f"epochs must be at most {run.epochs} rows of numbers, not {short(epochs)}")
    steps = (len(epochs) * run.steps_per_epoch,)
    expected: dict[str, tuple[Shape, np.dtype[Any], bool]] = {  # shape, type, and whether all must be finite
        "history/step_loss": (steps, declared.STATE, True),
        "history/step_lr": (steps, declared.STATE, True),
        **{f"optimizer/{name}": (vector, net.dtype, False) for name in optimizer.slots},
        **({"best/theta": (vector, net.dtype, True)} if "best" in header else {}),
        **({"mean/theta": (vector, net.dtype, True)} if run.average and "mean/theta" in arrays else {}),
    }
    for name, (shape, dtype, finite) in expected.items():
        if name not in arrays:
            raise ValueError(f"{name} is missing")
        declared.check_array(name, arrays[name], shape, dtype)
        if finite:
            declared.check_finite(name, arrays[name])
    best = {f"best/{name}" for name in net.state()} if "best" in header else set()
    unknown = [name for name in arrays if "/" in name and name not in expected and name not in best]
    if unknown:
        raise ValueError(f"{unknown[0]} is no part of this training")
    if best:
        state = {name: array for name, array in under("best", arrays).items() if name != "theta"}
        declared.check_whole_state(net.layers, net.n_in, state)
    count(header["steps"], "steps", steps[0])
    if not isinstance(header["computed by"], str) or len(header["computed by"]) > LONGEST:
        raise ValueError(f"computed by is {short(header['computed by'])}")
    _check_epochs(run, epochs)
    _check_best(run, header)


def _check_epochs(run: Training, epochs: list[Any]) -> None:
    """Raise ValueError unless these are rows of `History.epochs`, one for each epoch, with the same columns."""
    columns = {"epoch", "lr", "train_loss", "seconds"}
    if run.monitor is not None:
        columns |= {"train_eval_loss", "val_loss", f"val_{run.monitor}"}
    for number, row in enumerate(epochs, 1):
        numbers = isinstance(row, dict) and all(
            type(value) is float or (type(value) is int and abs(value) < 2**63) for value in row.values()
        )
        if not numbers or row.keys() != epochs[0].keys() or not columns <= row.keys() or row["epoch"] != number:
            raise ValueError(f"row {number} of epochs is {short(row)}")
        if not math.isfinite(row["seconds"]):
            raise ValueError(f"row {number} of epochs took {row['seconds']} seconds")


def _check_best(run: Training, header: dict[str, Any]) -> None:
    """Raise ValueError unless the best epoch is one of those that were, and was validated, with a score."""
    if ("best" in header) != (run.monitor is not None):
        raise ValueError(f"best is {'there' if 'best' in header else 'missing'}")
    best = header.get("best")
    if best is None:
        return
    if not isinstance(best, dict) or best.keys() != {"epoch", "score"}:
        raise ValueError(f"best is {short(best)}")
    count(best["epoch"], "best: epoch", 1)
    score = best["score"]
    if best["epoch"] > len(header["epochs"]) or not isinstance(score, list) or [type(v) for v in score] != [float] * 2:
        raise ValueError(f"best is {short(best)}")
