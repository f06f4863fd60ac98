"""Ensembles: the mean of networks, its file, its graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn.datasets import make_multilabel_classification

import glassnet as gn
from glassnet.estimators import MLPClassifier
from glassnet.exchange import to_onnx
from glassnet.nn import load_model
from glassnet.nn.storage import write_arrays

rng = np.random.default_rng(0)
X = 3 * rng.normal(size=(200, 4))


def network(n_out: int = 3, *last: gn.Layer, width: int = 5, dtype: str = "float32", **info: Any) -> gn.Network:
    """A network with weights of its own, which takes rows of 4."""
    layers = [gn.Standardize(), gn.Dense(4, width), gn.ReLU(), gn.Dense(width, n_out), *last]
    net = gn.Network(layers, dtype=dtype, seed=width)
    net.fit_preprocessing(rng.normal(size=(50, 4)), rng.normal(size=50))
    net.info = info
    return net


def softmax(y: np.ndarray) -> np.ndarray:
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_values_are_the_mean_of_the_networks() -> None:
    nets = [network(2, gn.Unstandardize(), width=5), network(2, gn.Unstandardize(), width=9, dtype="float64")]
    ensemble = gn.Ensemble(nets, "regression")
    y = ensemble.predict(X)
    assert y.dtype == ensemble.dtype == np.float64
    np.testing.assert_allclose(y, (nets[0].predict(X) + nets[1].predict(X)) / 2, rtol=1e-6)
    assert (ensemble.n_in, ensemble.n_out, ensemble.info) == (4, 2, {"task": "regression"})
    assert ensemble.predict(X[:0]).shape == (0, 2)


@pytest.mark.parametrize("n_out", [1, 3])
def test_classes_are_those_of_the_mean_probabilities(n_out: int) -> None:
    nets = [network(n_out, width=width, dtype="float64", task="classification") for width in (5, 9, 2)]
    ensemble = gn.Ensemble(nets)
    p = np.mean([net.predict_proba(X) for net in nets], axis=0)
    assert p.shape == (200, max(2, n_out))
    np.testing.assert_allclose(ensemble.predict_proba(X), p, atol=1e-12)
    y = ensemble.predict(X)
    scores = np.hstack([np.zeros_like(y), y]) if n_out == 1 else y
    np.testing.assert_allclose(softmax(scores), p, atol=1e-12)
    classes = rng.integers(0, p.shape[1], 200)
    loss = gn.BinaryCrossEntropy() if n_out == 1 else gn.CrossEntropy()
    split = gn.Split(X, classes)
    found = gn.evaluate(ensemble, split, loss)
    assert found["loss"] == pytest.approx(-np.log(p[np.arange(200), classes]).mean())
    assert found["accuracy"] == pytest.approx((p.argmax(axis=1) == classes).mean())


def test_a_sure_mistake_costs_what_it_should() -> None:
    """A probability of 1 - 1e-13, which in float32 would be 1."""
    net = gn.Network([gn.Dense(1, 1)])
    net.theta[...] = (30.0, 0.0)
    assert gn.Ensemble([net, net.copy()], "classification").predict([[1.0]])[0, 0] == pytest.approx(30, rel=1e-5)


@pytest.mark.parametrize("last", [gn.Softmax, gn.Sigmoid])
def test_probabilities_stay_probabilities(last: type[gn.Layer]) -> None:
    nets = [network(3, last(), width=width) for width in (5, 9)]
    ensemble = gn.Ensemble(nets, "classification")
    mean = (nets[0].predict(X) + nets[1].predict(X)) / 2
    np.testing.assert_allclose(ensemble.predict(X), mean, atol=1e-6)
    if last is gn.Softmax:
        np.testing.assert_allclose(ensemble.predict_proba(X), mean, atol=1e-6)


ABOUT: dict[str, Any] = {"task": "classification", "classes": ["a", "b", "c"], "features": list("wxyz"), "target": "t"}


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        (lambda: network(2, **ABOUT), "n_out of network 0 is 3, that of network 1 2$"),
        (lambda: gn.Network([gn.Dense(5, 3)]), "task of network 0 is 'classification', that of network 1 None$"),
        (lambda: network(**ABOUT | {"task": "regression"}), "task of network 0 is 'classification'"),
        (lambda: network(**ABOUT | {"classes": ["a", "c", "b"]}), r"classes of network 0 is \['a', 'b', 'c'\]"),
        (lambda: network(**ABOUT | {"features": list("wxzy")}), "features of network 0"),
        (lambda: network(**ABOUT | {"target": "u"}), "target of network 0 is 't', that of network 1 'u'$"),
        (lambda: network(3, gn.Softmax(), **ABOUT), "last layer of network 0 is 'one that gives scores'"),
    ],
)
def test_networks_that_dont_fit_are_named(other: Callable[[], gn.Network], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        gn.Ensemble([network(**ABOUT), other()])


def test_what_makes_no_ensemble() -> None:
    with pytest.raises(ValueError, match="at least one network"):
        gn.Ensemble([])
    with pytest.raises(TypeError, match="network 1 of the ensemble is 3, not"):
        gn.Ensemble([network(**ABOUT), 3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="don't name their task: give task='classification' or 'regression'"):
        gn.Ensemble([network()])
    with pytest.raises(ValueError, match="task must be classification or regression, not 'values'"):
        gn.Ensemble([network()], "values")
    with pytest.raises(ValueError, match="task must be classification, not 'regression'"):
        gn.Ensemble([network(**ABOUT)], "regression")


def test_a_file_holds_all_of_it(tmp_path: Path) -> None:
    nets = [network(**ABOUT, width=5, seen=1, rows=9), network(**ABOUT, width=12, dtype="float64", seen=2, rows=9)]
    ensemble = gn.Ensemble(nets)
    assert ensemble.info == ABOUT | {"rows": 9}
    path = tmp_path / "ensemble.safetensors"
    ensemble.save(path)
    loaded = gn.Ensemble.load(path)
    assert repr(loaded) == repr(ensemble)
    assert loaded.info == ensemble.info
    assert [net.info["seen"] for net in loaded.networks] == [1, 2]
    assert np.array_equal(loaded.predict(X), ensemble.predict(X))
    assert [name.name for name in tmp_path.iterdir()] == [path.name]

    nets[0].save(tmp_path / "network.safetensors")
    with pytest.raises(ValueError, match=r"network\.safetensors holds no ensemble: .* gn\.Network\.load"):
        gn.Ensemble.load(tmp_path / "network.safetensors")
    with pytest.raises(ValueError, match=r"ensemble\.safetensors holds an ensemble: read it with gn\.Ensemble\.load"):
        gn.Network.load(path)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ValueError, match="damaged"):
        gn.Ensemble.load(path)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"networks": []}, "an ensemble needs at least one network"),
        ({"networks": 3}, "an ensemble needs at least one network"),
        ({"info": {"task": "regression"}}, "task must be classification, not 'regression'"),
        ({"info": {}}, "'task'"),
        ({"networks": [{"layers": [{"type": "Mystery"}]}]}, "its layer Mystery is unknown"),
    ],
)
def test_a_file_that_holds_no_ensemble_is_named(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    net, path = network(**ABOUT), tmp_path / "model.safetensors"
    arrays = {f"0/{name}": array for name, array in net.arrays().items()}
    write_arrays(path, arrays, {"networks": [net.describe()], "info": net.info} | change)
    for load in (gn.Ensemble.load, load_model):
        with pytest.raises(ValueError, match=rf"^{path} holds no (ensemble|network) that [^/]*{fault}"):
            load(path)


@pytest.mark.parametrize("dtypes", [("float32", "float32"), ("float64", "float32")])
@pytest.mark.parametrize(
    ("n_out", "last", "task"),
    [
        (2, gn.Unstandardize, "regression"),
        (3, None, "classification"),
        (1, None, "classification"),
        (3, gn.Softmax, "classification"),
        (1, gn.Sigmoid, "classification"),
        (3, gn.Sigmoid, "classification"),
    ],
)
def test_one_graph_gives_the_mean(n_out: int, last: type[gn.Layer] | None, task: str, dtypes: tuple[str, ...]) -> None:
    tails = [[last()] if last else [] for _ in dtypes]
    nets = [network(n_out, *tails[i], width=5 + i, dtype=dtype) for i, dtype in enumerate(dtypes)]
    ensemble = gn.Ensemble(nets, task)
    session = onnxruntime.InferenceSession(to_onnx(ensemble).SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    x = X.astype(ensemble.dtype)
    found = dict(zip(names, session.run(names, {"x": x}), strict=True))
    assert found["y"].dtype == ensemble.predict(x).dtype
    np.testing.assert_allclose(found["y"], ensemble.predict(x), rtol=1e-4, atol=1e-5)
    if (n_out, last) == (3, gn.Sigmoid):  # flags
        np.testing.assert_array_equal(found["label"], ensemble.predict(x) > 0.5)
    elif task == "classification":
        np.testing.assert_allclose(found["probabilities"], ensemble.predict_proba(x), atol=1e-5)
        assert (found["label"] == ensemble.predict_proba(x).argmax(axis=1)).mean() > 0.99
    else:
        assert names == ["y"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_flags_are_those_of_the_mean_probabilities(tmp_path: Path) -> None:
    x, flags = make_multilabel_classification(120, n_classes=3, random_state=0)
    models = [MLPClassifier([8], max_iter=3, random_state=i).fit(x, flags) for i in range(2)]
    p = np.mean([model.predict_proba(x) for model in models], axis=0)
    made = gn.Ensemble([model.network_ for model in models])
    made.save(tmp_path / "flags.safetensors")
    for ensemble in (made, gn.Ensemble.load(tmp_path / "flags.safetensors")):
        np.testing.assert_allclose(1 / (1 + np.exp(-ensemble.predict(x))), p, atol=1e-6)
        np.testing.assert_allclose(ensemble.predict_proba(x), p, atol=1e-6)
    session = onnxruntime.InferenceSession(to_onnx(made).SerializeToString(), providers=["CPUExecutionProvider"])
    found, label = session.run(["probabilities", "label"], {"x": x.astype(made.dtype)})
    np.testing.assert_allclose(found, p, atol=1e-5)
    np.testing.assert_array_equal(label, found > 0.5)
    one_of_three = network(width=5, task="classification", classes=["0", "1", "2"], target="y")
    one_of_three.info["features"] = models[0].network_.info["features"]
    with pytest.raises(ValueError, match="network 0 is True, that of network 1 None"):
        gn.Ensemble([models[0].network_, one_of_three])


@pytest.mark.parametrize("fast", [True, False])
def test_equal_preprocessing_is_shared_and_unequal_is_not(fast: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 4)), rng.normal(size=300)
    x[::9, 0] = np.nan
    nets = []
    for rows in (slice(None), slice(None), slice(0, 200)):
        first = [gn.Columns([0, 0, 0, 0], [0]), gn.QuantileNormalize(100, noise=1e-3)]
        net = gn.Network([*first, gn.Dense(5, 8), gn.ReLU(), gn.Dense(8, 1), gn.Unstandardize()], fast=fast)
        net.fit_preprocessing(x[rows], y[rows])
        nets.append(net)
    calls: list[gn.Network] = []
    for net in nets:
        net.prepare = lambda rows, net=net: calls.append(net) or gn.Network.prepare(net, rows)
    ensemble = gn.Ensemble(nets, "regression")
    together = ensemble.predict(x)
    if ensemble.compiled:
        assert len(ensemble.compiled[0].preparations) == 2
    else:
        assert calls == [nets[0], nets[2]]
    np.testing.assert_allclose(together, np.mean([net.predict(x) for net in nets], axis=0), rtol=1e-12)


def test_networks_that_differ_in_the_last_layer_alone_answer_as_each_does_also_once_they_differ_in_more() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 5))
    first, other = (
        gn.Network(
            [gn.Standardize(), gn.PiecewiseLinear(5, 4, 8), gn.Dense(20, 16), gn.ReLU(), gn.Dense(16, 3)], seed=seed
        )
        for seed in (0, 1)
    )
    first.fit_preprocessing(x)
    other.fit_preprocessing(2 * x)
    nets = [first, other, first.copy(), first.copy()]
    for net, temperature in zip(nets[2:], (2, 3), strict=True):
        net.layers[-1].W /= temperature
        net.layers[-1].b += temperature
    ensemble = gn.Ensemble(nets, "classification", [1, 2, 3, 4])

    def outputs() -> np.ndarray:
        mixed = sum(w * net.predict_proba(x).astype(np.float64) for w, net in zip([1, 2, 3, 4], nets, strict=True)) / 10
        np.testing.assert_allclose(ensemble.predict_proba(x), mixed, rtol=1e-5)
        np.testing.assert_array_equal(ensemble._outputs(x), [net.predict(x) for net in nets])
        np.testing.assert_array_equal(ensemble._outputs(x)[:, 7:8], ensemble._outputs(x[7:8]))
        return mixed

    before = outputs()
    nets[3].theta[:] += 0.01
    assert np.abs(outputs() - before).max() > 1e-4
    nets[2].layers[2].W = nets[2].layers[2].W.copy()  # the kernels no longer cover this one
    outputs()
