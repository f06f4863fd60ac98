"""The training loop."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import numpy as np

from glassnet.data.augmentation import Augmentation
from glassnet.data.dataset import Dataset
from glassnet.nn import Columns, Loss, Network
from glassnet.nn.checks import positive_int
from glassnet.nn.layer import Array
from glassnet.optim import Constant, Optimizer, Schedule
from glassnet.train.averages import Average
from glassnet.train.averaging import averaged, take_in, use_mean
from glassnet.train.batches import Batch, batches
from glassnet.train.checkpoint import restore
from glassnet.train.history import History
from glassnet.train.metrics import METRICS, evaluate
from glassnet.train.progress import Progress
from glassnet.train.rates import Rates
from glassnet.train.step import Step, training_step
from glassnet.train.training import Callback, Training
from glassnet.train.units import training_loss
from glassnet.turns import changing

ROWS = 10_000  # that the statistics of BatchNorm are estimated on, for averaged weights
ORDER = 1  # what the random numbers of (seed, epoch) are for: see nn/network.py


class DivergenceError(ArithmeticError):
    """The loss became NaN or infinite; the message names the step, the layer and what to try."""


def fit(
    net: Network,
    data: Dataset,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int = 10,
    batch_size: int = 128,
    *,
    schedule: Schedule | None = None,
    average: Average | None = None,
    augmentation: Augmentation | None = None,
    dropout_schedule: Schedule | None = None,
    weight_decay_schedule: Schedule | None = None,
    seed: int = 0,
    replacement: bool = False,
    validate: bool = True,
    monitor: str | None = None,
    patience: int | None = None,
    restore_best: bool = True,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    resume: str | os.PathLike[str] | None = None,
) -> History:
    """Train `net` on data.train by mini-batches, in place, and return what happened.

    Preprocessing layers that aren't fitted yet are fitted on data.train first. In each epoch every row is used once,
    in an order drawn from (seed, epoch); with replacement=True, batches are drawn from all rows instead. After each
    epoch data.val is evaluated (if `validate`, and it has rows); the best epoch by `monitor`, a metric of `evaluate`
    (default: accuracy for classes, loss for values), is remembered, its weights are restored at the end
    (unless restore_best=False), and with `patience` training stops when that many epochs brought no better one.
    Ctrl-C ends training likewise, and is noted in the history. `resume`, the path of a checkpoint, goes on from there.

    `average`, EMA or SWA, keeps a mean of the weights: that is what is then validated, remembered as the best, and left
    in the network at the end. `augmentation`, such as Distortions, makes new images of each batch's. `dropout_schedule`
    gives the factor of all rates of Dropout in each step, `weight_decay_schedule` that of weight_decay and l2.

    If the network ends in Unstandardize, losses are those of standardised targets: see `StandardUnits`.

    Raises ValueError for data that don't fit the network or aren't finite, or settings that make no sense, before
    anything is trained, and DivergenceError when the loss becomes NaN or infinite; the best weights are then restored
    too; RuntimeError if another thread trains this network, or one with this optimizer.
    """
    validate = validate and len(getattr(data, "val", ())) > 0
    default = "accuracy" if loss.task == "classification" else "loss"
    run = Training(
        net, data, loss, optimizer, schedule or Constant(), positive_int(epochs, "epochs"),
        positive_int(batch_size, "batch_size"), seed, replacement, (monitor or default) if validate else None, patience,
        average, augmentation, dropout_schedule, weight_decay_schedule,
    )  # fmt: skip
    with changing(net), changing(optimizer):
        return _train(run, [*callbacks, *([Progress()] if progress else [])], restore_best, resume)


def _train(
    run: Training, watchers: Sequence[Callback], restore_best: bool, resume: str | os.PathLike[str] | None
) -> History:
    """Do what `fit` says."""
    net, data, epochs = run.net, run.data, run.epochs
    _check(run)
    net.fit_preprocessing(data.train.x, data.train.y)
    run.loss = training_loss(run.loss, net)
    if resume is not None:
        restore(run, resume)
    step = training_step(
        net, data.train.x, data.train.y, run.loss, run.optimizer, run.largest_batch,
        any(watcher.reads_gradients for watcher in watchers),
    )  # fmt: skip
    start = time.perf_counter() - (run.history["seconds"][-1] if len(run.history) else 0)
    try:
        for watcher in watchers:
            watcher.on_start(run)
        while len(run.history) < epochs and not run.stop and not run.exhausted():
            _train_epoch(run, step, watchers)
            row = {"epoch": len(run.history) + 1, "lr": run.history.step_lr[-1]}
            row["train_loss"] = float(np.mean(run.history.step_loss[-run.steps_per_epoch :]))
            with averaged(run, step, _sample(run)) if run.monitor is not None else nullcontext():
                if run.monitor is not None:
                    row |= {f"val_{name}": value for name, value in evaluate(net, data.val, run.loss).items()}
                run.history.epochs.append(row | {"seconds": time.perf_counter() - start})
                run.keep_best()
            for watcher in watchers:
                watcher.on_epoch(run)
    except KeyboardInterrupt:
        run.history.interrupted = True
        run.drop_unfinished_epoch()
    finally:
        for watcher in watchers:
            watcher.on_end(run)
        if run.best is not None and restore_best:
            run.history.best_epoch = run.best.epoch
            net.theta[...] = run.best.theta
            net.set_state(run.best.state)
        elif run.mean is not None:
            use_mean(run, step, _sample(run))
    return run.history


def _train_epoch(run: Training, step: Step, watchers: Sequence[Callback]) -> None:
    """One pass over the training rows."""
    net, optimizer, history, split = run.net, run.optimizer, run.history, run.data.train
    epoch = len(history)
    net.reseed(run.seed, epoch)
    rates, made = Rates(run), batches(run, _order(run, epoch), epoch)
    try:
        for rows, x in made:
            number = len(history.step_loss)
            factor = run.schedule(number, run.steps_per_epoch, run.epochs)
            rates.set(number)
            value = step(rows, factor, x=x)
            if not math.isfinite(value):
                run.failure = _explain(net, split.x[rows] if x is None else x, value, epoch, number, optimizer)
                raise DivergenceError(run.failure)
            history.step_loss.append(value)
            history.step_lr.append(optimizer.lr * factor)
            if run.average is not None:
                take_in(run, step, run.average.after_step(number + 1))
            for watcher in watchers:
                watcher.on_step(run)
    finally:
        rates.restore()
        made.close()
    if run.average is not None:
        take_in(run, step, run.average.after_epoch(epoch + 1, run.epochs))
    if not np.isfinite(net.theta).all():  # the last step's update: no further loss would tell
        run.failure = _explain(net, split.x[rows], math.nan, epoch, number + 1, optimizer)
        raise DivergenceError(run.failure)


def _order(run: Training, epoch: int) -> Array:
    """The numbers of the training rows in the order in which an epoch uses them."""
    n, rng = len(run.data.train), np.random.default_rng([run.seed, epoch, ORDER])
    return rng.integers(n, size=run.steps_per_epoch * run.batch_size) if run.replacement else rng.permutation(n)


def _sample(run: Training) -> Iterator[Batch]:
    """The first batches of the next epoch: rows to estimate the statistics of BatchNorm on."""
    epoch = len(run.history)
    return batches(run, _order(run, epoch)[:ROWS], epoch)


def _check(run: Training) -> None:
    """Raise ValueError for what can't be trained, naming it."""
    if run.augmentation is not None and run.data.image_shape is None:
        raise ValueError("augmentation is for images, and the data have no image_shape")
    check_data(run.net, run.data, run.loss, validate=run.monitor is not None)
    if run.patience is not None and positive_int(run.patience, "patience") and run.monitor is None:
        raise ValueError("patience needs validation rows, and validate=True")
    if run.monitor is not None and run.monitor not in METRICS[run.loss.task]:
        known = ", ".join(METRICS[run.loss.task])
        raise ValueError(f"monitor={run.monitor!r} is not one of the validation metrics: {known}")


