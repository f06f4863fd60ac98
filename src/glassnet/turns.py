"""Whose turn it is: any number of threads may read a model, such as to predict with it, or one may change it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_changers: dict[int, int] = {}  # by the id of an object that is being changed: the thread that does so

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_changers.clear)  # a forked process has none of these threads


@contextmanager
def changing(thing: object) -> Iterator[None]:
    """Have a model, or another thing that training changes, for this thread alone. The thread may enter it again.

    Nobody waits: raises RuntimeError if another thread is changing it.
    """
    key, me = id(thing), threading.get_ident()
    again = _changers.get(key) == me
    if _changers.setdefault(key, me) != me:
        raise _refusal(thing)
    vars(thing)["_changes"] = getattr(thing, "_changes", 0) + 1
    try:
        yield
    finally:
        if not again:
            _changers.pop(key, None)


class reading:  # noqa: N801  used as `changing` is; a generator would take a microsecond more of each prediction
    """Read models; raises RuntimeError, at the start or in the end, if another thread changes one meanwhile."""

    __slots__ = ("changes", "things")
    changes: tuple[int, ...]
    things: tuple[object, ...]

    def __init__(self, *things: object) -> None:
        self.things = things

    def __enter__(self) -> None:
        self.changes = tuple(map(_changes, self.things))

    def __exit__(self, error: object, *_: object) -> None:
        if error is None and (now := tuple(map(_changes, self.things))) != self.changes:
            pairs = zip(self.things, self.changes, now, strict=True)
            raise _refusal(next(thing for thing, before, after in pairs if before != after))


def _changes(thing: object) -> int:
    """The number of its changes. Raises RuntimeError if another thread is changing it."""
    changer = _changers.get(id(thing))
    if changer is not None and changer != threading.get_ident():
        raise _refusal(thing)
    return int(getattr(thing, "_changes", 0))


def _refusal(thing: object) -> RuntimeError:
    return RuntimeError(
        f"this {type(thing).__name__} is being trained in another thread: wait until it is done, or use a copy that was"
        " made before"
    )
