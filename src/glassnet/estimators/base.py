"""The base of both estimators: scikit-learn's fit, partial_fit and predict, around a Network."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from glassnet.estimators import hooks, lbfgs, plain, strong
from glassnet.estimators.held import HeldRows
from glassnet.estimators.objective import Objective
from glassnet.estimators.parameters import MLPParameters, hidden_sizes
from glassnet.estimators.passes import affine, predict
from glassnet.estimators.problem import Problem, Way
from glassnet.estimators.state import Solver, State
from glassnet.estimators.stochastic import Fitting
from glassnet.estimators.tables import TableColumns
from glassnet.estimators.validation import Rows, Validation, split
from glassnet.nn import Ensemble, Network
from glassnet.nn.layer import Array
from glassnet.pack import Pack
from glassnet.train import History
from glassnet.turns import changing, reading

OF_A_NETWORK = (  # attributes that only a fit without a preset has
    *("network_", "coefs_", "intercepts_", "n_layers_", "loss_", "loss_curve_", "best_loss_", "t_", "stopped_"),
    *("validation_loss_curve_", "validation_scores_", "best_validation_score_", "best_iter_"),
    *("_state", "_optimizer", "_no_improvement_count"),
)


def _is_stochastic(estimator: BaseMLP) -> bool:
    """Whether partial_fit makes sense."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    if estimator.preset is not None:
        raise AttributeError("partial_fit is only available without a preset: a pack needs all rows at once.")
    return True


