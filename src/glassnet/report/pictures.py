"""Pictures as SVG inside a page: sharp at any size, read out by their label, and no file of their own."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING

import numpy as np

from glassnet import plots
from glassnet.data import Dataset
from glassnet.nn import Ensemble
from glassnet.nn.layer import Array
from glassnet.plots.style import styled, write_svg
from glassnet.recipes.confusion import MOST_DRAWN
from glassnet.recipes.finished import Finished
from glassnet.recipes.pictures import heard, pixel_weights
from glassnet.report import words

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure


def draw(figure: Figure, name: str, label: str) -> Markup:
    """Make `figure` an SVG element. name: a word that no other picture of the page has. label: a description in words.

    The same figure gives the same bytes. Text becomes outlines, because a page can't bring its fonts along.
    """
    from markupsafe import Markup

    file = io.StringIO()
    with styled(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        write_svg(figure, file, name)
    whole = file.getvalue()
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', whole)
    inside = re.search(r"<svg[^>]*>(.*)</svg>", whole, re.DOTALL)
    assert box is not None
    assert inside is not None
    drawing = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", inside[1], flags=re.DOTALL)
    # Every file of matplotlib's names its parts figure_1, patch_1 and so on. In a page each name must be unique.
    drawing = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", drawing)
    width, height = box.groups()
    opening = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}" style="max-width: {}pt">').format(
        width, height, label, width
    )
    return opening + Markup(drawing) + Markup("</svg>")


def progress(run: Finished) -> Markup | None:
    """The course of the training, if an epoch was finished."""
    history, best = run.history.columns(), run.metrics["best_epoch"]
    if not history or (len(history["epoch"]) < 2 and isinstance(run.net, Ensemble)):  # rounds of a pack, not epochs
        return None
    part = "val" if "val_loss" in history else "train"
    losses = history[f"{part}_loss"]
    kept = f"; the weights of epoch {best} were kept" if best is not None else ""
    label = (
        f"The loss and the validation figure over {len(losses)} epochs. {words.PARTS[part].capitalize()} loss:"
        f" {losses[0]:.4g} after the first, {losses[-1]:.4g} after the last{kept}."
    )
    return draw(plots.curves(history, best_epoch=best), "curves", label)


def confusion(run: Finished) -> list[Markup]:
    """The confusion matrix of the test part, or none for very many classes."""
    classes = list(run.metrics["classes"])
    if len(classes) > MOST_DRAWN:
        return []
    matrix = run.confusion.whole()
    label = f"Confusion matrix of {len(classes)} classes: {matrix.trace():,} of {matrix.sum():,} test rows right."
    wrong = matrix - np.diag(np.diag(matrix))
    if wrong.any():
        true, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
        label += f" The commonest mistake: {classes[true]} taken for {classes[predicted]}, {wrong.max():,} times."
    return [draw(plots.confusion(matrix, classes), "confusion", label)]


def predictions(data: Dataset, outputs: Array) -> Markup:
    """Predicted against true values of the test part, and the residuals."""
    label = (
        f"Left: predicted against true {data.target} of {len(data.test):,} test rows, with the line on which both are"
        " equal. Right: how often each size of error occurs, for the network and for predicting the mean."
    )
    mean = float(data.train.y.mean())
    return draw(plots.predictions(data.test.y, outputs[:, 0], data.target, mean), "predictions", label)


def mistakes(data: Dataset, predicted: Array, confidence: Array) -> Markup:
    """The images of the test part that were taken for another class with the highest confidence."""
    assert data.image_shape is not None
    images = data.test.x.reshape(-1, *data.image_shape)
    wrong = np.flatnonzero(predicted != data.test.y)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:5]
    named = (f"a {data.classes[data.test.y[i]]} taken for {data.classes[predicted[i]]}" for i in surest)
    label = f"Images of the surest of {len(wrong)} mistakes: {', '.join(named)}." if len(wrong) else "No mistakes."
    drawn = plots.mistakes(images, data.test.y, predicted, confidence, data.classes)
    return draw(drawn, "mistakes", label)


def first_layer(run: Finished) -> Markup | None:
    """The weights of the first layer as images, if the network takes images."""
    shape = run.net.info.get("image_shape")
    if shape is None or (W := pixel_weights(run.network, shape)) is None:
        return None
    label = f"The weights into the {W.shape[1]:,} units of the first layer, as images of {shape[0]} x {shape[1]}."
    return draw(plots.first_layer(W, tuple(shape), heard(run.network)), "weights", label)
