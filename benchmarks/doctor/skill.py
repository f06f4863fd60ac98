"""What a training comes to, beside a constant and a linear model: evidence that the healthy learn."""

from __future__ import annotations

import math
import warnings

import numpy as np
from plan import Plan

import glassnet as gn


def skill(plan: Plan) -> float:
    """Train; return the share of the constant's error that the network removes on the validation rows.

    1 is perfect, 0 the majority class or the mean. -inf if the loss became NaN, NaN if the data can't be trained on.
    """
    net = plan.network()
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            plan.train(net)
            return removed(gn.evaluate(net, plan.data.val, plan.loss), plan)
    except gn.DivergenceError:
        return -math.inf
    except ValueError:
        return math.nan


def linear_skill(plan: Plan) -> float:
    """The same of a linear model on standardised columns: least squares, or logistic regression."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, val = plan.data.train, plan.data.val
    regression = plan.data.task == "regression"
    model = make_pipeline(StandardScaler(), Ridge(1.0) if regression else LogisticRegression(max_iter=300, C=0.3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answers = model.fit(train.x.astype(np.float64), train.y).predict(val.x.astype(np.float64))
    score = {"mse": float(np.square(answers - val.y).mean()), "accuracy": float((answers == val.y).mean())}
    return removed(score, plan)


def removed(score: dict[str, float], plan: Plan) -> float:
    """The share of the constant's error that is gone."""
    constant = gn.baseline(plan.data.train, plan.data.val, plan.loss)
    if plan.data.task == "regression":
        return 1 - score["mse"] / constant["mse"]
    return 1 - (1 - score["accuracy"]) / (1 - constant["accuracy"])
