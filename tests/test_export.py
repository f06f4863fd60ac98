"""An exported network gives in ONNX Runtime what `predict` gives here, from raw rows, and says what it is."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
import warnings
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet import estimators, recipes
from glassnet.cli import main
from glassnet.exchange import from_sklearn, to_onnx
from glassnet.exchange.layers import LAYERS
from glassnet.extras import NotInstalledError
from public import public
from random_networks import difference, draw
from small_packs import SMALL_PACK


def run(model: onnx.ModelProto | Path, x: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of a model, by name."""
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"x": x}), strict=True))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_any_network_is_equal_to_predict_for_one_row_and_many(random: Random) -> None:
    drawn = draw(random)
    session = drawn.session()
    assert difference(drawn, session) <= 1e-5
    (whole,) = session.run(["y"], {"x": drawn.x})
    for rows in (0, 1, 7):
        (y,) = session.run(["y"], {"x": drawn.x[:rows]})
        np.testing.assert_allclose(y, whole[:rows], rtol=1e-5, atol=1e-5 * np.abs(whole).max())


def test_every_layer_of_the_library_can_be_exported() -> None:
    assert set(LAYERS) == public(gn.Layer)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "layer", [gn.ReLU(), gn.LeakyReLU(-0.3), gn.Sigmoid(), gn.Tanh(), gn.GELU(), gn.SiLU(), gn.Softmax()], ids=repr
)
def test_activations_of_huge_and_tiny_values(layer: gn.Layer, dtype: str) -> None:
    net = gn.Network([type(layer)(**layer.config()), gn.Dense(2, 2)], dtype)
    net.layers[1].W[...] = np.eye(2)
    size = np.geomspace(1e-30, 1e30, 121)
    x = np.concatenate([[[0, 0]], np.column_stack([size, -size]), np.column_stack([-size, size / 3])]).astype(dtype)
    np.testing.assert_allclose(run(to_onnx(net), x)["y"], net.forward(x), rtol=1e-5, atol=1e-6)


