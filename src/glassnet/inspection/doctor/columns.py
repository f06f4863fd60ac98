"""Checks of the input columns: their values, and the scale at which they reach the first trained layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from glassnet.data.columns import CONSTANT, EMPTY
from glassnet.inspection.doctor.finding import Finding
from glassnet.inspection.doctor.patient import Patient, columns_named
from glassnet.inspection.doctor.structure import CALIBRATED
from glassnet.nn import BatchNorm, Standardize
from glassnet.nn.layer import Array

LECUN = "LeCun et al. 1998, Efficient BackProp, section 4.3; limits "
CONSTANT_PIXELS = 0.9  # share of an image's pixels: the borders of MNIST's are 9%
SAME = 1e-9  # of a correlation of 1: what rounding leaves in float64
FEW = 1024  # rows that show a column's usual values
DIFFERENT = 10  # rows that must differ from a column's median, before agreeing with another column means anything
ROOT_MEAN_SQUARE = 20.0, 200.0  # warning, error: digits' raw 0..16 pixels have 8 and do, MNIST's 0..255 have 85
TINY = 0.01  # the largest value of all: the scaled diabetes columns, up to 0.2, still do
RATIO = 1e3, 1e5  # between the largest values of two columns: warning, error
REACH = 400.0  # times the root mean square: California's longest tail is at 173 to 278, MNIST pixel by pixel at 2247
TYPICAL = 1e4  # times the median deviation: California's longest tail is at 1411
FAR, GAP, TOP = 100.0, 30.0, 10  # median deviations, and 30 times the next value, for the largest 10: a tail has no gap
HUGE = np.float64(1e100)  # which float32 can't hold
HARMLESS = 5.5  # times the root mean square: QuantileNormalize gives at most 5.2


def too_large(values: Array, missing: bool = False) -> Array:
    """Return where values are NaN (unless they may be missing), infinite, or so large that their squares are."""
    if values.dtype.kind != "f":
        return np.zeros(values.shape, bool)
    return ~(np.abs(values) <= HUGE) & ~(missing & np.isnan(values))


def not_finite(patient: Patient) -> Iterator[Finding]:
    """NaN and infinity spread to every weight in one step."""
    where, counts = [], []
    for part in ("train", "val", "test"):
        split = getattr(patient.data, part)
        for name, array in (("x", split.x), ("y", split.y)):
            wrong = too_large(array, missing=name == "x" and bool(patient.data.categories))
            if not wrong.any():
                continue
            bad = wrong.reshape(len(array), -1)
            columns = np.flatnonzero(bad.any(axis=0)).tolist()
            where.append(f"{part}: {patient.columns(columns) if name == 'x' else 'the target'}")
            rows = np.flatnonzero(bad.any(axis=1))
            counts.append(f"{len(rows)} of {len(array)} {part} rows, the first is row {rows[0]}")
    if where:
        yield Finding(
            "nan-values",
            "error",
            "; ".join(where),
            f"NaN, infinite, or beyond {HUGE:g} in {'; '.join(counts)}",
            "One such value makes the loss NaN, and then its gradient makes every weight NaN.",
            "drop these rows, or fill the gaps, for example with the column's median in the training rows",
            "IEEE 754: every operation on NaN gives NaN",
        )


def empty(patient: Patient) -> Iterator[Finding]:
    """A column without a single value holds no information."""
    train = patient.parts.get("train")
    if train is None or not patient.data.schema:
        return
    columns = np.flatnonzero(np.isnan(train.x).all(axis=0)).tolist()
    names, width = patient.with_left_out(columns, EMPTY)
    count = len(names)
    if count:
        yield Finding(
            "empty-column",
            "error" if count == width else "warning",
            columns_named(names),
            f"of {width} columns, {count} without a single value in all {len(train)} training rows",
            "There is nothing to learn from."
            if count == width
            else "It holds no information, and a value that comes later is ignored.",
            "leave it out of the table, and find out why it is empty: is it read correctly, are the rows sorted?",
            "by definition",
        )


def constant(patient: Patient) -> Iterator[Finding]:
    """A column that never changes holds no information."""
    train = patient.parts.get("train")
    if train is None or len(train) < 2:
        return
    seen = patient.some(train).x
    columns = np.flatnonzero(seen.max(axis=0) == seen.min(axis=0))
    columns = columns[(train.x[:, columns] == train.x[0, columns]).all(axis=0)]
    names, width = patient.with_left_out(columns.tolist(), CONSTANT)
    count = len(names)
    if count > (CONSTANT_PIXELS * width if patient.is_image else 0):
        yield Finding(
            "constant-column",
            "warning" if count == width else "note",
            columns_named(names),
            f"of {width} columns, {count} with one value in all {len(train)} training rows",
            "They can't distinguish rows. If they change in new rows, their weights have learned nothing.",
            "leave them out of the table, and see why they are constant",
            "by definition",
        )


def duplicate(patient: Patient) -> Iterator[Finding]:
    """Two columns that hold the same information: equal, or one a straight line over the other."""
    train = patient.parts.get("train")
    if train is None or patient.is_image or train.x.shape[1] < 2:
        return
    x = patient.filled(patient.some(train).x).astype(np.float64)
    columns = np.flatnonzero((x != np.median(x, axis=0)).sum(axis=0) >= DIFFERENT)
    z = x[:, columns] - x[:, columns].mean(axis=0)
    z /= np.linalg.norm(z, axis=0)
    # Equal columns have equal projections on anything: only neighbours need be compared.
    projection = np.abs(np.random.default_rng(patient.seed).standard_normal(len(z)) @ z)
    order = np.argsort(projection, kind="stable")
    one, other = order[:-1], order[1:]
    same = np.abs(np.einsum("nc,nc->c", z[:, one], z[:, other])) > 1 - SAME
    pairs = sorted(tuple(sorted(map(int, pair))) for pair in zip(columns[one[same]], columns[other[same]], strict=True))
    if pairs:
        shown = "; ".join(patient.columns(pair) for pair in pairs[:3])
        yield Finding(
            "duplicate-column",
            "warning",
            shown + (f"; {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""),
            f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''} with a correlation of 1 or -1 in {len(x)} training rows",
            "Their information counts twice, and the network is larger than necessary.",
            "leave one of each pair out of the table",
            "by definition, up to the rounding of float64",
        )


def unscaled(patient: Patient) -> Iterator[Finding]:
    """The first trained layer wants columns of about unit size, and of about the same."""
    train = patient.parts.get("train")
    first = next((layer for layer in patient.net.layers if layer.size), None)
    if train is None or isinstance(first, BatchNorm):
        return
    x = patient.inputs(patient.some(train).x)
    largest = np.abs(x).max(axis=0)
    size = np.sqrt(np.square(x).mean(axis=0))
    # A constant column counts only if it isn't centred: of centring, rounding leaves 1e-16.
    used = np.flatnonzero(np.isfinite(size) & ((x != x[0]).any(axis=0) | (size > 1)))
    if not len(used):
        return
    total = float(np.sqrt(np.square(size[used]).mean()))
    big, small = used[largest[used].argmax()], used[largest[used].argmin()]
    ratio = 1.0 if patient.is_image else float(largest[big] / largest[small])
    if not (total > ROOT_MEAN_SQUARE[0] or ratio > RATIO[0] or largest[big] < TINY):
        return
    severe = total > ROOT_MEAN_SQUARE[1] or ratio > RATIO[1]
    evidence = f"the first trained layer gets values of root mean square {total:.3g}"
    if not patient.is_image and big != small:
        same = x.shape[1] == patient.data.n_in  # then it is known which column each came from
        one, other = (patient.column(big), patient.column(small)) if same else ("one of them", "another")
        evidence += f", up to {largest[big]:.3g} in {one} and {largest[small]:.3g} in {other}"
    scaled = any(isinstance(layer, Standardize) for layer in patient.net.layers)
    layer = "gn.Standardize(per_feature=False)" if patient.is_image else "gn.Standardize()"
    worst = used[np.argsort(-size[used], kind="stable")]
    yield Finding(
        "unscaled-columns",
        "error" if severe else "warning",
        "all pixels" if patient.is_image or x.shape[1] != patient.data.n_in else patient.columns(worst.tolist()),
        evidence,
        "The loss is steep along large columns and flat along small ones: no learning rate fits both, and activations"
        " start far out.",
        "gn.QuantileNormalize as the first layer" if scaled else f"{layer} as the first layer",
        LECUN + CALIBRATED,
    )


def extreme(patient: Patient) -> Iterator[Finding]:
    """A few values hundreds of deviations out."""
    train = patient.parts.get("train")
    if train is None:
        return
    seen = patient.inputs(patient.filled(patient.some(train, FEW).x))
    if seen.shape[1] != patient.data.n_in or not np.isfinite(seen).all():
        return
    size = float(np.sqrt(np.square(seen).mean()))
    median = np.median(seen, axis=0)
    usual = _usual_deviation(seen - median)
    reach, outliers, far = {}, set[int](), np.zeros(len(median))
    for part, split in patient.parts.items():
        # Preprocessing keeps the order within a column, so that its extremes become extremes.
        x = patient.filled(split.x)
        ends = patient.inputs(np.stack([x.min(axis=0), x.max(axis=0)]))
        reach[part] = np.abs(ends).max(axis=0) / max(size, 1e-300)
        if part == "train":
            far = np.abs(ends - median).max(axis=0) / usual
            varied = (seen != median).sum(axis=0) > DIFFERENT
            alone = np.zeros(len(far), bool) if patient.is_image else (far > FAR) & _far_from_the_next(x)
            outliers.update(np.flatnonzero(((far > TYPICAL) | alone) & varied & (reach[part] > HARMLESS)).tolist())
    farthest = np.max(list(reach.values()), axis=0)
    columns = sorted(outliers.union(np.flatnonzero(farthest > REACH).tolist()), key=lambda c: -farthest[c])
    if not columns:
        return
    first = int(columns[0])
    part = max(reach, key=lambda name: reach[name][first])
    values = patient.filled(patient.parts[part].x)[:, first]
    row = int(np.abs(values - np.median(values)).argmax())
    yield Finding(
        "extreme-values",
        "warning",
        patient.columns(columns),
        f"{patient.column(first)} is {values[row]:.4g} in a {part} row and reaches the first trained layer as"
        f" {reach[part][first] * size:.3g}: {reach[part][first]:.0f} times the root mean square of all inputs"
        + (f", and {far[first]:.3g} times its column's median deviation" if first in outliers else ""),
        "Such a value outweighs all others in its row, and in the training part it squashes its column's other values.",
        "look at these rows for typing errors; gn.QuantileNormalize bounds columns at 5.2, and for pixels"
        " gn.Standardize(per_feature=False) doesn't blow up nearly constant ones",
        CALIBRATED,
    )


def _far_from_the_next(x: Array) -> Array:
    """Whether some of the largest deviations of each column of x (N, width) are many times the one after them."""
    away = np.abs(x - np.median(x, axis=0))
    top = np.sort(np.partition(away, -min(TOP + 1, len(x)), axis=0)[-min(TOP + 1, len(x)) :], axis=0)
    return (top[1:] > GAP * top[:-1]).any(axis=0) & (top[0] > 0)


def _usual_deviation(away: Array) -> Array:
    """The median of each column's absolute deviations (N, width) that aren't 0; infinite in a constant column."""
    size = np.sort(np.abs(away), axis=0)
    zeros = (size == 0).sum(axis=0)
    middle = np.minimum(zeros + (len(size) - zeros) // 2, len(size) - 1)
    return np.where(zeros < len(size), size[middle, np.arange(size.shape[1])], np.inf)


CHECKS = (not_finite, empty, constant, duplicate, unscaled, extreme)
