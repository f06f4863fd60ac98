"""A run as one page: results beside the baseline, mistakes, findings, and the command that trains it again."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet import recipes
from glassnet.data import Dataset
from glassnet.extras import need
from glassnet.inspection.doctor.linear import linear_outputs
from glassnet.inspection.doctor.patient import ROWS_AT_MOST, Patient
from glassnet.inspection.why import show
from glassnet.nn import MSE, CrossEntropy, Softmax
from glassnet.nn.layer import Array
from glassnet.recipes import examining
from glassnet.recipes.directory import METRICS_FILE, is_ensemble, member
from glassnet.recipes.finished import Finished
from glassnet.recipes.leaderboard import leaderboard
from glassnet.report import columns, estimates, mistakes, pictures, reasons, words
from glassnet.report.page import Table, write_page
from glassnet.train.metrics import METRICS, labels, ranking, score

if TYPE_CHECKING:
    from markupsafe import Markup

MANY = 100  # classes: with more, no area under the ROC curve is shown


@dataclass(frozen=True, eq=False)
class Reported:
    """A finished run and its data, or in `missing` why they are gone or aren't those that it was trained on.

    A run of folds has neither: the page of each fold shows its rows.
    """

    run: Finished
    data: Dataset | None
    missing: str | None

    @classmethod
    def read(cls, run: str | os.PathLike[str]) -> Reported:
        """Read both. Raises ValueError if `run` is no finished run, OSError if a file of it can't be read."""
        path = Path(run)
        done = Finished.of_ensemble(path) if is_ensemble(path) else Finished.read(path)
        if done.folded:  # no part of the data is new to all its networks
            return cls(done, None, None)
        try:
            return cls(done, done.load_data(), None)
        except (ValueError, OSError) as error:
            return cls(done, None, str(error))


def write_report(
    run: Reported | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    doctor: bool = True,
    others: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the page of a finished run to `out`, by default report.html in the run directory; return its path.

    doctor: whether to examine the run, which takes a few seconds. others: whether to train a linear model and gradient
    boosting on the same rows, and show them beside it. tell: is given what is done next, in words. If the
    data are gone or were changed, the page says so and holds the content of the run directory. Whatever needs rows is
    left out. Raises ValueError if `run` is no finished run or `out` a folder, OSError if a file can't be read or
    written.
    """
    need("plots", "jinja2", "matplotlib")
    found = run if isinstance(run, Reported) else Reported.read(run)
    done, data = found.run, found.data
    if others and done.folded:
        raise ValueError(f"{done.path} is of folds: other models are compared with one, such as {member(done.path, 0)}")
    tell("evaluating")
    areas = _areas(done, data) if data is not None else {}
    outputs = None if data is None else done.net.predict(data.test.x)
    why = None if data is None else reasons.explained(done, data)
    sure = None if data is None or outputs is None else reasons.bounds(done, data, outputs)
    content: dict[str, object] = {
        "verdict": words.verdict(done.metrics, done.net.info, areas.get("test")),
        "date": _date(done),
        "judged": estimates.estimates(done.metrics),
        "folds": estimates.folds(done.metrics),
        "results": _results(done, data, areas),
        "progress": pictures.progress(done),
        "outcome": _outcome(done, data, outputs, [] if why is None else why.leading),
        "first_layer": pictures.first_layer(done),
        "columns": None if data is None else columns.described(data),
        "calibration": None if data is None else reasons.calibration(done, data),
        "thresholds": None if data is None else reasons.thresholds(done, data),
        "bounds": sure,
    }
    if why is not None:
        tell("shuffling columns, to see which matter")
        content |= {"importance": reasons.importance(why), "together": show.notes(why)}
        content |= {"dependences": reasons.dependences(why)}
    if others and data is not None and data.image_shape is None:
        tell("training a linear model and gradient boosting")
        content["leaders"] = estimates.leaders(leaderboard(done.recipe, done), done.metrics)
    examined = doctor and data is not None and not done.joined  # the doctor examines one training
    if examined:
        tell("asking the doctor, who trains for a moment")
    return write_page(
        "report.html",
        Path(out) if out is not None else done.path / "report.html",
        run=done,
        data=data,
        missing=found.missing,
        findings=examining.examine_finished(done, data) if examined and data is not None else None,
        layers=_layers(done),
        command=_command(done),
        **{"importance": None, "together": [], "dependences": [], "leaders": None} | content,
    )


def _date(run: Finished) -> str:
    """The day on which the run was finished."""
    day = datetime.fromtimestamp((run.path / METRICS_FILE).stat().st_mtime).astimezone()
    return f"{day.day} {day:%B %Y}"


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
    means = "Means over the folds. " if run.folded else ""
    caption = f"{means}Baseline, for the test part: {words.CONSTANT[run.task]}."
    linear = _linear(run, data) if data is not None else None
    if linear is not None:
        parts["linear model"] = linear
        caption += f" Linear model: fitted to at most {ROWS_AT_MOST:,} training rows, for the test part."
    # In the unit of the target, the root of the mean squared error says the same as the MSE.
    hidden = {"mse"} | ({"loss"} if isinstance(run.loss, MSE) else set())
    if "decision" in run.metrics:  # the shares of right answers by the likeliest class, which isn't what is answered
        hidden.add("accuracy")
    names = [name for name in METRICS[run.task] if name not in hidden] + (["auc"] if areas else [])
    spread = estimates.spread_of(run.metrics)
    rows = [
        [
            words.NAMES.get(name, name),
            *(estimates.written(name, figures.get(name), spread) for figures in parts.values()),
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


def _outcome(
    run: Finished, data: Dataset | None, outputs: Array | None, leading: Sequence[int]
) -> list[Markup | Table]:
    """The network's answers to the test part: pictures of all, and the largest mistakes."""
    shown: list[Markup | Table] = []
    if run.task == "classification":
        shown += [*pictures.confusion(run), _classes(run)]
    if data is None or outputs is None:
        return shown
    if run.task == "regression":
        shown.append(pictures.predictions(data, outputs))
    if data.image_shape is not None:
        return [*shown, pictures.mistakes(data, labels(outputs), run.net.predict_proba(data.test.x).max(axis=1))]
    table = mistakes.worst(run, data, outputs, leading)
    return shown if table is None else [*shown, table]


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
