"""The batches of an epoch, with augmentation made in the background while the one before trains."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator

import numpy as np

from glassnet.fast import distorting
from glassnet.nn.layer import Array
from glassnet.nn.randomness import DISTORTION
from glassnet.train.training import Training

AHEAD = 4  # batches that are made before they are needed

Batch = tuple[Array, Array | None]  # the numbers of its rows, and the augmented rows


def batches(run: Training, order: Array, epoch: int) -> Generator[Batch]:
    """Yield rows in this order, batch by batch.

    The augmented rows depend on (seed, epoch, batch) alone, not on the thread that makes them or the time.
    """
    parts = [order[start : start + run.batch_size] for start in range(0, len(order), run.batch_size)]
    augmentation, shape = run.augmentation, run.data.image_shape
    if augmentation is None or shape is None:
        yield from ((rows, None) for rows in parts)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    augment = distorting.compiled(augmentation, run.data.train.x, shape) if run.net.fast else None

    def make(number: int) -> Array:
        rng = np.random.default_rng([run.seed, epoch, number, DISTORTION])
        return (augment or augmentation)(run.data.train.x[parts[number]], shape, rng)

    thread = ThreadPoolExecutor(1)
    made: deque[Future[Array]] = deque(thread.submit(make, number) for number in range(min(AHEAD, len(parts))))
    try:
        for number, rows in enumerate(parts):
            x = made.popleft().result()
            if number + AHEAD < len(parts):
                made.append(thread.submit(make, number + AHEAD))
            yield rows, x
    finally:
        thread.shutdown(cancel_futures=True)
