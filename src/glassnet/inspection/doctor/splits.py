"""Checks of the parts against each other: rows that two of them share, and parts that were drawn differently."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glassnet.data import Dataset, Split
from glassnet.inspection.doctor.finding import Finding
from glassnet.inspection.doctor.patient import Patient, teach
from glassnet.inspection.doctor.structure import CALIBRATED
from glassnet.nn import BinaryCrossEntropy, Dense, Network, ReLU, Standardize
from glassnet.nn.layer import Array
from glassnet.optim import Adam
from glassnet.train.metrics import auc_of

CHANCE = 3.0  # standard errors by which shared rows must exceed the twins inside training
SHARED = 0.005  # share of a part's rows: fewer hardly change a result
SIGNIFICANCE = 1e-3  # of Kolmogorov-Smirnov, over all columns and parts together
DISTANCE, GREAT_DISTANCE = 0.1, 0.5  # between distribution functions, which lie in 0..1
AUC, GREAT_AUC, AUC_ERRORS = 0.65, 0.9, 4.0  # AUC of a classifier of the parts: MNIST's published parts have 0.55
VALUES = 400_000  # of one part that are compared column by column: 512 rows of MNIST
FEWEST, MOST = 40, 1024  # rows of each part that the classifier is given


def shared_rows(patient: Patient) -> Iterator[Finding]:
    """Rows that training has seen measure memory."""
    train = patient.parts.get("train")
    if train is None:
        return
    seen = Counter(_digests(train))
    twins = sum(count for count in seen.values() if count > 1)
    where, evidence, worst = [], [], 0.0
    for name in ("val", "test"):
        if name not in patient.parts:
            continue
        digests = _digests(patient.parts[name])
        rows = [row for row, digest in enumerate(digests) if digest in seen]
        n, n_train = len(digests), len(train)
        # The share of training rows with twins inside training is to be expected here, too: two shares, compared.
        pooled = (len(rows) + twins) / (n + n_train)
        error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_train))
        if len(rows) / n - twins / n_train > CHANCE * error:
            where.append(f"{name}: rows {', '.join(map(str, rows[:4]))}{', ...' if len(rows) > 4 else ''}")
            evidence.append(f"{len(rows)} of {n} {name} rows are training rows too, target included")
            worst = max(worst, len(rows) / n - twins / n_train)
    if where:
        yield Finding(
            "shared-rows",
            "error" if worst > SHARED else "note",
            "; ".join(where),
            f"{'; '.join(evidence)}; inside training, {twins} of {len(train)} rows have a twin",
            "The network may know the answers of these rows by heart, so the result looks better than it is.",
            "drop repeated rows before splitting, and split once (gn.Dataset.from_arrays)",
            f"a difference of two shares by more than {CHANCE:g} standard errors",
        )


def _digests(split: Split) -> list[int]:
    """One number per row and its target, equal for equal ones."""
    x, y = np.ascontiguousarray(split.x), np.ascontiguousarray(split.y)
    return [hash((row.tobytes(), t.tobytes())) for row, t in zip(x, y, strict=True)]


@dataclass(frozen=True)
class Difference:
    """The difference of a part from the training part: by column (and the target, last), and to a classifier."""

    part: str
    distance: Array
    significant: Array
    auc: float
    error: float

    @property
    def columns(self) -> list[int]:
        """The columns that differ, the worst first."""
        differ = np.flatnonzero(self.significant & (self.distance >= DISTANCE))
        return [int(c) for c in differ[np.argsort(-self.distance[differ], kind="stable")]]

    @property
    def told_apart(self) -> bool:
        """Whether the classifier does better than chance, and by much."""
        return self.auc >= AUC and self.auc - 0.5 > AUC_ERRORS * self.error

    @property
    def great(self) -> bool:
        """Whether the parts have little in common."""
        return (self.told_apart and self.auc >= GREAT_AUC) or bool(
            self.columns and self.distance[self.columns[0]] >= GREAT_DISTANCE
        )


def drawn_differently(patient: Patient) -> Iterator[Finding]:
    """Parts that aren't drawn from the same rows: a figure of one says little about the other."""
    train = patient.parts.get("train")
    if train is None:
        return
    found = [_difference(patient, train, name) for name in ("val", "test") if name in patient.parts]
    found = [difference for difference in found if difference.columns or difference.told_apart]
    if not found:
        return
    target = f"target {patient.data.target!r}"
    where, evidence = [], []
    for difference in found:
        columns, width = difference.columns, patient.data.n_in
        names = [target if column == width else patient.column(column) for column in columns[:3]]
        more = f" and {len(columns) - 3} more" if len(columns) > 3 else ""
        where.append(f"{difference.part}: {', '.join(names) + more if names else 'no column alone'}")
        parts = [f"{name} D = {difference.distance[c]:.2f}" for name, c in zip(names, columns, strict=False)]
        if difference.told_apart:
            parts.append(
                f"a small network distinguishes its rows from training rows with an AUC of {difference.auc:.3f}"
                f" +- {difference.error:.3f} (0.5 is chance)"
            )
        evidence.append(f"{difference.part} against train: {', '.join(parts)}")
    yield Finding(
        "train-test-shift",
        "error" if any(difference.great for difference in found) else "warning",
        "; ".join(where),
        "; ".join(evidence),
        "The network is asked about another kind of rows than it learned from, so validation and test don't measure"
        " what it has learned.",
        "shuffle the rows before they are split (gn.Dataset.from_arrays does); if the difference is meant, such as"
        " later years in the test, expect worse results there",
        "Kolmogorov-Smirnov (Smirnov 1948) with Bonferroni's correction; classifier: Lopez-Paz & Oquab 2017"
        " (arXiv:1610.06545), error of its AUC: Hanley & McNeil 1982; limits " + CALIBRATED,
    )


