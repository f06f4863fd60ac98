"""MLPClassifier: classes, or several flags for each row."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import check_is_fitted

from glassnet.estimators.base import BaseMLP, partial_fit_of
from glassnet.estimators.held import held_of
from glassnet.estimators.parameters import ClassifierParameters, constraints
from glassnet.nn import Softmax
from glassnet.nn.activations import logistic
from glassnet.nn.layer import Array
from glassnet.turns import changing, reading


class MLPClassifier(ClassifierMixin, BaseMLP, ClassifierParameters):
    """A fully connected network that classifies: scikit-learn's MLPClassifier, and more.

    The parameters of scikit-learn's MLPClassifier have the same meaning and the same defaults. There are more:

    activation: also "leaky_relu", "gelu", "silu"; or a list with one for each hidden layer.
    learning_rate: also "cosine", "one_cycle" or a schedule such as gn.OneCycle(0.2), over max_iter epochs and for
    both solvers.
    dropout: the share of units that a hidden layer drops in training, one number or one for each hidden layer.
    class_weight: None, "balanced" or a dict of class: weight, as in scikit-learn's other classifiers.
    scoring: the score for early stopping: None (accuracy), "loss", a scorer's name or a function (estimator, X, y).
    keep_optimizer: whether fit with warm_start goes on with the moments of its optimizer, too.
    callbacks: a list of gn.Callback, such as gn.Progress().
    preset: "strong", for tables: the pack of the recipe `table`, that of `glassnet train my.csv`. Small networks each
    hold out other rows, and are mixed by what they answer for those (see `glassnet.pack`). It decides everything
    itself but class_weight, random_state, verbose, time_limit, and the length of the training (max_iter epochs for each
    network), learning_rate_init and batch_size, if one is given. `fit` gets all rows at once.
    time_limit: seconds, for which the preset goes on looking for a better pack; by default it ends when its kinds of
    networks are trained.

    With the preset, X is an array of numbers, with NaN for missing ones, or a data frame of pandas or polars. Its
    columns of the types category and enum are categories. So is text, unless it holds numbers, dates or booleans. A
    warning names guesses about text and columns that are left out. All other columns are numbers: booleans are 0 and 1,
    points in time days since 1970. A missing number counts as the median, and is marked if training saw missing ones in
    its column. A category is known if it is in at least 3 of the rows of the first fit. Any other is unknown. A column
    without known categories is left out. Raises TypeError for a sparse matrix.

    After fit, it has scikit-learn's attributes, and more. network_ is the gn.Network with the weights coefs_ and
    intercepts_ (its outputs are logits). history_ is a gn.History. If rows are held out, there is
    validation_loss_curve_. With early_stopping, there are best_iter_, the epoch whose weights were kept, and stopped_,
    whether nothing improved any more. With the preset there is pack_ in place of all these: it holds the gn.Ensemble
    that answers, what that consists of, its history, and what it answers for the rows held out.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = constraints(ClassifierParameters)

    @partial_fit_of
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train for one epoch on these rows.

        classes: all that there will ever be, for the first call (the number of flags is seen from y).
        X_val, y_val: rows to judge the network by. With early_stopping, its best weights are remembered for
        `restore_best`, and stopped_ is true after n_iter_no_change calls without progress.
        Raises ValueError for a class that wasn't among `classes`.
        """
        self._validate_params()
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all rows, and partial_fit sees some: give a dict, such as"
                " dict(zip(classes, sklearn.utils.compute_class_weight('balanced', classes=classes, y=y)))"
            )
        with changing(self):
            self._take_classes(y, classes)
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    def _take_classes(self, y: Any, classes: Any) -> None:
        """Take the classes from the first call of partial_fit; raise ValueError for others in a later one."""
        if getattr(self, "classes_", None) is None:
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            multilabel = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if multilabel else classes)
            self.classes_ = self._label_binarizer.classes_ if multilabel else unique_labels(classes)
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )

    def predict(self, X: Any) -> Array:
        """Return the class of each row of X (N, n_features), or its flags (N, n_outputs)."""
        with reading(self):
            return self._classes(self._probabilities(self._outputs(X)))

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class (N, n_classes), in the order of classes_, or of each flag."""
        with reading(self):
            return self._both(self._outputs(X))

    def predict_set(self, X: Any, coverage: float = 0.9) -> Array:
        """Return for each row of X whether each class is in a set (N, n_classes) that holds the true class so often.

        They are learned from rows that the fit held out: with preset="strong", early_stopping=True, or X_val and y_val.
        See `ClassSets`. Raises ValueError without such rows, for flags, and for a coverage that isn't between 0.5 and
        0.99.
        """
        check_is_fitted(self)
        if self.out_activation_ == "logistic" and self.n_outputs_ > 1:
            raise ValueError("sets are for one class a row, and these rows have several labels")
        with reading(self):
            sets = held_of(self).sets(lambda rows: self._outputs(rows, checked=True), self._both)
        return sets(self.predict_proba(X), coverage)

    def _both(self, outputs: Array) -> Array:
        """Return the probabilities of all classes, of both if there is one output."""
        p = self._probabilities(outputs)
        return np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of `predict_proba`."""
        p = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(p, out=p)

    def _probabilities(self, y: Array) -> Array:
        """Turn logits (N, n_outputs) into probabilities, of the second class if there is one output."""
        return Softmax().forward(y) if self.out_activation_ == "softmax" else logistic(y, out=np.empty_like(y))

    def _classes(self, p: Array) -> Array:
        if self.out_activation_ == "softmax":
            return self.classes_.take(p.argmax(axis=1), mode="clip")
        return self._label_binarizer.inverse_transform(p.ravel() if p.shape[1] == 1 else p)

    def _labels(self, y: Array) -> Array:
        return self._classes(y)

    def _score(self, x: Any, labels: Array, sample_weight: Array | None) -> float:
        outputs = self._outputs(x, checked=True)
        if not np.isfinite(outputs).all():
            return float("nan")
        return accuracy_score(labels, self._classes(self._probabilities(outputs)), sample_weight=sample_weight)

    def _out_activation(self) -> str:
        kind = self._label_binarizer.y_type_
        return "softmax" if kind == "multiclass" or (kind == "binary" and self.preset is not None) else "logistic"

    def _loss_name(self) -> str:
        return "log_loss"

    def _info(self) -> dict[str, Any]:
        classes = [str(name) for name in getattr(self, "classes_", ())]
        flags = {"flags": True} if getattr(self, "n_outputs_", 1) > 1 and self.out_activation_ == "logistic" else {}
        return {"task": "classification", "classes": classes, "target": "y"} | flags

    def _weights(self, x: Any, y: Any, sample_weight: Any) -> Array | None:
        weights = super()._weights(x, y, sample_weight)
        if self.class_weight is None:
            return weights
        by_class = compute_sample_weight(self.class_weight, y).astype(x.dtype)
        return by_class if weights is None else weights * by_class

    def _encode(self, y: Any, incremental: bool, reset: bool) -> Array:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (reset and not self.warm_start and not incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_classes(unique_labels(y), same=self.warm_start and not incremental)
        flags = self._label_binarizer.transform(y).astype(bool)
        # The preset's networks have an output for each of two classes.
        return np.hstack([~flags, flags]) if self.preset is not None and flags.shape[1] == 1 else flags

    def _check_classes(self, found: Array, same: bool) -> None:
        if same and set(found) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously"
                f" got {self.classes_}, `y` has {found}"
            )
        if len(np.setdiff1d(found, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {found}."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
