"""ONNX Runtime, which only predicts."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from race.cases import THREADS, Parameters
from race.contenders import Predict


def predictor(weights: Parameters) -> Predict:
    """A session on a model of Gemm and Relu."""
    nodes, constants, last = [], [], "x"
    for i, (W, b) in enumerate(weights):
        constants += [numpy_helper.from_array(W, f"W{i}"), numpy_helper.from_array(b, f"b{i}")]
        nodes.append(helper.make_node("Gemm", [last, f"W{i}", f"b{i}"], [f"y{i}"]))
        nodes.append(helper.make_node("Relu", [f"y{i}"], [f"z{i}"]))
        last = f"z{i}"
    output = nodes[-2].output[0]
    graph = helper.make_graph(
        nodes[:-1],
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", len(weights[0][0])])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["rows", len(weights[-1][1])])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda x: np.asarray(session.run([output], {"x": x})[0])