def _difference(patient: Patient, train: Split, name: str) -> Difference:
    rows = max(64, VALUES // (patient.data.n_in + 1))
    ours, theirs = patient.some(train, rows), patient.some(patient.parts[name], rows)
    a, b = (np.concatenate([s.x, s.y.reshape(len(s), -1)[:, :1]], axis=1, dtype=np.float64) for s in (ours, theirs))
    distance = np.array([ks_distance(one, other) for one, other in zip(a.T, b.T, strict=True)])
    # The tail of Kolmogorov's distribution, first term: 2 exp(-2 D^2 n m / (n + m)).
    chance = 2 * np.exp(-2 * distance**2 * len(a) * len(b) / (len(a) + len(b)))
    auc, error = _classifier_auc(patient, patient.some(train, MOST), patient.some(patient.parts[name], MOST))
    return Difference(name, distance, chance * 2 * len(distance) < SIGNIFICANCE, auc, error)


def ks_distance(a: Array, b: Array) -> float:
    """Return the largest distance between the empirical distribution functions of values a (N,) and b (M,)."""
    a, b = np.sort(a), np.sort(b)
    at = np.concatenate([a, b])
    return float(np.abs(np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)).max())


def _classifier_auc(patient: Patient, ours: Split, theirs: Split) -> tuple[float, float]:
    """The AUC with which a small network, trained on half of both parts' rows, distinguishes the other halves."""
    n = min(len(ours), len(theirs))
    if n < FEWEST:
        return 0.5, 0.5
    rng = np.random.default_rng([patient.seed, 1])
    x = [split.x[rng.permutation(len(split))[:n]] for split in (ours, theirs)]
    half = n // 2
    learn = Split(np.concatenate([part[:half] for part in x]), np.repeat([0, 1], half))
    none = Split(learn.x[:0], learn.y[:0])
    features = patient.data.features
    data = Dataset("parts", none, none, none, "classification", ("train", "other"), features, None, "part")
    front = patient.as_numbers(learn.x) if patient.data.schema else [Standardize()]
    width = front[0].width_out(len(features))
    assert width is not None
    net = Network([*front, Dense(width, 32), ReLU(), Dense(32, 1)], seed=patient.seed)
    epochs = max(3, 100 // math.ceil(2 * half / 64))
    if not teach(net, data, learn, BinaryCrossEntropy(), Adam(1e-2, l2=1e-2), epochs, 64):
        return 0.5, 0.5
    negative, positive = (net.predict(part[half:])[:, 0] for part in x)
    return auc_of(positive, negative)


CHECKS = (shared_rows, drawn_differently)
