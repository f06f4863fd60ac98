"""A trained pack, and how it is trained on rows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.checks import positive, positive_int
from glassnet.data.dataset import Stored
from glassnet.data.splits import deal
from glassnet.files import regular
from glassnet.nn import CrossEntropy, Ensemble, Loss
from glassnet.nn.layer import Array
from glassnet.nn.storage import read_arrays, write_arrays
from glassnet.pack.answers import Answers
from glassnet.pack.candidate import Candidate
from glassnet.pack.trainee import batch_size
from glassnet.pack.training import Draw, PackTraining
from glassnet.ranks import Communicator, Ranks
from glassnet.train import History

FOLDS, NETWORKS = 8, 4  # parts of the rows, and how many of them are held out at first
FEWEST_ROWS = 4
SAVED = 3.0  # seconds between two checkpoints, at least


@dataclass(frozen=True, eq=False)
class Pack:
    """A trained pack.

    ensemble: what answers; the network with the largest share comes first. rows: the numbers of the rows that some
    network held out (n,), and outputs: what the networks that hadn't seen them answer for them (n, n_out), as the
    ensemble's `predict` does. error: of these, the mean negative log probability or, for values, the loss in standard
    units. parts: what the mixture consists of, in words. history: a row for each round of cycles that made the
    mixture better, whose "epoch" counts those of all networks, and whose "val_loss" is this error. seconds: how
    long the training took, in all calls.
    """

    ensemble: Ensemble
    rows: Array
    outputs: Array
    error: float
    parts: list[str]
    history: History
    seconds: float


def fit_pack(
    x: Array,
    y: Array,
    loss: Loss,
    candidates: Sequence[Candidate],
    *,
    info: dict[str, Any] | None = None,
    weights: Array | None = None,
    blocks: Array | None = None,
    stored: Stored | None = None,
    held: Array | None = None,
    networks: int = NETWORKS,
    batch: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    time_limit: float | None = None,
    draw: Draw | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
    comm: Communicator | None = None,
) -> Pack:
    """Train networks of each candidate on rows x (N, n_in) with targets y, and return the best mixture.

    loss: what they train by, and what the mixture is chosen by. It decides what y is: the numbers of classes (N,),
    flags (N, n_out), or values in any unit. info: what travels with each network. weights: of the rows' losses (N,).
    networks: how many of each candidate, at most 8. batch: rows in a batch, by default 32 to 256, the more the more
    rows there are. threads: networks that train side by side, by default as many as there are cores. tell: is given
    what is found, in lines. blocks: numbers (N,) of rows that are held out together, such as those of one customer.
    stored: all rows to train on, if x and y are a sample of them with others behind it. held: the numbers of these
    others, which all networks hold out then.

    The rows are dealt into 8 folds, evenly by class, and the networks of a candidate each hold out another one. Their
    cycles end after more and more epochs. After the second a candidate goes on if that may help: if it is in the best
    mixture, and not worse than after the first. What hardly helps the mixture is left out.

    time_limit: seconds. With it the training goes on until they are over: the candidates in the mixture hold out all
    folds, `draw` makes further ones, and at last networks that hold out nothing join in. The mixture never gets worse
    for the rows held out. If the seconds are too few, candidates are left out, but the first cycle of one is finished.
    Ctrl-C ends the training, and keeps the best mixture so far. checkpoint: a file that keeps all networks. If it is
    there, training goes on from it, and comes to the same bits as if it had never stopped.

    comm: a communicator of mpi4py, whose ranks all call this with equal arguments. Each trains some of the networks,
    and all come to the same pack, which doesn't depend on their number. The first one writes the checkpoint.

    Raises ValueError for fewer than 4 rows, or the checkpoint of another training; DivergenceError; OSError.
    """
    if len(x) < FEWEST_ROWS:
        raise ValueError(f"a pack needs at least {FEWEST_ROWS} rows, as its networks hold some out, not {len(x)}")
    limit = None if time_limit is None else positive(time_limit, "time_limit")
    n_out = candidates[0].net.n_out
    assert n_out is not None
    answers = Answers.of(np.asarray(y), loss, n_out, weights)
    if held is not None:
        folds = [held]
    else:
        folds = list(_folds(answers, min(FOLDS, len(x) // 2), seed) if blocks is None else _folds_of(blocks, seed))
    networks = min(positive_int(networks, "networks"), len(folds))
    if weights is not None and not weights[np.concatenate(folds[:networks])].sum() > 0:
        raise ValueError("no row that is held out has a weight above 0: give more rows one")
    batch = batch_size(len(x)) if batch is None else positive_int(batch, "batch")
    settings = [repr(candidates), len(x), repr(loss), networks, batch, seed]
    settings += [] if stored is None else [stored.fingerprint]
    ranks = Ranks(comm)
    kept = Kept(None if ranks.rank else checkpoint, {"settings": settings, "info": info or {}})
    training = PackTraining(
        x,
        answers,
        folds,
        networks,
        batch,
        seed,
        threads=threads,
        limit=limit,
        keep=kept.write,
        tell=tell,
        ranks=ranks,
        stored=stored,
        **ranks.of_first(kept.read),
    )
    with ranks.together():
        best = training.run(candidates, draw)
    kept.write(training, at_once=True)
    ensemble = best.ensemble(info or {})
    outputs = best.outputs(ensemble.mean().of)
    return Pack(ensemble, best.rows, outputs, best.error, best.parts(), training.history, training.seconds)


class Kept:
    """The file that keeps the networks of a training, if there is a path. header: what the training is."""

    def __init__(self, path: str | os.PathLike[str] | None, header: dict[str, Any]) -> None:
        self.path, self.header = path, header
        self.last: float = time.monotonic()

    def read(self) -> dict[str, Any]:
        """Return what PackTraining goes on from, if there is a file. Raises ValueError for another training's."""
        if self.path is None or not os.path.lexists(self.path):
            return {}
        arrays, header = read_arrays(regular(self.path))
        useless, spent = header.pop("useless", None), header.pop("seconds", None)
        whole = isinstance(spent, float) and isinstance(useless, list) and all(type(each) is int for each in useless)
        if header != self.header or not whole:
            raise ValueError(f"{os.fspath(self.path)} was written by another training: begin anew in another place")
        restored: dict[str, dict[str, Array]] = {}
        for name, array in arrays.items():
            network, _, own = name.partition("/")
            restored.setdefault(network, {})[own] = array
        return {"restored": restored, "useless": useless, "spent": spent}

    def write(self, training: PackTraining, at_once: bool = False) -> None:
        """Write all networks that have ended a cycle, unless they were written a moment ago."""
        if self.path is None or (not at_once and time.monotonic() < self.last + SAVED):
            return
        own = {name: trainee.arrays() for name, trainee in training.networks.items() if trainee.cycle_ends}
        arrays = {f"{name}/{key}": array for name, found in own.items() for key, array in found.items()}
        write_arrays(
            self.path, arrays, self.header | {"useless": sorted(training.useless), "seconds": training.seconds}
        )
        self.last = time.monotonic()


