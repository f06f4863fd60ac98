"""A run as one page: results beside the baseline, mistakes, findings, and the command that trains it again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet import recipes
from glassnet.data import Dataset
from glassnet.data.schema import Column
from glassnet.extras import need
from glassnet.inspection.digits import digits
from glassnet.inspection.doctor.linear import linear_outputs
from glassnet.inspection.doctor.patient import ROWS_AT_MOST, Patient
from glassnet.nn import MSE, CrossEntropy, Softmax
from glassnet.nn.layer import Array
from glassnet.recipes import examining
from glassnet.recipes.finished import Finished
from glassnet.report import pictures, words
from glassnet.report.page import Table, write_page
from glassnet.train.metrics import METRICS, labels, ranking, score

if TYPE_CHECKING:
    from markupsafe import Markup

WORST = 10  # rows of a table that are shown
MANY = 100  # classes: with more, no area under the ROC curve is shown
WIDEST = 12  # columns of a table that are shown with them


@dataclass(frozen=True, eq=False)
class Reported:
    """A finished run and its data, or in `missing` why they are gone or aren't those that it was trained on."""

    run: Finished
    data: Dataset | None
    missing: str | None

    @classmethod
    def read(cls, run: str | os.PathLike[str]) -> Reported:
        """Read both. Raises ValueError if `run` is no finished run, OSError if a file of it can't be read."""
        done = Finished.read(Path(run))
        try:
            return cls(done, done.load_data(), None)
        except (ValueError, OSError) as error:
            return cls(done, None, str(error))


def write_report(
    run: Reported | str | os.PathLike[str], out: str | os.PathLike[str] | None = None, doctor: bool = True
) -> Path:
    """Write the page of a finished run to `out`, by default report.html in the run directory; return its path.

    doctor: whether to examine the run, which takes a few seconds. If the data are gone or were changed, the page says
    so and holds the content of the run directory. The single mistakes, the linear model and the doctor are left out.
    Raises ValueError if `run` is no finished run or `out` a folder, OSError if a file can't be read or written.
    """
    need("plots", "jinja2", "matplotlib")
    found = run if isinstance(run, Reported) else Reported.read(run)
    done, data = found.run, found.data
    areas = _areas(done, data) if data is not None else {}
    return write_page(
        "report.html",
        Path(out) if out is not None else done.path / "report.html",
        run=done,
        verdict=words.verdict(done.metrics, done.net.info, areas.get("test")),
        missing=found.missing,
        results=_results(done, data, areas),
        progress=pictures.progress(done),
        outcome=_outcome(done, data),
        first_layer=pictures.first_layer(done),
        findings=examining.examine_finished(done, data) if doctor and data is not None else None,
        layers=_layers(done),
        command=_command(done),
    )


def _areas(run: Finished, data: Dataset) -> dict[str, tuple[float, float]]:
    """The area under the ROC curve of each part, with its error of chance; none for values, or very many classes."""
    if run.task != "classification" or data.n_out > MANY:
        return {}
    parts = (("train", data.train), ("val", data.val), ("test", data.test))
    return {name: ranking(run.net.predict_proba(split.x), split.y) for name, split in parts if len(split)}


def _results(run: Finished, data: Dataset | None, areas: dict[str, tuple[float, float]]) -> Table:
    """The figures of all parts of the data, beside those of a constant answer and, with the data, a linear model."""
    auc = {name: {"auc": area} for name, (area, _) in areas.items()} | ({"baseline": {"auc": 0.5}} if areas else {})
    parts = {name: run.metrics[key] | auc.get(key, {}) for key, name in words.PARTS.items()}
    caption = f"Baseline, for the test part: {words.CONSTANT[run.task]}."
    linear = _linear(run, data) if data is not None else None
    if linear is not None:
        parts["linear model"] = linear
        caption += f" Linear model: fitted to at most {ROWS_AT_MOST:,} training rows, for the test part."
    names = [name for name in METRICS[run.task] if name != "loss" or not isinstance(run.loss, MSE)]  # the MSE has a row
    names += ["auc"] if areas else []
    rows = [
        [
            words.NAMES.get(name, name),
            *(words.figure(figures.get(name), name) for figures in parts.values()),
            words.MEANINGS[name],
        ]
        for name in names
    ]
    return Table(caption, ["figure", *parts, "meaning"], rows)


def _linear(run: Finished, data: Dataset) -> dict[str, float] | None:
    """The figures of a linear model on the test part, without its loss, which is another one."""
    recipe = run.recipe.sized(len(data.train))
    patient = Patient.of(run.network, data, run.loss, recipe.build_optimizer(), recipe.training.batch_size, recipe.seed)
    outputs = linear_outputs(patient, data.test.x)
    if outputs is None or not np.isfinite(outputs).all():
        return None
    figures = score(outputs, data.test.y, MSE() if run.task == "regression" else CrossEntropy())
    if run.task == "classification":
        figures["auc"] = ranking(Softmax().forward(outputs), data.test.y)[0]
    return {name: value for name, value in figures.items() if name != "loss"}


