"""Recipes: those that come with glassnet, and how they are read."""

from __future__ import annotations

import datetime
import itertools
import math
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest

import glassnet as gn
from glassnet import recipes
from glassnet.data.dialect import table_stem
from glassnet.recipes import run as run_module
from glassnet.report import write_report

MINIMAL = {"name": "mine", "data": {"source": "digits"}}
ENDS = {  # inputs and outputs
    "california": (8, 1),
    "california-embedded": (8, 1),
    "diabetes": (10, 1),
    "digits": (64, 10),
    "explore-mnist": (784, 10),
    "mnist": (784, 10),
    "mnist-best": (784, 10),
    "mnist-deep": (784, 10),
    "mnist-distorted": (784, 10),
    "mnist-fast": (784, 10),
    "mnist-six-layers": (784, 10),
    "seed-california": (8, 1),
    "seed-mnist": (784, 10),
    "table": (5, 3),
}
SEED_WIDTHS = {"seed-mnist": [512, 200, 128, 100, 64], "seed-california": [256, 128, 64, 32]}


def test_names() -> None:
    assert recipes.names() == sorted(ENDS)


@pytest.mark.parametrize("name", sorted(ENDS))
def test_a_bundled_recipe(name: str, tmp_path: Path) -> None:
    recipe = recipes.load(name).sized(5000)
    n_in, n_out = ENDS[name]
    task = "regression" if n_out == 1 else "classification"
    assert recipe.name == name
    assert len(recipe.description) > 20
    assert recipe.build_loss(task).task == task
    assert recipe.build_optimizer().lr > 0
    assert 0 < recipe.build_schedule()(10, 50, recipe.training.epochs) <= 1

    net = recipe.build_network(n_in, n_out, task)
    shapes = [layer.W.shape[-2:] for layer in net.layers if isinstance(layer, gn.Dense)]
    embedding = recipe.network.embedding
    first = n_in + 14 * (recipe.network.rotations or 0)  # angles of each pair
    first *= embedding["dim"] if isinstance(embedding, dict) else 1
    assert shapes == list(itertools.pairwise([first, *recipe.network.hidden, n_out]))
    assert net.dtype.name == recipe.network.dtype
    x = np.random.default_rng(0).integers(256, size=(20, n_in)).astype(np.float64)
    net.fit_preprocessing(x, np.arange(20.0))
    assert net.predict(x).shape == (20, n_out)
    net.save(tmp_path / "net.safetensors")
    assert (gn.Network.load(tmp_path / "net.safetensors").predict(x) == net.predict(x)).all()

    recipe.save(tmp_path / "recipe.toml")
    assert recipes.load(tmp_path / "recipe.toml") == recipe
    assert recipes.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize("name", sorted(SEED_WIDTHS))
def test_the_seed_as_it_was(name: str) -> None:
    recipe = recipes.load(name)
    assert repr(recipe.build_schedule()) == "ExponentialDecay(rate=0.95)"
    optimizer = recipe.build_optimizer()
    assert isinstance(optimizer, gn.SGD)
    assert (optimizer.lr, optimizer.momentum) == (2e-3, 0.9)
    assert optimizer.l2 == (0.01 if name == "seed-california" else 0)
    assert recipe.network.hidden == SEED_WIDTHS[name]
    assert recipe.network.init == "normal(0.1)"
    assert (recipe.training.batch_size, recipe.training.replacement) == (200, True)


