"""`fit`: training with validation, from the first step to the best weights."""

from __future__ import annotations

import math
import os
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from glassnet.checks import positive_int
from glassnet.data.augmentation import Augmentation
from glassnet.data.dataset import Dataset
from glassnet.nn import Columns, Loss, Network
from glassnet.nn.layer import Array
from glassnet.nn.network import ROWS_AT_ONCE
from glassnet.optim import Constant, Optimizer, Schedule
from glassnet.ranks import Communicator, Ranks
from glassnet.terminal import bar_fits
from glassnet.train.averages import Average
from glassnet.train.averaging import averaged, use_mean
from glassnet.train.batches import Batch, batches
from glassnet.train.checkpoint import restore
from glassnet.train.history import History
from glassnet.train.local_steps import LocalStep, check_local
from glassnet.train.loop import HistoryRow, Loop, order_of, passes
from glassnet.train.metrics import METRICS, evaluate, score
from glassnet.train.progress import Progress
from glassnet.train.shards import ShardedStep, settle_shards
from glassnet.train.step import Step, training_step
from glassnet.train.training import Callback, Training
from glassnet.train.units import training_loss
from glassnet.turns import changing

STATISTICS_ROWS = 10_000  # the statistics of BatchNorm are estimated on these, for averaged weights


class DivergenceError(ArithmeticError):
    """The loss became NaN or infinite. The message names the step, the layer and a remedy."""


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
    progress: bool | None = None,
    resume: str | os.PathLike[str] | None = None,
    shards: int | None = None,
    sync_every: int | None = None,
    comm: Communicator | None = None,
) -> History:
    """Train `net` on data.train by mini-batches, in place, and return the history.

    Preprocessing layers that aren't fitted yet are fitted on data.train first. In each epoch every row is used once, in
    an order drawn from (seed, epoch); with replacement=True, batches are drawn from all rows instead. After each epoch
    data.val is evaluated (if `validate`, and it has rows). The best epoch by `monitor`, a metric of `evaluate`
    (default: accuracy for classes, loss for values), is remembered, and its weights are restored at the end, unless
    restore_best=False. With `patience`, training stops when that number of epochs brought no better one. Ctrl-C ends
    training in the same way, and is noted in the history. `resume` is the path of a checkpoint to go on from.

    `average`, EMA or SWA, keeps a mean of the weights. This mean is then validated, remembered as the best, and left in
    the network at the end. `augmentation`, such as Distortions, makes new images from each batch's. `dropout_schedule`
    gives the factor of all rates of Dropout in each step, and `weight_decay_schedule` that of weight_decay and l2.

    `progress` shows a bar on a terminal and in a notebook, and a line for each epoch elsewhere. By default there is the
    bar, and nothing elsewhere.

    data.train.weights, if there are any, multiply the rows' losses. They don't count in validation.

    If the network ends in Unstandardize, losses are those of standardised targets: see `StandardUnits`.

    `comm`, a communicator of mpi4py such as MPI.COMM_WORLD, lets its ranks train the network together. Each calls `fit`
    with equal arguments, and ends with equal weights. `batch_size` is that of all ranks. A batch is cut into `shards`,
    a power of two, by default 8, or 16 of a large batch, and each rank works on some of them. All numbers of ranks
    up to `shards` give the same bits, and so does one process with that number of `shards` and no `comm`. BatchNorm
    takes the statistics of each shard. The first rank alone shows progress and writes checkpoints. An error on one rank
    ends all of them. With `sync_every`, for slow networks, each rank takes steps by its own share of the batches, and
    all go on from the mean of their weights after so many steps. Then the numbers depend on how many ranks there are.

    Raises ValueError, before anything is trained, for data that don't fit the network or aren't finite, or settings
    that make no sense. Raises DivergenceError when the loss becomes NaN or infinite, and then restores the best weights
    too. Raises RuntimeError if another thread trains this network, or one with this optimizer.
    """
    validate = validate and len(getattr(data, "val", ())) > 0
    default = "accuracy" if loss.task == "classification" else "loss"
    run = Training(
        net,
        data,
        loss,
        optimizer,
        epochs=positive_int(epochs, "epochs"),
        batch_size=positive_int(batch_size, "batch_size"),
        schedule=schedule or Constant(),
        average=average,
        augmentation=augmentation,
        dropout_schedule=dropout_schedule,
        weight_decay_schedule=weight_decay_schedule,
        seed=seed,
        replacement=replacement,
        monitor=(monitor or default) if validate else None,
        patience=patience,
        restore_best=restore_best,
        shards=shards,
        sync_every=sync_every,
        ranks=Ranks(comm),
    )
    shown = bar_fits() if progress is None else progress
    watchers = [*callbacks, *([Progress()] if shown else [])]
    if run.ranks.rank:
        watchers = [watcher for watcher in watchers if not watcher.for_people]
    with changing(net), changing(optimizer):
        return _train(run, watchers, resume)


