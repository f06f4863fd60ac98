"""The course of a training as the doctor saw it: losses, and looks at the network from time to time."""

from __future__ import annotations

import copy
import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from glassnet.data import Split
from glassnet.extras import installed
from glassnet.inspection.doctor.looking import Glass, Look
from glassnet.inspection.norms import norm
from glassnet.nn import Loss, Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer
from glassnet.train.metrics import constant_outputs

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

ROWS_OF_A_LOOK = 64
APART = 256  # steps between looks; at the beginning 1, 4, 16, 64
KNOWING = 0.5  # of the loss of knowing nothing: a network that is below it has learned already


@dataclass
class Record:
    """Losses of all steps, looks after some, and how training ended.

    optimizer: its settings at the start. nothing: the loss of the best constant on the watched rows; NaN if unknown.
    """

    optimizer: Optimizer
    nothing: float = math.nan
    losses: list[float] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    failure: str | None = None  # the message of a DivergenceError, or the thing that is no longer finite
    failed: int = 0  # the number of that step, from 1
    kept: list[bool] = field(default_factory=list)  # for each validated epoch: whether weights were kept as the best

    @property
    def fell(self) -> float | None:
        """The share by which the loss of the watched rows fell from the first look to the last; negative if it rose.

        None if that says nothing. A network that knew much at the start and still does needn't fall, and a loss that
        isn't above 0 has no shares. A last loss that isn't finite rose without limit.
        """
        if len(self.looks) < 2 or not self.looks[0].loss > 0:
            return None
        first, last = self.looks[0].loss, self.looks[-1].loss
        if not math.isfinite(last):
            return -math.inf
        return None if max(first, last) < KNOWING * self.nothing else 1 - last / first

    @property
    def grew(self) -> float:
        """The loss in the end, as a multiple of that at the start, or of knowing nothing if that is larger.

        The end is the last look, or the median of the later half of the steps. It is 0 if there is nothing to compare.
        """
        known = [loss for loss in (self.looks[0].loss, self.nothing) if loss > 0] if self.looks else []
        late = self.losses[len(self.losses) // 2 :]
        return max(self.looks[-1].loss, float(np.median(late)) if late else 0.0) / max(known) if known else 0.0

    def broke(self, step: int, what: str) -> None:
        """Note that something isn't finite any more after `step` steps. The first such note stays."""
        if self.failure is None:
            self.failed = max(step, 1)
            self.failure = f"{what} after step {step}"


class Watch:
    """Looks at a network while it is trained, on a copy, after steps 1, 4, 16, 64 and then every APART steps."""

    rows: Split

    def __init__(self, net: Network, loss: Loss, optimizer: Optimizer, begun: int = 0) -> None:
        self.net = net
        self.loss: Loss = copy.deepcopy(loss)
        self.record: Record = Record(copy.copy(optimizer))
        self.glass: Glass = Glass(net.copy())
        self.before: dict[str, Array] | None = None  # the parameters at the look whose next step is to be measured
        self.begun = begun
        self.next: int = begun

    def show(self, rows: Split) -> None:
        """Choose the rows to look at."""
        self.rows = Split(rows.x[:ROWS_OF_A_LOOK], rows.y[:ROWS_OF_A_LOOK])
        try:
            outputs = constant_outputs(self.rows, len(self.rows), self.loss, self.net.n_out or 0)
            self.record.nothing = self.loss.forward(outputs, self.rows.y)
        except (ValueError, TypeError, IndexError):  # a user's own loss may take other targets
            self.record.nothing = math.nan

    def due(self, step: int) -> bool:
        """Whether there is something to look at after this many steps."""
        return step >= self.next or self.before is not None

    def see(self, step: int, rate: float, last: bool = False) -> None:
        """Look at the network after `step` steps, the latest of learning rate `rate`, if it is time or the end."""
        looks = self.record.looks
        if self.before is not None and step > looks[-1].step:
            with np.errstate(over="ignore", invalid="ignore"):
                moved = {name: norm(p - self.before[name]) for name, p, _ in self.net.named_parameters()}
            parameters = [replace(p, moved=moved[p.name]) for p in looks[-1].parameters]
            looks[-1] = replace(looks[-1], parameters=parameters, rate=rate)
            self.before = None
        if (step < self.next and not last) or (looks and step <= looks[-1].step):
            return
        self.next = step + min(max(3 * (step - self.begun), 1), APART)
        if not math.isfinite(norm(self.net.theta)):
            self.record.broke(step, "the weights are no finite numbers")
            return
        seen = self.glass.net
        seen.theta[...] = self.net.theta
        seen.set_state(self.net.state())
        seen.reseed(step)
        with one_thread():
            looks.append(self.glass.look(self.rows.x, self.rows.y, self.loss, step))
        if not math.isfinite(looks[-1].loss):
            self.record.broke(step, f"the loss of {len(self.rows)} training rows is {looks[-1].loss}")
        if not last:
            self.before = {name: p.copy() for name, p, _ in self.net.named_parameters()}


def one_thread() -> AbstractContextManager[object]:
    """Keep NumPy's products to one thread: others, once woken, spin for a while on the cores that training needs.

    Without threadpoolctl they aren't kept, and training takes longer.
    """
    return _pools().limit(limits=1, user_api="blas") if installed("threadpoolctl") else nullcontext()


@cache
def _pools() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
