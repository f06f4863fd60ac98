"""The answers of a run's network, judged by the figures by which people decide."""

from __future__ import annotations

from typing import Any

import numpy as np

from glassnet.nn import Ensemble, Network
from glassnet.nn.ensemble import leading
from glassnet.nn.layer import Array
from glassnet.train.figures import ClassFigures, ValueFigures, figures


def judged(net: Network | Ensemble, outputs: Array, y: Array, known: Array) -> dict[str, Any]:
    """Return the entry "figures" of metrics.json: for each, "value", "low" and "high" of its interval, "baseline".

    outputs (N, n_out): the network's, for rows with targets y (N,). known: the targets that a constant answer is made
    of, the shares of their classes or their mean. Outputs that aren't finite have no figures.
    """
    if not np.isfinite(outputs).all():
        return {}
    if net.info["task"] == "regression":
        found = figures(ValueFigures(outputs[:, 0], y), ValueFigures(np.full(len(y), known.mean()), y))
    else:
        p = leading(net).probabilities(outputs)
        shares = np.bincount(known, minlength=p.shape[1]) / len(known)
        found = figures(ClassFigures(p, y), ClassFigures(np.tile(shares, (len(y), 1)), y))
    return {name: figure._asdict() for name, figure in found.items()}