def test_layers_stand_in_their_order() -> None:
    network = {
        "inputs": {"name": "Standardize", "per_feature": False},
        "hidden": [5, 4],
        "normalization": "LayerNorm",
        "activation": {"name": "LeakyReLU", "slope": 0.2},
        "dropout": 0.5,
        "input_dropout": 0.1,
        "dtype": "float64",
    }
    recipe = recipes.from_dict(MINIMAL | {"network": network})
    block = ["Dense", "LayerNorm", "LeakyReLU", "Dropout"]
    net = recipe.build_network(3, 2, "classification")
    assert [type(layer).__name__ for layer in net.layers] == ["Standardize", "Dropout", *block, *block, "Dense"]
    assert [layer.slope for layer in net.layers if isinstance(layer, gn.LeakyReLU)] == [0.2, 0.2]
    assert [layer.rate for layer in net.layers if isinstance(layer, gn.Dropout)] == [0.1, 0.5, 0.5]
    assert net.dtype == np.float64
    noisy = recipes.from_dict(MINIMAL | {"network": network | {"noise": 0.3, "input_noise": 0.2}})
    block.insert(2, "GaussianNoise")
    layers = noisy.build_network(3, 2, "classification").layers
    kinds = ["Standardize", "GaussianNoise", "Dropout", *block, *block, "Dense"]
    assert [type(layer).__name__ for layer in layers] == kinds
    assert [layer.std for layer in layers if isinstance(layer, gn.GaussianNoise)] == [0.2, 0.3, 0.3]
    assert isinstance(recipe.build_network(3, 1, "regression").layers[-1], gn.Unstandardize)
    recipe.network.standardize_target = False
    assert isinstance(recipe.build_network(3, 1, "regression").layers[-1], gn.Dense)


def test_hidden_layers_may_be_none() -> None:
    net = recipes.from_dict(MINIMAL | {"network": {"hidden": []}}).build_network(3, 2, "classification")
    assert [type(layer).__name__ for layer in net.layers] == ["Standardize", "Dense"]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"data": {"source": "digits"}}, "name is missing"),
        ({"name": "x"}, "data is missing"),
        ({"name": "x", "data": {}}, r"data\.source is missing"),
        ({"name": "x", "data": "digits"}, "data is a table, not 'digits'"),
        (MINIMAL | {"sed": 1}, r"there is no sed \(did you mean seed\?\); a recipe has name, data"),
        (MINIMAL | {"training": {"epoch": 1}}, r"there is no training\.epoch \(did you mean epochs\?\)"),
        (MINIMAL | {"seed": 1.0}, r"seed must be a whole number, not 1\.0"),
        (MINIMAL | {"seed": True}, "seed must be a whole number, not True"),
        (MINIMAL | {"seed": -1}, "seed must be a whole number of at least 0, not -1"),
        (MINIMAL | {"network": {"dropout": "0.1"}}, r"network\.dropout must be a number, not '0\.1'"),
        (MINIMAL | {"network": {"dropout": False}}, r"network\.dropout must be a number, not False"),
        (
            MINIMAL | {"network": {"hidden": [64, "x"]}},
            r"network\.hidden must be a list of whole numbers, not \[64, 'x'\]",
        ),
        (MINIMAL | {"data": {"source": "a", "drop": [3]}}, r"data\.drop must be a list of names, not \[3\]"),
        (MINIMAL | {"optimizer": 3}, "optimizer must be a name or a table with a name, not 3"),
        (MINIMAL | {"network": {"rotations": -1}}, r"network\.rotations must be a whole number of at least 0, not -1"),
        (MINIMAL | {"network": {"category_dim": -4}}, r"network\.category_dim must be .* at least 1, not -4"),
        (MINIMAL | {"name": "a/b"}, "name must be a word or two without slashes, not 'a/b'"),
    ],
)
def test_reading_is_strict(values: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        recipes.from_dict(values)


@pytest.mark.parametrize("table", ["", "data", "network", "training", "tune"])
def test_a_date_fits_no_field(table: str) -> None:
    fields = vars(recipes.from_dict(MINIMAL | {"tune": {}}))
    for name in vars(fields[table]) if table else fields:
        given = {name: datetime.date(2001, 12, 31)}
        values = MINIMAL | ({table: {"source": "digits"} | given if table == "data" else given} if table else given)
        with pytest.raises(ValueError, match=rf"{name} (must be|is) [a-z ,-]+, not datetime\.date"):
            recipes.from_dict(values)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"network": {"activation": "Relu"}}, r"network\.activation: there is no 'Relu'"),
        ({"network": {"activation": {"slope": 1}}}, r"network\.activation: a table needs a name"),
        ({"network": {"activation": {"name": "LeakyReLU", "slop": 1}}}, r"takes no 'slop' \(did you mean slope\?\)"),
        (
            {"network": {"dropout": 1.5}},
            r"network\.dropout: Dropout: rate must be a number of at least 0 and below 1, not 1\.5",
        ),
        ({"network": {"hidden": [0]}}, r"network\.hidden: Dense: fan_out must be a whole number of at least 1"),
        ({"network": {"dtype": "complex64"}}, "dtype must be float32, float64 or bfloat16, not complex64"),
        ({"optimizer": "SGD"}, "optimizer: SGD lacks an argument; its arguments are lr"),
        ({"optimizer": {"name": "SGD", "lr": "big"}}, "optimizer: SGD: lr must be a number, not 'big'"),
        ({"schedule": {"name": "OneCycle", "warmup": 2}}, "schedule: OneCycle: warmup must be"),
        ({"network": {"lr_factors": [1.0]}}, r"network\.lr_factors: 2 layers need as many, not 1"),
        ({"network": {"max_norm": -1.0}}, r"network\.hidden: Dense: max_norm must be a number above 0, not -1\.0"),
        ({"augmentation": "Distort"}, r"augmentation: there is no 'Distort' \(did you mean Distortions\?\)"),
        (
            {"augmentation": {"name": "Distortions", "scale": 2}},
            "augmentation: Distortions: scale must be a number of at least 0",
        ),
        ({"training": {"average": {"name": "EMA", "decay": 1}}}, r"training\.average: EMA: decay must be"),
        ({"training": {"dropout_schedule": "Line"}}, r"training\.dropout_schedule: there is no 'Line'"),
        ({"loss": "MAE"}, "loss: MAE is for regression, but the data are for classification"),
    ],
)
def test_parts_that_make_no_sense_name_their_place(change: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):  # noqa: PT012  which of the five it is, `fault` tells
        recipe = recipes.from_dict(MINIMAL | change)
        recipe.build_network(4, 3, "classification")
        recipe.build_loss("classification")
        recipe.build_optimizer()
        recipe.build_training()


