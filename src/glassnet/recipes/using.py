"""Uses of a run, and of a recipe without training it: evaluate, export, check gradients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from glassnet.data import standard_input
from glassnet.data.catalog import SOURCES
from glassnet.data.schema import from_info
from glassnet.data.table import load_labelled
from glassnet.nn import GradientReport, Network
from glassnet.nn import gradcheck as check_gradients
from glassnet.recipes.directory import MEMBER_FOLDERS, RECIPE_FILE, open_model
from glassnet.recipes.finished import load_same_data
from glassnet.recipes.folds import CrossValidated, runs_of
from glassnet.recipes.intervals import Bounds, bounds_of
from glassnet.recipes.judging import answers_of, constant_answers, judged, predicted_classes
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import by_class, decided, load_data, results
from glassnet.train.metrics import baseline, score


def evaluate_run(run: Path, data: Path | None = None) -> dict[str, Any]:
    """Evaluate a finished run's network on its data again; return the results as in metrics.json.

    data: where its table is now, if it was moved: see `find_again`. metrics.json and history.csv aren't read, because
    they may be damaged. Raises ValueError if the data aren't what the network was trained on, such as a table with
    other columns.
    """
    if data is not None:
        find_again(run, data)
    recipe, net = open_model(run)
    if recipe.data.folds is not None and recipe.data.fold is None:
        return CrossValidated.of(runs_of(run, recipe)).metrics | {"recipe": recipe.name} | decided(net)
    rows = load_same_data(run, recipe, net)
    found = results(net, rows, recipe.build_loss(rows.task), run) | {"task": rows.task, "data": str(rows)}
    one = isinstance(net, Network) or recipe.pack is not None  # run
    return found | {"recipe": recipe.name} if one else found


def find_again(run: Path, table: Path) -> None:
    """Tell a run, and the runs that it consists of, where the table that it was trained on is now.

    Raises ValueError if it is another table, or other rows. Then nothing is changed.
    """
    moved = {}
    for folder in (run, *sorted(run.glob(MEMBER_FOLDERS))):
        recipe, net = open_model(folder)
        if recipe.data.source in SOURCES:
            raise ValueError(f"{run} was trained on {recipe.data.source}, which is found by its name")
        recipe = replace(recipe, data=replace(recipe.data, source=str(table.resolve())))
        load_same_data(folder, recipe, net)
        if (folder / RECIPE_FILE).is_file():
            moved[folder / RECIPE_FILE] = recipe
    for file, recipe in moved.items():
        recipe.save(file)


def evaluate_file(run: Path, path: Path) -> dict[str, Any]:
    """Evaluate a finished run's network on all rows of another table that have a target; "-" is standard input.

    The results are those of `evaluate_run` for the part "test". The baseline is the best constant answer for
    these very rows. "notes" says what happened to the rows. Raises ValueError if columns are missing, and for a class
    that training hadn't.
    """
    recipe, net = open_model(run)
    info = net.info
    task, classes = info["task"], info["classes"]
    with standard_input.as_file(path) as file:
        rows, notes = load_labelled(file, from_info(info) or info["features"], info["target"], task, classes)
    loss, outputs = recipe.build_loss(task), net.predict(rows.x)
    found: dict[str, Any] = {"test": score(outputs, rows.y, loss), "baseline": baseline(rows, rows, loss)}
    answers = answers_of(net, outputs)
    predicted = predicted_classes(net, answers)
    bounds = bounds_of(run, rows.x, answers, rows.y)
    found |= {"figures": judged(answers, rows.y, constant_answers(rows.y, answers), predicted, bounds)}
    about = {
        "task": task,
        "data": f"{standard_input.table_name(path)}: {len(rows):,} rows",
        "recipe": recipe.name,
        "notes": notes,
    }
    return found | by_class(predicted, rows.y, classes) | decided(net) | about


def export_run(run: Path, out: Path, input_dtype: str | None = None, coverage: float | None = None) -> str:
    """Write the network of a run to an ONNX file; return its inputs and outputs in a line. See `Network.export`.

    coverage: that of intervals or sets of classes, which are outputs then. Raises ValueError if the file's name doesn't
    end in .onnx, and if the run has no intervals.
    """
    from glassnet.exchange import save, signature, to_onnx

    if out.suffix.lower() != ".onnx":
        raise ValueError(f"{out}: the model is written to a file whose name ends in .onnx")
    recipe, net = open_model(run)
    if isinstance(net, Network):
        net.info["description"] = recipe.description
    if coverage is None:
        model = to_onnx(net, input_dtype=input_dtype)
    else:
        bounds = Bounds.of(run, coverage)
        model = to_onnx(net, input_dtype=input_dtype, intervals=bounds.found, coverage=coverage)
    save(model, out)
    return signature(model)


def gradcheck(recipe: Recipe, rows: int = 8, entries: int = 30) -> GradientReport:
    """Check a recipe's network on its first training rows: `entries` numbers of each parameter and of the input."""
    data = load_data(recipe)
    settled = recipe.settle(data)
    settled.net.fit_preprocessing(data.train.x, data.train.y)
    return check_gradients(settled.net, data.train.x[:rows], data.train.y[:rows], settled.loss, entries=entries)
