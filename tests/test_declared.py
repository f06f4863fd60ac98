"""Arrays from files are checked against what the layers declare, before anything is made of them."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.nn import declared, load_model, selfcheck
from glassnet.nn.described import layer_types
from glassnet.nn.storage import read_arrays, write_arrays
from glassnet.recipes.identity import check_info
from mutated_files import plain_network, rows, run, sources, table_network, train

SIZE = table_network().theta.size


def test_mutated_files_are_refused_or_work(tmp_path: Path) -> None:
    assert min(run(300, tmp_path).values()) > 0


def test_every_layer_declares_its_state_as_it_is() -> None:
    for net in {case.layer: case.net for case in selfcheck.cases()}.values():
        declared.check_whole_state(net.layers, net.n_in, net.state())
        for layer in net.layers:
            assert set(layer.state_shapes(None)) == set(layer.state)


@pytest.mark.parametrize(
    ("name", "array", "fault"),
    [
        ("0.fan_in", np.zeros(3), "0.fan_in is no array of these layers"),
        ("1.forward", np.zeros(3), "1.forward is no array of these layers"),
        ("W", np.zeros(3), "W is no array of these layers"),
        ("1.W", np.zeros((4, 8), np.float32), r"1.W has shape \(4, 8\), not \(4, 9\)"),
        ("1.W", np.zeros((4, 9)), "1.W holds float64, not float32"),
        ("1.W", np.full((4, 9), np.nan, np.float32), "1.W holds NaN or infinity"),
        ("0.mean", np.zeros(7), r"0.mean has shape \(7,\), not \(4,\)"),
        ("0.mean", np.zeros(4, np.int64), "0.mean holds int64, not float64"),
        ("0.scale", np.zeros(4), "0.scale holds 0"),
        ("2.running_var", np.full(9, -1.0), "2.running_var holds a negative number"),
        ("2.running_var", None, "2.running_var is missing"),
        ("6.beta", None, "6.beta is missing"),
    ],
)
def test_an_array_that_is_not_as_declared_is_named(
    tmp_path: Path, name: str, array: np.ndarray | None, fault: str
) -> None:
    net, path = plain_network(), tmp_path / "model.safetensors"
    train(net)
    arrays = {n: a for n, a in (net.arrays() | {name: array}).items() if a is not None}
    write_arrays(path, arrays, {"network": net.describe()})
    with pytest.raises(ValueError, match=f"model.safetensors holds no network that this glassnet can build: {fault}$"):
        gn.Network.load(path)


@pytest.mark.parametrize(
    ("name", "array", "fault"),
    [
        ("mean/theta", np.zeros(3, np.float32), "mean/theta has shape"),
        ("mean/theta", np.zeros(SIZE), "mean/theta holds float64, not float32"),
        ("best/theta", None, "best/theta is missing"),
        ("best/2.edges", np.zeros((1, 1)), r"2.edges has shape \(1, 1\), not \(5, 2\)"),
        ("best/3.low", np.zeros(1), r"3.low has shape \(1,\), not \(5,\)"),
        ("best/2.edges", np.zeros((5, 2)), "2.edges must rise"),
        ("2.edges", np.full((5, 2), np.nan), "2.edges must rise"),
        ("optimizer/m", np.zeros(3, np.float32), "optimizer/m has shape"),
        ("optimizer/step", np.zeros(3), "optimizer/step is no part of this training"),
        ("history/step_lr", np.zeros(3), "history/step_lr has shape"),
        ("epochs", [{"epoch": 1}] * 2, "row 1 of epochs is"),
        ("epochs", "none", "epochs must be at most 2 rows"),
        ("steps", -1, "steps must be a whole number"),
        ("best", {"epoch": 9, "score": [0.0, 0.0]}, "best is"),
        ("best", {"epoch": 1, "score": ["a", 0.0]}, "best is"),
        ("settings", [], "its settings are"),
    ],
)
def test_a_damaged_checkpoint_changes_nothing(tmp_path: Path, name: str, array: Any, fault: str) -> None:
    path = tmp_path / "checkpoint.safetensors"
    train(table_network(), [gn.Checkpoint(path)])
    arrays, header = read_arrays(path)
    if name in header:
        header[name] = array
    else:
        arrays = {n: a for n, a in (arrays | {name: array}).items() if a is not None}
    write_arrays(path, arrays, header)
    net = table_network()
    before = net.theta.copy()
    with pytest.raises(ValueError, match=rf"^{path} .*{fault}"):
        train(net, resume=path)
    np.testing.assert_array_equal(net.theta, before)


@pytest.mark.parametrize(
    "layers",
    [
        [{"type": "Dense", "fan_in": 10**7, "fan_out": 10**7}],
        [{"type": "BatchNorm", "width": 10**12}],
        [{"type": "Rotations", "width": 3, "angles": 10**12}, {"type": "Dense", "fan_in": 4, "fan_out": 1}],
        [{"type": "PiecewiseLinear", "width": 10**9, "dim": 10**9}],
        [{"type": "ReLU"}] * 100_000 + [{"type": "Dense", "fan_in": 2, "fan_out": 3}],
    ],
    ids=lambda layers: layers[0]["type"],
)
def test_a_network_is_never_larger_than_its_file(tmp_path: Path, layers: list[dict[str, Any]]) -> None:
    path = tmp_path / "model.safetensors"
    network = {"layers": layers, "dtype": "float32", "seed": 0, "info": {}}
    write_arrays(path, {"0.W": np.zeros((2, 2), np.float32)}, {"network": network})
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="can build") as refused:
            load_model(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * path.stat().st_size + 10**6
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "Dense", "fan_in": [[1]], "fan_out": "2"},
        {"type": "Dense", "fan_in": 2, "fan_out": 2, "init": 5},
        {"type": "Dense", "fan_in": 2, "fan_out": 2, "init": ["he"]},
        {"type": "Dense", "fan_in": 2, "fan_out": 2, "lr_factor": 10**400},
        {"type": "Dense", "two\nlines": 1},
        {"type": ["Dense"]},
        {"type": "Columns", "categories": 5},
        "Dense",
        None,
    ],
)
def test_arguments_of_another_kind_are_refused_in_a_line(tmp_path: Path, entry: Any) -> None:
    path = tmp_path / "model.safetensors"
    network = {"layers": [entry], "dtype": "float32", "seed": 0, "info": {}}
    write_arrays(path, {"0.W": np.zeros((2, 2), np.float32)}, {"network": network})
    with pytest.raises(ValueError, match=f"^{path} holds no network that this glassnet can build: .+$"):
        gn.Network.load(path)


def test_only_layers_that_compute_can_be_named_by_a_file() -> None:

    known = dict(layer_types())
    assert not known.keys() & {
        "Noise",
        "Member",
        "Normalization",
        "Embedding",
        "Fitted",
        "Preprocessing",
        "Activation",
        "Layer",
        "RunningNorm",
        "FixedNoise",
    }
    assert known.keys() >= {type(layer).__name__ for case in selfcheck.cases() for layer in case.net.layers}


class Remembering(gn.Layer):
    """A layer of the user's own, which declares nothing: what it keeps may be anything."""

    state = ("seen", "names")

    def __init__(self) -> None:
        self.seen = np.zeros(0, np.int64)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        return x

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy


