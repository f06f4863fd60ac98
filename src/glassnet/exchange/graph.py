"""A graph in the making: nodes, constants, and the type of every value in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

TRUTH, INDEX = np.dtype(bool), np.dtype(np.int64)
# The type of a result that isn't the type of the first input. Where counts from its second: the first is a condition.
RESULTS: dict[str, np.dtype[Any]] = {
    "Equal": TRUTH,
    "Greater": TRUTH,
    "GreaterOrEqual": TRUTH,
    "Less": TRUTH,
    "LessOrEqual": TRUTH,
    "ArgMax": INDEX,
    "IsNaN": TRUTH,
    "RegexFullMatch": TRUTH,
}


class Graph:
    """A layer writes itself into a graph: `add` adds a node and returns the name of its result, for the next one.

    dtype: the network's type, which the values between layers have. types: the type of each value, by name.
    place: the layer that is being written, such as "1.Dense", after which its nodes and constants are called.
    """

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.types: dict[str, np.dtype[Any]] = {}
        self.place = ""
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self.inputs: list[ValueInfoProto] = []
        self.outputs: list[ValueInfoProto] = []

    def add(self, op: str, *inputs: str | npt.ArrayLike, outputs: int = 1, **attributes: Any) -> str:
        """Add a node of the ONNX operator `op` and return the name of its result, of several `outputs` of the first.

        inputs: names of values, or numbers, which take the type of the values that they meet (arrays of whole numbers
        keep theirs).
        attributes: the operator's own, such as axis=1; https://onnx.ai/onnx/operators lists operators and attributes.
        """
        types = [self.type_of(each) for each in inputs if isinstance(each, str)]
        met = next((t for t in types if t.kind == "f"), None)
        names = [each if isinstance(each, str) else self.constant(self._numbers(each, met)) for each in inputs]
        result = self._unused(op)
        results = [result, *(f"{result}.{i}" for i in range(1, outputs))]
        self.nodes.append(helper.make_node(op, names, results, result, **attributes))
        self.types[result] = RESULTS.get(op, self.types[names[1 if op == "Where" else 0]])
        return result

    def constant(self, array: npt.ArrayLike) -> str:
        """Add an array of its own type and return its name, by which several nodes can take it."""
        array = np.asarray(array)
        name = self._unused("constant")
        self.constants.append(numpy_helper.from_array(array, name))
        self.types[name] = array.dtype
        return name

    def type_of(self, x: str) -> np.dtype[Any]:
        """Return the type of a value. Raises ValueError if there is none of that name."""
        if x not in self.types:
            raise ValueError(f"{self.place}: there is no value {x!r} in the graph; graph.add returns their names")
        return self.types[x]

    def cast(self, x: str, dtype: npt.DTypeLike) -> str:
        """Return x in another type; x itself if it has that already."""
        dtype = np.dtype(dtype)
        if self.type_of(x) == dtype:
            return x
        result = self.add("Cast", x, to=helper.np_dtype_to_tensor_dtype(dtype))
        self.types[result] = dtype
        return result

    def input(self, name: str, dtype: npt.DTypeLike, shape: list[int | str], words: str) -> str:
        """Declare the model's input. `words` describe it."""
        self.types[name] = np.dtype(dtype)
        self.inputs.append(self._declared(name, shape, words))
        return name

    def output(self, name: str, x: str, shape: list[int | str], words: str) -> None:
        """Declare the value x as a result of the model, under a name of its own. `words` describe it."""
        self.nodes.append(helper.make_node("Identity", [x], [name], name))
        self.types[name] = self.types[x]
        self.outputs.append(self._declared(name, shape, words))

    def _numbers(self, value: npt.ArrayLike, met: np.dtype[Any] | None) -> npt.NDArray[Any]:
        """Numbers in the type of the floating-point values that they meet."""
        array = np.asarray(value)
        if array.dtype.kind == "f":
            return array.astype(met or self.dtype)
        return array.astype(met) if met is not None and isinstance(value, int) else array

    def _declared(self, name: str, shape: list[int | str], words: str) -> ValueInfoProto:
        dtype = self.types[name]
        kind = TensorProto.STRING if dtype.kind == "O" else helper.np_dtype_to_tensor_dtype(dtype)
        return helper.make_tensor_value_info(name, kind, shape, words)

    def _unused(self, word: str) -> str:
        """A name for a node or constant of the layer that is being written."""
        return f"{self.place}/{word}_{len(self.nodes) + len(self.constants)}"
