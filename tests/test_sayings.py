"""What every layer says of itself: its formula with numbers, the rule of its backward, a sentence."""

from __future__ import annotations

import numpy as np
import pytest

import glassnet as gn
from glassnet.inspection.trace_derivative import derivative
from glassnet.inspection.trace_equation import equation
from glassnet.nn.selfcheck import Case, cases
from public import public
from test_trace import computed

PUBLIC = {layer.__name__ for layer in public(gn.Layer)}


def subject(case: Case) -> int:
    return next(i for i, layer in enumerate(case.net.layers) if type(layer).__name__ == case.layer)


EXAMPLES = {
    (repr(case.net.layers[subject(case)]), case.training): case
    for case in cases()
    if len(case.x) == 4 and type(case.loss) is gn.MSE
}


def test_every_public_layer_is_here() -> None:
    assert {case.layer for case in EXAMPLES.values()} == PUBLIC


@pytest.mark.parametrize("case", EXAMPLES.values(), ids=lambda case: case.name)
def test_the_numbers_of_a_layers_formula_give_its_value(case: Case) -> None:
    values = [case.x]
    with np.errstate(all="ignore"):
        for layer in case.net.layers:
            values.append(layer.forward(values[-1], case.training).copy())
    index = subject(case)
    if values[index + 1].shape[1] and not np.isfinite(values[index + 1]).all():
        return
    for unit in range(values[index + 1].shape[1]):
        for row in range(len(values[index + 1])):
            found = equation(case.net.layers, values, index, unit, row)
            assert "no formula" not in str(found)
            assert computed(found) == pytest.approx(found.value, rel=0.02, abs=0.01), str(found)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_layer_has_a_sentence_and_a_rule_of_its_own(name: str) -> None:
    case = next(case for case in EXAMPLES.values() if case.layer == name)
    layer = case.net.layers[subject(case)]
    assert layer.in_words().endswith(".")
    assert not (layer.__doc__ or "").startswith(layer.in_words())
    assert "dx" in derivative(layer)


def test_a_layer_of_ones_own_speaks_by_one_line_of_formula() -> None:
    class Cube(gn.Layer):
        """y = x^3."""

        formula = "{x*}**3"

        def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
            return x**3

    assert Cube().in_words() == "y = x^3."
    found = equation([Cube()], [np.array([[2.0, -3.0]]), np.array([[8.0, -27.0]])], 0, 1)
    assert str(found) == "y[1] = x[1]**3 = (-3)**3 = -27"


def test_a_dense_of_one_unit_is_told_in_the_singular() -> None:
    assert gn.Dense(3, 1).in_words().startswith("Its one unit adds up all 3 inputs, each times")
    assert gn.Dense(1, 2).in_words().startswith("Each of its 2 units adds up its one input times")
