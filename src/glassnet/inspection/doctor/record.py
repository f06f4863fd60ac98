"""The course of a training as the doctor saw it: losses, and looks at the network from time to time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from glassnet.inspection.doctor.looking import Look, look, norm
from glassnet.nn import Loss, Network
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer

ROWS = 64  # of a look: a look costs about as much as a step
APART = 256  # steps between looks; at the beginning 1, 2, 4, 8, ...


@dataclass
class Record:
    """Losses of all steps, looks after some, rows of all epochs, and how training ended."""

    net: Network
    loss: Loss
    optimizer: Optimizer
    losses: list[float] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    failure: str | None = None  # what a DivergenceError said
    kept: list[bool] = field(default_factory=list)  # for each validated epoch: whether weights were kept as the best

    @property
    def squares(self) -> float:
        """The sum of the squares of all decayed weights, as they are now."""
        theta = self.net.theta
        return float(sum(np.square(theta[part], dtype=np.float64).sum() for part in self.net.decayed))

    @property
    def fell(self) -> float:
        """By what share the loss of the rows looked at fell, from the first look to the last; negative if it rose."""
        if len(self.looks) < 2 or not self.looks[0].loss > 0:
            return 0.0
        return 1 - self.looks[-1].loss / self.looks[0].loss


class Watch:
    """Looks at a network while it is trained, on a copy, after steps 1, 2, 4, ... and then every APART steps."""

    def __init__(self, net: Network, loss: Loss, optimizer: Optimizer) -> None:
        self.net = net
        self.record = Record(net, loss, optimizer)
        self.copy = net.copy()
        self.copy.fast = False
        self.before: dict[str, Array] | None = None  # the parameters at the look whose next step is to be measured
        self.next = 0

    def due(self, step: int) -> bool:
        """Whether there is something to look at after this many steps."""
        return step >= self.next or self.before is not None

    def see(self, step: int, x: Array, t: Array, last: bool = False) -> None:
        """Look at rows x with targets t, with the weights as they are after `step` steps: if it is time, or the end."""
        looks = self.record.looks
        if self.before is not None and looks:
            moved = {name: norm(p - self.before[name]) for name, p, _ in self.net.named_parameters()}
            parameters = [replace(p, moved=moved[p.name]) for p in looks[-1].parameters]
            looks[-1] = replace(looks[-1], parameters=parameters)
            self.before = None
        if step < self.next and not last:
            return
        self.next = step + min(max(step, 1), APART)
        if not np.isfinite(self.net.theta).all():
            return
        self.copy.theta[...] = self.net.theta
        self.copy.set_state(self.net.state())
        self.copy.reseed(step)
        looks.append(look(self.copy, x, t, self.record.loss, step))
        self.before = {name: p.copy() for name, p, _ in self.net.named_parameters()}
