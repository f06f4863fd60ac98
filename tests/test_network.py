"""Networks: flat views, shapes, determinism, files, and no allocation in the loop."""

from __future__ import annotations

import copy
import json
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.nn.storage import write_arrays


def mlp(dtype: str = "float32", seed: int = 0) -> gn.Network:
    return gn.Network([gn.Dense(4, 8), gn.BatchNorm(8), gn.ReLU(), gn.Dropout(0.2), gn.Dense(8, 3)], dtype, seed)


def test_parameters_are_views_into_theta_in_order() -> None:
    net = mlp()
    dense, norm, _, _, last = net.layers
    order = [dense.W, dense.b, norm.gamma, norm.beta, last.W, last.b]
    assert np.array_equal(net.theta, np.concatenate([p.ravel() for p in order]))
    assert [name for name, _, _ in net.named_parameters()] == ["0.W", "0.b", "1.gamma", "1.beta", "4.W", "4.b"]
    net.theta[:] = np.arange(net.theta.size)
    assert dense.W[0, 1] == 1
    dense.W[0, 1] = -5
    assert net.theta[1] == -5
    assert net.theta.flags["C_CONTIGUOUS"]
    assert net.grad.shape == net.theta.shape
    decayed = np.zeros(net.theta.size, bool)
    for part in net.decayed:
        decayed[part] = True
    assert decayed.sum() == dense.W.size + last.W.size
    assert decayed[: dense.W.size].all()


def test_backward_fills_grad_and_agrees_with_and_without_the_input_gradient() -> None:
    net = mlp("float64")
    loss = gn.CrossEntropy()
    x, t = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    loss.forward(net.forward(x, training=True), t)
    dx = net.backward(loss.backward())
    whole = net.grad.copy()
    assert dx is not None
    assert dx.shape == x.shape
    net.grad[:] = 7
    assert net.backward(loss.backward(), input_gradient=False) is None
    assert np.array_equal(net.grad, whole)


