"""Ctrl-C at the right moment: in the middle of a training, but not while the journal is locked or read."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from glassnet.program import SIGNALS


class Interrupt:
    """Inside `with Interrupt() as ctrl_c` Ctrl-C is only noted. Inside `with ctrl_c.allowed()` it raises as always."""

    def __init__(self) -> None:
        self.noted: bool = False
        self.open: bool = False
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():  # no other is interrupted
            for number in SIGNALS:
                if callable(handler := signal.getsignal(number)):  # signals that are ignored or that kill stay so
                    self.before[number] = handler
                    signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    @contextmanager
    def allowed(self, now: bool = True) -> Iterator[None]:
        """Let Ctrl-C, also one noted before, raise KeyboardInterrupt in the block, or only after it if not `now`."""
        before, self.open = self.open, now
        try:
            self._raise()
            yield
        finally:
            self.open = before
        self._raise()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.noted:  # a second time
            self.before[number](number, frame)
        self.noted = True
        self._raise()

    def _raise(self) -> None:
        if self.noted and self.open:
            raise KeyboardInterrupt