def test_the_toolkit_is_reachable() -> None:
    recipe = recipes.from_dict(
        MINIMAL
        | {
            "network": {"hidden": [5], "max_norm": 2, "lr_factors": [1, 0.5]},
            "augmentation": {"name": "Distortions", "rotation": 10},
            "loss": {"name": "CrossEntropy", "label_smoothing": 0.1},
            "training": {
                "average": {"name": "SWA", "start": 0.5},
                "dropout_schedule": "Linear",
                "weight_decay_schedule": {"name": "Linear", "last": 0.5},
            },
        }
    )
    dense = [layer for layer in recipe.build_network(3, 2, "classification").layers if isinstance(layer, gn.Dense)]
    assert [(layer.max_norm, layer.lr_factor) for layer in dense] == [(2, 1), (2, 0.5)]
    made = {name: repr(value) for name, value in vars(recipe.build_training()).items()}
    assert made["average"] == "SWA(start=0.5)"
    assert made["dropout_schedule"] == "Linear(first=1.0, last=0.0)"
    assert made["weight_decay_schedule"] == "Linear(first=1.0, last=0.5)"
    assert made["augmentation"].startswith("Distortions(rotation=10.0, ")
    assert made["schedule"] == "Constant()"
    assert recipe.build_loss("classification").label_smoothing == 0.1
    assert recipes.from_dict(recipe.to_dict()) == recipe


def test_a_run_with_augmentation_shows_it(tmp_path: Path) -> None:
    changes = [
        "augmentation={name='Distortions', rotation=10}",
        "training.average=EMA",
        "training.epochs=2",
        "training.dropout_schedule=Linear",
        "network.dropout=0.2",
    ]
    recipes.train(recipes.load("digits", changes=changes), tmp_path / "run")
    assert (tmp_path / "run" / "plots" / "augmentation.png").stat().st_size > 10_000
    assert recipes.load(tmp_path / "run" / "recipe.toml").augmentation == {"name": "Distortions", "rotation": 10}


