"""scikit-learn's own callbacks (`estimator.set_callbacks(ProgressBar())`), a protocol that 1.9 began as experimental.

This file is all that knows of it. With an older scikit-learn, nothing of it is there.
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
        """The class in its place: object itself can't stand before other bases."""

    CallbackSupport, managed = _Nothing, _called


class Hooks(Callback):
    """Tells scikit-learn's callbacks of the training: a task for the fit, in it one for each epoch."""

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
        """End an epoch; stop if a callback says so, else begin the next."""
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
        """What makes an estimator out of the weights as they are now."""
        net = copy.deepcopy(self.estimator.network_)
        layers = affine(net)
        weights = {"coefs_": [layer.W for layer in layers], "intercepts_": [layer.b for layer in layers]}
        return {"network_": net, **weights, "_table": None, "n_features_in_": net.n_in}  # it takes rows as train.x is


def watchers(estimator: Any) -> list[Callback]:
    """Return what tells scikit-learn's callbacks of a training, if it has any or is part of something that has."""
    watched = getattr(estimator, "_skl_callbacks", None) or hasattr(estimator, "_parent_callback_ctx")
    return [Hooks(estimator)] if watched else []
