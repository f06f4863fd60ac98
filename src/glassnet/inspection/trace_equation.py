"""The equation of one unit's output: the layer's formula, and the same with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from glassnet.nn import Layer
from glassnet.nn.layer import Array
from glassnet.nn.written import Unit, Written, numeral


@dataclass(frozen=True)
class Equation(Written):
    """The equation of output `unit` of a layer for a row of the batch. str() writes it as one line.

    formula names the numbers, numbers holds them, value is the layer's output, and note explains a letter in the
    formula. In Dense, `terms` are all products in the order of the inputs, and `bias` is added to them. Other layers
    have none.
    """

    layer: int = 0
    unit: int = 0
    row: int = 0
    value: float = 0.0

    def __str__(self) -> str:
        line = " = ".join(filter(None, [f"y[{self.unit}]", self.formula, self.numbers, numeral(self.value)]))
        return f"{line} ({self.note})" if self.note else line


def equation(layers: Sequence[Layer], values: Sequence[Array], layer: int, unit: int, row: int = 0) -> Equation:
    """Write the equation of output `unit` of layer number `layer` for row `row`.

    values: the rows before, between and after the layers. Raises ValueError for a layer, unit or row that isn't there.
    """
    _check(layer, len(layers), "the network has layers", "layer")
    it, y = layers[layer], values[layer + 1]
    _check(row, len(y), "the trace has rows", "row")
    _check(unit, y.shape[1], f"layer {layer}, {it!r}, has units", "unit")
    said = it.written(Unit(it, values[layer], y, row, unit)) if _speaks_for_itself(type(it)) else None
    said = said or Written("...", "", f"no formula known for {it!r}")
    return Equation(**vars(said), layer=layer, unit=unit, row=row, value=float(y[row, unit]))


def _speaks_for_itself(kind: type[Layer]) -> bool:
    """Whether a class has a formula for its own `forward`, and not for that of a class above it."""

    def depth(name: str) -> int:
        return next(i for i, each in enumerate(kind.__mro__) if name in vars(each))

    return min(map(depth, ("formula", "letters", "written"))) <= depth("forward")


def _check(number: int, size: int, has: str, what: str) -> None:
    if not 0 <= number < size:
        raise ValueError(f"{has} 0 to {size - 1}, so there is no {what} {number}")
