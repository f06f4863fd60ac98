"""The child's side: reads commands from stdin, one JSON line each, and answers each with one."""

from __future__ import annotations

import gc
import importlib
import json
import math
import os
import sys
import time
import traceback
from typing import Any

import numpy as np

from race.cases import Case, parameters
from race.contenders import Predict, Trainer
from race.digits import Digits, load

TURN = 0.3  # seconds of prediction that one turn takes, so that one call of microseconds can be timed


class Desk:
    """One contender's work: trainers by name, and one prediction function."""

    def __init__(self, module: str) -> None:
        self.library = importlib.import_module(f"race.contenders.{module}")
        self.digits: Digits | None = None
        self.trainers: dict[str, Trainer] = {}
        self.predict: Predict | None = None

    def ready(self) -> None:
        """Answer once everything is imported."""

    def release(self) -> None:
        """Forget what was trained, and its memory."""
        self.trainers.clear()
        gc.collect()

    def train(self, name: str, **case: Any) -> None:
        """Prepare a network to be trained."""
        self.digits = self.digits or load()
        case["widths"] = tuple(case["widths"])
        self.trainers[name] = self.library.Trainer(Case(**case), self.digits)

    def epoch(self, name: str) -> float:
        """Train one epoch; return its seconds."""
        trainer = self.trainers[name]
        gc.collect()
        start = time.perf_counter()
        trainer.epoch()
        return time.perf_counter() - start

    def accuracy(self, name: str) -> float:
        """The share of the test images that are classified rightly."""
        assert self.digits is not None
        return float((self.trainers[name].labels() == self.digits.y_test).mean())

    def prepare(self, widths: list[int], rows: int) -> list[list[float]]:
        """Make the network for prediction and its rows, drawn at random; return the first outputs."""
        self.predict = self.library.predictor(parameters(tuple(widths)))
        self.x = np.random.default_rng(1).standard_normal((rows, widths[0]), dtype=np.float32)
        self.calls = 1
        outputs: list[list[float]] = np.asarray(self.predict(self.x)[:100]).tolist()
        self.calls = max(1, math.ceil(TURN / max(self.call(), 1e-9)))
        return outputs

    def call(self) -> float:
        """Predict all rows, for a while; return the seconds of one call."""
        assert self.predict is not None
        start = time.perf_counter()
        for _ in range(self.calls):
            self.predict(self.x)
        return (time.perf_counter() - start) / self.calls

    def product(self, size: int) -> float:
        """Multiply two square matrices a few times; return the seconds of the fastest."""
        a, b = (np.random.default_rng(i).standard_normal((size, size), dtype=np.float32) for i in range(2))
        multiply = self.library.multiplier(a, b)
        seconds = []
        for _ in range(8):
            start = time.perf_counter()
            multiply()
            seconds.append(time.perf_counter() - start)
        return min(seconds)


def main() -> None:
    """Serve until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not come between the answers
    desk = Desk(sys.argv[1])
    for line in sys.stdin:
        command, arguments = json.loads(line)
        try:
            answer = {"value": getattr(desk, command)(**arguments)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
