"""Checks of the first forward and backward pass, before training."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from glassnet.data import Split
from glassnet.inspection.doctor.finding import Finding, Severity
from glassnet.inspection.doctor.looking import FLAT, LayerLook, layer_looks
from glassnet.inspection.doctor.patient import Patient, teach
from glassnet.inspection.doctor.structure import CALIBRATED
from glassnet.nn import BatchNorm, BinaryCrossEntropy, CrossEntropy, Dense, Softmax, Unstandardize
from glassnet.nn.gradcheck import GradientProbe, Row
from glassnet.nn.layer import Array
from glassnet.nn.noise import silenced
from glassnet.optim import Adam
from glassnet.train.metrics import baseline, score

KARPATHY = "Karpathy 2019, A Recipe for Training Neural Networks"
FEW, STEPS = 16, 400  # rows to learn by heart, and in how many steps of Adam
RIGHT, LEARNED = 0.8, 0.5  # the least share of rows that must be right, and the most of the variance that may be left
LOSS_FACTOR = {"classification": 4.0, "regression": 10.0}  # the loss at the start over that of knowing nothing
TINY = 1e-12  # a loss of knowing nothing that is less leaves nothing to learn
SMALL, LARGE = 1e-2, 1e2  # standard deviations of an activation's inputs
BIAS_NATS, BIAS_DEVIATIONS = 1.0, 4.0  # the largest distance of the last bias from that of the targets
DEAD = 0.5  # share of a layer's units
ENTRIES = 8  # of each gradient
GRADIENT = 1e-4  # the relative error of a wrong gradient: a right one has 1e-7 in float64
MIXED = 1e-3  # of the outputs' spread: a row's output may change by rounding when another row does


def untrained(patient: Patient) -> Iterator[Finding]:
    """Hidden units that start alike stay alike."""
    dense = [(i, layer) for i, layer in enumerate(patient.net.layers) if isinstance(layer, Dense)]
    alike = [
        (i, layer)
        for i, layer in dense[:-1]
        if layer.fan_out > 1 and np.ptp(layer.W, axis=1).max() == 0 and np.ptp(layer.b) == 0
    ]
    if alike:
        layer = alike[0][1]
        value = float(layer.W.flat[0])
        yield Finding(
            "zero-weights",
            "error",
            ", ".join(f"layer {i}, {layer!r}" for i, layer in alike[:3]),
            f"all {layer.fan_out} units have the same weights" + (f" ({value:g})" if np.ptp(layer.W) == 0 else ""),
            "Equal units compute equal outputs and get equal gradients: the layer never becomes more than one unit.",
            "draw the weights at random, as Dense does (init='he' or 'glorot')",
            "Goodfellow et al. 2016, Deep Learning, section 8.4",
        )


def gradient(patient: Patient) -> Iterator[Finding]:
    """Backward must be the derivative of forward: each layer's by itself, and from end to end that of them all."""
    few, net, rng = patient.some(patient.data.train, 8), patient.net, np.random.default_rng(0)
    wrong: list[tuple[int, Row]] = []
    try:
        for i, probe in enumerate(GradientProbe.of_layers(net, few.x)):
            wrong += [(i, row) for name in probe.gradients if _differs(row := probe.row(name, rng, ENTRIES))]
        where = ", ".join(f"layer {i}, {net.layers[i]!r}" for i in dict.fromkeys(i for i, _ in wrong))
        if not wrong:
            whole = GradientProbe(net, few.x, few.y, patient.training_loss)
            first = next(iter(whole.gradients))  # the first parameter
            wrong = [(0, row) for name in {first, "x"} if _differs(row := whole.row(name, rng, ENTRIES))]
            where = f"the loss, {patient.loss!r}"
    except ValueError:  # something isn't finite, which another check finds
        return
    if wrong:
        i, worst = max(wrong, key=lambda each: each[1].max_relative_error)
        changes = "a weighted sum of its outputs" if where.startswith("layer") else "the loss"
        names = dict.fromkeys("x" if row.name == "x" else row.name.partition(".")[2] for _, row in wrong)
        yield Finding(
            "wrong-gradient",
            "error",
            where,
            f"{worst.name} of layer {i} at {worst.worst}: backward gives {worst.analytic:.4g}, {changes} changes by"
            f" {worst.numeric:.4g}; wrong in {', '.join(f'd{name}' for name in names)}",
            "Training follows another direction than downhill; it may still seem to learn, and never gets far.",
            "check backward of the layer or loss named here with gn.gradcheck",
            "central differences in float64 (gn.gradcheck); right gradients agree to 1e-7",
        )


