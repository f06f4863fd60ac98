"""A whole network as an ONNX model: preprocessing, layers, outputs, and its description."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from glassnet.exchange import columns
from glassnet.exchange.bounds import write_bounds
from glassnet.exchange.networks import write_network, write_together
from glassnet.exchange.outputs import classes_of, outputs_of, write_outputs
from glassnet.extras import need
from glassnet.files import replacing
from glassnet.intervals import ClassSets, ValueIntervals
from glassnet.nn import Ensemble, Layer, Network, Preprocessing, Sigmoid, Softmax
from glassnet.version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto


# All operators used are in opset 13 of 2020. Runtimes and converters of the last years read its files (IR 7). A newer
# one would bring nothing.
OPSET, IR = 13, 7
NAMED = 30  # columns, at most, that the description of x lists
FLOATS = {"float": "float32", "double": "float64"}  # NumPy's names of ONNX's types
TYPES = ("float32", "float64", "uint8", "int64")


def export(
    net: Network | Ensemble,
    path: str | os.PathLike[str],
    *,
    outputs: str | None = None,
    classes: npt.ArrayLike | None = None,
    input_dtype: npt.DTypeLike | None = None,
) -> None:
    """Write a network, or an ensemble, to an ONNX file, atomically: it takes raw rows, as `predict` does.

    The arguments are those of `glassnet.exchange.to_onnx`, which describes the model's inputs and outputs. Raises
    ValueError as it does, OSError if the file can't be written.
    """
    save(to_onnx(net, outputs=outputs, classes=classes, input_dtype=input_dtype), path)


def to_onnx(
    net: Network | Ensemble,
    *,
    outputs: str | None = None,
    classes: npt.ArrayLike | None = None,
    input_dtype: npt.DTypeLike | None = None,
    intervals: ValueIntervals | ClassSets | None = None,
    coverage: float = 0.9,
) -> ModelProto:
    """Return a network, or an ensemble with its mean, as an ONNX model, checked by onnx.checker.

    It takes x (N, n_in), any number N of rows, and gives y (N, n_out), the numbers of `predict`. `outputs` adds:

    - "identity": nothing, for a regression.
    - "softmax": probabilities (N, n_out), as `predict_proba` gives, and label (N,), the most probable class,
      or that of the least expected cost, if a run was trained to decide so.
    - "logistic": for one output, the logit of the second of two classes, probabilities (N, 2) and label (N,). For
      several, which are flags, probabilities (N, n_out) and label (N, n_out), 1 where the probability is above 0.5.

    By default the task in `net.info` decides, as in a run's network. `classes` are the labels, whole numbers or text.
    By default they are those in `net.info`, as whole numbers if all their names are such.

    input_dtype: the type of x, by default the network's: "float32", "float64" (for columns that need more than seven
    digits, such as times in seconds), "uint8" or "int64". y is the result of `predict` for rows of that type: in the
    network's type, or float64 from an Unstandardize.
    By default a network that was trained on a table with other columns than numbers takes no x. Each column is an input
    of its own then, (N, 1), under its name: text for categories, booleans, dates and times, float64 for numbers. y is
    the result of `predict` for float64.

    intervals: those of a run. For values they add lower and upper (N, 1), bounds that hold the share `coverage` of the
    values, and for classes set (N, n_out), whether each class is in the set that holds the true one as often.

    Raises NotInstalledError without onnx, ValueError if preprocessing isn't fitted, if a user's own layer has no method
    `onnx`, and for arguments that don't fit.
    """
    need("onnx", "onnx")
    import onnx

    from glassnet.exchange.graph import Graph

    schema = columns.columns_of(net.info) if input_dtype is None else ()
    dtype = _input_type(net, np.float64 if schema else input_dtype)
    layers = (net.networks[0] if isinstance(net, Ensemble) else net).layers  # whose first and last speak for all
    if net.n_in is None:
        raise ValueError("no layer fixes the width of a row, which an ONNX model must name: add one, such as gn.Dense")
    with np.errstate(all="ignore"):
        width = net.predict(np.zeros((1, net.n_in), dtype)).shape[1]  # or raises ValueError: something isn't fitted
    if outputs is None:
        outputs = outputs_of(net.info, layers[-1], width, classes)
    if classes is None and outputs in ("softmax", "logistic"):
        classes = classes_of(net.info)

    graph = Graph(net.dtype)
    if schema:
        x = columns.write_columns(graph, schema)
    else:
        x = graph.input("x", dtype, ["N", net.n_in], _rows(net.info, layers[0]))
    y = write_together(graph, net, x) if isinstance(net, Ensemble) else write_network(graph, net, x)
    graph.output("y", y, ["N", width], _meaning(net.info, layers[-1], outputs))
    write_outputs(graph, layers[-1], y, width, outputs, classes, net.info.get("decision"))

    if intervals is not None:
        write_bounds(graph, intervals, coverage, x, "y" if isinstance(intervals, ValueIntervals) else "probabilities")

    about = _about(net.info) | ({} if classes is None else {"classes": np.asarray(classes).tolist()})
    helper = onnx.helper
    model = helper.make_model(
        helper.make_graph(graph.nodes, "glassnet", graph.inputs, graph.outputs, graph.constants),
        opset_imports=columns.opsets() if schema else [helper.make_opsetid("", OPSET)],
        ir_version=columns.IR if schema else IR,
        producer_name="glassnet",
        producer_version=__version__,
        doc_string=about.get("description", repr(net)),
    )
    helper.set_model_props(model, {k: v if isinstance(v, str) else json.dumps(v) for k, v in about.items()})
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ValueError(f"a layer isn't written as ONNX has it: {' '.join(str(error).split())}") from None
    return model


def save(model: ModelProto, path: str | os.PathLike[str]) -> None:
    """Write a model to a file, atomically. Raises OSError, or ValueError if `path` is a folder."""
    with replacing(path) as part:
        part.write_bytes(model.SerializeToString())


def signature(model: ModelProto) -> str:
    """Describe the inputs and outputs of a model: "x float32 (N, 8) -> y float32 (N, 1)"."""
    from onnx import TensorProto

    def words(values: Any) -> str:
        parts = []
        for value in values:
            tensor = value.type.tensor_type
            sizes = [dimension.dim_param or str(dimension.dim_value) for dimension in tensor.shape.dim]
            kind = TensorProto.DataType.Name(tensor.elem_type).lower()
            parts.append(f"{value.name} {FLOATS.get(kind, kind)} ({', '.join(sizes)})")
        return ", ".join(parts)

    return f"{words(model.graph.input)} -> {words(model.graph.output)}"


def _input_type(net: Network | Ensemble, given: npt.DTypeLike | None) -> np.dtype[Any]:
    try:
        dtype = np.dtype(net.dtype if given is None else given)
        if dtype.name in TYPES:
            return dtype
    except TypeError:
        pass
    raise ValueError(f"the type of the input must be one of {', '.join(TYPES)}, not {given!r}")


def _about(info: dict[str, Any]) -> dict[str, Any]:
    """The model's description of itself: names, without which its columns and numbers mean nothing."""
    names = (
        "task",
        "features",
        "categories",
        "kinds",
        "dates",
        "target",
        "image_shape",
        "image_maximum",
        "description",
        "decision",
    )
    return {name: value for name in names if (value := info.get(name))}


def _rows(info: dict[str, Any], first: Layer) -> str:
    what = "raw rows" if isinstance(first, Preprocessing) else "rows"
    features = [str(name) for name in info.get("features") or ()]
    if info.keys() >= {"image_shape", "image_maximum"}:
        height, width = info["image_shape"]
        return f"{what}: images of {height} x {width} pixels, bright on black, 0 to {info['image_maximum']}"
    return f"{what}: {', '.join(features)}" if 0 < len(features) <= NAMED else what


def _meaning(info: dict[str, Any], last: Layer, outputs: str) -> str:
    if outputs in ("softmax", "logistic"):
        return "probabilities" if isinstance(last, Softmax | Sigmoid) else "scores before " + outputs
    return str(info.get("target") or "the outputs of the last layer")
