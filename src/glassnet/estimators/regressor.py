"""MLPRegressor: one value for each row, or several."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted

from glassnet.estimators.base import BaseMLP, partial_fit_of
from glassnet.estimators.held import dense, held_of
from glassnet.estimators.parameters import RegressorParameters, constraints
from glassnet.nn.layer import Array
from glassnet.turns import reading


class MLPRegressor(RegressorMixin, BaseMLP, RegressorParameters):
    """A fully connected network that predicts values: scikit-learn's MLPRegressor, and more.

    The parameters of scikit-learn's MLPRegressor have the same meaning and the same defaults. There are more:

    loss: also "absolute_error" and "huber" (quadratic up to errors of 1, linear beyond).
    scoring: the score for early stopping: None (R^2), "loss", a scorer's name or a function (estimator, X, y).

    All others, such as activation, dropout and preset, are those of MLPClassifier, which describes them.

    With preset="strong", `loss` may be given, too. Targets are standardised, each by its own mean and standard
    deviation, unless loss="poisson". The error of pack_ is then in these units, and predictions in the targets' own,
    which stay within the range of training and a margin.

    After fit, it has scikit-learn's attributes, and more. network_ is the gn.Network with the weights coefs_ and
    intercepts_. history_ is a gn.History. If rows are held out, there is validation_loss_curve_. With early_stopping,
    there are best_iter_, the epoch whose weights were kept, and stopped_, whether nothing improved any more. With the
    preset there is pack_ in place of all these.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = constraints(RegressorParameters)

    @partial_fit_of
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train for one epoch on these rows.

        X_val, y_val: rows to judge the network by. With early_stopping, its best weights are remembered for
        `restore_best`, and stopped_ is true after n_iter_no_change calls without progress.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    def predict(self, X: Any) -> Array:
        """Return the value of each row of X (N, n_features): (N,), or (N, n_outputs) if there are several."""
        with reading(self):
            return self._flat(self._outputs(X))

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """Return bounds (N, 2) for each row of X, between which the share `coverage` of the true values lies.

        They are learned from rows that the fit held out, at the first call: with preset="strong", early_stopping=True,
        or X_val and y_val. If the rows are like those of the fit, the share is right, see `ValueIntervals`. Raises
        ValueError without such rows, for several values a row, and for a coverage that isn't between 0.5 and 0.99.
        """
        check_is_fitted(self)
        with reading(self):
            intervals = held_of(self).intervals(lambda rows: self._outputs(rows, checked=True))
            x, _ = self._way.read(self, self._table, X, reset=False)
            return intervals(dense(x), self._outputs(x, checked=True), coverage)

    def _flat(self, y: Array) -> Array:
        return y.ravel() if y.shape[1] == 1 else y

    def _labels(self, y: Array) -> Array:
        return self._flat(y)

    def _score(self, x: Any, labels: Array, sample_weight: Array | None) -> float:
        outputs = self._outputs(x, checked=True)
        if not np.isfinite(outputs).all():
            return float("nan")
        return r2_score(labels, self._flat(outputs), sample_weight=sample_weight)

    def _out_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _info(self) -> dict[str, Any]:
        return {"task": "regression", "classes": [], "target": "y"}

    def _check_rows(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        _require_numbers(y)
        return super()._check_rows(X, y, incremental, reset)

    def _encode(self, y: Any, incremental: bool, reset: bool) -> Array:
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y


def _require_numbers(y: Any) -> None:
    """Raise ValueError for text that isn't a number."""
    values = np.asarray(y)
    for text in (v for v in values.flat if isinstance(v, str)) if values.dtype.kind in "OU" else ():
        try:
            float(text)
        except ValueError:
            raise ValueError(
                f"y holds {str(text)!r}: a regressor needs numbers; for classes take MLPClassifier"
            ) from None