def test_equal_seeds_make_equal_networks_and_masks() -> None:
    x = np.ones((5, 4))
    assert np.array_equal(mlp(seed=3).theta, mlp(seed=3).theta)
    assert not np.array_equal(mlp(seed=3).theta, mlp(seed=4).theta)
    assert np.array_equal(mlp(seed=3).forward(x, training=True), mlp(seed=3).forward(x, training=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_has_the_dtype_asked_for(dtype: str) -> None:
    net = mlp(dtype)
    for x in (np.ones((2, 4)), np.ones((2, 4), np.float32), np.ones((2, 4), np.uint8), [[1, 2, 3, 4]]):
        assert net.forward(x).dtype == dtype
    assert net.theta.dtype == net.grad.dtype == dtype
    assert gn.Network([gn.Dense(2, 2)]).dtype == np.float32


def test_outputs_are_not_overwritten_by_the_next_call() -> None:
    net = mlp()
    first = net.forward(np.ones((3, 4)))
    kept = first.copy()
    net.forward(2 * np.ones((3, 4)))
    assert np.array_equal(first, kept)


def test_predict_works_through_many_rows_as_through_one() -> None:
    net = mlp()
    x = np.random.default_rng(0).normal(size=(2500, 4)).astype(np.float32)
    y = net.predict(x)
    np.testing.assert_allclose(y[1777:1778], net.predict(x[1777:1778]), rtol=1e-4, atol=1e-6)
    assert net.predict(x[:0]).shape == (0, 3)


def test_probabilities_of_scores_of_a_softmax_and_of_one_output() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4))
    net = mlp("float64")
    p = net.predict_proba(x)
    np.testing.assert_allclose(p, gn.Softmax().forward(net.predict(x)))
    ending = gn.Network([gn.Dense(4, 3), gn.Softmax()], "float64")
    np.testing.assert_array_equal(ending.predict_proba(x), ending.predict(x))
    one = gn.Network([gn.Dense(4, 1)], "float64")
    np.testing.assert_allclose(one.predict_proba(x)[:, 1], 1 / (1 + np.exp(-one.predict(x)[:, 0])))
    np.testing.assert_allclose(one.predict_proba(x).sum(axis=1), 1)
    sigmoid = gn.Network([gn.Dense(4, 1), gn.Sigmoid()], "float64")
    np.testing.assert_allclose(sigmoid.predict_proba(x)[:, 1:], sigmoid.predict(x))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: gn.Network([gn.Dense(4, 8), gn.ReLU(), gn.Dense(7, 3)]),
            ValueError,
            r"layer 2, Dense\(7, 3\), takes rows of 7 values, but layer 1, ReLU\(\), gives rows of 8",
        ),
        (lambda: gn.Network([gn.Dense(4, 8), gn.BatchNorm(3)]), ValueError, r"BatchNorm\(3\), takes rows of 3"),
        (lambda: gn.Network([]), ValueError, "at least one layer"),
        (lambda: gn.Network([gn.Dense(4, 8), "relu"]), TypeError, "layer 1 is 'relu': not a layer"),
        (
            lambda: gn.Network([gn.Dense(2, 2)], dtype="float16"),
            ValueError,
            "float32, float64 or bfloat16, not float16",
        ),
        (lambda: gn.Network([layer := gn.Dense(2, 2), layer]), ValueError, "is in a network already"),
    ],
)
def test_networks_that_cant_be_are_named(make, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((2, 5)), r"Dense\(4, 8\) takes an array of shape \(N, 4\), not one of shape \(2, 5\)"),
        (np.ones(4), r"not one of shape \(4,\)"),
        (np.array([["a", "b", "c", "d"]]), "takes numbers"),
    ],
)
def test_rows_that_dont_fit_are_named(x: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mlp().forward(x)


def test_summary_is_a_table_of_layers_shapes_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    mlp().summary()
    out = capsys.readouterr().out
    assert "Dense(4, 8)" in out
    assert "W (4, 8), b (8,)" in out
    assert out.splitlines()[-2].split() == ["total", "float32", "83"]
    assert out.splitlines()[-1].startswith("computed by ")


LAYERS = st.sampled_from(
    [
        gn.ReLU,
        gn.Tanh,
        gn.GELU,
        lambda: gn.LeakyReLU(0.2),
        lambda: gn.Dropout(0.3),
        lambda: gn.BatchNorm(5),
        lambda: gn.LayerNorm(5, eps=1e-3),
        gn.Softmax,
        lambda: gn.Dense(5, 5, init="normal(0.3)"),
    ]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(LAYERS, max_size=4), st.sampled_from(["float32", "float64"]), st.booleans(), st.integers(0, 99))
def test_a_saved_copied_or_pickled_network_is_the_same(tmp_path_factory, makers, dtype, quantile, seed) -> None:
    rng = np.random.default_rng(seed)
    first = gn.QuantileNormalize(20) if quantile else gn.Standardize()
    net = gn.Network(
        [first, gn.Dense(3, 5), *(make() for make in makers), gn.Dense(5, 2), gn.Unstandardize()], dtype, seed
    )
    x = rng.normal(2, 3, (30, 3))
    net.fit_preprocessing(x, rng.normal(5, 2, (30, 2)))
    net.forward(x, training=True)  # moves batch norm's running statistics
    net.info = {"features": ["a", "b", "c"]}
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    net.save(path)
    for other in (gn.Network.load(path), net.copy(), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert np.array_equal(other.predict(x), net.predict(x))
        assert repr(other) == repr(net)
        assert other.info == net.info
        other.theta[:] = 0
        assert (other.layers[1].W == 0).all()
        assert net.theta.any()
    assert [p.name for p in path.parent.iterdir()] == ["net.safetensors"]


def test_layers_of_ones_own_are_saved_too(tmp_path: Path) -> None:
    class Scale(gn.Layer):
        """y = factor * x."""

        def __init__(self, factor: float) -> None:
            self.factor = factor

        def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
            return self.factor * x

        def backward(self, dy: np.ndarray) -> np.ndarray:
            return self.factor * dy

    net = gn.Network([gn.Dense(2, 2), Scale(3.0)])
    net.save(tmp_path / "net.safetensors")
    assert gn.gradcheck(net, np.ones((2, 2)), np.zeros((2, 2)), gn.MSE()).passed
    assert np.array_equal(gn.Network.load(tmp_path / "net.safetensors").predict([[1, 2]]), net.predict([[1, 2]]))


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    mlp().save(path)
    whole = path.read_bytes()
    for damaged in (b"", b"no network at all", whole[:100], whole[:-8], b"\xff" * 64):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="is not a file that glassnet wrote, or it is damaged"):
            gn.Network.load(path)
    write_arrays(path, {"0.W": np.zeros((2, 2))}, {"network": json.loads('{"layers": [{"type": "Conv"}]}')})
    with pytest.raises(ValueError, match="holds no network that this glassnet can build: its layer Conv is unknown"):
        gn.Network.load(path)
    with pytest.raises(FileNotFoundError):
        gn.Network.load(tmp_path / "nothing.safetensors")


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.safetensors"
    mlp().save(path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        mlp(seed=9).save(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("training", [True, False])
def test_no_layer_allocates_in_the_steady_loop(training: bool) -> None:
    width, rows = 200, 1024
    layers = [gn.Standardize(), gn.Dense(50, width)]
    for make in (gn.ReLU, gn.LeakyReLU, gn.Sigmoid, gn.Tanh, gn.GELU, gn.SiLU, gn.Softmax):
        layers += [make(), gn.Dropout(0.1), gn.BatchNorm(width), gn.LayerNorm(width), gn.Dense(width, width)]
    net = gn.Network([*layers, gn.Dense(width, 1), gn.Unstandardize()])
    optimizer = gn.AdamW(clip_norm=1.0, l2=1e-4)
    x = np.random.default_rng(0).normal(size=(rows, 50)).astype(np.float32)
    net.fit_preprocessing(x, x[:, 0])
    dy = np.ones((rows, 1), np.float32)

    def step(n: int) -> None:
        net.forward(x[:n], training)
        net.backward(dy[:n], input_gradient=False)
        optimizer.step(net)

    step(rows)
    step(rows // 3)  # a short last batch
    tracemalloc.start()
    for n in (rows, rows // 3, rows):
        step(n)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < rows * width * 4 / 8  # an eighth of one activation: statistics of rows and columns, ufunc buffers


def test_a_layer_belongs_to_one_network() -> None:
    layers = [gn.Dense(2, 3), gn.ReLU(), gn.Dense(3, 1)]
    gn.Network(layers)
    with pytest.raises(ValueError, match="is in a network already: make another, or copy that network"):
        gn.Network(layers)


def test_preprocessing_comes_first_and_is_not_fitted_by_rows_that_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Standardize\(\), takes raw rows: it comes before all other layers"):
        gn.Network([gn.Dense(2, 3), gn.Standardize()])
    net = gn.Network([gn.Standardize(), gn.Dense(2, 3)])
    with pytest.raises(ValueError, match="not one of shape"):
        net.fit_preprocessing(np.ones((4, 5)))
    net.fit_preprocessing(np.ones((4, 2)))


def test_a_class_of_ones_own_does_not_take_the_place_of_the_librarys(tmp_path: Path) -> None:
    mlp().save(tmp_path / "net.safetensors")

    class Dense(gn.Dense):
        pass

    assert all(type(layer) is not Dense for layer in gn.Network.load(tmp_path / "net.safetensors").layers)


def test_numpy_scalars_are_numbers_too(tmp_path: Path) -> None:
    net = gn.Network([gn.Dense(np.int64(2), np.int32(3)), gn.Dropout(np.float32(0.5))], seed=np.int64(3))
    net.save(tmp_path / "net.safetensors")
    assert repr(gn.Network.load(tmp_path / "net.safetensors")) == repr(net)


class Scale(gn.Layer):
    """The example of CONTRIBUTING: backward alone fills the gradient."""

    parameters = ("s",)

    def __init__(self, width: int) -> None:
        self.width = width

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"s": (self.width,)}

    def initialize(self, rng: np.random.Generator) -> None:
        self.s[...] = 1

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        self.x = x
        return x * self.s

    def backward(self, dy: np.ndarray) -> np.ndarray:
        self.ds[...] = (dy * self.x).sum(axis=0)
        return dy * self.s


@pytest.mark.parametrize("first", [True, False])
def test_a_layer_that_fills_its_gradient_in_backward_is_trained_wherever_it_stands(first: bool) -> None:
    net = gn.Network([Scale(3), gn.Dense(3, 3)] if first else [gn.Dense(3, 3), Scale(3)])
    x, t = np.random.default_rng(0).normal(size=(40, 3)), np.ones((40, 3))
    assert gn.gradcheck(net, x[:5], t[:5], gn.MSE()).passed
    loss = gn.MSE()
    loss.forward(net.forward(x), t)
    net.backward(loss.backward(), input_gradient=False)
    assert net.layers[0 if first else 1].ds.any()


def test_groups_are_in_the_order_of_theta_and_travel_with_the_network(tmp_path: Path) -> None:
    net = gn.Network([gn.Dense(3, 4, max_norm=2.5), gn.LayerNorm(4, lr_factor=0.5), gn.Dense(4, 2, lr_factor=6.0)])
    net.save(tmp_path / "net.safetensors")
    for other in (net, net.copy(), gn.Network.load(tmp_path / "net.safetensors")):
        assert [tuple(group)[1:] for group in other.groups] == [
            (True, 1.0, 2.5, 4),
            (False, 1.0, None, 4),
            (False, 0.5, None, 4),
            (False, 0.5, None, 4),
            (True, 6.0, None, 2),
            (False, 6.0, None, 2),
        ]
        bounds = [0] + [group.part.stop for group in other.groups]
        assert [group.part.start for group in other.groups] == bounds[:-1]
        assert bounds[-1] == net.theta.size
