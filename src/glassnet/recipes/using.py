"""What can be done with a run, and with a recipe short of training it: evaluate, predict, check gradients."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.data import numeric_rows, read_digit, read_table
from glassnet.files import replacing
from glassnet.nn import GradientReport
from glassnet.nn import gradcheck as check_gradients
from glassnet.nn.layer import Array
from glassnet.recipes.finished import load_same_data
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import load_data, open_run, results

Rows = list[dict[str, Any]]


def evaluate_run(run: Path) -> dict[str, Any]:
    """Evaluate a finished run's network on its data anew; return what metrics.json holds of results.

    What metrics.json and history.csv hold isn't read: they may be damaged.
    Raises ValueError if the data aren't what the network was trained on, such as a table with other columns.
    """
    recipe, net = open_run(run)
    data = load_same_data(run, recipe, net)
    found = results(net, data, recipe.build_loss(data.task))
    return {"recipe": recipe.name, "task": data.task, "data": str(data)} | found


def predict_file(run: Path, path: Path) -> Rows:
    """Predict the rows of a table, or the digit in an image; return one dict per row.

    Classes: "prediction" and a "p(class)" for each class; values: "prediction". Raises ValueError if the file doesn't
    hold what the network was trained on.
    """
    net = open_run(run)[1]
    info = net.info
    x = _rows(path, info)
    if info["task"] == "regression":
        return [{"prediction": str(value)} for value in net.predict(x)[:, 0]]  # all digits that its type has
    classes = info["classes"]
    return [
        {"prediction": classes[int(np.argmax(p))]} | {f"p({c})": float(v) for c, v in zip(classes, p, strict=True)}
        for p in net.predict_proba(x)
    ]


def export_run(run: Path, out: Path, input_dtype: str | None = None) -> str:
    """Write the network of a run to an ONNX file; return what it takes and gives, in a line. See `Network.export`."""
    from glassnet.export import save, signature, to_onnx

    recipe, net = open_run(run)
    net.info["description"] = recipe.description
    model = to_onnx(net, input_dtype=input_dtype)
    save(model, out)
    return signature(model)


def _rows(path: Path, info: dict[str, Any]) -> Array:
    """The rows of a file as the network of that `info` takes them."""
    if path.suffix.lower() in (".csv", ".parquet"):
        return numeric_rows(read_table(path), info["features"], info.get("categories", ()))
    if "image_shape" not in info:
        raise ValueError(f"{path}: this run was trained on a table, so it predicts the rows of .csv and .parquet files")
    height, width = info["image_shape"]
    return read_digit(path, (height, width), info["image_maximum"])


def write_predictions(rows: Rows, out: Path | None) -> None:
    """Write predictions as CSV to a file, atomically, or to standard output."""
    if out is None:
        _write_csv(rows, sys.stdout)
        return
    with replacing(out) as part, part.open("w", encoding="utf-8", newline="") as file:
        _write_csv(rows, file)


def _write_csv(rows: Rows, file: Any) -> None:
    import csv

    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


def gradcheck(recipe: Recipe, rows: int = 8, entries: int = 30) -> GradientReport:
    """Check a recipe's network on its first training rows: `entries` numbers of each parameter and of the input."""
    data = load_data(recipe)
    net = recipe.build_network(data.n_in, data.n_out, data.task, data.columns())
    net.fit_preprocessing(data.train.x, data.train.y)
    loss = recipe.build_loss(data.task)
    return check_gradients(net, data.train.x[:rows], data.train.y[:rows], loss, entries=entries)