def _train(run: Training, watchers: Sequence[Callback], resume: str | os.PathLike[str] | None) -> History:
    """Train as `fit` describes."""
    net, data, ranks = run.net, run.data, run.ranks
    ranks.of_all(lambda: _prepare(run))
    if resume is not None:
        restore(run, resume)
    whole = training_step(
        net,
        data.train.x,
        data.train.y,
        run.loss,
        run.optimizer,
        run.largest_batch,
        any(watcher.reads_gradients for watcher in watchers),
    )
    step: Step = whole
    if run.sync_every is not None:
        step = LocalStep(whole, net, run.optimizer, run.sync_every, run.steps_per_epoch, ranks)
    elif run.shards is not None:
        step = ShardedStep(whole, net, run.optimizer, run.shards, ranks)
    if ranks.size > 1:
        ranks.require_equal(f"{run.settings()} {zlib.crc32(net.theta.data)}", "settings, data or initial weights")
        ranks.require_equal(step.level, "kernels")
    if run.level not in (None, step.level):
        warnings.warn(
            f"{run.level} computed this training up to epoch {len(run.history)}, and {step.level} goes on: the last"
            " bits may differ from those of a training that was never interrupted",
            UserWarning,
            stacklevel=3,
        )
    loop = Loop(run, step, watchers, len(run.history.step_loss))
    try:
        with ranks.together(), loop.watched():
            while len(run.history) < run.epochs and not any(ranks.of_all(lambda: run.stop)) and not run.exhausted():
                _train_epoch(loop)
    finally:
        if run.best is not None and run.restore_best:
            run.history.best_epoch = run.best.epoch
            net.theta[...] = run.best.theta
            net.set_state(run.best.state)
        elif run.mean is not None:
            use_mean(run, step, _sample(loop))
    return run.history


def _prepare(run: Training) -> None:
    """Check the settings, and settle what they leave open."""
    _check(run)
    if run.sync_every is not None:
        check_local(run, run.sync_every)
    elif run.shards is not None or run.ranks.shared:
        run.shards = settle_shards(run.shards, run.batch_size, run.ranks.size)
    run.net.fit_preprocessing(run.data.train.x, run.data.train.y)
    run.loss = training_loss(run.loss, run.net)


def _train_epoch(loop: Loop) -> None:
    """One pass over the training rows, and the validation of the network after it."""
    run, net, epoch = loop.run, loop.run.net, len(loop.run.history)

    def judge(row: HistoryRow) -> None:
        with averaged(run, loop.move, _sample(loop)):
            row["train_eval_loss"] = evaluate(net, run.sample, run.loss)["loss"]
            val = run.data.val
            mine = run.ranks.share(len(val), ROWS_AT_ONCE)  # whole blocks: the bits don't depend on the ranks
            outputs = np.concatenate(run.ranks.of_all(lambda: net.predict(val.x[mine])))
            row |= {f"val_{name}": value for name, value in score(outputs, val.y, run.loss).items()}
            run.keep_best(row)

    loop.begin_epoch(epoch)
    with closing(passes(loop, epoch)) as orders:
        for order in orders:
            value, (rows, x) = loop.pass_over(order, epoch)
            if not math.isfinite(value):
                break
    if math.isfinite(value) and not np.isfinite(net.theta).all():
        value = math.nan  # the last step's update: no further loss would show it
    if not math.isfinite(value):
        run.failure = _explain(run, loop.shown.x[rows] if x is None else x, value, loop.steps)
        raise DivergenceError(run.failure)
    loop.end_epoch(judge if run.monitor is not None else None)


def _sample(loop: Loop) -> Iterator[Batch]:
    """Batches of rows to estimate the statistics of BatchNorm on."""
    run, epoch = loop.run, len(loop.run.history)
    loop.show(run.data.train)  # of stored rows, their sample
    yield from batches(run, order_of(run, epoch)[:STATISTICS_ROWS], epoch)


def _check(run: Training) -> None:
    """Raise ValueError, naming the fault, for settings that can't be trained with."""
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
        if len(split) and net.n_out is not None:  # the loss itself knows its targets best
            loss.check(split.y, net.n_out)


def _explain(run: Training, x: Array, value: float, steps: int) -> str:
    """The layer in which the numbers went bad after `steps` steps, and a remedy."""
    net = run.net.copy()  # looking must not change running statistics
    place = "every layer's output is finite, but the loss overflows"
    with np.errstate(all="ignore"):
        for i, (layer, y) in enumerate(zip(net.layers, net.outputs(x, training=True), strict=True)):
            if not np.isfinite(y).all():
                place = f"the first output that isn't finite is that of layer {i}, {layer!r}"
                break
    return (
        f"the loss became {value} in step {steps + 1} (epoch {len(run.history) + 1}): {place}; try a lower learning"
        f" rate (lr is {run.optimizer.lr:g}), clip_norm=1.0, or Standardize as the first layer"
    )
