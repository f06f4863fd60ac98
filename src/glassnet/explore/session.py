"""The answers to what the page asks: every number comes from the library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from glassnet.explore.code import VIEWS, Script
from glassnet.explore.course import RunningNorm
from glassnet.explore.encoding import number, numbers, packed
from glassnet.explore.network_view import describe
from glassnet.explore.subject import PARTS, Subject
from glassnet.explore.trainer import ACTIONS, Trainer
from glassnet.inspection import Trace, trace
from glassnet.nn.layer import Array

Answer = dict[str, Any]


class Session:
    """One explorer: a subject, its training, and a method for each question; arguments come as JSON gives them.

    All raise ValueError for arguments that make no sense, and NotNowError for what doesn't go together with what is
    being done.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.trainer = Trainer(subject)
        self._traced: tuple[Any, Trace] | None = None  # the latest trace, and what it was of
        self._description = describe(subject)

    def close(self) -> None:
        """End the training thread."""
        self.trainer.close()

    def network(self) -> Answer:
        """Describe the network and its data."""
        return self._description

    def example(self, part: Any, row: Any) -> Answer:
        """Return a row of the data, raw, and its target."""
        x, t = self._example(part, row)
        target = t[0].item()
        return {"part": part, "row": int(row), "x": numbers(x[0]), "target": target, "label": self._label(target)}

    def forward(self, x: Any) -> Answer:
        """Compute the output of every layer for one row."""
        row = self._row(x)
        with self.trainer.looking():
            net = self.trainer.shown
            y, layers = net.as_input(row), []
            with np.errstate(all="ignore"):
                for i, layer in enumerate(net.layers):
                    y = layer.forward(y)
                    layers.append({"index": i, "output": numbers(y[0])})
                return {"layers": layers, **self._prediction(row, y[0])}

    def weights(self, name: Any) -> Answer:
        """Return one parameter."""
        with self.trainer.looking():
            return packed(self._parameter(name).copy())

    def equation(self, x: Any, layer: Any, unit: Any) -> Answer:
        """Return how one output of a layer came about, the largest terms first."""
        target = np.zeros(1, np.int64 if self.subject.data.task == "classification" else np.float64)
        with self.trainer.looking():
            made = self._trace(self._row(x), target)
            found = made.equation(_index(layer, "layer"), _index(unit, "unit"))
            it = made.net.layers[found.layer]
            text = str(found)
            if isinstance(it, RunningNorm):
                text = it.written(float(made.layers[found.layer].input[0, found.unit]), found.unit)
        terms = [
            {"input": term.input, "x": number(term.x), "w": number(term.w), "product": number(term.product)}
            for term in sorted(found.terms, key=lambda term: -abs(term.product))
        ]
        bias = None if found.bias is None else number(found.bias)
        return {"text": text, "terms": terms, "bias": bias, "value": number(found.value)}

    def trace(self, x: Any, target: Any, apply: Any = False) -> Answer:
        """Make one step of learning on one row, for show or, with apply, in earnest."""
        row, t = self._row(x), self._target(target)
        with self.trainer.looking():
            made = self.trainer.by_hand(row, t) if apply is True else self._trace(row, t)
            layers = [
                {
                    "index": e.index, "kind": self._description["layers"][e.index]["kind"],
                    "output": numbers(e.output[0]), "dy": numbers(e.dy[0]), "dx": numbers(e.dx[0]),
                    "local": None if e.local is None else numbers(e.local[0]),
                }
                for e in made.layers
            ]  # fmt: skip
            parameters = {
                name: {
                    "shape": list(p.before.shape), "norm": _norm(p.before), "gradient_norm": _norm(p.gradient),
                    "update_norm": _norm(p.update), "update_ratio": number(p.update_ratio),
                }
                for name, p in made.parameters.items()
            }  # fmt: skip
            answer = {"loss": number(made.loss), "loss_after": number(made.loss_after), "target": t[0].item()}
            answer |= self._prediction(row, made.layers[-1].output[0], made)
            return {**answer, "layers": layers, "parameters": parameters}

    def parameter(self, x: Any, target: Any, name: Any, unit: Any) -> Answer:
        """Return the weights into one unit before and after a step on one row, their gradients and their velocity."""
        row, t, unit = self._row(x), self._target(target), _index(unit, "unit")
        with self.trainer.looking():
            width = self._parameter(name).shape[-1]
            if unit >= width:
                raise ValueError(f"{name} has {width} units, counted from 0: there is no unit {unit}")
            found = self._trace(row, t).parameters[name]
            arrays = {"before": found.before, "gradient": found.gradient, "after": found.after, **found.velocity}
            columns = {each: numbers(np.atleast_1d(a[..., unit])) for each, a in arrays.items()}
        slots = {slot: columns.pop(slot) for slot in found.velocity}
        return {**columns, "velocity": slots.get("velocity"), "slots": slots}

    def check(self, x: Any, target: Any, name: Any, index: Any) -> Answer:
        """Compare one entry of a gradient with the central difference of the loss."""
        if not isinstance(index, list):
            raise ValueError(f"index must be a list of whole numbers, not {index!r}")
        place = tuple(_index(i, "index") for i in index)
        row, t = self._row(x), self._target(target)
        with self.trainer.looking():
            if name != "x":
                self._parameter(name)
            entry = self._trace(row, t).check(name, place)
        values = ("analytic", "numeric", "relative_error", "h", "loss_plus", "loss_minus")
        found = {value: number(getattr(entry, value)) for value in values}
        return {**found, "passed": bool(entry.passed), "at_kink": bool(entry.at_kink)}

    def train(self, action: Any) -> Answer:
        """Start, pause, step, epoch, reset or restart; return the progress."""
        if action not in ACTIONS:
            raise ValueError(f"there is no action {action!r}; there are {', '.join(ACTIONS)}")
        ACTIONS[action](self.trainer)
        return self.trainer.progress()

    def settings(self, **changes: Any) -> Answer:
        """Change lr, momentum or batch_size; return all three."""
        return self.trainer.set(changes)

    def progress(self, since: Any = 0) -> Answer:
        """Return how far training is."""
        return self.trainer.progress(_index(since, "since"))

    def scrub(self, epoch: Any) -> Answer:
        """Show the weights after an epoch, or with null the newest; return the progress."""
        self.trainer.scrub(None if epoch is None else _index(epoch, "epoch"))
        return self.trainer.progress()

    def code(self, view: Any, **shown: Any) -> Answer:
        """Return the lines of Python that give what a view shows."""
        if view not in VIEWS:
            raise ValueError(f"there is no view {view!r}; there are {', '.join(VIEWS)}")
        with self.trainer.looking():
            script = Script(self.subject, self.trainer.log, self.trainer.fresh)
        row, t = np.empty(0), np.empty(0)
        place: tuple[str, int] | None = None
        if view != "train":
            row, t = self._row(shown.get("x")), self._target(shown.get("target"))
            if shown.get("row") is not None:
                x, truth = self._example(shown.get("part"), shown["row"])
                if np.array_equal(x, row) and np.array_equal(truth, t):
                    place = shown["part"], int(shown["row"])
        asked: dict[str, Any] = {}
        if view == "equation":
            asked = {name: _index(shown.get(name), name) for name in ("layer", "unit")}
        if view == "check":
            self._parameter(shown.get("name"))
            index = shown.get("index")
            asked = {"name": shown["name"], "index": [_index(i, "index") for i in index or ()]}
        return {"code": script.lines(view, row, t, place, **asked)}

    def _trace(self, x: Array, t: Array) -> Trace:
        """The step on a row, of which the latest is kept: the page asks several things of the same."""
        key = self.trainer.version, x.tobytes(), t.tobytes()
        if self._traced is None or self._traced[0] != key:
            made = trace(self.trainer.shown, x, t, self.subject.loss, self.trainer.optimizer)
            self._traced = key, made
        return self._traced[1]

    def _prediction(self, x: Array, y: Array, made: Trace | None = None) -> Answer:
        """What outputs y (n_out,) of a row say."""
        outputs = numbers(y)
        if self.subject.data.task == "regression":
            value = number(y[0])
            return {"outputs": outputs, "probabilities": None, "prediction": value, "label": self._label(value)}
        net = self.trainer.shown if made is None else made.net
        p = net.predict_proba(x)[0]
        best = int(np.argmax(p))
        return {"outputs": outputs, "probabilities": numbers(p), "prediction": best, "label": self._label(best)}

    def _label(self, target: float | None) -> str:
        """The name of a class, or a value as text."""
        if target is None:
            return "not finite"
        return f"{target:.6g}" if self.subject.data.task == "regression" else self.subject.data.classes[int(target)]

    def _example(self, part: Any, row: Any) -> tuple[Array, Array]:
        if part not in PARTS:
            raise ValueError(f"there is no part {part!r}; there are {', '.join(PARTS)}")
        split, number_of = getattr(self.subject.data, part), _index(row, "row")
        if number_of >= len(split):
            raise ValueError(f"the {part} part has {len(split):,} rows, counted from 0: there is no row {number_of}")
        return split.x[number_of : number_of + 1], split.y[number_of : number_of + 1]

    def _row(self, x: Any) -> Array:
        """One row (1, n_in) of the type that the data have; pixels are rounded."""
        data = self.subject.data
        kind = data.test.x.dtype
        finite = isinstance(x, list) and all(type(v) in (int, float) and math.isfinite(v) for v in x)
        if not finite or len(x) != data.n_in:
            raise ValueError(f"x must be a list of {data.n_in} finite numbers")
        if kind != np.uint8:
            return np.array([x], kind)
        if not 0 <= min(x) <= max(x) <= 255:
            raise ValueError("x must hold pixels, 0 to 255")
        return np.rint([x]).astype(np.uint8)

    def _target(self, target: Any) -> Array:
        """A target (1,): a class, or a value."""
        if self.subject.data.task == "regression":
            if isinstance(target, bool) or not isinstance(target, (int, float)) or not math.isfinite(target):
                raise ValueError(f"target must be a finite number, not {target!r}")
            return np.array([target], np.float64)
        classes = len(self.subject.data.classes)
        if _index(target, "target") >= classes:
            raise ValueError(f"target must be a class, 0 to {classes - 1}, not {target!r}")
        return np.array([target], np.int64)

    def _parameter(self, name: Any) -> Array:
        parameters = {each: value for each, value, _ in self.trainer.shown.named_parameters()}
        if not isinstance(name, str) or name not in parameters:
            raise ValueError(f"there is no parameter {name!r}; there are {', '.join(parameters)}")
        return parameters[name]


def _index(value: Any, what: str) -> int:
    """A whole number of at least 0, as JSON or an address gives it."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{what} must be a whole number of at least 0, not {value!r}")
    return value


def _norm(a: Array) -> float | None:
    return number(float(np.linalg.norm(a)))
