"""The figure that the exercise behind `seed-california` prints, by its own formula, to set beside honest ones."""

from __future__ import annotations

import numpy as np

from glassnet.data import Split
from glassnet.nn import Network
from glassnet.optim import Optimizer

ROWS, BATCH = 1000, 100


def printed_rms(net: Network, split: Split, optimizer: Optimizer, rows: int | None = None, seed: int = 0) -> float:
    """Compute sqrt((10 + sum over batches of 100 rows of 100 * (MSE + penalty)) / N), which it calls "RMS error".

    The sum starts at 10 rather than 0, and holds in each batch the L2 penalty l2/2 * sum W^2, so it is neither an MSE
    nor an RMSE. split: rows with the (truncated) targets that training saw; `rows` of them are drawn with replacement
    (the exercise does that for its training part), or all are taken.
    """
    chosen = np.arange(len(split)) if rows is None else np.random.default_rng(seed).integers(len(split), size=rows)
    penalty = l2_penalty(net, optimizer)
    total = 10.0
    for start in range(0, len(chosen), BATCH):
        batch = chosen[start : start + BATCH]
        mse = float(np.square(net.predict(split.x[batch])[:, 0] - split.y[batch]).mean())
        total += len(batch) * (mse + penalty)
    return float(np.sqrt(total / len(chosen)))


def l2_penalty(net: Network, optimizer: Optimizer) -> float:
    """Compute l2/2 * sum W^2 over the weight matrices."""
    return optimizer.l2 / 2 * sum(float(np.square(net.theta[part]).sum()) for part in net.decayed)


def report(net: Network, train: Split, val: Split, optimizer: Optimizer) -> dict[str, float]:
    """Return the two figures that the exercise prints, and the penalty that makes up much of them."""
    return {
        "printed_train_rms": printed_rms(net, train, optimizer, rows=ROWS),
        "printed_val_rms": printed_rms(net, val, optimizer),
        "l2_penalty": l2_penalty(net, optimizer),
    }
