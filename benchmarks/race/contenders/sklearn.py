"""scikit-learn's MLPClassifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from race.cases import MOMENTUM, Case, Parameters, parameters
from race.contenders import Predict
from race.digits import Digits


def network(weights: Parameters, **settings: Any) -> Any:
    """Build a classifier of these weights. Only a first step makes its arrays, so one is taken, and undone."""
    hidden = [W.shape[1] for W, _ in weights[:-1]]
    net = MLPClassifier(hidden, solver="sgd", nesterovs_momentum=False, alpha=0.0, random_state=0, **settings)
    rows = settings.get("batch_size", 1)
    net.partial_fit(np.zeros((rows, len(weights[0][0])), np.float32), np.zeros(rows, int), classes=np.arange(10))
    for place, (W, b) in enumerate(weights):
        net.coefs_[place][...], net.intercepts_[place][...] = W, b
    for velocity in net._optimizer.velocities:
        velocity[...] = 0
    return net


class Trainer:
    """partial_fit goes over the rows once, in a new order."""

    def __init__(self, case: Case, digits: Digits) -> None:
        self.x, self.x_test = digits.standardised(case.rows)
        self.y = digits.y[: case.rows]
        self.net = network(
            parameters(case.widths), batch_size=case.batch, learning_rate_init=case.lr, momentum=MOMENTUM
        )

    def epoch(self) -> None:
        """One call."""
        self.net.partial_fit(self.x, self.y)

    def labels(self) -> NDArray[np.int64]:
        """The classes with the highest probabilities."""
        return self.net.predict(self.x_test)


def predictor(weights: Parameters) -> Predict:
    """The method itself, which gives probabilities."""
    return network(weights).predict_proba
