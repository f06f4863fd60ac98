"""The data: real and made up, small, with the warts that real data have. All are made anew by a seed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

import glassnet as gn
from glassnet.data.catalog import SOURCES
from glassnet.data.resolve import find

Maker = Callable[[np.random.Generator], gn.Dataset]


def some(name: str, rows: int) -> Maker:
    """Draw so many training rows of a published data set, and a quarter of that for val and for test."""

    def make(rng: np.random.Generator) -> gn.Dataset:
        data = copy.copy(published(name))
        for part, count in (("train", rows), ("val", rows // 4), ("test", rows // 4)):
            split = getattr(data, part)
            chosen = np.sort(rng.permutation(len(split))[:count])
            setattr(data, part, gn.Split(split.x[chosen], split.y[chosen]))
        return data

    return make


@cache
def published(name: str) -> gn.Dataset:
    """A data set of glassnet's catalog."""
    return gn.load(name)


def bundled(name: str) -> Maker:
    """Shuffle a data set that comes inside scikit-learn's package."""

    def make(rng: np.random.Generator) -> gn.Dataset:
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{name}")()
        names = [str(feature) for feature in bunch.feature_names]
        return gn.Dataset.from_arrays(bunch.data, bunch.target, features=names, name=name, seed=seed_from(rng))

    return make


def seed_from(rng: np.random.Generator) -> int:
    """A seed for the split."""
    return int(rng.integers(1 << 31))


def moons(rng: np.random.Generator) -> gn.Dataset:
    """Two half circles that reach into each other."""
    n = 1600
    label, angle = rng.integers(2, size=n), rng.uniform(0, np.pi, n)
    x = np.column_stack([label + np.cos(angle) * (1 - 2 * label), (np.sin(angle) - 0.25) * (1 - 2 * label) + 0.25])
    return gn.Dataset.from_arrays(x + rng.normal(0, 0.15, x.shape), label, name="moons", seed=seed_from(rng))


def xor(rng: np.random.Generator) -> gn.Dataset:
    """The sign of a product of two of four columns: no linear model does better than chance."""
    x = rng.uniform(-1, 1, (2400, 4))
    return gn.Dataset.from_arrays(x, (x[:, 0] * x[:, 1] > 0).astype(int), name="xor", seed=seed_from(rng))


def clusters(rng: np.random.Generator) -> gn.Dataset:
    """Six classes of two overlapping clouds each."""
    n, centre = 2400, rng.normal(0, 1.2, (12, 12))
    cloud = rng.integers(12, size=n)
    x = centre[cloud] + rng.normal(size=(n, 12))
    return gn.Dataset.from_arrays(x, cloud % 6, name="clusters", seed=seed_from(rng))


def sparse(rng: np.random.Generator) -> gn.Dataset:
    """Counts of 200 words of which a row has 20 or so; three classes, by the words in it."""
    n, words = 2400, 200
    label = rng.integers(3, size=n)
    rate = rng.gamma(0.5, 0.2, (3, words)) * 0.6 + rng.gamma(0.5, 0.2, words) + 0.005
    x = rng.poisson(rate[label]).astype(np.float64)
    return gn.Dataset.from_arrays(x, label, name="sparse", seed=seed_from(rng))


def skewed(rng: np.random.Generator) -> gn.Dataset:
    """Two classes, one of which has 15% of the rows; a quadratic border."""
    x = rng.normal(size=(3000, 8))
    score = x[:, 0] ** 2 + x[:, 1] * x[:, 2] + x[:, 3] + rng.normal(0, 0.3, len(x))
    label = (score > np.quantile(score, 0.85)).astype(int)
    return gn.Dataset.from_arrays(x, label, name="skewed", seed=seed_from(rng))


