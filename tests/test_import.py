"""Weights from PyTorch end up where they belong, or in one clear line."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import glassnet as gn
from glassnet.exchange import load_pytorch

Tensors = dict[str, np.ndarray]


def linear(rng: np.random.Generator, n_in: int, n_out: int) -> Tensors:
    return {"weight": rng.standard_normal((n_out, n_in)), "bias": rng.standard_normal(n_out)}


def norm(rng: np.random.Generator, width: int) -> Tensors:
    return {"weight": rng.standard_normal(width), "bias": rng.standard_normal(width)}


def batch_norm(rng: np.random.Generator, width: int) -> Tensors:
    running = {"running_mean": rng.standard_normal(width), "running_var": rng.uniform(0.5, 2, width)}
    return norm(rng, width) | running | {"num_batches_tracked": np.array(7)}


def sequential(**modules: Tensors) -> Tensors:
    """A state_dict, in PyTorch's order."""
    return {f"{name}.{key}": value for name, parts in modules.items() for key, value in parts.items()}


def network() -> gn.Network:
    return gn.Network(
        [
            gn.Dense(4, 6),
            gn.BatchNorm(6),
            gn.ReLU(),
            gn.Dropout(0.1),
            gn.Dense(6, 5),
            gn.LayerNorm(5),
            gn.Tanh(),
            gn.Dense(5, 2),
        ],
        "float64",
    )


@pytest.fixture
def tensors() -> Tensors:
    """What torch.nn.Sequential with the layers of `network` gives."""
    rng = np.random.default_rng(0)
    modules = {
        "0": linear(rng, 4, 6),
        "1": batch_norm(rng, 6),
        "4": linear(rng, 6, 5),
        "5": norm(rng, 5),
        "7": linear(rng, 5, 2),
    }
    return sequential(**modules)


def by_pytorch(t: Tensors, x: np.ndarray) -> np.ndarray:
    """The same layers as PyTorch's documentation has them."""
    x = x @ t["0.weight"].T + t["0.bias"]
    x = (x - t["1.running_mean"]) / np.sqrt(t["1.running_var"] + 1e-5) * t["1.weight"] + t["1.bias"]
    x = np.maximum(x, 0) @ t["4.weight"].T + t["4.bias"]
    x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * t["5.weight"] + t["5.bias"]
    return np.tanh(x) @ t["7.weight"].T + t["7.bias"]


@pytest.mark.parametrize("prefix", ["", "model.layers."])
def test_a_state_dict_in_a_file_or_a_mapping_gives_pytorchs_outputs(
    tensors: Tensors, prefix: str, tmp_path: Path
) -> None:
    x = np.random.default_rng(1).standard_normal((20, 4))
    named = {prefix + name: value for name, value in tensors.items()}
    save_file({name: np.ascontiguousarray(value) for name, value in named.items()}, tmp_path / "w.safetensors")
    for source in (named, tmp_path / "w.safetensors", str(tmp_path / "w.safetensors")):
        net = network()
        load_pytorch(net, source)
        np.testing.assert_allclose(net.predict(x), by_pytorch(tensors, x), rtol=1e-12)
    net = network().copy("float32")
    load_pytorch(net, tensors)
    assert net.layers[1].running_mean.dtype == np.float64  # as training and the kernels want it
    np.testing.assert_allclose(net.predict(x), by_pytorch(tensors, x), rtol=1e-4, atol=1e-5)
    x += 1
    np.testing.assert_allclose(net.predict(x), by_pytorch(tensors, x), rtol=1e-4, atol=1e-5)


def test_layers_of_a_file_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    modules = {f"fc{i}": linear(rng, 3, 3) for i in range(1, 13)}
    net = gn.Network([gn.Dense(3, 3) for _ in range(12)], "float64")
    save_file(sequential(**modules), tmp_path / "w.safetensors")
    load_pytorch(net, tmp_path / "w.safetensors")
    for layer, parts in zip(net.layers, modules.values(), strict=True):
        np.testing.assert_array_equal(layer.W, parts["weight"].T)


def test_words_keep_the_order_of_a_mapping_and_are_refused_where_a_file_has_lost_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    modules = {"inner": linear(rng, 3, 3), "hidden": linear(rng, 3, 3), "out": linear(rng, 3, 1)}
    net = gn.Network([gn.Dense(3, 3), gn.Dense(3, 3), gn.Dense(3, 1)], "float64")
    load_pytorch(net, sequential(**modules))
    np.testing.assert_array_equal(net.layers[0].W, modules["inner"]["weight"].T)
    save_file(sequential(**modules), tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"which comes first, hidden or inner\? Both have shape \(3, 3\)"):
        load_pytorch(net, tmp_path / "w.safetensors")


