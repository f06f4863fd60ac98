"""Intervals around values: quantiles of what answers miss, by small networks, and calibrated.

Conformalized quantile regression (Romano, Patterson & Candes 2019, arXiv:1905.03222), of the residuals of rows that
were held out. Small networks see a row and its answer, and give quantiles of the residual. Sorting keeps quantiles from
crossing (Chernozhukov, Fernandez-Val & Galichon 2010). They are mixed with the residuals' own quantiles. Rows that the
networks didn't see show by how much, and where the ends should lie, for the narrowest intervals: if errors are alike
everywhere, nothing is learned from noise. The rest is calibrated by the same rows, in shares of the interval's width
(Sesia & Candes 2020, CQR-r), so that narrow ones move less.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from glassnet.data import Dataset, Split
from glassnet.intervals.conformal import PERCENT, USUAL, percent, require_rows, threshold
from glassnet.intervals.pinball import Pinball
from glassnet.nn import Columns, Dense, Dropout, Ensemble, Layer, Network, QuantileNormalize, ReLU
from glassnet.nn.layer import Array
from glassnet.optim import AdamW, Cosine
from glassnet.train import fit

LEVELS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.925, 0.95, 0.975, 0.99, 0.995)
FOLDS = 4  # each network holds out two of them
HIDDEN, STEPS, BATCH, MOST_EPOCHS = 64, 800, 128, 60
ROWS = 12_000  # that are trained on, at most
MANY = 2000  # rows, of which it doesn't matter that they choose a rule and calibrate it
MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)  # shares of the networks' quantiles
BELOW = (0.1, 0.3, 0.5, 0.7, 0.9)  # shares of the values outside that lie below: an interval may be narrower at one end
ROOM = 0.05  # of the range of the values, beyond which no bound lies
LEAST = 1e-9  # of the residuals' spread: a width


class ValueIntervals:
    """Intervals around the answers of a model, from rows that were held out of its training.

    before, nets: give quantiles of the residual, in units of `scale`, for a row and its answer. constant (levels,): the
    residuals' own quantiles. rules (50, 3): for coverages of 50% to 99%, the networks' share, the share of the values
    outside that lie below, and by how much of its width an interval grows at each end. low, high: where bounds end.
    """

    def __init__(
        self, before: Network, nets: Ensemble, scale: float, constant: Array, rules: Array, low: float, high: float
    ) -> None:
        self.before, self.nets, self.scale, self.constant = before, nets, scale, constant
        self.rules, self.low, self.high = rules, low, high

    @classmethod
    def fit(
        cls, x: Array, answers: Array, y: Array, columns: Mapping[str, Any] | None = None, seed: int = 0
    ) -> ValueIntervals:
        """Learn intervals from held-out rows x (N, n_in), what the model answers for them, and their values y.

        columns: the arguments of the layer `Columns`, if the rows are those of a table. Raises ValueError for fewer
        than 30 rows.
        """
        answers, y = answers.reshape(-1).astype(np.float64), y.reshape(-1).astype(np.float64)
        require_rows(len(y))
        order = np.random.default_rng(seed).permutation(len(y))[:ROWS]
        inputs, residuals = np.column_stack([x[order], answers[order]]), (y - answers)[order]
        scale = float(residuals.std()) or 1.0
        residuals = residuals / scale
        before = _preprocessing(inputs, columns)
        z, folds = before.prepare(inputs), np.arange(len(order)) % FOLDS
        nets, held = [], np.zeros((len(order), len(LEVELS)))
        pairs = list(combinations(range(FOLDS), 2))
        for i, out in enumerate(pairs):
            away = np.isin(folds, out)
            nets.append(_train(z[~away], residuals[~away], seed + i))
            held[away] += nets[-1].predict(z[away]) / (FOLDS - 1)  # each row is held out by so many networks
        constant = np.quantile(residuals, LEVELS)
        rules = _rules(np.sort(held, axis=1), residuals)
        room = ROOM * float(np.ptp(y))
        ends = float(y.min()) - room, float(y.max()) + room
        return cls(before, Ensemble(nets, "regression"), scale, constant, rules, *ends)

    def __call__(self, x: Array, answers: Array, coverage: float = USUAL) -> Array:
        """Return the bounds (N, 2) around the answers to rows x (N, n_in), which hold the share `coverage` of values.

        Raises ValueError for a coverage that isn't between 0.5 and 0.99.
        """
        p = percent(coverage)
        answers = answers.reshape(-1).astype(np.float64)
        mix, below, radius = self.rules[p - PERCENT[0]].tolist()
        quantiles = np.tile(self.constant, (len(answers), 1))
        if mix > 0:
            learned = np.sort(self.nets.predict(self.before.prepare(np.column_stack([x, answers]))), axis=1)
            quantiles = mix * learned + (1 - mix) * quantiles
        low, high = between(quantiles, p / 100, below)
        grown = radius * np.maximum(high - low, LEAST)
        bounds = np.sort(np.stack([low - grown, high + grown], axis=1), axis=1)
        return np.clip(answers[:, np.newaxis] + self.scale * bounds, self.low, self.high)


def _rules(held: Array, residuals: Array) -> Array:
    """For each coverage the mix of quantiles, and their place, that make the narrowest intervals once calibrated.

    Of few rows, those that chose among so many lie within more often than others do. How much the intervals must grow
    for that shows on a quarter of the rows after the other, which had no part in the choice.
    """
    found = _narrowest(held, residuals)
    if len(residuals) > MANY:
        return found
    short = np.zeros((len(PERCENT), len(residuals)))
    for fold in range(FOLDS):
        out = np.arange(len(residuals)) % FOLDS == fold
        rules, quantiles = _narrowest(held[~out], residuals[~out]), np.quantile(residuals[~out], LEVELS)
        for i, (mix, below, radius) in enumerate(rules.tolist()):
            mixed = mix * held[out] + (1 - mix) * quantiles
            short[i, out] = _scores(mixed, residuals[out], PERCENT[i] / 100, below)[0] - radius
    found[:, 2] += [np.quantile(of, p / 100) for of, p in zip(short, PERCENT, strict=True)]
    return found


def _narrowest(held: Array, residuals: Array) -> Array:
    """The rules (50, 3) that make the narrowest intervals for these rows: mix, place, and radius."""
    found = np.zeros((len(PERCENT), 4))
    found[:, 3] = np.inf
    constant = np.quantile(residuals, LEVELS)
    for mix in MIXES:
        quantiles = mix * held + (1 - mix) * constant
        for below in BELOW:
            for i, p in enumerate(PERCENT.tolist()):
                scores, width = _scores(quantiles, residuals, p / 100, below)
                radius = threshold(scores, p / 100)
                size = float(width.mean()) * (1 + 2 * radius)
                if size < found[i, 3]:
                    found[i] = mix, below, radius, size
    return found[:, :3]


def _scores(quantiles: Array, residuals: Array, coverage: float, below: float) -> tuple[Array, Array]:
    """How far values (N,) lie outside of intervals, in shares of their widths, and these widths."""
    low, high = between(quantiles, coverage, below)
    width = np.maximum(high - low, LEAST)
    return np.maximum(low - residuals, residuals - high) / width, width


def _preprocessing(x: Array, columns: Mapping[str, Any] | None) -> Network:
    """The preprocessing of rows with their answers, fitted."""
    layers: list[Layer] = []
    if columns:
        layers.append(Columns([*columns["categories"], 0], columns["missing"], columns.get("cycles", ())))
    net = Network([*layers, QuantileNormalize()])
    net.fit_preprocessing(x)
    return net


def _train(z: Array, residuals: Array, seed: int) -> Network:
    layers = [Dense(z.shape[1], HIDDEN), ReLU(), Dropout(0.1), Dense(HIDDEN, HIDDEN), ReLU()]
    net = Network([*layers, Dense(HIDDEN, len(LEVELS))], seed=seed, threads=1)
    none = Split(z[:0], residuals[:0])
    data = Dataset("residuals", Split(z, residuals), none, none, "regression", (), (), None, "residual")
    epochs = min(MOST_EPOCHS, max(2, round(STEPS * BATCH / len(z))))
    optimizer = AdamW(lr=3e-3, weight_decay=0.1)
    fit(net, data, Pinball(LEVELS), optimizer, epochs=epochs, batch_size=BATCH, schedule=Cosine(), seed=seed)
    return net


def between(quantiles: Array, coverage: float, below: float) -> tuple[Array, Array]:
    """The quantiles (N,) that the share `coverage` of the values lies between, by those at LEVELS."""
    rest = 1 - coverage
    found = []
    for level in (rest * below, 1 - rest * (1 - below)):
        level = min(max(level, LEVELS[0]), LEVELS[-1])
        k = min(max(int(np.searchsorted(LEVELS, level)), 1), len(LEVELS) - 1)
        share = (level - LEVELS[k - 1]) / (LEVELS[k] - LEVELS[k - 1])
        found.append((1 - share) * quantiles[:, k - 1] + share * quantiles[:, k])
    return found[0], found[1]
