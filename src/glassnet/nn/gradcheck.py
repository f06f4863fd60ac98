"""Are the gradients right? Each is compared with what the loss really does when one number is nudged."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from glassnet.nn.layer import Array
from glassnet.nn.losses import Loss
from glassnet.nn.network import Network

STEPS = (1e-3, 1e-4, 1e-5)  # smaller ones where a larger one crosses a kink or the function bends too much
AGREED = 1e-8  # an error so small that no smaller step is tried
FLOOR = 1e-4  # entries below this share of the largest gradient are compared on its scale


@dataclass
class Row:
    """What was found for one parameter, or for the input x."""

    name: str
    shape: tuple[int, ...]
    checked: int = 0
    at_kinks: int = 0  # entries that no step could check because the function has a kink right there
    max_relative_error: float = 0.0
    worst: tuple[int, ...] = ()  # the index of the largest error, with its two gradients
    analytic: float = 0.0
    numeric: float = 0.0


@dataclass
class GradientReport:
    """One row per parameter and for x; `passed` if every error is within the tolerance."""

    tolerance: float
    rows: list[Row] = field(default_factory=list)

    @property
    def max_relative_error(self) -> float:
        """The largest error of all."""
        return max((row.max_relative_error for row in self.rows), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether entries were checked and every error is within the tolerance. A NaN never is."""
        return any(row.checked for row in self.rows) and self.max_relative_error <= self.tolerance

    def __str__(self) -> str:
        lines = [f"{'':10} {'shape':>14} {'checked':>9} {'at kinks':>9} {'max relative error':>19}"]
        lines += [
            f"{row.name:10} {row.shape!s:>14} {row.checked:>9,} {row.at_kinks:>9,} {row.max_relative_error:>19.1e}"
            + (
                ""
                if row.max_relative_error <= self.tolerance
                else f"  at {row.worst}: backward gives {row.analytic:.6e}, the loss says {row.numeric:.6e}"
            )
            for row in self.rows
        ]
        verdict = "passed" if self.passed else "FAILED"
        return "\n".join([*lines, f"{verdict}: {self.max_relative_error:.1e}, tolerance {self.tolerance:.0e}"])


def gradcheck(
    net: Network,
    x: npt.ArrayLike,
    t: Array,
    loss: Loss,
    *,
    training: bool = True,
    entries: int | None = None,
    tolerance: float = 1e-6,
) -> GradientReport:
    """Compare every gradient of `net` with central differences of the loss, on a float64 copy.

    x (N, n_in) and t are a batch; `training` chooses the mode (dropout keeps the same masks throughout); `entries`
    checks that many entries of each parameter and of x, drawn with a fixed seed, instead of all.

    The difference quotient is the one of fourth order, with f(h) the loss after adding h to one entry:
        [8 (f(h) - f(-h)) - (f(2h) - f(-2h))] / 12 h,   whose error is h^4 f'''''/30  (Fornberg 1988, table 1).
    The error of an entry is |analytic - numeric| / max(|analytic|, |numeric|, 1e-4 * the largest gradient), the least
    over up to three steps h: a wrong gradient is wrong for each of them. A step that would carry any unit across a
    kink (of a ReLU, say) is not used; an entry left with none is counted in `at_kinks` rather than as an error.
    Raises ValueError if the loss of this batch isn't finite.
    """
    net = net.copy("float64")
    x = np.array(net.as_input(x), dtype=np.float64)
    net.fit_preprocessing(x, np.asarray(t))

    def value() -> float:
        net.reseed(0)
        return loss.forward(net.forward(x, training), t)

    def sides() -> list[Array]:
        found = [*(layer.side() for layer in net.layers), loss.side()]
        return [side for side in found if side is not None]

    centre = value()
    if not math.isfinite(centre):
        raise ValueError(f"gradcheck: the loss of this batch is {centre}, so its gradient can't be checked")
    here = sides()
    dx = net.backward(loss.backward())
    assert dx is not None
    targets = [(name, p, dp.copy()) for name, p, dp in net.named_parameters()] + [("x", x, dx)]
    spread = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)  # columns may have any unit
    largest = max(float(np.abs(d[np.isfinite(d)]).max(initial=0)) for _, _, d in targets)
    floor = FLOOR * max(largest, FLOOR * max(1.0, abs(centre)))  # of gradients that are all zero, rounding remains

    report = GradientReport(tolerance)
    rng = np.random.default_rng(0)
    for name, array, analytic in targets:
        row = Row(name, array.shape)
        chosen = np.arange(array.size)
        if entries is not None and entries < array.size:
            chosen = np.sort(rng.choice(array.size, entries, replace=False))
        for flat in chosen:
            index = tuple(int(i) for i in np.unravel_index(flat, array.shape))
            unit = float(max(spread[index[1]] if array is x else 1.0, abs(array[index])))
            a = float(analytic[index])
            best: tuple[float, float] | None = None
            for numeric in _differences(array, index, unit, value, lambda: _same(sides(), here)):
                error = _relative_error(a, numeric, floor)
                if best is None or error < best[0]:
                    best = error, numeric
                if error <= AGREED:
                    break
            if best is None:
                row.at_kinks += 1
                continue
            row.checked += 1
            if best[0] > row.max_relative_error:
                row.max_relative_error, row.worst, row.analytic, row.numeric = best[0], index, a, best[1]
        report.rows.append(row)
    return report


def _same(sides: list[Array], here: list[Array]) -> bool:
    return all(map(np.array_equal, sides, here))


def _relative_error(analytic: float, numeric: float, floor: float) -> float:
    """|analytic - numeric| over the larger of both, or over `floor` if they are small; infinite if not finite."""
    difference = abs(analytic - numeric)
    if difference == 0:
        return 0.0
    return math.inf if not math.isfinite(difference) else difference / max(abs(analytic), abs(numeric), floor)


def _differences(
    array: Array, index: tuple[int, ...], unit: float, value: Callable[[], float], same_side: Callable[[], bool]
) -> Iterator[float]:
    """Difference quotients of `value` by array[index], one for each step, in its unit, that crosses no kink."""
    kept = array[index]
    for h in (step * unit for step in STEPS):
        f: dict[int, float] = {}
        smooth = True
        for k in (-2, -1, 1, 2):
            array[index] = kept + k * h
            f[k] = value()
            smooth = smooth and same_side()
        array[index] = kept
        if smooth:
            yield (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * h)