def check_data(net: Network, data: Dataset, loss: Loss, *, validate: bool = True, finite: bool = True) -> None:
    """Raise ValueError, or TypeError, unless the network and the loss can take the training (and validation) part.

    finite: whether NaN and infinity are refused.
    """
    if not isinstance(data, Dataset):
        raise TypeError(f"data must be a Dataset, not {type(data).__name__}: see gn.load and gn.Dataset.from_arrays")
    if not len(data.train):
        raise ValueError("there are no training rows")
    for part, split in (("training", data.train), *([("validation", data.val)] if validate else [])):
        if len(split.x) != len(split.y):
            raise ValueError(f"the {part} part has {len(split.x)} rows but {len(split.y)} targets")
        net.as_input(split.x[:1])
        for name, values in (("x", split.x), ("y", split.y)) if finite else ():
            missing = name == "x" and isinstance(net.layers[0], Columns)  # is then allowed
            wrong = ~np.isfinite(values) & ~(missing & np.isnan(values)) if values.dtype.kind == "f" else np.zeros(0)
            if wrong.any():
                where = tuple(int(i) for i in np.argwhere(wrong)[0])
                place = f"row {where[0]}" + (f", column {where[1]}" if len(where) > 1 else "")
                raise ValueError(f"{name} of the {part} part is {values[where]} in {place} (counted from 0)")
        if len(split) and net.n_out is not None:  # the loss itself knows best which targets fit
            loss.check(split.y, net.n_out)


def _explain(net: Network, x: Array, value: float, epoch: int, step: int, optimizer: Optimizer) -> str:
    """Where the numbers went bad, and what to try."""
    net = net.copy()  # looking must not change running statistics
    place = "every layer's output is finite, but the loss overflows"
    with np.errstate(all="ignore"):
        for i, (layer, y) in enumerate(zip(net.layers, net.outputs(x, training=True), strict=True)):
            if not np.isfinite(y).all():
                place = f"the first output that isn't finite is that of layer {i}, {layer!r}"
                break
    return (
        f"the loss became {value} in step {step + 1} (epoch {epoch + 1}): {place}; try a lower learning rate"
        f" (lr is {optimizer.lr:g}), clip_norm=1.0, or Standardize as the first layer"
    )
