"""Which pictures a run gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from glassnet import plots
from glassnet.data import Augmentation, Dataset
from glassnet.nn import Dense, Network
from glassnet.train import History
from glassnet.train.metrics import confusion_matrix, labels

SHOWN, TIMES = 12, 5  # images that augmentation is shown for, and how often


def draw(folder: Path, net: Network, data: Dataset, history: History, augmentation: Augmentation | None = None) -> None:
    """Write the pictures of a finished training as PNG files into `folder`; those of results show the test part."""
    folder.mkdir(exist_ok=True)
    outputs = net.predict(data.test.x)
    figures = {"curves": plots.curves(history.columns(), np.array(history.step_loss), history.best_epoch)}
    if data.task == "regression":
        figures["predictions"] = plots.predictions(data.test.y, outputs[:, 0], data.target, data.train.y.mean())
    else:
        predicted = labels(outputs)
        figures["confusion"] = plots.confusion(confusion_matrix(data.test.y, predicted, data.n_out), data.classes)
        results = data.test.y, predicted, net.predict_proba(data.test.x).max(axis=1), data.classes
        if data.image_shape is None:
            figures["mistakes"] = plots.mistake_table(*results)
        else:
            figures["mistakes"] = plots.mistakes(data.test.x.reshape(-1, *data.image_shape), *results)
    first = next(layer for layer in net.layers if isinstance(layer, Dense))
    if data.image_shape is not None:
        figures["first_layer"] = plots.first_layer(first.W, data.image_shape)
    if data.image_shape is not None and augmentation is not None:
        originals = data.train.x[:SHOWN]
        rng = np.random.default_rng(0)
        rows = [originals, *(augmentation(originals, data.image_shape, rng) for _ in range(TIMES))]
        figures["augmentation"] = plots.augmented(np.stack(rows).reshape(TIMES + 1, -1, *data.image_shape))
    for name, figure in figures.items():
        plots.save(figure, folder / f"{name}.png")