@pytest.mark.parametrize(
    "changes",
    [
        ["network.embedding={name='PiecewiseLinear', dim=2, bins=4}", "network.hidden=[8]"],  # a Dense of no pixels
    ],
)
def test_a_first_layer_whose_weights_are_no_images_is_not_drawn(changes: list[str], tmp_path: Path) -> None:
    recipes.train(recipes.load("digits", changes=["training.epochs=1", *changes]), tmp_path / "run")
    assert sorted(p.stem for p in (tmp_path / "run" / "plots").iterdir()) == ["confusion", "curves", "mistakes"]
    assert "of the first layer, as images" not in write_report(tmp_path / "run", doctor=False).read_text()


def test_pictures_are_png_or_svg_as_the_recipe_says(tmp_path: Path) -> None:
    chosen = recipes.with_training(recipes.load("digits", changes=["network.hidden=[8]"]), epochs=1, pictures="svg")
    recipes.train(chosen, tmp_path / "run")
    drawn = sorted((tmp_path / "run" / "plots").iterdir())
    assert {path.suffix for path in drawn} == {".svg"}
    assert len(drawn) >= 3
    assert recipes.load(tmp_path / "run" / "recipe.toml").pictures == "svg"
    with pytest.raises(ValueError, match="pictures must be png or svg, not 'gif'"):
        recipes.load("digits", changes=["pictures=gif"])


def test_changes() -> None:
    changes = [
        "optimizer.lr=0.25",
        "network.hidden=[3, 4]",
        "network.activation=Tanh",
        " training.epochs = 7",
        "schedule={name='Cosine'}",
        "data.source=a b.csv",
        "loss.label_smoothing=0.1",
        "loss.name=CrossEntropy",
    ]
    recipe = recipes.load("seed-mnist", changes=changes, seed=5)
    assert recipe.optimizer == {"name": "SGD", "lr": 0.25, "momentum": 0.9}
    assert recipe.network.hidden == [3, 4]
    assert recipe.network.activation == "Tanh"
    assert recipe.network.init == "normal(0.1)"
    assert recipe.training.epochs == 7
    assert recipe.schedule == {"name": "Cosine"}
    assert recipe.data.source == "a b.csv"
    assert recipe.loss == {"label_smoothing": 0.1, "name": "CrossEntropy"}
    assert recipe.seed == 5
    assert recipes.load("seed-mnist").optimizer == {"name": "SGD", "lr": 2e-3, "momentum": 0.9}
    another = recipes.load("california", changes=["network.inputs.name=Standardize"])
    assert another.network.inputs == {"name": "Standardize"}, "the noise of QuantileNormalize stays behind"


def test_a_change_may_give_an_argument_to_a_bare_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nschedule = "OneCycle"\n[data]\nsource = "digits"\n')
    assert recipes.load(path, changes=["schedule.warmup=0.3"]).schedule == {"name": "OneCycle", "warmup": 0.3}


def test_unknown_recipes() -> None:
    with pytest.raises(ValueError, match=r"there is no recipe 'mnits' \(did you mean mnist\?\); the recipes are calif"):
        recipes.load("mnits")
    with pytest.raises(FileNotFoundError):
        recipes.load("nowhere.toml")


def test_gradcheck_of_a_recipe() -> None:
    found = recipes.gradcheck(recipes.load("diabetes"), rows=4, entries=10)
    assert found.passed
    assert found.max_relative_error < 1e-7


