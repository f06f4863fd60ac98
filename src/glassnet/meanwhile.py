"""What is done beside something else, by another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar, cast

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the same items. While one is in use, a thread makes the next."""
    over = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, over)
        while (item := coming.result()) is not over:
            coming = thread.submit(next, items, over)
            yield cast(T, item)


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
