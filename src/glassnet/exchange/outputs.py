"""The results of a deployed model besides the network's outputs: probabilities and a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from glassnet.nn import Layer, Sigmoid, Softmax

if TYPE_CHECKING:
    from glassnet.exchange.graph import Graph

KINDS = ("identity", "softmax", "logistic")


def outputs_of(info: dict[str, Any], last: Layer, width: int, classes: npt.ArrayLike | None) -> str:
    """Return the meaning of outputs, by given classes or a network's `info`: values, logits, or scores of classes."""
    if classes is None and info.get("task") != "classification":
        return "identity"
    return "logistic" if width == 1 or info.get("flags") or isinstance(last, Sigmoid) else "softmax"


def classes_of(info: dict[str, Any]) -> npt.NDArray[Any] | None:
    """The classes that an `info` names, if any, as whole numbers if all their names are such."""
    names = [str(name) for name in info.get("classes") or ()]
    if not names:
        return None
    whole = all(n.removeprefix("-").isdecimal() and n == str(int(n)) and len(n) < 19 for n in names)  # fits int64
    return np.array([int(name) for name in names] if whole else names)


def write_outputs(
    graph: Graph,
    last: Layer,
    y: str,
    width: int,
    kind: str,
    classes: npt.ArrayLike | None,
    decision: dict[str, Any] | None = None,
) -> None:
    """Declare the outputs that follow from the network's own, y (N, width): see `to_onnx`.

    decision: that of a run's network, with the "costs" of mistakes (C, C), by which the label is chosen.
    Raises ValueError for an unknown kind, or classes that don't fit.
    """
    if kind not in KINDS:
        raise ValueError(f"outputs must be one of {', '.join(KINDS)}, not {kind!r}")
    graph.place = "outputs"
    if kind == "softmax":
        p = y if isinstance(last, Softmax) else graph.add("Softmax", y, axis=1)
        _write_choice(graph, p, width, classes, decision)
    elif kind == "logistic":
        p = y if isinstance(last, Sigmoid) else graph.add("Sigmoid", y)
        if width == 1:
            _write_choice(graph, graph.add("Concat", graph.add("Sub", 1.0, p), p, axis=1), 2, classes, decision)
        else:
            _write_flags(graph, p, width, classes)


def _write_choice(
    graph: Graph, p: str, width: int, classes: npt.ArrayLike | None, decision: dict[str, Any] | None
) -> None:
    """One of several classes."""
    labels = _labels(classes, width)
    score, meaning = p, "the most probable class"
    if decision is not None:
        score, meaning = graph.add("MatMul", p, -np.array(decision["costs"])), "the class of the least expected cost"
    best = graph.add("ArgMax", score, axis=1, keepdims=0)
    graph.output("probabilities", p, ["N", width], f"of the classes {', '.join(map(str, labels))}; a row sums to 1")
    graph.output("label", graph.add("Gather", graph.constant(labels), best), ["N"], meaning)


def _write_flags(graph: Graph, p: str, width: int, classes: npt.ArrayLike | None) -> None:
    """Any of several classes."""
    labels = _labels(classes, width)
    flags = graph.cast(graph.add("Greater", p, 0.5), np.int64)
    graph.output("probabilities", p, ["N", width], f"of each of {', '.join(map(str, labels))}")
    graph.output("label", flags, ["N", width], "1 where the probability is above 0.5, else 0")


def _labels(classes: npt.ArrayLike | None, width: int) -> npt.NDArray[Any]:
    """The classes as ONNX has them: int64 or text; numbers with a fraction and truth values as they are."""
    labels = np.arange(width) if classes is None else np.asarray(classes)
    if labels.shape != (width,):
        raise ValueError(f"there are {width} classes by the network's outputs, but labels of shape {labels.shape}")
    if labels.dtype.kind in "fb":
        return labels
    if labels.dtype.kind in "iu":
        return labels.astype(np.int64)
    if labels.dtype.kind in "OUT" and all(isinstance(label, str) for label in labels):
        return labels.astype(object)
    raise ValueError(f"class labels are whole numbers or text, not {labels[0]!r}")
