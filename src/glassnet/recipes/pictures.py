"""The pictures of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet import plots
from glassnet.data import Augmentation, Dataset
from glassnet.files import own_folder
from glassnet.nn import Dense, Ensemble, Network
from glassnet.nn.ensemble import leading
from glassnet.nn.layer import Array
from glassnet.plots.style import PictureFormat, styled
from glassnet.recipes.confusion import MOST_DRAWN
from glassnet.recipes.judging import answers_of, predicted_classes
from glassnet.train import History
from glassnet.train.decisions import threshold_of
from glassnet.train.metrics import confusion_matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN, TIMES = 12, 5  # images that show augmentation, and the versions of each


@styled()
def draw(
    folder: Path,
    net: Network | Ensemble,
    data: Dataset,
    history: History,
    augmentation: Augmentation | None = None,
    curves: Mapping[str, list[Any]] | None = None,
    form: PictureFormat = "png",
) -> None:
    """Write the pictures of a finished training as files into `folder`; those of results show the test part.

    curves: what follows from thresholds, see `decisions.curves`.
    """
    figures = {"curves": plots.curves(history.columns(), np.array(history.step_loss), history.best_epoch)}
    figures |= _results(*_answered(net, data), data)
    if curves and len(data.classes) == 2:
        figures["thresholds"] = plots.thresholds(curves, threshold_of(net.info), data.classes[1], data.name)
    if data.image_shape is not None and (W := pixel_weights(leading(net), data.image_shape)) is not None:
        figures["first_layer"] = plots.first_layer(W, data.image_shape, heard(leading(net)))
    if data.image_shape is not None and augmentation is not None:
        originals = data.train.x[:SHOWN]
        rng = np.random.default_rng(0)
        rows = [originals, *(augmentation(originals, data.image_shape, rng) for _ in range(TIMES))]
        figures["augmentation"] = plots.augmented(np.stack(rows).reshape(TIMES + 1, -1, *data.image_shape))
    _save(figures, folder, data, form)


def pixel_weights(net: Network, image_shape: Sequence[int]) -> Array | None:
    """Return the weights W (h * w, units) of the first Dense; None if there is none, or it gets no pixels."""
    first = next((layer for layer in net.layers if isinstance(layer, Dense)), None)
    return first.W if first is not None and first.fan_in == math.prod(image_shape) else None


def heard(net: Network) -> Array | None:
    """Return the norm of the weights from each unit of the first Dense to the next, None if there is no other."""
    dense = [layer for layer in net.layers if isinstance(layer, Dense)]
    return np.linalg.norm(dense[1].W, axis=1) if len(dense) > 1 else None


@styled()
def draw_ensemble(
    folder: Path, ensemble: Ensemble, data: Dataset, histories: dict[str, History], form: PictureFormat
) -> None:
    """Do the same for an ensemble, with the curves of its members, by their names, in one picture."""
    figures = _results(*_answered(ensemble, data), data)
    if columns := {name: history.columns() for name, history in histories.items() if len(history)}:
        figures["curves"] = plots.overlay(columns)
    _save(figures, folder, data, form)


@styled()
def draw_results(folder: Path, answers: Array, predicted: Array | None, data: Dataset, form: PictureFormat) -> None:
    """Draw answers to the test part: values (N,), or probabilities of classes (N, C) and the classes answered (N,)."""
    _save(_results(answers, predicted, data), folder, data, form)


def _answered(net: Network | Ensemble, data: Dataset) -> tuple[Array, Array | None]:
    answers = answers_of(net, net.predict(data.test.x))
    return answers, predicted_classes(net, answers)


def _results(answers: Array, predicted: Array | None, data: Dataset) -> dict[str, Figure]:
    """The pictures of a network's answers to the test part, by name."""
    if predicted is None:
        return {"predictions": plots.predictions(data.test.y, answers, data.target, data.train.y.mean())}
    results = data.test.y, predicted, answers[np.arange(len(answers)), predicted], data.classes
    if data.image_shape is None:
        mistakes = plots.mistake_table(*results)
    else:
        mistakes = plots.mistakes(data.test.x.reshape(-1, *data.image_shape), *results)
    if len(data.classes) > MOST_DRAWN:
        return {"mistakes": mistakes}
    matrix = confusion_matrix(data.test.y, predicted, len(data.classes))
    return {"confusion": plots.confusion(matrix, data.classes), "mistakes": mistakes}


def _save(figures: dict[str, Figure], folder: Path, data: Dataset, form: PictureFormat) -> None:
    """Write pictures that say which run they are of, and which data."""
    own_folder(folder)
    run = folder.absolute().parent.name
    for name, figure in figures.items():
        plots.entitle(figure, data.name if data.name in run else f"{run}, {data.name}")
        plots.save(figure, folder / f"{name}.{form}")
