"""What is done again and again beside something else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def meanwhile(work: Callable[[], None], every: float) -> Iterator[None]:
    """Do some work every so many seconds beside the block, in a thread of its own."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(every):
            work()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