def test_the_last_training_may_use_the_validation_rows(tmp_path: Path) -> None:
    changes = ["training.epochs=2", "training.patience=1", "data.validation=false"]
    metrics = recipes.train(recipes.load("digits", changes=changes), tmp_path / "all")
    assert metrics["data"].endswith("train 1,438, val 0, test 359")
    assert all(map(math.isnan, metrics["val"].values()))
    assert metrics["best_epoch"] is None
    assert recipes.evaluate_run(tmp_path / "all")["test"] == pytest.approx(metrics["test"])
    data = run_module.load_data(recipes.load("digits"))
    joined = data.without_validation()
    np.testing.assert_array_equal(joined.train.x, np.concatenate([data.train.x, data.val.x]))
    np.testing.assert_array_equal(joined.train.y, np.concatenate([data.train.y, data.val.y]))


def test_free_directory(tmp_path: Path) -> None:
    assert recipes.free_directory(tmp_path / "run") == tmp_path / "run"
    (tmp_path / "run").mkdir()
    (tmp_path / "run-2").write_text("a file takes the name as well")
    assert recipes.free_directory(tmp_path / "run") == tmp_path / "run-3"


def test_evaluating_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is no run \(there is no metrics\.json in it\)"):
        recipes.open_run(tmp_path)
    with pytest.raises(ValueError, match="is no run"):
        recipes.predict_file(tmp_path, tmp_path / "rows.csv")


def test_embeddings() -> None:
    recipe = recipes.from_dict(MINIMAL | {"network": {"embedding": {"name": "Periodic", "dim": 4}, "hidden": [16, 8]}})
    net = recipe.build_network(3, 2, "classification", {"categories": [0, 3, 0], "missing": [2]})
    kinds = [type(layer).__name__ for layer in net.layers]
    assert kinds == ["Columns", "Standardize", "Periodic", "Dense", "ReLU", "Dense", "ReLU", "Dense"]
    assert net.layers[3].fan_in == 4 + 4 + 1 + 3 + 0  # two numbers are embedded; marks and categories are not
    with pytest.raises(ValueError, match=r"network\.embedding: there is no 'Periodical'"):
        recipes.from_dict(MINIMAL | {"network": {"embedding": "Periodical"}}).build_network(3, 2, "classification")


def test_embedded_categories() -> None:
    columns = {"categories": [0, 3, 0, 7], "missing": [2]}

    def build(columns: dict[str, list[int]] | None = columns, **table: object) -> gn.Network:
        recipe = recipes.from_dict(MINIMAL | {"network": {"category_dim": 5, "hidden": [8], **table}})
        return recipe.build_network(4, 2, "classification", columns)

    embedding = {"name": "PiecewiseLinear", "dim": 2}
    net = build(embedding=embedding, input_dropout=0.1)
    kinds = [type(layer).__name__ for layer in net.layers]
    assert kinds[:5] == ["Columns", "Standardize", "CategoryEmbedding", "PiecewiseLinear", "Dropout"]
    assert repr(net.layers[2]) == "CategoryEmbedding([3, 7], 5, plain=3)"
    assert net.layers[5].fan_in == 2 + 2 + 1 + 5 + 5  # two numbers, a mark and two columns of categories
    assert build().layers[3].fan_in == 1 + 1 + 1 + 5 + 5
    assert build({"categories": [3, 7], "missing": []}, embedding=embedding).layers[3].fan_in == 10  # no numbers
    assert type(build(None).layers[1]) is gn.Dense  # nor here categories
    with pytest.raises(ValueError, match=r"network\.category_dim must be a whole number"):
        build(category_dim=0)


WINDOWS = [
    r"C:\Users\Jörg Müller\my table.csv",
    r"D:\new\tables\x.csv",
    r"\\server\share\データ.parquet",
    "E:/a b/t.csv.gz",
]


@pytest.mark.parametrize("path", WINDOWS)
def test_a_path_of_windows_is_a_tables_and_stays_what_it_is(path: str, tmp_path: Path) -> None:
    recipe = recipes.choose(path, target="y")
    recipe.save(tmp_path / "recipe.toml")
    assert recipes.load(tmp_path / "recipe.toml").data.source == recipe.data.source == path
    assert recipes.load("digits", changes=[f"data.source={path}"]).data.source == path
    assert table_stem(PureWindowsPath(path)) in {"my table", "x", "データ", "t"}
