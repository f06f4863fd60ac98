"""The epochs of `sgd` and `adam`: scikit-learn's course, epoch for epoch and step for step, by the steps of train/."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from glassnet.data import Dataset, Split
from glassnet.estimators.objective import Objective, squares
from glassnet.estimators.parameters import NOT_FINITE, MLPParameters
from glassnet.estimators.passes import is_noisy, step_for
from glassnet.estimators.plan import Plan
from glassnet.estimators.state import Solver, State
from glassnet.estimators.validation import Rows, Validation
from glassnet.fast import EachStep, FastStep
from glassnet.nn import Network
from glassnet.nn.layer import Array
from glassnet.optim import Adam
from glassnet.train import Callback, Training
from glassnet.train.averaging import averaged, use_mean
from glassnet.train.batches import batches
from glassnet.train.loop import HistoryRow, Loop
from glassnet.train.step import StepAround

DEPTH = 6  # calls from `Fitting.fit` here up to the user's line, which warnings name
EMPTY = Split(np.empty((0, 0)), np.empty(0))


class WeightedStep(StepAround):
    """A step as in scikit-learn: rows have weights, and the penalty is divided by their sum."""

    step: Any

    def __init__(self, step: Any, run: Training, objective: Objective, weight: np.ndarray | None, plan: Plan) -> None:
        self.step = step
        self.level: str = step.level
        self.run = run
        self.objective = objective
        self.weight = weight
        self.plan = plan

    @property
    def independent(self) -> bool:
        """Whether it needs nothing of Python between two steps."""
        return isinstance(self.step, FastStep) and self.step.independent

    def __call__(self, rows: Array, factor: float, weights: Array | None = None, x: Array | None = None) -> float:
        """Return the loss of these training rows before the step, with the penalty."""
        plan, optimizer = self.plan, self.run.optimizer
        weights = None if self.weight is None else self.weight[rows]
        total = len(rows) if weights is None else float(weights.sum())
        optimizer.l2 = plan.alpha / total
        if isinstance(optimizer, Adam):
            optimizer.eps = self._eps(optimizer, 1)[0]
        square = self.step.squares() if self.independent else squares(self.run.net)
        value: float = self.step(rows, factor, self.objective.row_weights(len(rows), weights))
        return self._shown(value, square, total)

    def many(self, rows: Array, factors: Sequence[float], weights: Array | None = None) -> list[float]:
        """Do the same for all batches of these rows, with one factor each."""
        optimizer, n, size = self.run.optimizer, len(rows), self.run.batch_size
        if self.weight is None:
            totals, weights = [float(min(size, n - i)) for i in range(0, n, size)], self.objective.row_weights(n, None)
        else:
            parts = [self.weight[rows[i : i + size]] for i in range(0, n, size)]
            totals = [float(part.sum()) for part in parts]
            scaled = [self.objective.row_weights(len(part), part) for part in parts]
            weights = np.concatenate([part for part in scaled if part is not None])
        eps = self._eps(optimizer, len(totals)) if isinstance(optimizer, Adam) else [0.0] * len(totals)
        each = EachStep([self.plan.alpha / total for total in totals], eps)
        losses = self.step.many(rows, factors, weights, each)
        return [self._shown(*found) for found in zip(losses, each.squares, totals, strict=False)]

    def _eps(self, optimizer: Adam, steps: int) -> list[float]:
        """Return epsilon in each of the next steps: scikit-learn adds it before the bias is corrected.

        Kingma & Ba 2015, end of section 2.
        """
        if self.plan.epsilon is None:
            return [optimizer.eps] * steps
        numbers = range(optimizer.steps + 1, optimizer.steps + 1 + steps)
        return [self.plan.epsilon / math.sqrt(1 - optimizer.betas[1] ** number) for number in numbers]

    def _shown(self, loss: float, square: float, total: float) -> float:
        """Return a loss as it is shown, with the penalty. square: of all weights. total: of the weights of rows."""
        penalty = 0.5 * self.plan.alpha * square / total if self.plan.alpha else 0.0
        return loss * self.objective.reported + penalty


@dataclass(eq=False)
class Fitting:
    """One call of fit or partial_fit: it trains `net` on `rows`, and leaves the result in `state`.

    held: judges the network by rows held out, if there are any. random: numpy's RandomState, which orders the rows.
    """

    net: Network
    rows: Rows
    objective: Objective
    held: Validation | None
    plan: Plan
    settings: MLPParameters
    state: State
    solver: Solver
    watchers: Sequence[Callback]
    random: np.random.RandomState

    def __post_init__(self) -> None:
        rows, solver = self.rows, self.solver
        targets = self.objective.targets(rows.y)
        self.run: Training = self._training(targets)
        step = step_for(self.net, rows.x, targets, self.run.loss, solver.optimizer, self.run.batch_size)
        step = WeightedStep(step, self.run, self.objective, rows.weight, self.plan)
        self.loop: Loop = Loop(self.run, step, self.watchers, solver.taken)
        self.order: Array = np.arange(len(rows.y))
        self.state.history, self.state.epochs = self.run.history, 0

    def _training(self, targets: Array) -> Training:
        """The training as callbacks see it: the same as in `fit`."""
        net, held, asked, n = self.net, self.held, self.plan.training, len(self.rows.y)
        if asked.batch_size > n:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
                stacklevel=DEPTH + 2,
            )
        val = EMPTY if held is None else Split(held.rows.x, held.targets)
        names = tuple(net.info["classes"]), tuple(net.info["features"])
        rows = Split(self.rows.x, targets)
        data = Dataset("arrays", rows, val, EMPTY, net.info["task"], *names, None, net.info["target"])
        training = replace(
            asked,
            batch_size=int(min(asked.batch_size, n)),
            monitor=None if held is None else "score",
            patience=None,
            augmentation=None,
            replacement=False,
            seed=self.random.randint(2**31) if is_noisy(net) else 0,
        )
        return Training(net, data, self.objective.loss, self.solver.optimizer, **vars(training))

    def fit(self) -> None:
        """Train for one epoch if the plan is incremental, otherwise for all or until nothing improves."""
        run, plan, warned = self.run, self.plan, False
        with self.loop.watched():
            for _ in range(1 if plan.incremental else run.epochs):
                self._epoch()
                if run.failure is not None or run.stop or self._converged():
                    break
            else:
                warned = not plan.incremental
        if warned:
            message = "Stochastic Optimizer: Maximum iterations (%d) reached and the optimization hasn't converged yet."
            warnings.warn(message % run.epochs, ConvergenceWarning, stacklevel=DEPTH)
        if run.history.interrupted:
            warnings.warn("Training interrupted by user.", stacklevel=DEPTH)
        self._end()

    def _epoch(self) -> None:
        """Use every row once. Then note the loss, and the figures of the held-out rows."""
        run, state, weight = self.run, self.state, self.rows.weight
        if self.settings.shuffle:
            places = np.arange(len(self.order))  # as scikit-learn's `shuffle` draws them
            self.random.shuffle(places)
            self.order = self.order[places]
        self.loop.begin_epoch(state.seen)
        size, order = run.batch_size, self.order
        if weight is not None:  # from a batch that weighs nothing there is nothing to learn
            parts = [order[i : i + size] for i in range(0, len(order), size)]
            order = np.concatenate([order[:0], *(rows for rows in parts if weight[rows].sum() != 0)])
        last = self.loop.pass_over(order, state.seen)[0] if len(order) else 0.0
        losses = run.history.step_loss[self.loop.first :]
        total = sum(min(size, len(order) - i * size) * loss for i, loss in enumerate(losses))
        if not math.isfinite(last):
            total += last
            run.failure = f"the loss became {last} in epoch {len(run.history) + 1}"
        self.solver.taken = self.loop.steps
        state.epochs += 1
        state.seen += len(self.order)
        state.loss = total / len(self.order)
        state.losses.append(state.loss)
        if self.settings.verbose:
            print(f"Iteration {state.epochs}, loss = {state.loss:.8f}")
        self.loop.end_epoch(self._judge, state.loss)

    def _judge(self, row: HistoryRow) -> None:
        """Add the figures of the held-out rows to the history's row, and count the epochs without improvement."""
        state, held = self.state, self.held
        with averaged(self.run, self.loop.move, batches(self.run, self.order, state.seen)):
            if held is not None:
                row["val_loss"] = loss = math.nan if self.run.failure else held.loss()
                row["val_score"] = score = math.nan if self.run.failure else held.score(loss)
                state.held_losses.append(loss)
                state.held_scores.append(score)
                if self.settings.verbose:
                    print(f"Validation score: {score:f}")
            if held is not None and self.settings.early_stopping:
                improved = self._improve_score(score)
            else:
                improved = self._improve_loss(row["train_loss"])
        state.idle = 0 if improved else state.idle + 1
        self.solver.end_epoch(self.settings, state.seen)

    def _improve_score(self, score: float) -> bool:
        """Keep the weights if they are the best yet. Return whether they are better by tol."""
        state = self.state
        best = -math.inf if state.best_score is None else state.best_score
        if score > best:
            state.best_score, state.best_epoch = score, len(state.losses)
            state.best = {name: value.copy() for name, value in self.net.arrays().items()}
        return not score < best + self.settings.tol  # NaN counts as better, as in scikit-learn

    def _improve_loss(self, loss: float) -> bool:
        """Note the loss if it is the least yet. Return whether it is less by tol."""
        best = math.inf if self.state.best_loss is None else self.state.best_loss
        self.state.best_loss = min(best, loss)
        return not loss > best - self.settings.tol

    def _converged(self) -> bool:
        """Whether too many epochs brought no progress. Lowering the rate, if possible, gives them another chance."""
        state, settings, patience = self.state, self.settings, self.plan.patience
        state.stopped = state.idle > patience
        if not state.stopped:
            return False
        what = "Validation score" if self.held is not None and settings.early_stopping else "Training loss"
        message = f"{what} did not improve more than tol={settings.tol:f} for {patience} consecutive epochs."
        if self.solver.lower(settings):
            message += f" Setting learning rate to {self.solver.learning_rate:f}"
            state.idle, state.stopped = 0, False
        else:
            message += " Stopping."
        if settings.verbose:
            print(message)
        return state.stopped

    def _end(self) -> None:
        """Restore the best weights, or take the averaged ones. Raise ValueError if none are usable."""
        state, failure = self.state, self.run.failure
        restored = self.settings.early_stopping and not self.plan.incremental and state.restore_best(self.net)
        if not restored and self.run.mean is not None:
            use_mean(self.run, self.loop.move, batches(self.run, self.order, state.seen))
        if failure is None and np.isfinite(self.net.theta).all():
            return
        if not restored:
            raise ValueError(NOT_FINITE)
        warnings.warn(
            f"{failure}; the best weights before are kept. Lower learning_rate_init, or scale the input data.",
            ConvergenceWarning,
            stacklevel=DEPTH + 1,
        )
