"""The patient: copies of a network, its data and its training, which a check may use up."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

import numpy as np

from glassnet.data import Dataset, Split
from glassnet.data.checks import listed
from glassnet.nn import BinaryCrossEntropy, Columns, Loss, Network, Standardize
from glassnet.nn.layer import Array, Layer
from glassnet.optim import Optimizer, Schedule
from glassnet.train import DivergenceError, History, fit
from glassnet.train.metrics import constant_outputs
from glassnet.train.units import training_loss

ROWS_AT_MOST = 4096  # rows of each part that are looked at if all would take long


@dataclass
class Patient:
    """A copy of everything, seen before training by checks of the data and the start, and after it by the others.

    `net` computes by the readable layers, its preprocessing is fitted; `history` is None before training.
    """

    net: Network
    data: Dataset
    loss: Loss
    optimizer: Optimizer
    batch_size: int = 128
    seed: int = 0
    history: History | None = field(default=None)

    @classmethod
    def of(cls, net: Network, data: Dataset, loss: Loss, optimizer: Optimizer, batch_size: int, seed: int) -> Patient:
        """Copy everything that training would change. Targets that are flags become labels."""
        net = net.copy()
        if isinstance(loss, BinaryCrossEntropy):
            data = replace(data, train=_labels(data.train), val=_labels(data.val), test=_labels(data.test))
        net.fast = False
        return cls(net, data, copy.deepcopy(loss), copy.deepcopy(optimizer), batch_size, seed)

    @cached_property
    def training_loss(self) -> Loss:
        """The loss that training minimises: in standard units if the network ends in Unstandardize."""
        return training_loss(self.loss, self.net)

    @cached_property
    def sample(self) -> Split:
        """At most ROWS_AT_MOST training rows, drawn with the seed."""
        return self.some(self.data.train)

    def some(self, split: Split, rows: int = ROWS_AT_MOST) -> Split:
        """Return at most `rows` rows of a split, drawn with the seed."""
        if len(split) <= rows:
            return split
        chosen = np.sort(np.random.default_rng(self.seed).choice(len(split), rows, replace=False))
        return Split(split.x[chosen], split.y[chosen])

    @cached_property
    def parts(self) -> dict[str, Split]:
        """The parts that have rows, by name; without rows that hold infinity, or NaN that is no missing value."""
        parts = {}
        for name, split in (("train", self.data.train), ("val", self.data.val), ("test", self.data.test)):
            finite = np.ones(len(split), bool)
            for array in (split.x, split.y):
                if array.dtype.kind == "f" and len(array) and not np.isfinite(array).all():
                    known = np.isfinite(array) | (np.isnan(array) & (bool(self.data.schema) and array is split.x))
                    finite &= known.reshape(len(array), -1).all(axis=1)
            if finite.any():
                parts[name] = split if finite.all() else Split(split.x[finite], split.y[finite])
        return parts

    @cached_property
    def medians(self) -> Array:
        """The median of the known values in each column of the sample, 0 if there is none."""
        x = self.sample.x.astype(np.float64)
        usual = np.zeros(x.shape[1])
        some = ~np.isnan(x).all(axis=0)
        usual[some] = np.nanmedian(x[:, some], axis=0)
        return usual

    def filled(self, x: Array) -> Array:
        """Return rows x (N, n_in) with the column's median where a value is missing."""
        return np.where(np.isnan(x), self.medians, x) if self.data.schema else x

    def as_numbers(self, x: Array) -> list[Layer]:
        """Make the first layers, not yet fitted, of a model to compare with, for rows like x (N, n_in).

        A table's columns become those that a network gets: categories as 0 and 1, dates with their place in the
        week, the month and the year. Missing values are filled, and marked if x has some.
        """
        if not self.data.schema:
            return [Standardize(per_feature=not self.is_image)]
        missing = np.flatnonzero(np.isnan(x).any(axis=0)).tolist()
        return [Columns(**self.data.columns() | {"missing": missing}), Standardize()]

    def inputs(self, x: Array) -> Array:
        """Return the input of the first layer with parameters for rows x (N, n_in), in inference mode, in float64."""
        first = next((i for i, layer in enumerate(self.net.layers) if layer.size), len(self.net.layers))
        *_, y = self.net.as_input(x), *islice(self.net.outputs(x), first)
        return np.array(y, np.float64)

    @property
    def is_image(self) -> bool:
        """Whether rows are images, whose columns are pixels and have no meaning alone."""
        return self.data.image_shape is not None

    def column(self, index: int) -> str:
        """Return the name of an input column, ready for a message."""
        return f"column {self.data.features[index]!r}"

    def columns(self, indices: Sequence[int], shown: int = 4) -> str:
        """Return the names of input columns, ready for a message: the first few in full, the others as a number."""
        return columns_named([self.data.features[i] for i in indices], shown)

    def with_left_out(self, indices: Sequence[int], why: str) -> tuple[list[str], int]:
        """Return the names of input columns and of those that reading the table left out for this reason.

        With them comes the number of columns that it had before.
        """
        unread = self.data.left_out.get(why, ())
        return [*(self.data.features[i] for i in indices), *unread], len(self.data.features) + len(unread)

    def targets(self, split: Split) -> Array:
        """Return the targets as numbers: labels, or values (N,)."""
        return np.asarray(split.y, np.float64)

    def constant(self, rows: int) -> Array:
        """Return the answers (rows, n_out) of the best constant."""
        return constant_outputs(self.data.train, rows, self.loss, self.net.n_out or 0)


def columns_named(names: Sequence[str], shown: int = 4) -> str:
    """Return names of columns, ready for a message: the first few in full, the others as a number."""
    return f"column{'s' if len(names) > 1 else ''} {listed(names, shown)}"


def _labels(split: Split) -> Split:
    """The same with flags (N,), boolean or 0.0 and 1.0, as labels."""
    y = split.y
    flags = y.ndim == 1 and y.dtype.kind in "fb" and bool(((y == 0) | (y == 1)).all())
    return Split(split.x, y.astype(np.int64)) if flags else split


def teach(
    net: Network,
    data: Dataset,
    rows: Split,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    schedule: Schedule | None = None,
) -> bool:
    """Train a helper on rows of `data`, for a check; return whether it got through, its loss finite all along.

    Ctrl-C is passed on, because a training that was stopped is no evidence.
    """
    none = Split(rows.x[:0], rows.y[:0])
    data = replace(data, train=rows, val=none, test=none)
    try:
        with np.errstate(all="ignore"):
            history = fit(
                net, data, loss, optimizer, epochs, batch_size, schedule=schedule, validate=False, progress=False
            )
    except DivergenceError:
        return False
    if history.interrupted:
        raise KeyboardInterrupt
    return True
