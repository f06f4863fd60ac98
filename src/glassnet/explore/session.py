"""The answers to the page's questions: every number comes from the library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from reprlib import repr as short
from typing import Any

import numpy as np

from glassnet.explore.code import VIEWS, Script
from glassnet.explore.encoding import is_finite, json_number, json_numbers, packed, whole
from glassnet.explore.network_view import describe, example
from glassnet.explore.subject import Subject
from glassnet.explore.trainer import Trainer
from glassnet.inspection import Trace, trace
from glassnet.inspection.trace_equation import equation
from glassnet.inspection.why.contributions import contributions
from glassnet.inspection.why.reasons import Reasons
from glassnet.nn import Columns, Network
from glassnet.nn.layer import Array

Answer = dict[str, Any]
ACTIONS: dict[str, Callable[[Trainer], None]] = {
    "start": Trainer.start,
    "pause": Trainer.pause,
    "step": Trainer.step,
    "epoch": Trainer.epoch,
    "reset": lambda trainer: trainer.reset(fresh=False),
    "restart": lambda trainer: trainer.reset(fresh=True),
}


class Session:
    """One explorer: a subject, its training, and a method for each question. Arguments come as JSON gives them.

    All raise ValueError for arguments that make no sense, and NotNowError for questions at the wrong moment.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.trainer: Trainer = Trainer(subject)
        self._traced: tuple[Any, Trace] | None = None  # the latest trace, and its arguments
        self._description = describe(subject)

    def close(self) -> None:
        """End the training thread."""
        self.trainer.close()

    def network(self) -> Answer:
        """Describe the network and its data."""
        return self._description

    def example(self, part: Any, row: Any) -> Answer:
        """Return a row of the data, raw, and its target."""
        return example(self.subject, part, row)

    def forward(self, x: Any) -> Answer:
        """Compute the output of every layer for one row."""
        row = self._row(x)
        with self._looking():
            outputs = self._values(row)[1:]
            layers = [{"index": i, "output": json_numbers(y[0])} for i, y in enumerate(outputs)]
            by_hand = any(what == "by hand" for what, *_ in self.trainer.log)
            return {"layers": layers, **self._prediction(outputs[-1]), "by_hand": by_hand}

    def weights(self, name: Any) -> Answer:
        """Return one parameter."""
        with self._looking():
            return packed(self._parameter(name).copy())

    def equation(self, x: Any, layer: Any, unit: Any) -> Answer:
        """Return the equation of one output of a layer, the largest terms first."""
        row, (layer, unit) = self._row(x), self._unit(layer, unit)
        with self._looking() as net:
            found = equation(net.layers, self._values(row), layer, unit)
        terms = [
            {
                "input": term.input,
                "x": json_number(term.x),
                "w": json_number(term.w),
                "product": json_number(term.product),
            }
            for term in sorted(found.terms, key=lambda term: -abs(term.product))
        ]
        bias = None if found.bias is None else json_number(found.bias)
        return {"text": str(found), "terms": terms, "bias": bias, "value": json_number(found.value)}

    def contributions(self, x: Any) -> Answer:
        """Take the answer to a row of a table apart: what each column adds to the mean answer to training rows."""
        row = self._row(x)
        with self._looking() as net:
            of = None if self.subject.data.task == "regression" else int(net.predict_proba(row)[0].argmax())
            found = contributions(net, row[0], self._background, of)
        return {
            "of": of,
            "answer": json_number(found.answer),
            "background": json_number(found.background),
            "rows": len(self._background),
            "parts": json_numbers(found.parts),
        }

    def trace(self, x: Any, target: Any, apply: Any = False) -> Answer:
        """Make one step of learning on one row, for show or, with apply, in earnest."""
        row, t = self._row(x), self._target(target)
        with self._looking():
            made = self.trainer.by_hand(row, t) if apply is True else self._trace(row, t)
            layers = [
                {
                    "index": e.index,
                    "kind": self._description["layers"][e.index]["kind"],
                    "output": json_numbers(e.output[0]),
                    "dy": json_numbers(e.dy[0]),
                    "dx": json_numbers(e.dx[0]),
                    "local": None if e.local is None else json_numbers(e.local[0]),
                }
                for e in made.layers
            ]
            parameters = {
                name: {
                    "shape": list(p.before.shape),
                    "norm": _norm(p.before),
                    "gradient_norm": _norm(p.gradient),
                    "update_norm": _norm(p.update),
                    "update_ratio": json_number(p.update_ratio),
                }
                for name, p in made.parameters.items()
            }
            answer = {"loss": json_number(made.loss), "loss_after": json_number(made.loss_after), "target": t[0].item()}
            answer |= self._prediction(made.layers[-1].output)
            return {**answer, "layers": layers, "parameters": parameters}

    def parameter(self, x: Any, target: Any, name: Any, unit: Any) -> Answer:
        """Return the weights into one unit before and after a step on one row, their gradients and their velocity."""
        row, t, unit = self._row(x), self._target(target), whole(unit, "unit")
        with self._looking():
            width = self._parameter(name).shape[-1]
            if unit >= width:
                raise ValueError(f"{name} has units 0 to {width - 1}, so there is no unit {unit}")
            found = self._trace(row, t).parameters[name]
            arrays = {"before": found.before, "gradient": found.gradient, "after": found.after, **found.velocity}
            columns = {each: json_numbers(np.atleast_1d(a[..., unit])) for each, a in arrays.items()}
        slots = {slot: columns.pop(slot) for slot in found.velocity}
        return {**columns, "velocity": slots.get("velocity"), "slots": slots}

    def check(self, x: Any, target: Any, name: Any, index: Any) -> Answer:
        """Compare one entry of a gradient with the central difference of the loss."""
        row, t, place = self._row(x), self._target(target), self._entry(name, index)
        with self._looking():
            entry = self._trace(row, t).check(name, place)
        values = ("analytic", "numeric", "relative_error", "h", "loss_plus", "loss_minus")
        found = {value: json_number(getattr(entry, value)) for value in values}
        return {**found, "passed": bool(entry.passed), "at_kink": bool(entry.at_kink)}

    def train(self, action: Any) -> Answer:
        """Start, pause, step, epoch, reset or restart; return the progress."""
        if not isinstance(action, str) or action not in ACTIONS:
            raise ValueError(f"there is no action {short(action)}; there are {', '.join(ACTIONS)}")
        ACTIONS[action](self.trainer)
        return self.trainer.progress()

    def settings(self, /, **changes: Any) -> Answer:
        """Change lr, momentum or batch_size; return all three."""
        return self.trainer.set(changes)

    def progress(self, since: Any = 0) -> Answer:
        """Return the progress of training."""
        return self.trainer.progress(whole(since, "since"))

    def scrub(self, epoch: Any) -> Answer:
        """Show the weights after an epoch, or with null the newest; return the progress."""
        self.trainer.scrub(None if epoch is None else whole(epoch, "epoch"))
        return self.trainer.progress()

    def code(self, /, view: Any, **shown: Any) -> Answer:
        """Return the lines of Python that compute the numbers of a view."""
        if view not in VIEWS:
            raise ValueError(f"there is no view {short(view)}; there are {', '.join(VIEWS)}")
        with self.trainer.looking():
            script = Script(self.subject, self.trainer.log, self.trainer.fresh)
        row, t = np.empty(0), np.empty(0)
        place: tuple[str, int] | None = None
        if view != "train":
            row, t = self._row(shown.get("x")), self._target(shown.get("target"))
            if shown.get("row") is not None:
                x, truth = self.subject.row(shown.get("part"), shown["row"])
                if np.array_equal(x, row) and np.array_equal(truth, t):
                    place = shown["part"], int(shown["row"])
        asked: dict[str, Any] = {}
        if view == "equation":
            asked = dict(zip(("layer", "unit"), self._unit(shown.get("layer"), shown.get("unit")), strict=True))
        if view == "check":
            asked = {"name": shown.get("name"), "index": self._entry(shown.get("name"), shown.get("index"))}
        return {"code": script.lines(view, row, t, place, **asked)}

    @cached_property
    def _background(self) -> Array:
        """The training rows that a row is compared with: they are the same for all weights."""
        return Reasons(self.subject.net, self.subject.data).background

    @contextmanager
    def _looking(self) -> Iterator[Network]:
        """The network that is shown, held still. An overflow in it shows in the numbers."""
        with self.trainer.looking(), np.errstate(all="ignore"):
            yield self.trainer.shown

    def _values(self, row: Array) -> list[Array]:
        """A row (1, n_in) before, between and after the layers of the network that is shown."""
        net = self.trainer.shown
        return [net.as_input(row), *(y.copy() for y in net.outputs(row))]

    def _trace(self, x: Array, t: Array) -> Trace:
        """The step on a row. The latest is kept, because the page asks several questions about it."""
        key = self.trainer.version, x.tobytes(), t.tobytes()
        if self._traced is None or self._traced[0] != key:
            made = trace(self.trainer.shown, x, t, self.subject.loss, self.trainer.optimizer)
            self._traced = key, made
        return self._traced[1]

    def _prediction(self, y: Array) -> Answer:
        """The answer in the outputs y (1, n_out) of a row."""
        outputs, label = json_numbers(y[0]), self.subject.label
        if self.subject.data.task == "regression":
            value = json_number(y[0, 0])
            return {"outputs": outputs, "probabilities": None, "prediction": value, "label": label(value)}
        p = self.subject.net.probabilities(y)[0]
        best = int(np.argmax(p))
        return {"outputs": outputs, "probabilities": json_numbers(p), "prediction": best, "label": label(best)}

    def _row(self, x: Any) -> Array:
        """One row (1, n_in) of the data's type. Pixels are rounded. null is a missing value, if one may be missing."""
        data = self.subject.data
        kind = data.test.x.dtype
        row, missing = None, isinstance(self.subject.net.layers[0], Columns)
        if isinstance(x, list) and len(x) == data.n_in and all(is_finite(v) or (v is None and missing) for v in x):
            with np.errstate(over="ignore"):
                row = np.array([[np.nan if v is None else v for v in x]], np.float64 if kind == np.uint8 else kind)
        if row is None or not (np.isfinite(row) | (np.isnan(row) & missing)).all():
            raise ValueError(f"x must be a list of {data.n_in} finite numbers")
        if kind != np.uint8:
            return row
        if row.min() < 0 or row.max() > 255:
            raise ValueError("x must hold pixels, 0 to 255")
        return np.rint(row).astype(np.uint8)

    def _target(self, target: Any) -> Array:
        """A target (1,): a class, or a value."""
        if self.subject.data.task == "regression":
            if not is_finite(target):
                raise ValueError(f"target must be a finite number, not {short(target)}")
            return np.array([target], np.float64)
        classes = len(self.subject.data.classes)
        if (number_of := whole(target, "target")) >= classes:
            raise ValueError(f"target must be a class, 0 to {classes - 1}, not {short(target)}")
        return np.array([number_of], np.int64)

    def _unit(self, layer: Any, unit: Any) -> tuple[int, int]:
        """The numbers of a layer, and of a unit in it."""
        layer, unit, layers = whole(layer, "layer"), whole(unit, "unit"), self._description["layers"]
        if layer >= len(layers):
            raise ValueError(f"the network has layers 0 to {len(layers) - 1}, so there is no layer {layer}")
        if unit >= layers[layer]["width"]:
            last = layers[layer]["width"] - 1
            raise ValueError(f"layer {layer} has units 0 to {last}, so there is no unit {unit}")
        return layer, unit

    def _entry(self, name: Any, index: Any) -> tuple[int, ...]:
        """The place of an entry in a parameter, or in x."""
        if not isinstance(index, list):
            raise ValueError(f"index must be a list of whole numbers, not {short(index)}")
        place = tuple(whole(i, "index") for i in index)
        shape = (self.subject.data.n_in,) if name == "x" else self._parameter(name).shape
        if len(place) != len(shape) or any(i >= size for i, size in zip(place, shape, strict=True)):
            raise ValueError(f"{name} has shape {shape}, counted from 0: it has no entry {place}")
        return place

    def _parameter(self, name: Any) -> Array:
        parameters = {each: value for each, value, _ in self.trainer.shown.named_parameters()}
        if not isinstance(name, str) or name not in parameters:
            raise ValueError(f"there is no parameter {short(name)}; there are {', '.join(parameters)}")
        return parameters[name]


def _norm(a: Array) -> float | None:
    return json_number(float(np.linalg.norm(a)))
