"""The batches of an epoch, with augmentation made in the background while the one before trains."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

import numpy as np

from glassnet.data.dataset import Split
from glassnet.fast import distorting
from glassnet.nn.layer import Array
from glassnet.nn.randomness import DISTORTION
from glassnet.train.training import Training

AHEAD = 4  # batches that are made before they are needed

Batch = tuple[Array, Array | None]  # the numbers of its rows, and the augmented rows


def batches(run: Training, order: Array, epoch: int, shown: Split | None = None, first: int = 0) -> Generator[Batch]:
    """Yield rows in this order, batch by batch.

    The augmented rows depend on (seed, epoch, batch) alone, not on the thread that makes them or the time. shown: what
    the rows are taken from, by default the training rows. first: the number of their first batch in the epoch.
    """
    x = (shown or run.data.train).x
    parts = [order[start : start + run.batch_size] for start in range(0, len(order), run.batch_size)]
    augmentation, shape = run.augmentation, run.data.image_shape
    if augmentation is None or shape is None:
        yield from ((rows, None) for rows in parts)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    augment = distorting.compiled(augmentation, x, shape) if run.net.fast else None

    def make(number: int) -> Array:
        rng = np.random.default_rng([run.seed, epoch, first + number, DISTORTION])
        return (augment or augmentation)(x[parts[number]], shape, rng)

    thread = ThreadPoolExecutor(1)
    made: deque[Future[Array]] = deque(thread.submit(make, number) for number in range(min(AHEAD, len(parts))))
    try:
        for number, rows in enumerate(parts):
            made_x = made.popleft().result()
            if number + AHEAD < len(parts):
                made.append(thread.submit(make, number + AHEAD))
            yield rows, made_x
    finally:
        thread.shutdown(cancel_futures=True)