def friedman(rng: np.random.Generator) -> gn.Dataset:
    """Friedman 1991 (Annals of Statistics 19:1-67), section 4.3: ten uniform columns, of which five matter."""
    x = rng.uniform(size=(2400, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return gn.Dataset.from_arrays(x, y + rng.normal(size=len(x)), name="friedman", seed=seed_from(rng))


def bent(rng: np.random.Generator) -> gn.Dataset:
    """Six columns that a straight line explains well, and a line with a bend better; targets of unit size."""
    z = rng.normal(size=(2400, 6))
    y = z @ np.array([0.6, -0.5, 0.4, 0.3, -0.2, 0.1]) + 0.6 * np.abs(z[:, 0]) - 0.5 + rng.normal(0, 0.3, len(z))
    x = z * rng.uniform(0.5, 2, 6) + rng.normal(size=6)
    return gn.Dataset.from_arrays(x, y, name="bent", seed=seed_from(rng))


def wages(rng: np.random.Generator) -> gn.Dataset:
    """A census: whole numbers, a rare region, wealth with a long tail, and wages with one too."""
    n = 2400
    age, school = rng.integers(18, 68, n), rng.integers(8, 21, n)
    hours = np.clip(np.round(rng.normal(38, 8, n)), 8, 70)
    region = rng.choice(5, n, p=[0.4, 0.3, 0.18, 0.1, 0.02])
    wealth = rng.lognormal(10, 1.4, n)
    log_wage = 0.1 * (school - 12) + 0.04 * (age - 18) - 0.0006 * (age - 18) ** 2 + 0.02 * (hours - 38)
    wage = 12 * np.exp(log_wage + 0.1 * np.sqrt(region) + 0.05 * np.log(wealth) - 0.5 + rng.normal(0, 0.2, n))
    x = np.column_stack([age, school, hours, wealth, region[:, None] == np.arange(5)]).astype(np.float64)
    names = ["age", "school", "hours", "wealth", *(f"region_{i}" for i in range(5))]
    return gn.Dataset.from_arrays(x, wage, features=names, name="wages", seed=seed_from(rng))


def bikes(rng: np.random.Generator) -> gn.Dataset:
    """Hired bicycles by the hour: the targets are counts, whole numbers up to several hundred."""
    n = 2400
    hour, day, holiday = rng.integers(24, size=n), rng.integers(7, size=n), rng.random(n) < 0.03
    warm, wet = rng.normal(15, 8, n), rng.beta(4, 3, n)
    daily = 1 + np.cos((hour - 17) * np.pi / 12) + 0.5 * np.cos((hour - 8) * np.pi / 6)
    rate = (
        60 * np.exp(0.04 * (warm - 15) - 1.2 * (wet - 0.5) + 0.15 * (day < 5) - 0.3 * holiday) * np.maximum(daily, 0.1)
    )
    x = np.column_stack([hour, warm, wet, holiday, day[:, None] == np.arange(7)]).astype(np.float64)
    names = ["hour", "warm", "wet", "holiday", *(f"day_{i}" for i in range(7))]
    y = rng.poisson(rate).astype(np.float64)
    return gn.Dataset.from_arrays(x, y, features=names, name="bikes", seed=seed_from(rng))


@dataclass(frozen=True)
class Source:
    """A data set, and how a competent person would train on it: loss, batch size, epochs, preprocessing."""

    make: Maker
    loss: Callable[[], gn.Loss]
    batch_size: int
    epochs: int
    inputs: Callable[[], gn.Layer] = gn.Standardize
    unit: bool = True  # whether a regression ends in Unstandardize
    too_large: tuple[str, ...] = ()  # networks that nobody would take for so few rows


def one_scale() -> gn.Layer:
    """One mean and one scale of all pixels."""
    return gn.Standardize(per_feature=False)


def quantiles() -> gn.Layer:
    """As the recipe `california` has it."""
    return gn.QuantileNormalize(noise=1e-3)


ALL: dict[str, Source] = {
    "digits": Source(some("digits", 1150), gn.CrossEntropy, 32, 8, one_scale),
    "mnist": Source(some("mnist", 4000), gn.CrossEntropy, 64, 4, one_scale),
    "wine": Source(bundled("wine"), gn.CrossEntropy, 8, 15),
    "breast_cancer": Source(bundled("breast_cancer"), gn.BinaryCrossEntropy, 16, 8),
    "iris": Source(bundled("iris"), gn.CrossEntropy, 8, 30),
    "moons": Source(moons, gn.CrossEntropy, 32, 15),
    "xor": Source(xor, gn.BinaryCrossEntropy, 32, 15),
    "clusters": Source(clusters, lambda: gn.CrossEntropy(label_smoothing=0.1), 32, 8),
    "sparse": Source(sparse, gn.CrossEntropy, 32, 4),
    "skewed": Source(skewed, gn.CrossEntropy, 32, 12),
    "diabetes": Source(
        some("diabetes", 283), gn.MSE, 16, 8, too_large=("wide", "six-layers", "layernorm", "silu", "gelu")
    ),
    "california": Source(some("california", 4000), gn.MSE, 64, 10, quantiles),
    "friedman": Source(friedman, gn.MSE, 32, 20),
    "bent": Source(bent, gn.MSE, 32, 12, unit=False),
    "wages": Source(wages, lambda: gn.Huber(1.0), 32, 8, quantiles),
    "bikes": Source(bikes, gn.MSE, 32, 15),
}


@cache
def here(name: str) -> bool:
    """Whether the data are on this machine: the corpus downloads nothing."""
    return name not in SOURCES or all(find(archive) for archive in SOURCES[name].archives)


def load(name: str, seed: int) -> gn.Dataset:
    """Make a data set that shares no array with another: a fault may write into it."""
    return copy.deepcopy(ALL[name].make(np.random.default_rng([seed, 7])))