def test_a_layer_of_ones_own_needs_no_declaration(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    net = gn.Network([Remembering(), gn.Dense(4, 1)])
    net.layers[0].seen = np.array([[3, 1], [4, 1]])
    net.save(path)
    loaded = gn.Network.load(path)
    np.testing.assert_array_equal(loaded.layers[0].seen, [[3, 1], [4, 1]])
    assert loaded.layers[0].seen.dtype == np.int64
    np.testing.assert_array_equal(net.copy().layers[0].seen, loaded.layers[0].seen)


def test_what_was_set_in_another_type_is_saved_as_declared(tmp_path: Path) -> None:
    path, net = tmp_path / "model.safetensors", plain_network()
    net.fit_preprocessing(rows().train.x)
    net.layers[2].running_mean = np.ones(9, np.float32)
    net.save(path)
    loaded, x = gn.Network.load(path), rows().test.x
    np.testing.assert_allclose(loaded.predict(x), net.predict(x), rtol=1e-5)


def test_an_ensemble_holds_arrays_of_its_networks_alone(tmp_path: Path) -> None:
    arrays, header = sources(tmp_path)["ensemble plain_network"]
    path = tmp_path / "ensemble.safetensors"
    for name in ("2/1.W", "1.W", "x/1.W"):
        write_arrays(path, arrays | {name: np.zeros(1)}, header)
        with pytest.raises(ValueError, match=f"holds {name}, which is of none of its 2 networks"):
            gn.Ensemble.load(path)


def test_a_header_nested_too_deep_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "model.safetensors"
    for text in ("[" * 100_000 + "]" * 100_000, json.dumps([1]), json.dumps(3)):
        save_file({"a": np.zeros(1)}, path, metadata={"glassnet": text})
        with pytest.raises(ValueError, match="glassnet wrote"):
            load_model(path)


@pytest.mark.parametrize(
    ("layer", "name", "value"),
    [(2, "edges", np.zeros((1, 2))), (3, "low", np.zeros(1)), (3, "scale", np.ones((5, 1)))],
)
def test_the_kernels_touch_nothing_that_is_not_as_declared(layer: int, name: str, value: Any) -> None:
    net = table_network()
    train(net)
    net.predict(rows().test.x)
    setattr(net.layers[layer], name, value)
    assert net.engine.describe(net).startswith(f"NumPy ({layer}.{name} has shape")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task", "dreaming"), ("task", None), ("target", 3), ("features", 5), ("features", ["a"]),
        ("features", [1] * 4), ("features", ["a"] * 4), ("categories", [["a", "a"], [], [], []]),
        ("classes", ["a"]), ("classes", "ab"), ("kinds", ["number"] * 3), ("kinds", ["number", "x", [], 2]),
        ("categories", [["a"], 5, [], []]), ("categories", None), ("notations", ["$"]), ("image_shape", [2, 3]),
        ("image_shape", [4]), ("image_maximum", 0.5),
    ],
)  # fmt: skip
def test_what_a_run_says_of_its_rows_and_classes_is_checked(name: str, value: Any) -> None:
    net = plain_network()
    net.info = {"task": "regression", "target": "y", "features": list("abcd"), "classes": [], "kinds": ["number"] * 4}
    net.info |= {"categories": [[], [], [], ["a"]], "notations": {"a": "$1"}, "image_shape": [2, 2], "image_maximum": 1}
    check_info(net)
    net.info[name] = value
    with pytest.raises(ValueError, match=f"its {name} can't be "):
        check_info(net)
    del net.info[name]
    if name in ("task", "target", "features", "classes", "categories"):
        with pytest.raises(ValueError, match=f"it doesn't say its {name}"):
            check_info(net)