TABLES = {
    "lines": lambda: [gn.PiecewiseLinear(4, 3, bins=5, plain=5), gn.Dense(17, 6), gn.SiLU(), gn.Dense(6, 2)],
    "periodic": lambda: [gn.RobustScale(), gn.Periodic(4, 3, n=4, sigma=0.5, plain=5), gn.Dense(17, 2)],
    "categories": lambda: [
        gn.QuantileNormalize(),
        gn.CategoryEmbedding([3], 4, plain=6),
        gn.PiecewiseLinear(4, 3, bins=5, plain=6),
        gn.Dense(18, 2),
    ],
    "categories alone": lambda: [gn.CategoryEmbedding([4, 5], 2), gn.Dense(4, 2)],
    "encoded": lambda: [gn.PiecewiseLinear(9, 3, bins=80, version="A"), gn.Dense(27, 2)],
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_networks_for_tables(dtype: str, name: str) -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=(200, 4)) * [1, 5, 100, 1e6], rng.integers(-1, 4, (200, 1))])
    x[rng.random(x.shape) < 0.1] = np.nan
    net = gn.Network([gn.Columns([0, 0, 0, 0, 3], missing=[4], cycles=[(1, 7)]), *TABLES[name]()], dtype)
    net.fit_preprocessing(x)
    net.theta += rng.normal(size=net.theta.size) / 5
    x = np.concatenate([x, [[20, -50, 0, 1e7, 7]], np.full((1, 5), np.nan)])
    y, exported = net.predict(x), to_onnx(net, input_dtype="float64")
    np.testing.assert_allclose(run(exported, x)["y"], y, rtol=1e-5, atol=1e-5 * np.abs(y[:200]).max())
    for rows in (0, 1):
        np.testing.assert_allclose(run(exported, x[:rows])["y"], y[:rows], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("rows", ["float32", "float64", "uint8", "int64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_quantiles_at_the_knots_between_and_beyond_them(dtype: str, rows: str) -> None:
    rng = np.random.default_rng(0)
    seen = np.column_stack([rng.integers(0, 9, 500), np.exp(rng.normal(2, 1, 500)), np.full(500, 7.1)])
    seen[:, 1] = np.round(seen[:, 1], 1)
    net = gn.Network([gn.QuantileNormalize(100), gn.Dense(3, 3)], dtype)
    net.fit_preprocessing(seen)
    net.theta[...] = np.concatenate([np.eye(3).ravel(), np.zeros(3)])
    knots = net.layers[0].knots
    x = np.concatenate([seen, knots, (knots[1:] + knots[:-1]) / 2, [[0, 0, 0], [200, 200, 200]]])
    if rows[0] == "f":
        tiny = np.finfo(rows).eps
        x = np.concatenate([x, x * (1 + tiny), x * (1 - tiny), [[-1e300, 1e300, 1e30], [np.inf, -np.inf, np.inf]]])
    with np.errstate(over="ignore"):
        x = x.astype(rows)
    y = run(to_onnx(net, input_dtype=rows), x)["y"]
    np.testing.assert_allclose(y, net.predict(x), rtol=1e-5, atol=1e-5)


def test_a_missing_value_gives_nan_and_not_a_number_that_looks_right() -> None:
    x = np.random.default_rng(0).standard_normal((50, 2)).astype(np.float32)
    for first in (gn.Standardize(), gn.QuantileNormalize()):
        net = gn.Network([first, gn.Dense(2, 3), gn.ReLU(), gn.Dense(3, 1)])
        net.fit_preprocessing(x)
        assert np.isnan(run(to_onnx(net), np.array([[np.nan, 0]], np.float32))["y"]).all()


def test_columns_far_from_zero_keep_their_digits() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(37.7, 0.1, 300), rng.normal(-122.4, 0.1, 300), 1.7e9 + rng.integers(0, 3600, 300)])
    for first in (gn.Standardize(), gn.QuantileNormalize()):
        net = gn.Network([first, gn.Dense(3, 8), gn.Tanh(), gn.Dense(8, 1)])
        net.fit_preprocessing(x)
        y = run(to_onnx(net, input_dtype="float64"), x)["y"]
        np.testing.assert_allclose(y, net.predict(x), rtol=1e-5, atol=1e-6)
        assert y.std() > 0.1
    x = x[:, :2]  # float32 has enough digits for places: it agrees with predict on the table's own float64, too
    net = gn.Network([gn.QuantileNormalize(), gn.Dense(2, 8), gn.Tanh(), gn.Dense(8, 1)])
    net.fit_preprocessing(x)
    np.testing.assert_allclose(run(to_onnx(net), x.astype(np.float32))["y"], net.predict(x), atol=5e-3)


def test_normalisation_far_from_zero() -> None:
    x = np.random.default_rng(0).normal(0, 1, (100, 4)).astype(np.float32)
    norm = gn.BatchNorm(4)
    norm.running_mean, norm.running_var = np.full(4, 1e4), np.full(4, 1e-2)
    net = gn.Network([norm])
    y = run(to_onnx(net), x + np.float32(1e4))["y"]
    np.testing.assert_allclose(y, net.predict(x + np.float32(1e4)), rtol=1e-6)
    net, x = gn.Network([gn.LayerNorm(4)], "float64"), x + np.float64(1e6)
    np.testing.assert_allclose(run(to_onnx(net), x)["y"], net.predict(x), rtol=1e-8)


def classifier(n_out: int = 3, *last: gn.Layer) -> gn.Network:
    return gn.Network([gn.Dense(4, 8), gn.Tanh(), gn.Dense(8, n_out), *last], seed=3)


X = np.random.default_rng(5).standard_normal((40, 4)).astype(np.float32)


@pytest.mark.parametrize("last", [[], [gn.Softmax()]])
@pytest.mark.parametrize("classes", [["ant", "bée", "cat"], [7, -1, 10**10], None])
def test_one_of_several_classes(last: list[gn.Layer], classes: list[Any] | None) -> None:
    net = classifier(3, *[type(layer)() for layer in last])
    found = run(to_onnx(net, outputs="softmax", classes=classes), X)
    assert list(found) == ["y", "probabilities", "label"]
    np.testing.assert_allclose(found["probabilities"], net.predict_proba(X), atol=1e-6)
    best = net.predict(X).argmax(axis=1)
    assert len(set(best)) == 3
    assert found["label"].tolist() == (best if classes is None else np.array(classes)[best]).tolist()
    assert found["label"].dtype == (object if classes and isinstance(classes[0], str) else np.int64)


@pytest.mark.parametrize("last", [[], [gn.Sigmoid()]])
def test_one_logit_is_two_classes(last: list[gn.Layer]) -> None:
    net = classifier(1, *[type(layer)() for layer in last])
    found = run(to_onnx(net, classes=["no", "yes"]), X)
    np.testing.assert_allclose(found["probabilities"], net.predict_proba(X), atol=1e-6)
    expected = np.where(net.predict_proba(X)[:, 1] > 0.5, "yes", "no")
    assert set(expected) == {"no", "yes"}
    assert found["label"].tolist() == expected.tolist()
    assert run(to_onnx(net, classes=[False, True]), X)["label"].dtype == bool


def test_flags() -> None:
    net = classifier(3)
    found = run(to_onnx(net, outputs="logistic"), X)
    np.testing.assert_allclose(found["probabilities"], 1 / (1 + np.exp(-net.predict(X))), atol=1e-6)
    assert found["label"].dtype == np.int64
    np.testing.assert_array_equal(found["label"], net.predict(X) > 0)


def test_what_a_network_knows_of_its_task_decides(tmp_path: Path) -> None:
    net = classifier()
    assert list(run(to_onnx(net), X)) == ["y"]
    net.info = {"task": "classification", "classes": ["0", "1", "-2"], "features": ["a", "b", "c", "d"], "target": "t"}
    net.export(tmp_path / "net.onnx")
    assert run(tmp_path / "net.onnx", X)["label"].tolist() == np.array([0, 1, -2])[net.predict(X).argmax(1)].tolist()
    for text in ("00", "1" * 20, "²", "-"):
        net.info["classes"][0] = text
        assert run(to_onnx(net), X)["label"].dtype == object
    net.info["classes"] = [4, 5, 6]
    assert run(to_onnx(net), X)["label"].dtype == np.int64
    net.info = {"task": "regression", "target": "price"}
    assert list(run(to_onnx(net), X)) == ["y"]


def test_the_model_says_what_it_is(tmp_path: Path) -> None:
    net = classifier()
    net.info = {
        "task": "classification",
        "classes": ["a", "b", "c"],
        "features": ["ä", "b", "c", "d"],
        "target": "t",
        "description": "Animals.",
    }
    net.export(tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert (model.producer_name, model.producer_version, model.doc_string) == ("glassnet", gn.__version__, "Animals.")
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert about.items() >= {"task": "classification", "target": "t", "description": "Animals."}.items()
    assert json.loads(about["features"]) == net.info["features"]
    assert json.loads(about["classes"]) == net.info["classes"]
    assert model.graph.input[0].doc_string == "rows: ä, b, c, d"
    assert all(output.doc_string for output in model.graph.output)
    assert [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == ["N", 4]
    assert [d.dim_param or d.dim_value for d in model.graph.output[1].type.tensor_type.shape.dim] == ["N", 3]
    first = (tmp_path / "net.onnx").read_bytes()
    gn.export(net.copy(), tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == first
    assert len(list(tmp_path.iterdir())) == 1


class Scale(gn.Layer):
    """The layer of CONTRIBUTING.md, as far as it is needed."""

    parameters = ("s",)

    def __init__(self, width: int) -> None:
        self.width = width

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"s": (self.width,)}

    def initialize(self, rng: np.random.Generator) -> None:
        self.s[...] = rng.standard_normal(self.width)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        return x * self.s


class ExportedScale(Scale):
    def onnx(self, graph: Any, x: str) -> str:
        return graph.add("Mul", x, self.s)


class Halved(gn.ReLU):
    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        return super().forward(x, training) / 2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_layer_of_ones_own(dtype: str) -> None:
    net = gn.Network([gn.Dense(4, 3), ExportedScale(3), gn.ReLU()], dtype)
    x = X.astype(dtype)
    np.testing.assert_allclose(run(to_onnx(net), x)["y"], net.predict(x), rtol=1e-5, atol=1e-6)


def test_numbers_take_the_type_of_what_they_meet() -> None:
    class Odd(ExportedScale):
        def onnx(self, graph: Any, x: str) -> str:
            above = graph.add("Greater", x, 0)
            x = graph.add("Where", above, graph.add("Pow", x, 2), graph.add("Mul", x, np.float64(0.5)))
            return graph.add("Add", x, np.arange(3.0))

    net = gn.Network([gn.Dense(4, 3), Odd(3)])
    x = gn.Network([net.layers[0].__class__(4, 3)]).predict(X)  # the same first weights
    expected = np.where(x > 0, x**2, 0.5 * x) + np.arange(3.0)
    np.testing.assert_allclose(run(to_onnx(net), X)["y"], expected, rtol=1e-5, atol=1e-6)


class WrongOperator(ExportedScale):
    def onnx(self, graph: Any, x: str) -> str:
        return graph.add("Scaled", x, self.s)


class WrongShape(ExportedScale):
    def onnx(self, graph: Any, x: str) -> str:
        return graph.add("Gemm", x, np.ones((3, 2)))


class WrongName(ExportedScale):
    def onnx(self, graph: Any, x: str) -> str:
        return graph.add("Mul", x, "s")


class WrongResult(ExportedScale):
    def onnx(self, graph: Any, x: str) -> Any:
        graph.add("Mul", x, self.s)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Scale, r"^Scale\(3\) can't be written as ONNX: give Scale a method onnx\(self, graph, x\)"),
        (lambda _: Halved(), r"^Halved\(\) can't be written as ONNX"),  # and isn't taken for a ReLU
        (WrongOperator, "a layer isn't written as ONNX has it: .*Scale"),
        (WrongShape, "a layer isn't written as ONNX has it: .*y"),
        (WrongName, r"^1.WrongName: there is no value 's' in the graph"),
        (WrongResult, r"^1.WrongResult: there is no value 'None' in the graph"),
    ],
)
def test_a_layer_that_isnt_written_right_is_named(layer: Any, message: str, tmp_path: Path) -> None:
    net = gn.Network([gn.Dense(4, 3), layer(3)])
    with pytest.raises(ValueError, match=message) as error:
        net.export(tmp_path / "net.onnx")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("layers", "arguments", "message"),
    [
        ([gn.Standardize(), gn.Dense(4, 1)], {}, r"Standardize\(\) is not fitted"),
        ([gn.Dense(4, 1), gn.Unstandardize()], {}, r"Unstandardize\(\) is not fitted"),
        ([gn.ReLU()], {}, "no layer fixes the width of a row"),
        ([gn.Dense(4, 3)], {"input_dtype": "complex64"}, "must be one of float32, float64, uint8, int64"),
        ([gn.Dense(4, 3)], {"input_dtype": "flaot"}, "must be one of .*, not 'flaot'"),
        ([gn.Dense(4, 3)], {"outputs": "sigmoid"}, "outputs must be one of identity, softmax, logistic, not 'sig"),
        (
            [gn.Dense(4, 3)],
            {"classes": ["a", "b"]},
            r"there are 3 classes by .* outputs, but labels of shape \(2,\)",
        ),
        ([gn.Dense(4, 1)], {"classes": ["a"]}, "there are 2 classes"),
        ([gn.Dense(4, 2)], {"classes": [None, "b"]}, "whole numbers or text, not None"),
    ],
)
def test_what_cant_be_exported_is_one_line(layers: list[gn.Layer], arguments: Any, message: str) -> None:
    net = gn.Network([type(layer)(**layer.config()) for layer in layers])
    with pytest.raises(ValueError, match=message):
        to_onnx(net, **arguments)


