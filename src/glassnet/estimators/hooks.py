"""scikit-learn's own callbacks (`estimator.set_callbacks(ProgressBar())`), a protocol that 1.9 began as experimental.

Only this file knows the protocol. With an older scikit-learn, it does nothing.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from glassnet.estimators.passes import affine
from glassnet.train import Callback, Training

Method = TypeVar("Method", bound=Callable[..., Any])
CallbackSupport: Any
managed: Callable[[Method], Method]  # a decorator of fit, which keeps its type
try:
    from sklearn import callback as theirs

    CallbackSupport, managed = theirs.CallbackSupportMixin, theirs.with_callbacks
except ImportError:

    def _called(method: Any) -> Any:
        """Return a function that calls the method: as deep a call as scikit-learn's, for warnings that name a line."""
        return functools.wraps(method)(lambda *arguments, **named: method(*arguments, **named))

    class _Nothing:
        """The class in its place, because object itself can't come before other bases."""

    CallbackSupport, managed = _Nothing, _called


class Hooks(Callback):
    """Reports the training to scikit-learn's callbacks: a task for the fit, and in it one for each epoch."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.context: Any = None
        self.epoch: Any = None

    def on_start(self, run: Training) -> None:
        """Begin the fit, and its first epoch."""
        self.context = self.estimator._init_callback_context(max_subtasks=run.epochs)
        self._tell(self.context.call_on_fit_task_begin, run)
        self._begin_epoch(run)

    def on_epoch(self, run: Training) -> None:
        """End an epoch. Stop if a callback says so, otherwise begin the next."""
        run.stop = self._tell(self.epoch.call_on_fit_task_end, run) or run.stop
        self.epoch = None
        if not run.stop and len(run.history) < run.epochs:
            self._begin_epoch(run)

    def on_end(self, run: Training) -> None:
        """End the fit, and an epoch that was begun and never ran."""
        if self.epoch is not None:
            self.epoch.call_on_fit_task_end(estimator=self.estimator)
        self._tell(self.context.call_on_fit_task_end, run)

    def _begin_epoch(self, run: Training) -> None:
        self.epoch = self.context.subcontext(task_name="epoch")
        self._tell(self.epoch.call_on_fit_task_begin, run)

    def _tell(self, hook: Any, run: Training) -> bool:
        train = run.data.train
        return bool(hook(estimator=self.estimator, X=train.x, y=train.y, reconstruction_attributes=self._fitted))

    def _fitted(self) -> dict[str, Any]:
        """A function that makes an estimator with the present weights."""
        net = copy.deepcopy(self.estimator.network_)
        layers = affine(net)
        weights = {"coefs_": [layer.W for layer in layers], "intercepts_": [layer.b for layer in layers]}
        return {"network_": net, **weights, "_table": None, "n_features_in_": net.n_in}  # it takes rows like train.x


def watchers(estimator: Any) -> list[Callback]:
    """Return a reporter for scikit-learn's callbacks, if the estimator or a meta-estimator around it has any."""
    watched = getattr(estimator, "_skl_callbacks", None) or hasattr(estimator, "_parent_callback_ctx")
    return [Hooks(estimator)] if watched else []


def has_own(estimator: Any) -> bool:
    """Whether callbacks of scikit-learn's were set on the estimator itself."""
    return bool(getattr(estimator, "_skl_callbacks", None))
