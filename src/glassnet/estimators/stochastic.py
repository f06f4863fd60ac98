"""The epochs of `sgd` and `adam`: scikit-learn's course, epoch for epoch and step for step, by the steps of train/."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from glassnet.data import Dataset, Split
from glassnet.estimators import parameters
from glassnet.estimators.objective import Objective, squares
from glassnet.estimators.passes import training_step
from glassnet.estimators.plan import Plan
from glassnet.estimators.validation import Rows, Validation
from glassnet.nn import Loss
from glassnet.nn.layer import Array
from glassnet.optim import Adam, Optimizer
from glassnet.train import Training
from glassnet.train.averaging import averaged, use_mean
from glassnet.train.batches import batches
from glassnet.train.loop import HistoryRow, Loop

if TYPE_CHECKING:
    from glassnet.estimators.base import BaseMLP

SMALLEST_RATE = 1e-6  # where "adaptive" gives up
DEPTH = 6  # calls from `fit` here up to the user's line, which warnings name
EMPTY = Split(np.empty((0, 0)), np.empty(0))


class Solver:
    """An optimizer, and how its learning rate changes: kept between calls of partial_fit."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer, self.rate = optimizer, optimizer.lr
        self.taken = 0  # steps, by which the schedule goes

    @property
    def learning_rate(self) -> float:
        """The learning rate at present, before a schedule's factor."""
        return self.optimizer.lr

    def end_epoch(self, estimator: BaseMLP) -> None:
        """Lower the rate with the rows seen, if that is the rule."""
        if estimator.solver == "sgd" and estimator.learning_rate == "invscaling":
            self.optimizer.lr = self.rate / (estimator.t_ + 1) ** estimator.power_t

    def lower(self, estimator: BaseMLP) -> bool:
        """Take a fifth of the rate, if that is the rule and the rate isn't tiny; return whether it was done."""
        if estimator.solver != "sgd" or estimator.learning_rate != "adaptive" or self.learning_rate <= SMALLEST_RATE:
            return False
        self.optimizer.lr /= 5
        return True


class WeightedStep:
    """A step as scikit-learn makes it: rows have weights, and its penalty is divided by their sum."""

    def __init__(self, step: Any, run: Training, objective: Objective, weight: np.ndarray | None, plan: Plan) -> None:
        self.step, self.run, self.objective, self.weight, self.plan = step, run, objective, weight, plan

    def __call__(self, rows: Array, factor: float, weights: Array | None = None, x: Array | None = None) -> float:
        """Return the loss of these training rows before the step, with the penalty."""
        plan, optimizer = self.plan, self.run.optimizer
        weights = None if self.weight is None else self.weight[rows]
        total = len(rows) if weights is None else float(weights.sum())
        if plan.alpha is not None:
            optimizer.l2 = plan.alpha / total
        if isinstance(optimizer, Adam) and plan.epsilon is not None:
            # scikit-learn adds epsilon before the bias is corrected (Kingma & Ba 2015, end of section 2).
            optimizer.eps = plan.epsilon / math.sqrt(1 - optimizer.betas[1] ** (optimizer.steps + 1))
        penalty = 0.5 * plan.alpha * squares(self.run.net) / total if plan.alpha else 0.0
        value: float = self.step(rows, factor, self.objective.row_weights(len(rows), weights))
        return value * self.objective.reported + penalty

    def observe(self, rows: Array, x: Array | None = None) -> None:
        """Pass these rows, or x, through the network in training mode."""
        self.step.observe(rows, x)

    def move_mean(self, mean: Array, share: float) -> None:
        """Move mean weights (n,), in place, towards the present ones."""
        self.step.move_mean(mean, share)


def fit(
    estimator: BaseMLP, rows: Rows, objective: Objective, held: Validation | None, plan: Plan, incremental: bool
) -> None:
    """Train estimator.network_ on rows: one epoch if `incremental`, else all or until nothing improves."""
    course = Course(estimator, rows, objective, held, plan)
    run, finished = course.run, False
    with course.loop.watched():
        for _ in range(1 if incremental else plan.epochs):
            course.epoch()
            if run.failure is not None or run.stop or course.converged():
                break
        else:
            finished = not incremental and not plan.complete
    if finished:
        message = "Stochastic Optimizer: Maximum iterations (%d) reached and the optimization hasn't converged yet."
        warnings.warn(message % plan.epochs, ConvergenceWarning, stacklevel=DEPTH)
    if run.history.interrupted:
        warnings.warn("Training interrupted by user.", stacklevel=DEPTH)
    course.end(incremental)