def test_without_onnx_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(NotInstalledError, match=r'^ONNX models need onnx, .*: pip install "glassnet\[onnx\]"$'):
        classifier().export(tmp_path / "net.onnx")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs on digits, on a table with classes in text, and on one with values."""
    folder = tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    lon, people, rooms = rng.normal(-122, 1, 300).round(2), rng.exponential(1000, 300).round(), rng.integers(0, 3, 300)
    targets = {"kind": np.where(lon > -122, "high", "low"), "price": np.round(50 * rooms - lon, 2)}
    for name, target in (("kinds", "kind"), ("prices", "price")):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["lon", "people", "rooms", target]])
            csv.writer(file).writerows(zip(lon, people, rooms, targets[target], strict=True))
        recipe = recipes.choose(str(folder / f"{name}.csv"), target=target, changes=SMALL_PACK)
        recipes.train(recipe, folder / name)
    recipes.train(recipes.load("digits", changes=["training.epochs=3"]), folder / "digits")
    return folder


def on_terminal(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr(sys, "argv", ["glassnet", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        main()
    return done.value.code or 0


@pytest.mark.parametrize("name", ["kinds", "prices"])
def test_an_exported_run_predicts_a_table_as_the_command_does(
    name: str, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "model.onnx"
    assert on_terminal(monkeypatch, "export", runs / name, out, "--input", "float64") == 0
    assert capsys.readouterr().out.startswith("x float64 (N, ")
    assert on_terminal(monkeypatch, "predict", runs / name, runs / f"{name}.csv") == 0
    printed = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    session = onnxruntime.InferenceSession(out)
    features = json.loads(session.get_modelmeta().custom_metadata_map["features"])
    with (runs / f"{name}.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    found = run(out, np.array([[float(row[feature]) for feature in features] for row in table]))
    if name == "kinds":
        assert found["label"].tolist() == [row["prediction"] for row in printed]
        p = np.array([[float(row[f"p({c})"]) for c in ("high", "low")] for row in printed])
        np.testing.assert_allclose(found["probabilities"], p, atol=1e-5)
    else:
        np.testing.assert_allclose(found["y"][:, 0], [float(row["prediction"]) for row in printed], rtol=1e-5)


STAYS = """town,built,seen,opens,lift,rooms,rent
Bern,25.01.2024,2023-05-10 12:30:00,18:30,true,2,900
Chur,05.12.1969,1969-12-31,6:05,FALSE,,700
NA,29.02.2000,,,true,4,1300
Bern,01.03.1900,2000-02-29T23:59:59,00:00:30,,3,1000
,,2024-02-29,23:59,false,2,850
"""


@pytest.fixture(scope="module")
def flats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a table with categories, booleans, dates in two notations, times, and missing values."""
    folder = tmp_path_factory.mktemp("flats")
    header, *lines = STAYS.splitlines()
    many = [f"{line}.{i:02}" for i in range(12) for line in lines]
    (folder / "flats.csv").write_text("\n".join([header, *many]) + "\n", encoding="utf-8")
    recipe = recipes.choose(str(folder / "flats.csv"), target="rent", changes=SMALL_PACK)
    recipes.train(recipe, folder / "run")
    return folder


