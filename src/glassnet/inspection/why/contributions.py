"""What a row's answer is made of: integrated gradients, column by column.

Sundararajan, Taly & Yan 2017, "Axiomatic attribution for deep networks" (arXiv:1703.01365). The answer is compared with
the mean answer to a background, rows of the training part. From each background row a straight line leads to the row,
and the gradient along it, times the way, adds up to the difference of the answers. The mean over the background is
called expected gradients (Erion et al. 2021, arXiv:1906.10670).

The lines run through prepared rows, behind the preprocessing: a category is no number, and has no gradient, but its
columns of 0 and 1 have. So has the mark of a missing value. A column's share of the way is what its switch from the
background's value to the row's moves in the prepared row, half of it switched first and half last. That is the whole
way where a prepared value comes from one column, and the Shapley value where it comes from two, as in `Rotations`.
An ensemble's answer is the mean of its networks', and so are its contributions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.inspection.why.outputs import answers, members, slopes
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array

STEPS = (8, 32, 128)  # gradients along each line: more, until the sum is right
CLOSE = 0.005  # the gap between sum and difference that is close enough, as a share of what answers differ by
ROWS_AT_ONCE = 4096
CELLS = 1 << 22  # values of switched rows that are prepared at a time


@dataclass(frozen=True, eq=False)
class Contributions:
    """The parts of the answer to one row.

    answer: the value, or the probability of a class. background: the mean answer to the background. parts (n_in,): what
    each column adds, in the same unit. gap: by how much their sum misses answer - background. steps: gradients taken
    along each line.
    """

    answer: float
    background: float
    parts: Array
    gap: float
    steps: int


def contributions(model: Network | Ensemble, row: Array, background: Array, of: int | None) -> Contributions:
    """Return the contributions of the columns of a row (n_in,) against background rows (B, n_in)."""
    row = np.asarray(row, np.float64).reshape(1, -1)
    background = np.asarray(background, np.float64)
    answer = float(answers(model, row, of)[0])
    usual = float(answers(model, background, of).mean())
    parts, most = np.zeros(row.shape[1]), 0
    for share, net in members(model):
        own, steps = _of_network(net, row, background, of)
        parts, most = parts + share * own, max(most, steps)
    return Contributions(answer, usual, parts, float(parts.sum() - (answer - usual)), most)


def _of_network(net: Network, row: Array, background: Array, of: int | None) -> tuple[Array, int]:
    end, starts = net.prepare(row), net.prepare(background)
    way = end - starts
    usual = slopes(net, starts, of)[0]
    difference = float(slopes(net, end, of)[0][0] - usual.mean())
    scale = max(abs(difference), float(usual.std()), 1e-12)
    gradients, steps = np.zeros_like(way), STEPS[0]
    for steps in STEPS:
        gradients = _mean_gradients(net, starts, way, of, steps)
        if abs(float((gradients * way).sum(axis=1).mean()) - difference) <= CLOSE * scale:
            break
    return _by_column(net, row, background, gradients), steps


def _mean_gradients(net: Network, starts: Array, way: Array, of: int | None, steps: int) -> Array:
    """The mean gradient (B, width) along each line, taken in the middle of equal pieces."""
    total = np.zeros_like(way)
    at_once = max(1, ROWS_AT_ONCE // len(starts))
    middles = (np.arange(steps) + 0.5) / steps
    for first in range(0, steps, at_once):
        some = middles[first : first + at_once, np.newaxis, np.newaxis]
        points = (starts + some * way).reshape(-1, way.shape[1])
        total += slopes(net, points, of)[1].reshape(-1, *way.shape).sum(axis=0)
    return total / steps


def _by_column(net: Network, row: Array, background: Array, gradients: Array) -> Array:
    """Deal the way of each prepared value to the columns that it comes from; return the sums (n_in,)."""
    n_in, parts = row.shape[1], np.zeros(row.shape[1])
    end, starts = net.prepare(row), net.prepare(background)
    at_once = max(1, CELLS // (2 * len(background) * max(n_in, end.shape[1])))
    for first in range(0, n_in, at_once):
        columns = np.arange(first, min(first + at_once, n_in))
        switched_first = np.repeat(background[np.newaxis], len(columns), axis=0)
        switched_last = np.broadcast_to(row, switched_first.shape).copy()
        for i, j in enumerate(columns):
            switched_first[i, :, j] = row[0, j]
            switched_last[i, :, j] = background[:, j]
        early, late = (net.prepare(each.reshape(-1, n_in)) for each in (switched_first, switched_last))
        shape = (len(columns), *gradients.shape)
        moved = (early.reshape(shape) - starts + end - late.reshape(shape)) / 2
        parts[columns] = (moved * gradients).sum(axis=2).mean(axis=1)
    return parts
