"""Checks of the course of a training: the moves of the weights, the gradients, and the loss."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from glassnet.inspection.doctor.finding import Finding, Severity
from glassnet.inspection.doctor.looking import Look
from glassnet.inspection.doctor.record import Record
from glassnet.inspection.doctor.start import dead_relu
from glassnet.inspection.doctor.structure import CALIBRATED
from glassnet.nn.layer import Array
from glassnet.optim import SGD

# Update-to-weight ratios; about 1e-3 is healthy (Karpathy, CS231n, "Neural Networks Part 3").
LEAP, FAST, SLOW = 1.0, 0.1, 1e-5
EXPLODED = 10.0  # times the loss at the start, or of knowing nothing: beyond this, few steps are evidence enough
STILL = 0.02  # a loss that fell by less than this share stood still
ENOUGH = 20  # steps that the course of the loss needs as evidence
DEAD, SATURATED = 0.5, 0.6  # shares of units, and of outputs
FADED, GROWN = 1e-3, 1e3  # gradient at the first trained layer over that at the last
OUTWEIGHS = 1.0  # penalty over data
CLIPPED = 100.0  # gradient norm over clip_norm
SWING = 0.5  # of the loss, from one step to the next
LITTLE = 0.3  # a loss that fell by less than this share might have fallen further with smaller steps


def _ratios(record: Record, look: Look) -> list[float]:
    """The share of its norm by which a step moved each weight matrix, without those that grow from zero."""
    zero = {p.name for p in record.looks[0].parameters if p.size == 0}
    weights = [p for p in look.parameters if p.decayed and p.size > 0 and p.name not in zero]
    return [p.moved / p.size for p in weights if math.isfinite(p.moved)]


def _typical_ratio(record: Record) -> float:
    """The median over looks of the largest ratio; NaN if no step was measured."""
    ratios = [max(found) for each in record.looks[1:] if (found := _ratios(record, each))]
    return float(np.median(ratios)) if ratios else math.nan


def broken(record: Record) -> Iterator[Finding]:
    """NaN or infinity: by growing, or from one step to the next."""
    if record.failure is None:
        return
    losses = [loss for loss in record.losses if math.isfinite(loss)]
    largest = max((ratio for each in record.looks for ratio in _ratios(record, each)), default=0.0)
    if len(losses) > 1 and losses[-1] > 2 * losses[0]:
        yield _too_fast(record, f"the loss grew from {losses[0]:.3g} to {losses[-1]:.3g}, then: {record.failure}")
    elif largest > FAST:
        yield _too_fast(record, f"a step moved weights by {largest:.2g} times their size, then: {record.failure}")
    else:
        yield Finding(
            "not-finite",
            "error",
            f"step {record.failed}",
            record.failure,
            "Nothing can be learned from a loss that is no number, and the weights would be lost with it.",
            "look for a logarithm, root or division in the layer named; check the data for huge values",
            "IEEE 754: NaN and infinity spread through every operation",
        )


def _too_fast(record: Record, evidence: str) -> Finding:
    lr = record.optimizer.lr
    momentum = f", momentum {record.optimizer.momentum:g}" if isinstance(record.optimizer, SGD) else ""
    return Finding(
        "learning-rate-high",
        "error",
        f"lr {lr:g}{momentum}",
        evidence,
        "The gradient holds only nearby: a step that is too long lands higher, on the other side of the valley.",
        f"a learning rate of {lr / 10:g}, or clip_norm=1.0",
        "Goodfellow et al. 2016, Deep Learning, section 8.3.1; bounds " + CALIBRATED,
    )


def learning_rate(record: Record) -> Iterator[Finding]:
    """Steps so large that the loss doesn't fall, or so small that it hardly can."""
    if record.failure is not None or not record.losses:
        return
    ratio, fell, grew = _typical_ratio(record), record.fell, record.grew
    measured = [(max(found), each.step) for each in record.looks if (found := _ratios(record, each))]
    largest, step = max(measured, default=(0.0, 0))
    words = f"a step moves weights by {ratio:.1e} of their size"
    words += "" if fell is None else f"; the loss {_fell(fell)}"
    if largest > LEAP:
        yield _too_fast(record, f"step {step + 1} moved weights by {largest:.1f} times their size; typically {words}")
    elif grew > EXPLODED:
        last = record.looks[-1]
        yield _too_fast(record, f"after {last.step} steps the loss is {last.loss:.3g}, {grew:.2g} times what it was")
    elif len(record.losses) < ENOUGH or fell is None:
        return
    elif fell < -0.05 or (ratio > FAST and fell < LITTLE):
        yield _too_fast(record, words)
    elif ratio < SLOW and fell < 0.1:
        yield Finding(
            "learning-rate-low",
            "error",
            f"lr {record.optimizer.lr:g}",
            words,
            "At this pace the weights need a hundred thousand steps to change at all.",
            f"a learning rate of {record.optimizer.lr * 100:g}; raise it until an update is about 1e-3 of the weights",
            "Karpathy, CS231n, Neural Networks Part 3 (about 1e-3); bounds " + CALIBRATED,
        )


