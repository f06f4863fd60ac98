""" "This view as code": the lines of Python that compute the screen's numbers."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.explore.course import Event
from glassnet.explore.subject import Subject
from glassnet.nn import BatchNorm, Noise
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer

VIEWS = ("example", "equation", "trace", "check", "train")


class Script:
    """The lines for one view: imports, network, the changes to it, the row, and the question.

    log holds the changes to the network (see `course.replay`), `fresh` whether they began with untrained weights.
    """

    def __init__(self, subject: Subject, log: Sequence[Event], fresh: bool) -> None:
        self.subject = subject
        self.fresh: bool = fresh or not subject.trained
        first = log[0][1] if log and log[0][0] == "set" else {}  # before the first step: then it began so
        self.log: list[Event] = list(log[1:] if first else log)
        self.batch_size: int = first.get("batch_size", subject.recipe.training.batch_size)
        optimizer = subject.begin(self.fresh)
        config = optimizer.config() | {k: v for k, v in first.items() if k != "batch_size"}
        self.optimizer: Optimizer = type(optimizer)(**config)
        self.imports: set[str] = {"import glassnet as gn"}

    def lines(self, view: str, row: Array, target: Array, place: tuple[str, int] | None, **asked: Any) -> str:
        """Return the script for a view of the row x (1, n_in) with its target (1,), or of the training.

        place: the part and the number of the row, if x and the target are in the data. asked: layer and unit, or name
        and index. The views are VIEWS.
        """
        body = self._training()
        if view == "train":
            body += self._scores()
        else:
            body += self._row(row, target, place) + self._question(view, asked)
        needs_data = self.fresh or self.log or view == "train" or place is not None
        start = [*([self._data()] if needs_data else []), *self._network(), *self._learning()]
        imports = sorted(self.imports, key=lambda line: ("glassnet" in line, line.startswith("from"), line))
        return "\n".join([*imports, "", *start, *body]) + "\n"

    def start(self) -> str:
        """Return the lines that give net, loss and optimizer."""
        lines = [*([self._data()] if self.fresh else []), *self._network(), *self._learning()]
        return "\n".join([*sorted(self.imports - {"import glassnet as gn"}), *lines]) + "\n"

    @property
    def _has_preprocessing(self) -> bool:
        return any(layer.state for layer in self.subject.net.layers)

    def _data(self) -> str:
        """How the data are loaded."""
        subject, table = self.subject, self.subject.recipe.data
        if subject.why_not is not None:
            self.imports.add("from glassnet.explore import shipped")
            return "data = shipped.examples()"
        options = {name: getattr(table, name) for name in ("target", "task", "split")}
        if table.source not in ("mnist", "california", "digits", "diabetes"):
            options["seed"] = subject.recipe.seed
        words = [repr(table.source), *(f"{k}={v!r}" for k, v in options.items() if v is not None)]
        return f"data = gn.load({', '.join(words)})"

    def _network(self) -> list[str]:
        subject = self.subject
        if not self.fresh and subject.file is not None:
            if subject.file.startswith("shipped."):
                self.imports.add("from glassnet.explore import shipped")
            return [f"net = {subject.file}"]
        layers = ",\n".join(f"    {_qualified(repr(layer))}" for layer in subject.net.layers)
        lines = [f"net = gn.Network([\n{layers},\n], dtype={subject.net.precision!r}, seed={subject.net.seed})"]
        if self._has_preprocessing:
            lines.append("net.fit_preprocessing(data.train.x, data.train.y)")
        return lines

    def _learning(self) -> list[str]:
        return [f"loss = {_qualified(repr(self.subject.loss))}", f"optimizer = {_qualified(repr(self.optimizer))}"]

    def _training(self) -> list[str]:
        """The changes to the network since."""
        if not self.log:
            return []
        seed, rows = self.subject.recipe.seed, len(self.subject.data.train)
        drawn = self.subject.recipe.training.replacement
        per_epoch = max(1, rows // self.batch_size) if drawn else -(-rows // self.batch_size)
        how = f"batch_size={self.batch_size}, seed={seed}{', replacement=True' if drawn else ''}"
        epochs, rest = divmod(self.log[0][1], per_epoch) if len(self.log) == 1 and self.log[0][0] == "train" else (0, 1)
        if not rest:
            return [f"gn.fit(net, data, loss, optimizer, epochs={epochs}, {how}, restore_best=False)"]
        self.imports.add("from glassnet.explore import replay")
        events = ",\n".join(f"    {self._event(event)}" for event in self.log)
        return [f"log = [\n{events},\n]  # what was done, in order", f"replay(net, data, loss, optimizer, log, {how})"]

    def _event(self, event: Event) -> str:
        words = [self._array(v) if isinstance(v, np.ndarray) else repr(v) for v in event]
        return f"({', '.join(words)})"

    def _row(self, x: Array, t: Array, place: tuple[str, int] | None) -> list[str]:
        if place is not None:
            part, row = place
            return ["", f"x, t = data.{part}.x[{row}:{row + 1}], data.{part}.y[{row}:{row + 1}]"]
        return ["", f"x = {self._array(x)}", f"t = {self._array(t)}"]

    def _question(self, view: str, asked: dict[str, Any]) -> list[str]:
        if view == "example":
            lines = ["print(net.predict(x))"]
            return lines + (["print(net.predict_proba(x))"] if self.subject.data.task == "classification" else [])
        lines = ["trace = gn.trace(net, x, t, loss, optimizer)"]
        if any(isinstance(layer, (BatchNorm, Noise)) for layer in self.subject.net.layers):
            self.imports.add("from glassnet.explore import in_use, twin")
            lines = ["trace = gn.trace(in_use(net), x, t, loss, twin(optimizer))  # as it predicts"]
        if view == "equation":
            return [*lines, f"print(trace.equation({asked['layer']}, {asked['unit']}))"]
        if view == "check":
            return [*lines, f"print(trace.check({asked['name']!r}, {tuple(asked['index'])!r}))"]
        return [*lines, "print(trace)"]

    def _scores(self) -> list[str]:
        return [
            f"print(gn.evaluate(net, data.{part}, loss))"
            for part in ("train", "val")
            if len(getattr(self.subject.data, part))
        ]

    def _array(self, a: Array) -> str:
        """An array as an expression: its numbers, or of many bytes a compressed string."""
        self.imports.add("import numpy as np")
        if a.dtype == np.uint8 and a.size > 100:
            self.imports |= {"import base64", "import zlib"}
            text = base64.b64encode(zlib.compress(a.tobytes(), 9)).decode()
            return f"np.frombuffer(zlib.decompress(base64.b64decode({text!r})), np.uint8).reshape({a.shape})"
        return f"np.array({a.tolist()}, np.{a.dtype.name})"


def load_lines(subject: Subject) -> str:
    """Return the lines that give net, loss and optimizer as they were opened, without `import glassnet as gn`."""
    return Script(subject, (), fresh=False).start()


def _qualified(text: str) -> str:
    """The same with gn. before each class."""
    return re.sub(r"\b(?=[A-Z]\w*\()", "gn.", text)