def _differs(row: Row) -> bool:
    return not row.max_relative_error <= GRADIENT


def mixed_rows(patient: Patient) -> Iterator[Finding]:
    """One example must not change another's output."""
    few = patient.some(patient.data.train, FEW).x
    if len(few) < 2:
        return
    other = few.copy()
    other[0] = few[-1]
    batch_norm = any(isinstance(layer, BatchNorm) for layer in patient.net.layers)
    net = patient.net.copy()
    for training in (False,) if batch_norm else (False, True):
        net.reseed(0)
        one = net.forward(few, training)[1:].astype(np.float64)
        net.reseed(0)
        two = net.forward(other, training)[1:].astype(np.float64)
        spread = float(one.std()) or 1.0
        change = float(np.abs(one - two).max())
        if np.isfinite(change) and change > MIXED * spread:
            mode = "training" if training else "inference"
            yield Finding(
                "mixed-rows",
                "error",
                f"{mode} mode",
                f"another first row changes the outputs of the other rows by up to {change:.3g}"
                f" (their standard deviation is {spread:.3g})",
                "A prediction then depends on which rows happen to be asked together; measured results mean little.",
                "look for a layer that computes over the rows (axis 0) instead of over the columns",
                KARPATHY,
            )
            return


def first_activations(patient: Patient) -> Iterator[Finding]:
    """The outputs of the layers at the start: neither silent nor faint nor huge."""
    looks = layer_looks(patient.net.copy(), patient.some(patient.data.train, 512).x, training=True)
    silent = [look for look in looks if look.dead >= DEAD]
    if silent and len(patient.data.train) >= FEW:
        yield dead_relu(silent[0], "error", "before training")
    dense = [look for look in looks if look.kind == "Dense"]
    hidden = dense[:-1]
    unbounded = [look for look in hidden if type(patient.net.layers[look.index + 1]) not in FLAT]
    for name, faulty, words in (
        ("vanishing-activations", [look for look in hidden if look.spread < SMALL], "faint"),
        ("exploding-activations", [look for look in unbounded if look.spread > LARGE], "huge"),
    ):
        if faulty:
            worst = faulty[-1]
            chain = ", ".join(f"{look.spread:.2g}" for look in dense)
            yield Finding(
                name,
                "warning",
                f"layer {worst.index}, {worst.name}",
                f"the outputs of the Dense layers have standard deviations {chain}",
                f"Signals that become {words} from layer to layer make gradients so too: some layers learn nothing, or"
                " all of them overshoot.",
                "initial weights of variance 2 / fan_in (init='he'), standardised inputs, or LayerNorm",
                "He et al. 2015 (arXiv:1502.01852), section 2.2; bounds " + CALIBRATED,
            )


def dead_relu(look: LayerLook, severity: Severity, when: str) -> Finding:
    """Describe ReLU units that no row reaches."""
    return Finding(
        "dead-relu",
        severity,
        f"layer {look.index}, {look.name}, {when}",
        f"{look.dead:.0%} of its units output 0 for every row looked at",
        "A unit that no row reaches gets no gradient: it stays silent, and learns nothing.",
        "start biases at 0, lower the learning rate, or use LeakyReLU or SiLU",
        "Lu et al. 2019 (arXiv:1903.06733); the share is " + CALIBRATED,
    )


def first_loss(patient: Patient) -> Iterator[Finding]:
    """A network that knows nothing should be as wrong as that, and not more."""
    sample = patient.sample
    net, loss = patient.net.copy(), patient.training_loss
    with np.errstate(all="ignore"):
        start = loss.forward(net.forward(sample.x, training=True), sample.y)
    if isinstance(patient.loss, CrossEntropy):
        nothing, words = math.log(max(2, patient.data.n_out)), "log C"
    elif isinstance(patient.loss, BinaryCrossEntropy):
        nothing, words = math.log(2), "log 2"
    else:
        nothing, words = baseline(sample, sample, loss)["loss"], "always the mean"
    limit = LOSS_FACTOR[patient.loss.task] * nothing
    if not (math.isfinite(start) and nothing > TINY and start > limit):
        return
    evidence = f"the loss is {start:.3g}; knowing nothing costs {nothing:.3g} ({words})"
    why = "The first steps only unlearn the accidental certainty of the start, and may overshoot doing it."
    advice = "smaller initial weights in the last layer, its bias at 0, and Unstandardize for values"
    with np.errstate(all="ignore"), silenced(net.layers):
        quiet = loss.forward(net.forward(sample.x, training=True), sample.y)
    if quiet <= limit:
        evidence += f"; without the noise of training it is {quiet:.3g}"
        why = "The noise drowns the signals of the layers, and with them the gradient."
        advice = "less noise: a smaller std of GaussianNoise, a lower rate of Dropout"
    yield Finding(
        "initial-loss",
        "warning",
        "before the first step",
        evidence,
        why,
        advice,
        KARPATHY + "; the factor is " + CALIBRATED,
    )


