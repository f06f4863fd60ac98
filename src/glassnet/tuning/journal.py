"""The file of a study: Optuna's journal, made so that neither a killed process nor a full disk spoils it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from optuna.storages.journal import BaseJournalBackend, JournalFileSymlinkLock

from glassnet.files import holding, naming, refuse_link


class Journal(BaseJournalBackend):
    """One line of JSON for each event, appended under a lock. Raises OSError, which names the file."""

    def __init__(self, path: Path) -> None:
        refuse_link(path)
        path.touch()
        self.path = path
        self.line: int = 0  # that was read last, from 1
        self.offsets: dict[int, int] = {0: 0}  # in bytes, of the end of each line

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Read the entries from this number on. Raises ValueError for a line that is no JSON."""
        self.line = log_number_from
        with self.path.open("rb") as file:
            file.seek(self.offsets[self.line])
            for line in file:
                if not line.endswith(b"\n"):  # it is being written
                    return
                self.line += 1
                self.offsets[self.line] = self.offsets[self.line - 1] + len(line)
                yield json.loads(line)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write a line for each entry."""
        with naming(self.path), self._alone(), self.path.open("ab") as file:
            file.write("".join(f"{json.dumps(log, separators=(',', ':'))}\n" for log in logs).encode())
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Write alone. The lock always ends with its process. Optuna's own lock would outlive it by half a minute.

        So a last line that isn't whole comes from a killed process, or from one whose disk was full. It is cut off.
        """
        with holding(self.path, math.inf) as held:
            if held:
                with self.path.open("rb+") as file:
                    _cut_last_line(file)
                yield
                return
            lock = JournalFileSymlinkLock(os.fspath(self.path))
            lock.acquire()
            try:
                yield
            finally:
                lock.release()


def _cut_last_line(file: BinaryIO) -> None:
    end = file.seek(0, os.SEEK_END)
    if end:
        file.seek(end - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