class Course:
    """One call of fit or partial_fit."""

    def __init__(
        self, estimator: BaseMLP, rows: Rows, objective: Objective, held: Validation | None, plan: Plan
    ) -> None:
        self.estimator, self.rows, self.objective, self.held, self.plan = estimator, rows, objective, held, plan
        self.net, self.solver, self.order = estimator.network_, estimator._optimizer, np.arange(len(rows.y))
        targets, loss, optimizer = objective.targets(rows.y), objective.loss, self.solver.optimizer
        self.run = run = _training(estimator, rows, targets, loss, held, optimizer, plan)
        run.seed = estimator._random_state.randint(2**31) if estimator._is_noisy() else 0
        step = training_step(self.net, rows.x, targets, loss, optimizer, run.batch_size)
        watchers = (*(estimator.callbacks or ()), *estimator._hooks())
        self.loop = Loop(run, WeightedStep(step, run, objective, rows.weight, plan), watchers, self.solver.taken)
        estimator.history_, estimator.n_iter_ = run.history, 0
        if held is not None:
            self.losses, self.scores = estimator.validation_loss_curve_ or [], estimator.validation_scores_ or []
            estimator.validation_loss_curve_, estimator.validation_scores_ = self.losses, self.scores

    def epoch(self) -> None:
        """Use every row once; then note the loss, and what the rows held out say."""
        estimator, run, weight = self.estimator, self.run, self.rows.weight
        if estimator.shuffle:
            places = np.arange(len(self.order))  # as scikit-learn's `shuffle` draws them
            estimator._random_state.shuffle(places)
            self.order = self.order[places]
        self.loop.begin_epoch(estimator.t_)
        total = 0.0
        for rows, _ in batches(run, self.order, estimator.t_):
            if weight is not None and weight[rows].sum() == 0:
                continue  # nothing to learn from
            total += len(rows) * self.loop.step(rows)
            if not math.isfinite(total):
                run.failure = f"the loss became {total} in epoch {len(run.history) + 1}"
                break
        self.solver.taken = self.loop.steps
        estimator.n_iter_ += 1
        estimator.t_ += len(self.order)
        estimator.loss_ = total / len(self.order)
        estimator.loss_curve_.append(estimator.loss_)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        self.loop.end_epoch(self._note, estimator.loss_)

    def _note(self, row: HistoryRow) -> None:
        """Add to the history's row of an epoch what the rows held out say."""
        with averaged(self.run, self.loop.move, batches(self.run, self.order, self.estimator.t_)):
            row |= self._judge()
        self.solver.end_epoch(self.estimator)

    def _judge(self) -> dict[str, float]:
        """Note what the rows held out say, and count the epochs without improvement by them or by the training loss."""
        estimator, held, judged = self.estimator, self.held, {}
        if held is not None:
            loss = math.nan if self.run.failure else held.loss()
            score = math.nan if self.run.failure else held.score(loss)
            self.losses.append(loss)
            self.scores.append(score)
            judged = {"val_loss": loss, "val_score": score}
            if estimator.verbose:
                print(f"Validation score: {score:f}")
        if held is not None and estimator.early_stopping:
            improved = self._improve_score(score)
        else:
            improved = self._improve_loss(estimator.loss_)
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1
        return judged

    def _improve_score(self, score: float) -> bool:
        """Keep the weights if they are the best yet; return whether they are better by tol."""
        estimator = self.estimator
        best = -math.inf if estimator.best_validation_score_ is None else estimator.best_validation_score_
        if score > best:
            estimator.best_validation_score_, estimator.best_iter_ = score, len(estimator.loss_curve_)
            estimator._best = {name: value.copy() for name, value in self.net.arrays().items()}
        return not score < best + estimator.tol  # NaN counts as better, as in scikit-learn

    def _improve_loss(self, loss: float) -> bool:
        """Note the loss if it is the least yet; return whether it is less by tol."""
        estimator = self.estimator
        best = math.inf if estimator.best_loss_ is None else estimator.best_loss_
        estimator.best_loss_ = min(best, loss)
        return not loss > best - estimator.tol

    def converged(self) -> bool:
        """Whether too many epochs brought nothing; a rate that can be lowered gives them another chance."""
        estimator = self.estimator
        estimator.stopped_ = estimator._no_improvement_count > self.plan.patience
        if not estimator.stopped_:
            return False
        what = "Validation score" if self.held is not None and estimator.early_stopping else "Training loss"
        message = f"{what} did not improve more than tol={estimator.tol:f} for {self.plan.patience} consecutive epochs."
        if self.solver.lower(estimator):
            message += f" Setting learning rate to {self.solver.learning_rate:f}"
            estimator._no_improvement_count, estimator.stopped_ = 0, False
        else:
            message += " Stopping."
        if estimator.verbose:
            print(message)
        return estimator.stopped_

    def end(self, incremental: bool) -> None:
        """Restore the best weights, or take the averaged ones; raise ValueError if none are any good."""
        estimator, failure = self.estimator, self.run.failure
        restored = estimator.early_stopping and not incremental and estimator.restore_best()
        if not restored and self.run.mean is not None:
            use_mean(self.run, self.loop.move, batches(self.run, self.order, estimator.t_))
        if failure is None and np.isfinite(self.net.theta).all():
            return
        if not restored:
            raise ValueError(parameters.NOT_FINITE)
        warnings.warn(
            f"{failure}; the best weights before are kept. Lower learning_rate_init, or scale the input data.",
            ConvergenceWarning,
            stacklevel=DEPTH + 1,
        )


def _training(
    estimator: BaseMLP, rows: Rows, targets: np.ndarray, loss: Loss, held: Validation | None, optimizer: Optimizer,
    plan: Plan,
) -> Training:  # fmt: skip
    """What callbacks are shown: the same as in `fit`."""
    n = len(rows.y)
    if plan.batch_size > n:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=DEPTH + 2
        )
    net, info = estimator.network_, estimator.network_.info
    val = EMPTY if held is None else Split(held.rows.x, held.targets)
    names = tuple(info["classes"]), tuple(info["features"])
    data = Dataset("arrays", Split(rows.x, targets), val, EMPTY, info["task"], *names, None, info["target"])
    return Training(
        net, data, loss, optimizer, epochs=plan.epochs, batch_size=int(min(plan.batch_size, n)),
        schedule=plan.schedule, average=plan.average, dropout_schedule=plan.dropout_schedule,
        weight_decay_schedule=plan.weight_decay_schedule, monitor=None if held is None else "score",
    )  # fmt: skip
