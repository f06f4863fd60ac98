"""Why it answers as it does, how sure it is, and what it is worth: pictures of a run and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet import plots
from glassnet.data import Dataset
from glassnet.data.written import in_unit
from glassnet.inspection import Explanation, explain
from glassnet.inspection.why import show
from glassnet.intervals import ValueIntervals
from glassnet.nn.layer import Array
from glassnet.recipes import intervals
from glassnet.recipes.finished import Finished
from glassnet.report import pictures
from glassnet.train.decisions import Decision, curves

if TYPE_CHECKING:
    from markupsafe import Markup

DEPENDENCES = 5
COVERAGE = 0.9


def explained(run: Finished, data: Dataset) -> Explanation | None:
    """Return the explanation of a run on a table; None for images, whose pixels say little one by one."""
    return None if data.image_shape is not None or not len(data.test) else explain(run.net, data)


def importance(explanation: Explanation) -> Markup:
    """Draw what shuffling each column costs."""
    first = show.names(explanation, explanation.importance[0].columns)
    label = f"What shuffling each column adds to the {show.error_name(explanation)}. The most: {first}."
    return pictures.draw(show.importance_figure(explanation), "importance", label)


def dependences(explanation: Explanation) -> list[Markup]:
    """Draw how the answer follows the five most important columns."""
    shown = []
    for j in explanation.leading[:DEPENDENCES]:
        found = explanation.dependence(j)
        label = f"{show.along_in_words(explanation, found)}."
        shown.append(pictures.draw(show.dependence_figure(explanation, found), f"along-{j}", label))
    return shown


def calibration(run: Finished, data: Dataset) -> Markup | None:
    """Draw how often the test rows are right, by the probability that they are given; None for values."""
    if data.task != "classification":
        return None
    p = run.net.predict_proba(data.test.x).astype(np.float64)
    rare = int(np.bincount(data.train.y, minlength=len(data.classes)).argmin()) if p.shape[1] == 2 else None
    probability = p.max(axis=1) if rare is None else p[:, rare]
    right = p.argmax(axis=1) == data.test.y if rare is None else data.test.y == rare
    what = "the answered class" if rare is None else data.classes[rare]
    label = f"How often {what} is true among test rows, by the probability that they are given."
    return pictures.draw(plots.calibration(probability, right, what, data.name), "calibration", label)


def thresholds(run: Finished, data: Dataset) -> tuple[Markup, str] | None:
    """Draw what each threshold of the rarer of two classes finds, and say how answers are decided; else None."""
    if len(data.classes) != 2:
        return None
    rare = int(np.bincount(data.train.y, minlength=2).argmin())
    p, decision = run.net.predict_proba(data.test.x), Decision.read(run.net.info)
    columns = curves(p[:, [1 - rare, rare]], (data.test.y == rare).astype(int), None, ["", data.classes[rare]])
    if not columns:
        return None
    by = "the likelier class is answered" if decision is None else str(decision)
    at = 0.5 if decision is None or decision.threshold is None else decision.threshold
    label = f"Precision, recall and F1 of {data.classes[rare]} for the test rows, by the threshold of its probability."
    figure = plots.thresholds(columns, at, data.classes[rare], data.name)
    return pictures.draw(figure, "thresholds", label), f"Now {by}."


def bounds(run: Finished, data: Dataset, outputs: Array) -> tuple[Markup, str] | None:
    """Draw the bounds of the test rows, and say how often they hold; None for classes, or a run without intervals."""
    try:
        found = intervals.read(run.path)
    except ValueError:
        return None
    if not isinstance(found, ValueIntervals):
        return None
    values = outputs[:, 0].astype(np.float64)
    low, high = found(data.test.x, values, COVERAGE).T
    held = float(((low <= data.test.y) & (data.test.y <= high)).mean())
    width = in_unit(float((high - low).mean()), float(data.test.y.std()) or 1.0)
    said = (
        f"Bounds of {COVERAGE:.0%} hold the true value of {held:.1%} of the {len(data.test):,} test rows. On average"
        f" they are {width} apart."
    )
    label = f"The true values of test rows in the order of their predictions, with the bounds around them. {said}"
    return pictures.draw(plots.bounds(data.test.y, values, low, high, data.target, data.name), "bounds", label), said