class BaseMLP(hooks.CallbackSupport, BaseEstimator, MLPParameters):
    """The parts of MLPClassifier and MLPRegressor that don't depend on the kind of the targets."""

    network_: Network
    pack_: Pack  # in its place, with a preset
    coefs_: list[Array]
    intercepts_: list[Array]
    loss_curve_: list[float]
    history_: History
    validation_scores_: list[float] | None
    validation_loss_curve_: list[float] | None
    best_loss_: float | None
    best_validation_score_: float | None
    best_iter_: int | None
    n_iter_: int
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    loss_: float
    stopped_: bool
    t_: int
    _state: State
    _table: TableColumns | None = None
    _held: HeldRows | None = None

    def _encode(self, y: Any, incremental: bool, reset: bool) -> Array:
        """Check the targets and return them as numbers (N, n_outputs)."""
        raise NotImplementedError

    def _labels(self, y: Array) -> Array:
        """Return encoded targets as they were given."""
        raise NotImplementedError

    def _score(self, x: Any, labels: Array, sample_weight: Array | None) -> float:
        """Return the score for early stopping: accuracy or R^2. x has been checked."""
        raise NotImplementedError

    def _out_activation(self) -> str:
        """Return the function between the last layer and the predictions."""
        raise NotImplementedError

    def _info(self) -> dict[str, Any]:
        """Return the network's `info`."""
        raise NotImplementedError

    @hooks.managed
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network.

        X (N, n_features): an array, a sparse matrix or a data frame; y (N,) or (N, n_outputs); sample_weight (N,).
        X_val, y_val, sample_weight_val: rows to judge the network by after each epoch. With early_stopping they take
        the place of the rows that would be held out of X. With a preset, X isn't sparse and may hold NaN; columns of a
        data frame may hold text, categories, booleans or points in time.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=False)

    def build(self, X: Any, y: Any) -> Self:
        """Make the network that `fit` would train, with its initial weights, and don't train it.

        It predicts, its coefs_ can be set, and partial_fit, or fit with warm_start, goes on from there.
        """
        self._validate()
        if self.preset is not None:
            strong.check(self, all_at_once=False)
        with changing(self), self._unchanged_by_errors():
            x, encoded = self._check_rows(X, y, incremental=False, reset=True)
            self._random_state = check_random_state(self.random_state)
            self._initialize(x, encoded)
        return self

    def restore_best(self) -> bool:
        """Put the weights back that scored best on the rows held out; return whether there are any.

        `fit` with early_stopping does it by itself; after calls of partial_fit with X_val and y_val it is up to you.
        """
        check_is_fitted(self)
        return hasattr(self, "_state") and self._state.restore_best(self.network_)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to a safetensors file, which gn.Network.load reads; a pack's is for gn.Ensemble.load."""
        check_is_fitted(self)
        self._follow_coefs()
        self._answering().save(path)

    def export(self, path: str | os.PathLike[str], *, input_dtype: Any = None) -> None:
        """Write the estimator to an ONNX file: it gives y, the network's outputs, and classes' probabilities and label.

        input_dtype: the type of the rows that it takes, by default that of X in `fit`. After a data frame with other
        columns than numbers, the default is an input for each column. See `glassnet.exchange.to_onnx`.
        """
        from glassnet.exchange import columns_of, save, to_onnx

        check_is_fitted(self)
        self._follow_coefs()
        net = self._answering()
        outputs = self.out_activation_ if self.out_activation_ in ("softmax", "logistic") else "identity"
        classes = getattr(self, "classes_", None)
        if (
            input_dtype is None and self.preset is not None and not columns_of(net.info)
        ):  # otherwise it is the network's
            input_dtype = self._dtype
        save(to_onnx(net, outputs=outputs, classes=classes, input_dtype=input_dtype), path)

    def _validate(self) -> None:
        """Raise ValueError for parameters that make no sense, alone or together."""
        self._validate_params()
        hidden_sizes(self.hidden_layer_sizes)
        if self.preset is None and self.time_limit is not None:
            raise ValueError("time_limit is for preset='strong': without a preset max_iter decides")

    @property
    def _way(self) -> Way:
        """The module that reads rows: with a preset they may have gaps and text."""
        return plain if self.preset is None else strong

    def _problem(self) -> Problem:
        """The kind of the rows and targets."""
        names = getattr(self, "feature_names_in_", None)
        features = None if names is None else [str(name) for name in names]
        return Problem(self._loss_name(), self.n_outputs_, self.out_activation_, self._info(), features, self._table)

    def _fit(self, X: Any, y: Any, sample_weight: Any, val: tuple[Any, Any, Any], incremental: bool) -> Self:
        with changing(self):
            return self._train(X, y, sample_weight, val, incremental)

    def _train(self, X: Any, y: Any, sample_weight: Any, val: tuple[Any, Any, Any], incremental: bool) -> Self:
        self._validate()
        if self.preset is not None:
            return self._train_pack(X, y, sample_weight, all_at_once=all(each is None for each in val))
        with self._unchanged_by_errors():
            first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
            x, encoded = self._check_rows(X, y, incremental, reset=first)
            rows = Rows(x, encoded, self._weights(x, y, sample_weight))
            self._random_state = check_random_state(self.random_state)
            if first:
                self._initialize(x, encoded)
            elif not hasattr(self, "_state"):
                self._show(State.new(self.early_stopping))  # coefs_ were set by hand
            self._follow_coefs()
            net = self.network_
            objective = plain.objective(self._problem(), x.dtype)
            if self.solver == "lbfgs":
                with changing(net), self._shown():
                    lbfgs.fit(net, rows, objective, self, self._state)
                self._hold(None)
                return self
            rows, held = self._hold_out(rows, val, incremental)
            plan = plain.plan(self, len(rows.y), incremental)
            if not hasattr(self, "_optimizer") or not (incremental or self.keep_optimizer):
                self._optimizer = Solver(plan.optimizer)
            judge = None if held is None else self._judge(held, objective, plan.scoring)
        watchers = [*(self.callbacks or ()), *hooks.watchers(self)]
        with changing(net), self._shown():
            Fitting(
                net, rows, objective, judge, plan, self, self._state, self._optimizer, watchers, self._random_state
            ).fit()
        self._hold(held)
        return self

    def _train_pack(self, X: Any, y: Any, sample_weight: Any, all_at_once: bool) -> Self:
        strong.check(self, all_at_once=all_at_once)
        with self._unchanged_by_errors():
            x, encoded = self._check_rows(X, y, incremental=False, reset=True)
            rows = Rows(x, encoded, self._weights(x, y, sample_weight))
            self.n_outputs_, self.out_activation_, self._dtype = encoded.shape[1], self._out_activation(), x.dtype
            pack = strong.fit(self, self._problem(), rows, check_random_state(self.random_state))
            for name in OF_A_NETWORK:  # of a fit without a pack
                self.__dict__.pop(name, None)
            self.pack_, self.history_, self.n_iter_ = pack, pack.history, int(pack.history["epoch"][-1])
            self._hold(rows.take(pack.rows), pack.outputs)
        return self

    def _hold(self, held: Rows | None, outputs: Array | None = None) -> None:
        """Keep the rows that were held out, from which intervals are learned if they are wanted."""
        self._held = None if held is None else HeldRows(held.x, held.y, outputs, self._table)

    def _judge(self, held: Rows, objective: Objective, scoring: Any) -> Validation:
        """Return the validation of the network on held-out rows."""
        # A shallow copy sees the same weights. Without names of features, it takes rows as the network does.
        seen = copy.copy(self)
        seen.__dict__.pop("feature_names_in_", None)
        seen._table, seen.n_features_in_ = None, held.x.shape[1]
        return Validation(seen, held, self._labels(held.y), objective, scoring)

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """Turn the state of a training into scikit-learn's attributes, however it ends."""
        try:
            yield
        finally:
            self._show(self._state)

    def _show(self, state: State) -> None:
        self._state = state
        self.n_iter_, self.t_, self.stopped_ = state.epochs, state.seen, state.stopped
        self.loss_curve_, self.best_loss_ = state.losses, state.best_loss
        self.validation_loss_curve_, self.validation_scores_ = state.held_losses or None, state.held_scores or None
        self.best_validation_score_, self.best_iter_ = state.best_score, state.best_epoch
        self._no_improvement_count = state.idle
        if state.loss is not None:
            self.loss_ = state.loss
        if state.history is not None:
            self.history_ = state.history

    @contextmanager
    def _unchanged_by_errors(self) -> Iterator[None]:
        """Keep the last fit, with all that it knows of rows and targets, if the arguments of a new one are bad."""
        before = dict(self.__dict__)
        try:
            yield
        except Exception:
            self.__dict__ = before
            raise

    def _hold_out(self, rows: Rows, val: tuple[Any, Any, Any], incremental: bool) -> tuple[Rows, Rows | None]:
        """Return the rows to train on, and those to judge by."""
        X_val, y_val, weight_val = val
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together: give both or neither")
        if X_val is not None:
            x, encoded = self._check_rows(X_val, y_val, incremental=True, reset=False)
            return rows, Rows(x, encoded, self._weights(x, y_val, weight_val))
        if not self.early_stopping:
            return rows, None
        if incremental:
            raise ValueError("partial_fit does not support early_stopping=True without X_val and y_val")
        stratify = (self.out_activation_, self.n_outputs_) in (("logistic", 1), ("softmax", 2))  # two classes
        return split(rows, self.validation_fraction, self._random_state, stratify)

    def _check_rows(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        """Return X as an array or sparse matrix of floats, and y as numbers (N, n_outputs)."""
        values = self._info()["task"] == "regression"
        x, y, self._table = self._way.read_both(self, self._table, X, y, reset, values)
        encoded = self._encode(y, incremental, reset)
        return x, encoded.reshape(len(encoded), -1)

    def _weights(self, x: Any, y: Any, sample_weight: Any) -> Array | None:
        """Return the weight of each row, or None if all weigh the same."""
        return None if sample_weight is None else _check_sample_weight(sample_weight, x, dtype=x.dtype)

    def _loss_name(self) -> str:
        return self.loss

    def _initialize(self, x: Any, encoded: Array) -> None:
        """Make the network for such rows and targets, and forget all training."""
        self.n_outputs_, self.out_activation_, self._dtype = encoded.shape[1], self._out_activation(), x.dtype
        self._link(plain.network(self, self._problem(), x, encoded, self._random_state))
        self._show(State.new(self.early_stopping))
        for name in ("_optimizer", "pack_"):
            self.__dict__.pop(name, None)

    def _link(self, net: Network) -> None:
        """Make a network the estimator's own: coefs_ and intercepts_ are its weights themselves."""
        self.network_, layers = net, affine(net)
        self.coefs_ = [layer.W for layer in layers]
        self.intercepts_ = [layer.b for layer in layers]
        self.n_layers_ = len(layers) + 1  # scikit-learn counts the inputs, too

    def _answering(self) -> Network | Ensemble:
        """Return what answers: the network, or the pack's ensemble."""
        return self.pack_.ensemble if hasattr(self, "pack_") else self.network_

    def _follow_coefs(self) -> None:
        """Take over arrays that were set in place of coefs_ and intercepts_."""
        if hasattr(self, "pack_"):
            return
        net = getattr(self, "network_", None)
        layers = [] if net is None else affine(net)
        if len(layers) == len(self.coefs_) and all(
            W is layer.W and b is layer.b for layer, W, b in zip(layers, self.coefs_, self.intercepts_, strict=True)
        ):
            return
        coefs, intercepts = list(self.coefs_), list(self.intercepts_)
        if net is None or [layer.W.shape for layer in layers] != [W.shape for W in coefs]:
            net = plain.of_sizes(self, self._problem(), [len(coefs[0]), *(len(b) for b in intercepts)], coefs[0].dtype)
        self._link(net)
        for own, given in zip([*self.coefs_, *self.intercepts_], [*coefs, *intercepts], strict=True):
            own[...] = given

    def _outputs(self, X: Any, checked: bool = False) -> Array:
        """Return the network's outputs (N, n_outputs) for rows X."""
        if not checked:
            check_is_fitted(self)
            X, _ = self._way.read(self, self._table, X, reset=False)
        self._follow_coefs()
        y = self.pack_.ensemble.predict(X) if hasattr(self, "pack_") else predict(self.network_, X)
        return y if self.preset is None else y.astype(np.result_type(y, X), copy=False)

    def __getstate__(self) -> dict[str, Any]:
        with reading(self):
            state = super().__getstate__()
        state.pop("_changes", None)
        if "network_" in state:  # the weights once, not once more as coefs_
            self._follow_coefs()
            state = {name: value for name, value in state.items() if name not in ("coefs_", "intercepts_")}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "network_" in state:
            self._link(self.network_)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coefs_") or hasattr(self, "pack_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.preset is None
        tags.input_tags.allow_nan = self.preset is not None
        return tags


partial_fit_of: Callable[[hooks.Method], hooks.Method] = available_if(_is_stochastic)