def _fell(share: float) -> str:
    """How the loss moved, in words: beyond a doubling a factor reads better than percent."""
    if share >= 0:
        return f"fell by {share:.0%}"
    return f"rose by {-share:.0%}" if share > -1 else f"rose {1 - share:.3g}-fold"


def loss_course(record: Record) -> Iterator[Finding]:
    """A loss that stands still, or jumps up and down."""
    if record.failure is not None or len(record.losses) < ENOUGH:
        return
    losses, fell = np.array(record.losses), record.fell
    swing = _swing(losses)
    if fell is None:
        return
    if swing > SWING and fell < LITTLE:
        yield Finding(
            "oscillating",
            "warning",
            f"{len(losses)} steps",
            f"from one step to the next the loss changes by {swing:.0%} of its size; it {_fell(fell)}",
            "The weights jump across the valley instead of going down in it.",
            "a lower learning rate, less momentum, or a larger batch",
            CALIBRATED,
        )
    elif abs(fell) < STILL:
        yield Finding(
            "stalled",
            "warning",
            f"{len(losses)} steps",
            f"the loss went from {record.looks[0].loss:.4g} to {record.looks[-1].loss:.4g}",
            "Nothing is being learned: the gradient is too small or says nothing about the targets.",
            "look at the findings beside this one; if there are none, check that targets belong to their rows",
            CALIBRATED,
        )


