"""The figures by which people decide, each with an interval: how it varies if other rows had been drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np

from glassnet.nn.layer import Array

HIGHER = ("roc_auc", "average_precision", "f1_macro", "balanced_accuracy", "accuracy", "r2")  # better, and at most 1
COVERAGE = 0.95
RESAMPLES = 400
CELLS = 100_000  # rows times classes: of more rows, so many are resampled, and the interval is narrowed accordingly
AT_ONCE = 1 << 17  # numbers in a block of resamples, which stay in the cache
BINS = 15  # of confidence
ROUNDING = 1e-12  # of a mean of differences that cancel
BOUNDED = (0.05, 0.95)  # the levels of bounds that hold 90%


class Estimate(NamedTuple):
    """A figure of rows, the bounds of its interval of 95%, and the figure of the best constant answer.

    NaN stands for what these rows don't tell, such as the ROC curve of a class that they lack.
    """

    value: float
    low: float
    high: float
    baseline: float


class ClassFigures:
    """The figures of class probabilities p (N, C) for labels y (N,), with rows weighted.

    predicted: the classes answered (N,), by default the most probable ones.

    - roc_auc, average_precision: of the ranking of rows by a class's probability. For two classes it is that of the
      second, for more the mean over the classes, each against all others.
    - log_loss, brier: of the probabilities. The Brier score is the mean sum of squared differences, for two classes
      half of it.
    - f1_macro, balanced_accuracy: the mean over the classes of F1 and of recall. accuracy: the share of right answers.
    - calibration_error: the mean difference of confidence and accuracy over 15 bins of confidence (Guo et al. 2017,
      arXiv:1706.04599, section 2).
    """

    def __init__(self, p: Array, y: Array, predicted: Array | None = None) -> None:
        n, classes = p.shape
        self.p, self.y = p, y
        self.predicted: Array = p.argmax(axis=1) if predicted is None else predicted
        rows, names = np.arange(n), np.arange(classes)
        true, answered = y[:, None] == names, self.predicted[:, None] == names
        confidence, top = p.max(axis=1), p.argmax(axis=1) == y
        bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)[:, None] == np.arange(BINS)
        loss = -np.log(np.maximum(p[rows, y], np.finfo(p.dtype).eps).astype(np.float64))
        brier = np.square(p.astype(np.float64) - true).sum(axis=1) / (2 if classes == 2 else 1)
        gaps = bins * (confidence.astype(np.float64) - top)[:, None]
        parts = [self.predicted[:, None] == y[:, None], loss[:, None], brier[:, None], gaps, true & answered]
        self.columns: Array = np.concatenate([*parts, true, answered], axis=1, dtype=np.float64)
        self.widths: list[int] = np.cumsum([1, 1, 1, BINS, classes, classes]).tolist()
        ranked = [1] if classes == 2 else [c for c in names if 0 < true[:, c].sum() < n]
        self.ranks: list[_Rank] = [_Rank(p[:, c], true[:, c]) for c in ranked]

    def __len__(self) -> int:
        return len(self.y)

    @property
    def cells(self) -> int:
        """How many numbers one resample costs."""
        return len(self) * max(1, len(self.ranks))

    def some(self, rows: Array) -> Self:
        """Return the figures of some of the rows."""
        return type(self)(self.p[rows], self.y[rows], self.predicted[rows])

    def __call__(self, weights: Array) -> dict[str, Array]:
        """Compute each figure (b,) for several weights of the rows (b, N)."""
        sums = weights @ self.columns / weights.sum(axis=1, keepdims=True)
        hits, loss, brier, gaps, found, true, answered = np.split(sums, self.widths, axis=1)
        gaps[np.abs(gaps) < ROUNDING] = 0
        areas = [rank(weights) for rank in self.ranks]
        nothing = np.full((1, len(weights)), np.nan)
        return {
            "roc_auc": _mean(np.array([area for area, _ in areas]) if areas else nothing),
            "average_precision": _mean(np.array([precision for _, precision in areas]) if areas else nothing),
            "log_loss": loss[:, 0],
            "brier": brier[:, 0],
            "f1_macro": _mean(_ratio(2 * found, true + answered).T),
            "balanced_accuracy": _mean(_ratio(found, true).T),
            "calibration_error": np.abs(gaps).sum(axis=1),
            "accuracy": hits[:, 0],
        }


class _Rank:
    """The areas below the ROC curve and the precision-recall curve of scores (N,), with rows weighted.

    Rows are in pieces, the highest scores first: those of one score, and neighbouring scores that no positive row has.
    """

    def __init__(self, scores: Array, positive: Array) -> None:
        self.order: Array = np.argsort(-scores, kind="stable")
        ordered, positive = scores[self.order], positive[self.order]
        first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))  # of each score
        with_positive = np.add.reduceat(positive, first, dtype=np.int64) > 0
        parted = np.append(True, with_positive[1:] | with_positive[:-1])
        self.pieces: Array = first[parted]  # the first row of each
        self.positive: Array = self.order[positive]
        places = np.searchsorted(self.pieces, np.flatnonzero(positive), side="right") - 1
        self.found: Array  # the pieces with positive rows, and their first ones
        self.of_found: Array
        self.found, self.of_found = np.unique(places, return_index=True)

    def __call__(self, weights: Array) -> tuple[Array, Array]:
        each = np.add.reduceat(weights[:, self.order], self.pieces, axis=1)
        more = np.zeros_like(each)
        more[:, self.found] = np.add.reduceat(weights[:, self.positive], self.of_found, axis=1)
        seen, found = each.cumsum(axis=1), more.cumsum(axis=1)
        others = seen[:, -1] - found[:, -1]
        area = np.einsum("bn,bn->b", each - more, found - more / 2)
        precision = np.einsum("bn,bn->b", more, found / np.maximum(seen, 1e-300))
        return _ratio(area, found[:, -1] * others), _ratio(precision, found[:, -1])


class ValueFigures:
    """The figures of answers (N,) for values t (N,), with rows weighted.

    mae, median_absolute_error and rmse are in the target's unit. mape is the mean size of the errors as a share of the
    values, NaN if one of them is 0. r2 is the share of the variance that is explained. With bounds (N, 2)
    that should hold 90% there is pinball, in the target's unit: with d = t - bound, the mean of max(q d, (q - 1) d) for
    q = 0.05 and 0.95 (Koenker & Bassett 1978).
    """

    def __init__(self, answers: Array, t: Array, bounds: Array | None = None) -> None:
        self.answers, self.t, self.bounds = answers.astype(np.float64), t.astype(np.float64), bounds
        error = np.abs(self.answers - self.t)
        shares = np.divide(error, np.abs(self.t), out=np.full(len(t), np.nan), where=self.t != 0)
        centred = self.t - self.t.mean()
        parts = [error, error**2, centred, centred**2, shares]
        if bounds is not None:
            q, d = np.array(BOUNDED), self.t[:, np.newaxis] - bounds
            parts.append(np.maximum(q * d, (q - 1) * d).mean(axis=1))
        self.columns: Array = np.stack(parts, axis=1)
        self.order: Array = np.argsort(error)

    def __len__(self) -> int:
        return len(self.t)

    @property
    def cells(self) -> int:
        """How many numbers one resample costs."""
        return len(self)

    def some(self, rows: Array) -> Self:
        """Return the figures of some of the rows."""
        return type(self)(self.answers[rows], self.t[rows], None if self.bounds is None else self.bounds[rows])

    def __call__(self, weights: Array) -> dict[str, Array]:
        """Compute each figure (b,) for several weights of the rows (b, N)."""
        error, squared, mean, square, share, *pinball = (weights @ self.columns / weights.sum(axis=1, keepdims=True)).T
        found = {
            "mae": error,
            "rmse": np.sqrt(squared),
            "r2": 1 - _ratio(squared, square - mean**2),
            "mape": share,
            "median_absolute_error": self._median(weights),
        }
        return found | ({"pinball": pinball[0]} if pinball else {})

    def _median(self, weights: Array) -> Array:
        """The mean of the errors just below and above half of the weight."""
        seen, error = weights[:, self.order].cumsum(axis=1), self.columns[self.order, 0]
        half = seen[:, -1:] / 2
        return (error[(seen >= half).argmax(axis=1)] + error[(seen > half).argmax(axis=1)]) / 2


def figures(
    measured: ClassFigures | ValueFigures, constant: ClassFigures | ValueFigures, seed: int = 0
) -> dict[str, Estimate]:
    """Return each figure of rows beside that of a constant answer to the same rows, with its interval.

    The interval holds 95% of the figures of 400 resamples of the rows (Efron 1979, Annals of Statistics 7:1-26), drawn
    by the seed. It is moved by the difference of their median and the figure, because rows that repeat make some
    figures larger, such as the calibration error. Raises ValueError if there are no rows.
    """
    if not len(measured):
        raise ValueError("there are no rows to judge by")
    ones = np.ones((1, len(measured)))
    values, baselines = ({name: float(of[0]) for name, of in each(ones).items()} for each in (measured, constant))
    found = {}
    for name, drawn in resampled(measured, seed).items():
        value = values[name]
        low, high = value + spread(drawn) if math.isfinite(value) else (math.nan, math.nan)
        low, high = low if name == "r2" else max(low, 0.0), min(high, 1.0) if name in HIGHER else high
        found[name] = Estimate(value, float(low), float(high), baselines[name])
    return found


def resampled(measured: ClassFigures | ValueFigures, seed: int = 0) -> dict[str, Array]:
    """Return each figure of 400 resamples (400,), drawn by the seed: the same rows for every answer to them.

    If there are very many rows, some are resampled. Then the figures' differences from their median are scaled to those
    of all rows.
    """
    n = most = len(measured)
    rng = np.random.default_rng(seed)
    if measured.cells > CELLS:
        most = max(2, CELLS * n // measured.cells)
        measured = measured.some(rng.choice(n, most, replace=False))
    blocks = [measured(weights) for weights in _draws(most, rng)]
    found = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    if most == n:
        return found
    middles = {name: np.nanmedian(of) for name, of in found.items() if np.isfinite(of).any()}
    return found | {name: middle + (found[name] - middle) * math.sqrt(most / n) for name, middle in middles.items()}


def spread(drawn: Array) -> Array:
    """Return how far the bounds of the interval of resampled figures lie from their median: (2,)."""
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return np.full(2, np.nan)
    low, middle, high = np.quantile(drawn, [(1 - COVERAGE) / 2, 0.5, (1 + COVERAGE) / 2])
    return np.array([low - middle, high - middle])


def _draws(n: int, rng: np.random.Generator) -> Iterator[Array]:
    """Yield how often each of n rows is in each resample (b, n), some resamples at a time."""
    at_once = max(1, AT_ONCE // n)
    for start in range(0, RESAMPLES, at_once):
        b = min(at_once, RESAMPLES - start)
        rows = rng.integers(n, size=(b, n)) + n * np.arange(b)[:, None]
        yield np.bincount(rows.ravel(), minlength=b * n).reshape(b, n).astype(np.float64)


def _ratio(part: Array, whole: Array) -> Array:
    """part / whole, NaN where the whole is 0."""
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole > 0)


def _mean(values: Array) -> Array:
    """The mean (b,) of values (k, b) that are known."""
    known = np.isfinite(values)
    return _ratio(np.where(known, values, 0).sum(axis=0), known.sum(axis=0))