def test_what_a_module_goes_without_is_the_neutral_value(tensors: Tensors) -> None:
    net = network()
    net.theta += 1
    for name in ("0.bias", "1.weight", "1.bias", "5.bias"):
        del tensors[name]
    load_pytorch(net, tensors)
    for i, name, value in ((0, "b", 0), (1, "gamma", 1), (1, "beta", 0), (5, "beta", 0)):
        assert (getattr(net.layers[i], name) == value).all()
    single = gn.Network([gn.Dense(2, 1)])
    load_pytorch(single, {"weight": np.ones((1, 2)), "bias": np.zeros(1)})  # of a model that is one layer
    assert single.layers[0].W.tolist() == [[1], [1]]


def test_preprocessing_stays() -> None:
    x = np.random.default_rng(0).normal(5, 3, (30, 2))
    net = gn.Network([gn.Standardize(), gn.Dense(2, 1), gn.Unstandardize()])
    net.fit_preprocessing(x, x[:, 0])
    load_pytorch(net, {"0.weight": np.array([[1.0, 0.0]]), "0.bias": np.zeros(1)})
    np.testing.assert_allclose(net.predict(x)[:, 0], x[:, 0], rtol=1e-5, atol=1e-5)


def changed(tensors: Tensors, **changes: Any) -> Tensors:
    """The same with other tensors; None takes one out."""
    both = tensors | {name.replace("_", ".", 1): value for name, value in changes.items()}
    return {name: value for name, value in both.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"4_weight": np.ones((5, 7))},
            r"layer 4, Dense\(6, 5\), takes a weight of shape \(5, 6\), but 4.weight has shape \(5, 7\)",
        ),
        ({"4_bias": np.ones(6)}, r"layer 4, Dense\(6, 5\), takes a bias of shape \(5,\), but 4.bias has shape \(6,\)"),
        ({"1_running_var": None}, r"the state_dict lacks 1.running_var, which layer 1, BatchNorm\(6\), needs"),
        ({"7_weight": None, "7_bias": None}, r"the network has 3 Dense, the state_dict 2 Linear \(0, 4\)"),
        ({"9_weight": np.ones((2, 2))}, r"3 Dense, the state_dict 4 Linear \(0, 4, 7, 9\)"),
        ({"5_weight": None, "5_bias": None}, "1 LayerNorm, the state_dict 0 LayerNorm$"),
        ({"3_weight": np.ones((2, 2, 3, 3))}, r"3 is no Linear, .* or LayerNorm: it has weight \(2, 2, 3, 3\)"),
        ({"3_in_proj": np.ones((2, 2))}, r"3 is no Linear, .*: it has in_proj \(2, 2\)"),
        ({"0_weight": np.ones((6, 4), np.int8)}, r"0.weight holds int8, not float32 or float64: .*model.float\(\)"),
    ],
)
def test_what_doesnt_fit_is_named_and_changes_nothing(tensors: Tensors, changes: Any, message: str) -> None:
    net = network()
    before = net.theta.copy()
    with pytest.raises(ValueError, match=message):
        load_pytorch(net, changed(tensors, **changes))
    np.testing.assert_array_equal(net.theta, before)


class Scale(gn.Layer):
    parameters = ("s",)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"s": (2,)}


def test_a_layer_of_ones_own_has_no_counterpart() -> None:
    with pytest.raises(ValueError, match=r"layer 1, Scale\(\), has no counterpart in PyTorch"):
        load_pytorch(gn.Network([gn.Dense(2, 2), Scale()]), {})


class OnTheGraphicsCard:
    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


def test_what_cant_be_read_is_named(tensors: Tensors, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"0.bias can't be read as an array: can't convert cuda:0"):
        load_pytorch(network(), tensors | {"0.bias": OnTheGraphicsCard()})
    pickle = tmp_path / "w.pt"
    pickle.write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(ValueError, match=r"w.pt can't be read .*save_file.*; a pickle is never loaded") as error:
        load_pytorch(network(), pickle)
    assert "\n" not in str(error.value)
    header = json.dumps({"0.weight": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    half = tmp_path / "half.safetensors"
    half.write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0")
    with pytest.raises(ValueError, match=r"bfloat16.*model.float\(\)"):  # NumPy knows it by an extension, or not
        load_pytorch(network(), half)
    with pytest.raises(FileNotFoundError):
        load_pytorch(network(), tmp_path / "nowhere")