def last_bias(patient: Patient) -> Iterator[Finding]:
    """The last bias is the answer to a row of which nothing is known."""
    layers = patient.net.layers
    place = next((i for i in reversed(range(len(layers))) if layers[i].size), None)
    if place is None or not isinstance(last := layers[place], Dense):
        return
    y, b = patient.sample.y, last.b.astype(np.float64)
    if not b.any() or y.ndim > 1 or (patient.loss.task == "classification" and y.dtype.kind not in "iu"):
        return
    if patient.loss.task == "regression":
        unit = layers[-1]
        values = ((y - unit.mean) / unit.scale if isinstance(unit, Unstandardize) else y).astype(np.float64)
        off = float(np.abs(values.mean() - b).max()) / (float(values.std()) or 1.0)
        evidence = f"it is {b[0]:.4g}; the mean of the targets is {values.mean():.4g}, {off:.1f} deviations away"
        wrong = off > BIAS_DEVIATIONS
    else:
        logits = np.array([0.0, b[0]]) if len(b) == 1 else b
        share = np.bincount(y, minlength=len(logits))[: len(logits)] / len(y)
        guess = Softmax().forward(logits[None])[0]
        likely = share > 0
        worst = int(np.abs(share - guess).argmax())
        evidence = f"it says {guess[worst]:.1%} for class {worst}, the data {share[worst]:.1%}"
        wrong = float((share[likely] * np.log(share[likely] / guess[likely])).sum()) > BIAS_NATS
    if wrong:
        yield Finding(
            "output-bias",
            "warning",
            f"layer {place}, {last!r}, b",
            evidence,
            "Training first has to move this bias; until then every gradient is mostly about it.",
            "start it at 0, or at the logarithms of the classes' shares or the mean of the targets",
            KARPATHY + "; the distance is " + CALIBRATED,
        )


def learns_by_heart(patient: Patient) -> Iterator[Finding]:
    """A network that can't learn 16 rows by heart has a fault, for any data."""
    few = _distinct(patient.some(patient.data.train, 8 * FEW))
    if len(few) < 4 or len(np.unique(few.y)) < 2:
        return
    net, loss = patient.net.copy(), patient.loss
    if sum(isinstance(layer, Dense) for layer in net.layers) < 2:
        return  # a linear model needn't
    net.fast = True
    with silenced(net.layers):
        if not teach(net, patient.data, few, loss, Adam(3e-3), STEPS, len(few)):
            return  # what isn't finite is found in training
        outputs = net.forward(few.x, training=True)  # by the batch's statistics: few rows, few steps
    reached = score(outputs, few.y, loss)
    if loss.task == "classification":
        learned = reached["accuracy"] >= RIGHT
        evidence = f"{reached['accuracy']:.0%} of {len(few)} rows right"
    else:
        left = reached["mse"] / (float(patient.targets(few).var()) or 1.0)
        learned, evidence = left <= LEARNED, f"{left:.0%} of the variance of {len(few)} targets is left"
    if not learned:
        yield Finding(
            "cannot-overfit",
            "warning",
            "the network and the loss",
            f"after {STEPS} steps of Adam on the same few rows: {evidence}",
            "Even what could be learned by heart isn't: something between input and loss blocks it.",
            "check what the other findings name; look at gn.trace of a row",
            KARPATHY,
        )


def _distinct(split: Split) -> Split:
    """FEW rows that differ from each other."""
    _, first = np.unique(np.asarray(split.x), axis=0, return_index=True)
    chosen: Array = np.sort(first)[:FEW]
    return Split(split.x[chosen], split.y[chosen])


CHECKS = (gradient, mixed_rows, untrained, first_activations, last_bias, first_loss)