def _outcome(run: Finished, data: Dataset | None) -> list[Markup | Table]:
    """The network's answers to the test part: pictures of all, and the largest mistakes."""
    shown: list[Markup | Table] = []
    if run.task == "classification":
        shown += [*pictures.confusion(run), _classes(run)]
    if data is None:
        return shown
    outputs = run.net.predict(data.test.x)
    if run.task == "regression":
        return [*shown, pictures.predictions(data, outputs), _largest_errors(data, outputs[:, 0])]
    predicted, confidence = labels(outputs), run.net.predict_proba(data.test.x).max(axis=1)
    if data.image_shape is not None:
        return [*shown, pictures.mistakes(data, predicted, confidence)]
    return [*shown, _surest_mistakes(data, predicted, confidence)] if (predicted != data.test.y).any() else shown


def _classes(run: Finished) -> Table:
    """Precision and recall of each class, and the class that it is most often taken for."""
    classes, rows = list(run.metrics["classes"]), []
    wrong = run.confusion.mistakes()
    total = np.bincount(wrong.true, wrong.rows, len(classes)).astype(np.int64)
    places = dict(zip(*np.unique(wrong.true, return_index=True), strict=True))  # of each class's commonest mistake
    for i, (name, scores) in enumerate(run.metrics["classes"].items()):
        other = "-"
        if (place := places.get(i)) is not None:
            other = f"{classes[wrong.predicted[place]]} ({wrong.rows[place]:,} of {total[i]:,} mistakes)"
        rows.append([name, *(words.figure(value, key) for key, value in scores.items()), other])
    head = ["class", "precision", "recall", "rows", "most often taken for"]
    return Table(
        "Test part, class by class. Precision: of the rows called so, the share that are. Recall: of the rows that are"
        " so, the share that is found.",
        head,
        rows,
    )


def _largest_errors(data: Dataset, predicted: Array) -> Table:
    errors = predicted - data.test.y
    worst = np.argsort(-np.abs(errors), kind="stable")[:WORST]
    shown = digits(data.test.y[worst], errors[worst], 5)
    rows = [[f"{data.test.y[i]:,.{shown}g}", f"{predicted[i]:,.{shown}g}", f"{errors[i]:,.5g}"] for i in worst]
    return _rows_of("The test rows with the largest errors", data, worst, ["true", "predicted", "error"], rows)


def _surest_mistakes(data: Dataset, predicted: Array, confidence: Array) -> Table:
    wrong = np.flatnonzero(predicted != data.test.y)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:WORST]
    classes = data.classes
    rows = [[classes[data.test.y[i]], classes[predicted[i]], words.share(float(confidence[i]))] for i in worst]
    title = f"The surest of {len(wrong):,} mistakes"
    return _rows_of(title, data, worst, ["true", "predicted", "confidence"], rows)


def _rows_of(title: str, data: Dataset, chosen: Array, head: list[str], answers: list[list[str]]) -> Table:
    """Some test rows with their answers and their features."""
    features = list(data.features[:WIDEST])
    more = f", with the first {WIDEST} of {data.n_in:,} columns" if data.n_in > WIDEST else ""
    rows = [
        [str(i), *answer, *(_value(data, j, value) for j, value in enumerate(data.test.x[i, :WIDEST]))]
        for i, answer in zip(chosen, answers, strict=True)
    ]
    caption = f"{title}{more}. Rows are counted from 0, in the order of the test part."
    return Table(caption, ["row", *head, *features], rows)


def _value(data: Dataset, column: int, value: float) -> str:
    """Write a value of a column as it stood in the table: a category by its name, a date as one."""
    if np.isnan(value):
        return "missing"
    about = data.schema[column] if data.schema else Column("")
    if about.kind == "category":
        return about.categories[int(value)] if 0 <= value < len(about.categories) else "another"
    if about.kind == "date":
        return str(np.datetime64(round(value * 86_400), "s")).replace("T00:00:00", "").replace("T", " ")
    if about.kind == "boolean":
        return "true" if value else "false"
    return f"{value:,.5g}"


def _layers(run: Finished) -> Table:
    """The table that `Network.summary` prints."""
    rows = [
        [str(i), repr(layer), ", ".join(f"{name} {shape}" for name, shape in layer.shapes().items()), f"{layer.size:,}"]
        for i, layer in enumerate(run.network.layers)
    ]
    rows.append(["", "all", run.network.precision, f"{run.network.theta.size:,}"])
    of = f" of {run.which}" if run.which else ""
    return Table(f"Layers{of}, in the order in which a row passes them.", ["", "layer", "shapes", "parameters"], rows)


def _command(run: Finished) -> str:
    """The command that trains this run again."""
    recipe = run.recipe
    if recipe.name in recipes.names() and recipes.load(recipe.name, seed=recipe.seed) == recipe:
        return f"glassnet train {recipe.name} --seed {recipe.seed}"
    return "glassnet train recipe.toml"
