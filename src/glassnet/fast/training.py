"""A training step by the kernels: the same numbers as those of the readable layers, except for rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from glassnet.fast.kernels import LOSSES, OPTIMIZERS
from glassnet.fast.preparing import Preparation
from glassnet.fast.program import Program, settings, uncovered, without_unit
from glassnet.fast.structures import CHUNK, CLayer, COptimizer
from glassnet.fast.threads import Threads, limit
from glassnet.memory import address
from glassnet.nn import CrossEntropy, Dropout, Exp, GaussianNoise, Loss, Network, Noise, Poisson
from glassnet.nn.layer import Array
from glassnet.optim import Optimizer


@dataclass
class EachStep:
    """Numbers for each of several steps: an optimizer's l2 and eps.

    squares: of all weights that decay, summed, before each step; the kernels find them.
    """

    l2: Sequence[float]
    eps: Sequence[float]
    squares: Sequence[float] = ()


PART = 1 << 18  # bytes: smaller parts of a gradient aren't worth a message of their own


class ReadyRows(NamedTuple):
    """Training rows x and their targets t as a step takes them. form: how the kernels read x."""

    x: Array
    t: Array
    form: int = 0


class Room:
    """Memory for what changes with each of several steps, and for the rows of their batches."""

    def __init__(self, steps: int, rows: int, dtype: np.dtype[Any]) -> None:
        self.lr, self.l2, self.eps, self.squares, self.losses = self.steps = np.zeros((5, steps))
        self.rows: Array = np.zeros(rows, np.int64)
        self.weights: Array = np.zeros(rows, dtype)
        self.places: list[int] = [address(each) for each in (self.rows, self.weights, *self.steps)]


class FastStep:
    """Training steps of `net` on rows x (N, n_in) with targets t: call it with the numbers of at most `batch` rows.

    targets: gives t in the unit of the outputs before a last Unstandardize, unless it is in it. Gradients go straight
    into the weights. Only with keep_gradients=True are they in `net.grad` after a step.
    """

    x: Array

    def __init__(
        self, net: Network, x: Array, t: Array, loss: Loss, optimizer: Optimizer, batch: int,
        keep_gradients: bool = False, targets: Callable[[Array], Array] | None = None,
    ) -> None:  # fmt: skip
        self.threads: Threads = Threads(limit(net))
        self.optimizer = optimizer
        self.program: Program = Program(net, batch, self.threads.limit, training=True)
        program = self.program
        assert net.precision != "bfloat16" or program.library.has_matrix_unit()  # `uncovered` has looked
        self.numbers: dict[str, int] = program.library.numbers
        counts = np.cumsum([0] + [len(layer.shapes()) for layer in program.layers])
        ends = [0] + [group.part.stop for group in net.groups]
        self.starts: list[int] = [ends[count] for count in counts]  # of each layer's parameters in theta, and the end
        self.parts: list[slice] = []  # of the gradient, in the order in which they are found
        end = net.theta.size
        for start in reversed(self.starts):
            if (end - start) * net.dtype.itemsize >= PART or (start == 0 and end):
                self.parts.append(slice(start, end))
                end = start
        self.set_rule: Callable[[Any, COptimizer], str] = OPTIMIZERS[type(optimizer)]
        program.c.loss.kind = self.numbers[type(loss).__name__]
        program.c.loss.row = program.allocate(batch, dtype=np.float64)
        self.net = net
        self.loss = loss
        self.targets = targets
        self.aside: Preparation = program.own_preparation(threads=1)
        self.show(self._ready(*program.prepare(x), t))
        self.keep_gradients = keep_gradients
        # Copies of a batch's row numbers and weights: asking NumPy where its arrays are would take longer.
        self.rows: Array = np.zeros(batch, np.int64)
        self.weights: Array = np.zeros(batch, net.dtype)
        self.rows_address: int = program.hold(self.rows)
        self.weights_address: int = program.hold(self.weights)
        self.room: Room = Room(1, batch, net.dtype)
        program.c.squares = program.allocate(net.theta.size // CHUNK + 1, dtype=np.float64)
        self._look()
        pairs = zip(program.layers, program.c_layers, strict=True)
        self.noises: list[tuple[Noise, CLayer]] = [(layer, c) for layer, c in pairs if isinstance(layer, Noise)]
        self.train: Callable[..., float] = program.library.train
        self.pass_on: Callable[..., None] = program.library.observe
        self.pointer: Any = program.pointer()
        self.level: str = program.library.level
        program.c.next = len(program.layers) - 1

    @staticmethod
    def uncovered(net: Network, loss: Loss, optimizer: Optimizer) -> str | None:
        """Say why the kernels can't train this, or return None: then they can."""
        unknown: list[type] = [type(loss)] if type(loss) not in LOSSES else []
        unknown += [type(optimizer)] if type(optimizer) not in OPTIMIZERS else []
        if unknown:
            return f"there is no kernel for {unknown[0].__name__}"
        if isinstance(loss, Poisson) and type(net.layers[-1]) is not Exp:  # whose outputs can't be negative
            return "the kernel for Poisson takes outputs of Exp"
        return uncovered(net) or without_unit(net)

    def __call__(self, rows: Array, factor: float, weights: Array | None = None, x: Array | None = None) -> float:
        """Move the network by the gradient of the batch of rows with these numbers, at the learning rate lr * factor.

        weights: one for each of these rows, which multiplies its loss. x: an array to use in place of the rows.
        Returns the loss before the step. If it isn't finite, nothing is moved.
        """
        batch = self._prepare_batch(rows, factor, weights, x)
        with self.threads as count:
            value: float = self.train(*batch, count)
        self._take_counts()
        return value

    def gradient(
        self, rows: Array, whole: int, to: Array, add: bool, weights: Array | None = None, x: Array | None = None
    ) -> float:
        """Write the part of these rows in the gradient of a batch of `whole` rows to a vector (n,), or add it there.

        Returns their part of its loss. If that isn't finite, the vector holds nothing of use.
        """
        batch = self._prepare_batch(rows, 1.0, weights, x)
        with self.threads as count:
            value: float = self.program.library.gradient(*batch, whole, address(to), add, count)
        self._take_counts()
        return value

    def has(self, part: slice) -> bool:
        """Whether a part is there of the gradient that `gradient` is finding in another thread."""
        return self.starts[self.program.c.next + 1] <= part.start

    def move(self, factor: float) -> None:
        """Move the network by the gradient in `net.grad`, at the learning rate lr * factor."""
        self._prepare(self.rows[:0], None)
        self._set_rates(factor)
        self.program.library.move_weights(self.pointer, self.threads.limit)
        self._take_counts()

    def many(
        self, rows: Array, factors: Sequence[float], weights: Array | None = None, each: EachStep | None = None
    ) -> list[float]:
        """Take as many steps as there are batches in these rows, one factor each; return the losses before them.

        weights: of each of the rows. each: what else changes with each step. The last loss is the first that isn't
        finite. Meanwhile other threads of Python run. Only for a step that is `independent`.
        """
        self._prepare(rows[:0], None)
        self._set_rates(1.0)
        n, steps, room = len(rows), len(factors), self.room
        if n > len(room.rows) or steps > len(room.lr):  # asking NumPy for an address takes longer than to copy
            room = self.room = Room(2 * steps, 2 * n, self.net.dtype)
        room.rows[:n] = rows
        room.lr[:steps] = factors
        room.lr[:steps] *= self.optimizer.lr
        of_rows, of_weights, lr, l2, eps, squares, losses = room.places
        if weights is not None:
            room.weights[:n] = weights
        if each is not None:
            room.l2[:steps], room.eps[:steps] = each.l2, each.eps
        changing = (None, None, None) if each is None else (l2, eps, squares)
        places = self.pointer, of_rows, None if weights is None else of_weights, n, lr, *changing, losses
        with self.threads.of(steps) as count:
            taken: int = self.program.library.train_many(*places, count)
        self._take_counts()
        if each is not None:
            each.squares = room.squares[:taken].tolist()
        return room.losses[:taken].tolist()

    def ready(self, x: Array, t: Array) -> ReadyRows:
        """Return rows x (N, n_in), of the type of the training rows, with targets t, as `show` takes them."""
        return self._ready(*self.program.prepare(x, self.aside), t)

    def _ready(self, x: Array, form: int, t: Array) -> ReadyRows:
        t = t if self.targets is None else self.targets(t)
        if type(self.loss) is CrossEntropy and t.ndim == 1:
            return ReadyRows(x, np.ascontiguousarray(t, np.int32), form)
        return ReadyRows(x, np.ascontiguousarray(t.reshape(len(t), self.program.n_out), self.program.dtype), form)

    def show(self, rows: ReadyRows) -> None:
        """Take these for the training rows from now on."""
        program, c = self.program, self.program.c
        for place in (c.data, c.loss.labels, c.loss.targets):
            program.memory.pop(place, None)
        c.data, c.format = program.hold(rows.x), rows.form
        if rows.t.dtype == np.int32:
            c.loss.labels = program.hold(rows.t)
        else:
            c.loss.targets = program.hold(rows.t)

    def squares(self) -> float:
        """Return the sum of all squared weights that decay."""
        found: float = self.program.library.decaying_squares(self.pointer)
        return found

    @property
    def independent(self) -> bool:
        """Whether the kernels need nothing of NumPy between two steps: it draws the numbers of GaussianNoise."""
        return not any(isinstance(layer, GaussianNoise) for layer, _ in self.noises)

    def observe(self, rows: Array, x: Array | None = None) -> None:
        """Pass these rows, or x, through the network in training mode: nothing moves but BatchNorm's statistics."""
        where = self._prepare(rows, x)
        self.program.c.optimizer.steps = self.optimizer.steps
        self.pass_on(self.pointer, self.rows_address, where, len(rows), self.threads.limit)
        self._take_counts()

    def _take_counts(self) -> None:
        """Note how many steps were taken, and how many masks were drawn. Of the next gradient nothing is there yet."""
        self.optimizer.steps = self.program.c.optimizer.steps
        self.program.c.next = len(self.program.layers) - 1
        for layer, c_layer in self.noises:
            if isinstance(layer, Dropout):
                layer.passes = c_layer.passes

    def move_mean(self, mean: Array, share: float) -> None:
        """Move mean weights (n,), in place, towards the present ones: mean <- mean + share * (theta - mean)."""
        place = self.program.written(mean, "the mean of the weights", self.net.theta.size)
        self.program.library.move_mean(self.pointer, place, share, self.threads.limit)

    def _prepare(self, rows: Array, x: Array | None) -> int | None:
        """Note the rows, show the kernels new arrays, draw masks, and return the address of x, if it is given."""
        n = len(rows)
        self.rows[:n] = rows
        for owner, name, known in self.seen:
            if getattr(owner, name) is not known:
                self._look()
                break
        for layer, c_layer in self.noises:
            c_layer.constant[0] = layer.strength
            if isinstance(layer, Dropout):
                c_layer.key, c_layer.passes = layer.key, layer.passes
            elif (
                isinstance(layer, GaussianNoise) and layer.strength
            ):  # otherwise the numbers don't matter: they are multiplied by it
                layer.draw(self.program.memory[c_layer.memory[0]][:n])
        if x is None:
            return None
        self.x, form = self.program.prepare(x)  # kept until the next call
        if form != self.program.c.format:
            raise ValueError(f"x is of {x.dtype}, which is not the type of the training rows")
        return address(self.x)

    def _prepare_batch(self, rows: Array, factor: float, weights: Array | None, x: Array | None) -> tuple[Any, ...]:
        """Do so, and note the weights and the rates; return the first arguments of the kernels."""
        n, where = len(rows), self._prepare(rows, x)
        self._set_rates(factor)
        if weights is not None:
            self.weights[:n] = weights
        return self.pointer, self.rows_address, where, None if weights is None else self.weights_address, n

    def _set_rates(self, factor: float) -> None:
        """Tell the kernels the optimizer's numbers as they are now: a callback may change them."""
        optimizer, c = self.optimizer, self.program.c.optimizer
        c.lr, c.weight_decay, c.l2 = optimizer.lr * factor, optimizer.weight_decay, optimizer.l2
        c.clip_norm = optimizer.clip_norm or 0.0
        c.fused = optimizer.clip_norm is None and not self.keep_gradients
        c.kind, c.steps = self.numbers[self.set_rule(optimizer, c)], optimizer.steps

    def _look(self) -> None:
        """Show the kernels the vectors and constants of network, loss and optimizer as they are now.

        A callback may set any of them. Raises ValueError if a parameter was replaced by another array.
        """
        net, program, optimizer = self.net, self.program, self.optimizer
        if (fault := uncovered(net)) is not None:
            raise ValueError(fault)
        if optimizer.owner is net.theta:
            optimizer.owner = None  # so that vectors set by a callback are checked like those set before training
        optimizer.start(net.theta)
        program.c.optimizer.theta = program.written(net.theta, "theta", program.c.n_parameters)
        program.c.optimizer.grad = program.written(net.grad, "grad", program.c.n_parameters)
        slots = [program.written(a, name, program.c.n_parameters) for name, a in optimizer.state().items()]
        program.c.optimizer.slot1, program.c.optimizer.slot2 = slots[0], slots[-1]
        name = LOSSES[type(self.loss)]
        constants = [] if name is None else [(self.loss, name, getattr(self.loss, name))]
        program.c.loss.constant = constants[0][2] if constants else 0.0
        program.refresh()
        self.seen: list[tuple[Any, str, Any]] = [
            *settings(program.layers),
            *((optimizer, name, getattr(optimizer, name)) for name in optimizer.slots),
            *constants,
        ]