def columns_fed(session: onnxruntime.InferenceSession, rows: list[dict[str, str]]) -> dict[str, np.ndarray]:
    """Each column's text as the model takes it."""
    return {
        column.name: np.array([[float(row[column.name] or "nan")] for row in rows])
        if "double" in column.type
        else np.array([[row[column.name]] for row in rows], object)
        for column in session.get_inputs()
    }


def test_a_table_with_text_goes_into_the_model_as_it_is(flats: Path, tmp_path: Path) -> None:
    said = recipes.export_run(flats / "run", tmp_path / "model.onnx")
    assert said.startswith("town string (N, 1), built string (N, 1), seen string (N, 1), opens string (N, 1)")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    new = "Paris,13.07.1899,2040-12-31 01:02:03.5,12:00,True,7,0\n"
    (tmp_path / "new.csv").write_text(STAYS + new, encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(STAYS + new)))
    (expected,) = recipes.predictions(flats / "run", tmp_path / "new.csv")
    (y,) = session.run(None, columns_fed(session, rows))
    np.testing.assert_allclose(y[:, 0], expected["prediction"], rtol=1e-6)
    (one,) = session.run(None, columns_fed(session, rows[:1]))
    np.testing.assert_allclose(one, y[:1], rtol=1e-6)


@pytest.mark.parametrize(
    ("column", "value"),
    [("built", "2024-01-25"), ("built", "soon"), ("seen", "10.5.2023"), ("opens", "6:30 pm"), ("lift", "yes")],
)
def test_text_that_isnt_written_as_in_training_is_an_error_of_the_runtime(
    column: str, value: str, flats: Path, tmp_path: Path
) -> None:
    recipes.export_run(flats / "run", tmp_path / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", options)
    fed = columns_fed(session, list(csv.DictReader(io.StringIO(STAYS)))[:1])
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException):
        session.run(None, fed | {column: np.array([[value]], object)})