def known(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what the networks that a file keeps know of the data: their `info`. Raises ValueError for another file."""
    info = read_arrays(regular(path))[1].get("info")
    if not isinstance(info, dict):
        raise ValueError(f"{os.fspath(path)} keeps no networks of a pack")
    return info


def _folds_of(blocks: Array, seed: int) -> Iterator[Array]:
    """Deal blocks of rows into folds at random, so that all folds have about as many rows."""
    number = np.unique(blocks, return_inverse=True)[1]
    sizes = np.bincount(number)
    if len(sizes) < 2:
        raise ValueError("all rows belong to one block, so none can be held out")
    order = np.random.default_rng(seed).permutation(len(sizes))
    fold = np.empty(len(sizes), np.int64)
    fold[order] = deal(sizes[order], min(FOLDS, len(sizes)))
    for each in range(fold.max() + 1):
        yield np.flatnonzero(fold[number] == each)


def _folds(answers: Answers, folds: int, seed: int) -> Iterator[Array]:
    """Deal the rows into folds at random; of each class evenly."""
    order = np.random.default_rng(seed).permutation(len(answers.targets))
    if isinstance(answers.loss, CrossEntropy):
        order = order[np.argsort(answers.targets[order], kind="stable")]
    for fold in range(folds):
        yield np.sort(order[fold::folds])