def _swing(losses: Array) -> float:
    """The median change of the loss from step to step in the later half, as a share of its mean."""
    late = losses[len(losses) // 2 :]
    return float(np.median(np.abs(np.diff(late))) / (np.abs(late).mean() or 1.0)) if len(late) > 1 else 0.0


def gradient_flow(record: Record) -> Iterator[Finding]:
    """Gradients that fade or grow on their way back to the first layer."""
    signals = _signals(record.looks[0]) if record.looks else []
    if len(signals) < 3 or not signals[-1] > 0:
        return
    ratio = signals[0] / signals[-1]
    chain = ", ".join(f"{signal:.1e}" for signal in signals)
    evidence = f"dL/dy at the Dense layers, first to last: {chain}"
    if ratio < FADED:
        yield Finding(
            "vanishing-gradients",
            "warning",
            "the first layers",
            evidence,
            "The error signal has faded by a factor of a thousand at the first layers, so they hardly learn.",
            "ReLU or SiLU instead of Sigmoid or Tanh, init='he', LayerNorm or BatchNorm, or fewer layers",
            "Glorot & Bengio 2010 (AISTATS); the factor is " + CALIBRATED,
        )
    elif ratio > GROWN:
        yield Finding(
            "exploding-gradients",
            "warning",
            "the first layers",
            evidence,
            "The first layers get gradients a thousand times as large as the last: no learning rate suits both.",
            "smaller initial weights (init='he'), LayerNorm or BatchNorm, clip_norm=1.0",
            "Pascanu et al. 2013 (arXiv:1211.5063); the factor is " + CALIBRATED,
        )


def _signals(look: Look) -> list[float]:
    return [layer.signal for layer in look.layers if layer.kind == "Dense"]


def saturated_at_start(record: Record) -> Iterator[Finding]:
    """Activations that begin at the ends of their range."""
    yield from _saturated(record.looks[0], "error") if record.looks else ()


def saturated(record: Record) -> Iterator[Finding]:
    """Activations that got stuck there."""
    yield from _saturated(record.looks[-1], "warning") if record.looks else ()


def _saturated(look: Look, severity: Severity) -> Iterator[Finding]:
    stuck = [layer for layer in look.layers if layer.saturated >= SATURATED]
    if stuck:
        worst = max(stuck, key=lambda layer: layer.saturated)
        yield Finding(
            "saturated-units",
            severity,
            f"layer {worst.index}, {worst.name}, after {look.step} steps",
            f"{worst.saturated:.0%} of its outputs lie at the ends of its range",
            "There the activation is flat: no gradient passes, and the weights before it stop learning.",
            "standardise the inputs, smaller initial weights (init='glorot'), a lower learning rate, or ReLU",
            "Glorot & Bengio 2010 (AISTATS), section 3; the share is " + CALIBRATED,
        )


def dead_units(record: Record) -> Iterator[Finding]:
    """ReLU units that died in training."""
    dead = [layer for layer in record.looks[-1].layers if layer.dead >= DEAD] if record.looks else []
    if dead:
        worst = max(dead, key=lambda layer: layer.dead)
        yield dead_relu(worst, "warning", f"after {record.looks[-1].step} steps")


def penalty(record: Record) -> Iterator[Finding]:
    """Regularisation that outweighs the data."""
    optimizer, looks = record.optimizer, record.looks
    if not looks or not record.losses or not (optimizer.l2 or optimizer.weight_decay):
        return
    early = [each for each in looks if each.step <= 16]
    pulls, decays = [], []
    for each in early:
        weights = [p for p in each.parameters if p.decayed]
        size = math.sqrt(sum(p.size**2 for p in weights))
        data = math.sqrt(sum(p.gradient**2 for p in weights))
        moved = math.sqrt(sum(p.moved**2 for p in weights if math.isfinite(p.moved)))
        pulls.append(optimizer.l2 * size / data if data > 0 else 0.0)
        decays.append(each.rate * optimizer.weight_decay * size / moved if moved > 0 else 0.0)
    start, end = looks[0].loss, looks[-1].loss
    at_end = optimizer.l2 / 2 * looks[-1].squares
    name = f"l2={optimizer.l2:g}"
    if at_end > OUTWEIGHS * end > 0 and at_end > 0.1 * start:
        evidence = f"the L2 penalty is {at_end:.3g}, the loss of the data {end:.3g}"
    elif np.median(pulls) > OUTWEIGHS:
        evidence = f"in the first steps its gradient is {np.median(pulls):.2g} times as large as that of the data"
    elif np.median(decays) > 0.5 * OUTWEIGHS:
        name = f"weight_decay={optimizer.weight_decay:g}"
        evidence = f"in the first steps decay makes up {np.median(decays):.0%} of the weights' moves"
    else:
        return
    yield Finding(
        "penalty-outweighs-data",
        "error",
        f"optimizer, {name}",
        evidence,
        "Training then makes the weights small rather than the predictions right.",
        f"{name.partition('=')[0]} a hundred times smaller, chosen by validation",
        "Krogh & Hertz 1992 (NIPS 4); the bounds are " + CALIBRATED,
    )


def clipping(record: Record) -> Iterator[Finding]:
    """A clip_norm far below every gradient: then lr loses its meaning. Adam doesn't mind."""
    limit = record.optimizer.clip_norm
    if limit is None or not isinstance(record.optimizer, SGD) or not record.looks:
        return
    share = float(np.median([each.gradient for each in record.looks])) / limit
    if share > CLIPPED:
        yield Finding(
            "clipped-always",
            "warning",
            f"optimizer, clip_norm={limit:g}",
            f"the gradient's norm is {share:,.0f} times the limit",
            "Each step is cut to the same tiny length: the learning rate is in effect divided by that number.",
            "clip_norm=1.0, or None",
            "Pascanu et al. 2013 (arXiv:1211.5063), section 3.2: a limit is set near the average norm",
        )


def best_weights(record: Record) -> Iterator[Finding]:
    """A rule for the best weights that never held."""
    if record.kept and not any(record.kept):
        yield Finding(
            "best-never-kept",
            "error",
            "the rule for the best weights",
            f"in {len(record.kept)} validated epochs no weights were kept",
            "At the end there are no weights to restore, or the restored ones were never trained.",
            "start the best score at infinity (-infinity if more is better), not at 0",
            "a rule that can't hold is no rule",
        )


CHECKS = (
    saturated_at_start,
    penalty,
    clipping,
    gradient_flow,
    learning_rate,
    broken,
    saturated,
    dead_units,
    loss_course,
    best_weights,
)