def test_an_estimator_of_a_data_frame_takes_its_columns(tmp_path: Path, small_preset: None) -> None:
    import polars as pl

    X = pl.DataFrame({"town": ["Bern", "Chur", None] * 20, "rooms": [1.0, 2.0, 3.0, None] * 15})
    model = estimators.MLPRegressor(preset="strong", random_state=0).fit(X, np.arange(60.0))
    model.export(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    rooms = X["rooms"].fill_null(math.nan).to_numpy()[:, None]
    (y,) = session.run(None, {"town": X["town"].fill_null("").to_numpy().astype(object)[:, None], "rooms": rooms})
    np.testing.assert_allclose(y[:, 0], model.predict(X), rtol=1e-5)


def test_an_exported_run_takes_raw_pixels(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_terminal(monkeypatch, "export", runs / "digits", tmp_path / "float.onnx") == 0
    assert on_terminal(monkeypatch, "export", runs / "digits", tmp_path / "bytes.onnx", "--input", "uint8") == 0
    x = gn.load("digits").test.x
    net = gn.Network.load(runs / "digits" / "model.safetensors")
    assert x.dtype == np.uint8
    for file, rows in (("float", x.astype(np.float32)), ("bytes", x)):
        found = run(tmp_path / f"{file}.onnx", rows)
        np.testing.assert_allclose(found["y"], net.predict(x), rtol=1e-5, atol=1e-5)
        assert (found["label"] == net.predict(x).argmax(axis=1)).all()
    about = onnx.load(tmp_path / "float.onnx")
    assert about.graph.input[0].doc_string == "raw rows: images of 8 x 8 pixels, bright on black, 0 to 16"
    assert "handwritten digits" in about.doc_string


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("digits", "out.onnx", "--input", "text"), "the type of the input must be one of float32, "),
        (("digits", "nowhere/out.onnx"), "nowhere/out.onnx: No such file or directory"),
        (("digits", "."), ".: the model is written to a file whose name ends in .onnx"),
        (("nothing", "out.onnx"), "is no run"),
    ],
)
def test_errors_on_the_terminal_are_one_line(
    arguments: tuple[str, ...],
    message: str,
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert on_terminal(monkeypatch, "export", runs / arguments[0], *arguments[1:]) == 2
    assert message in (error := capsys.readouterr().err)
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_a_whole_scikit_learn_estimator(activation: str) -> None:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 4))
    targets = [
        np.array(["a", "b", "c"])[rng.integers(0, 3, 80)],
        rng.integers(5, 7, 80),
        rng.integers(0, 2, (80, 3)),
        x[:, 0],
        x[:, :2],
    ]
    for i, y in enumerate(targets):
        kind = MLPClassifier if i < 3 else MLPRegressor
        mlp = kind(hidden_layer_sizes=(8, 5), activation=activation, solver="lbfgs", max_iter=30, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it won't have converged
            mlp.fit(x, y)
        net = from_sklearn(mlp)
        found = run(to_onnx(net), x)
        if i < 3:
            np.testing.assert_allclose(net.predict_proba(x), mlp.predict_proba(x), atol=1e-6)
            np.testing.assert_allclose(found["probabilities"], mlp.predict_proba(x), atol=1e-6)
            assert found["label"].tolist() == mlp.predict(x).tolist()
        else:
            np.testing.assert_allclose(found["y"], mlp.predict(x).reshape(80, -1), atol=1e-6)


def test_what_is_no_fitted_mlp_is_named() -> None:
    from sklearn.linear_model import LinearRegression
    from sklearn.neural_network import MLPRegressor

    with pytest.raises(ValueError, match="this MLPRegressor isn't fitted: call its fit first"):
        from_sklearn(MLPRegressor())
    with pytest.raises(ValueError, match="an MLPClassifier or MLPRegressor is expected, not LinearRegression"):
        from_sklearn(LinearRegression())


SCALED = np.random.default_rng(7).normal(size=(120, 4))
TARGETS: dict[str, np.ndarray] = {
    "three classes": np.arange(120) % 3 * 5,
    "text": np.array(["no", "yes"])[np.arange(120) % 2],
    "flags": np.random.default_rng(1).integers(2, size=(120, 3)),
    "value": SCALED @ [1.0, -2, 0, 3],
    "values": SCALED[:, :2] * 9,
    "counts": np.random.default_rng(2).poisson(3, 120).astype(float),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ["relu", "logistic", ["gelu", "silu"]], ids=str)
@pytest.mark.parametrize("name", TARGETS)
def test_a_whole_estimator(name: str, activation: Any, dtype: str, tmp_path: Path) -> None:
    x, y = SCALED.astype(dtype), TARGETS[name]
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (9, 5),
        "activation": activation,
        "max_iter": 5,
        "random_state": 0,
    }
    if y.dtype.kind == "f":
        model = estimators.MLPRegressor("poisson" if name == "counts" else "squared_error", **settings).fit(x, y)
    else:
        model = estimators.MLPClassifier(dropout=0.2, **settings).fit(x, y)
    model.export(tmp_path / "model.onnx")
    found = run(tmp_path / "model.onnx", x)
    if y.dtype.kind == "f":
        wanted = model.predict(x)
        np.testing.assert_allclose(found["y"].reshape(wanted.shape), wanted, rtol=1e-5, atol=1e-5)
        return
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(x), atol=1e-5)
    assert found["label"].tolist() == model.predict(x).tolist()
