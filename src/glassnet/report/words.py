"""Results as words and figures that need no background."""

from __future__ import annotations

import math
from typing import Any

MEANINGS = {
    "loss": "training makes it small",
    "accuracy": "share of right answers",
    "auc": "area under the ROC curve: how often a row of a class is scored above one of another; 0.5 is chance",
    "mse": "mean of the squared errors",
    "rmse": "root of that, in the unit of the target",
    "mae": "mean size of the errors, in the unit of the target",
    "r2": "share of the variance that is explained; 1 is perfect",
}
NOTHING = " So it has learned nothing that helps with rows it hasn't seen."
RANKED = 2.5  # standard errors of chance beyond which a ranking is evidence
NAMES = {"auc": "AUC", "mse": "MSE", "rmse": "RMSE", "mae": "MAE", "r2": "R²"}
PARTS = {"train": "training", "val": "validation", "test": "test", "baseline": "baseline"}
CONSTANT = {
    "classification": "always the commonest class of training; its loss is that of the classes' shares",
    "regression": "always the mean of the training targets",
}


def figure(value: object, name: str = "") -> str:
    """Write a figure with the digits that say something; the accuracy, precision and recall in percent."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    if not isinstance(value, (int, float)):
        return str(value)
    if name in ("accuracy", "precision", "recall"):
        return f"{value:.2%}"
    if isinstance(value, float) and abs(value) >= 1e9:
        return f"{value:.3g}"
    if isinstance(value, int) or (value.is_integer() and abs(value) >= 1000):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4f}" if abs(value) >= 0.01 else f"{value:.3g}"


def share(value: float) -> str:
    """Write a share in percent, with one decimal. Only a whole share is written 100.0%."""
    return f"{value:.1%}" if value < 0.9995 or value == 1 else f"{math.floor(value * 1e5) / 1e5:.3%}"


def verdict(metrics: dict[str, Any], info: dict[str, Any], ranked: tuple[float, float] | None = None) -> str:
    """Say how good a run is on its test part beside a constant answer, in sentences that anyone understands.

    metrics: the content of metrics.json. info: the network's `info`. ranked: `metrics.ranking` of the test part, if it
    is known. If one class is rare, accuracy alone hides the progress. The loss and the ranking show it.
    """
    test, constant = metrics["test"], metrics["baseline"]
    rows = f"{info['rows'][2]:,} test {'images' if 'image_shape' in info else 'rows'}"
    needed = ("accuracy",) if metrics["task"] == "classification" else ("mae", "mse")
    if any(part[name] is None for part in (test, constant) for name in needed):
        return f"The errors on the {rows} are not finite numbers: the training went wrong, or values are too large."
    losses = test["loss"], constant["loss"]
    cheaper = None not in losses and losses[0] < losses[1]
    if metrics["task"] == "classification":
        always = _majority(metrics)
        said = f"{share(test['accuracy'])} of {rows} right; {always} would get {share(constant['accuracy'])}."
        if test["accuracy"] > constant["accuracy"]:
            return said
        if cheaper:
            return (
                f"{said} Its probabilities tell more than that: the loss is {figure(losses[0])}, that of the classes'"
                f" shares {figure(losses[1])}."
            )
        if ranked is not None and ranked[0] - 0.5 > RANKED * ranked[1]:
            return f"{said} It tells the classes apart all the same: the area under the ROC curve is {ranked[0]:.2f}."
        return said + NOTHING
    said = (
        f"Off by {test['mae']:,.4g} on average for {rows}; always answering with the mean of the training rows"
        f" would be off by {constant['mae']:,.4g}."
    )
    if test["mse"] < constant["mse"]:
        return said + _explained(test["r2"], info["target"])
    return said if cheaper else said + NOTHING


def _explained(r2: float | None, target: str) -> str:
    return "" if r2 is None else f" It explains {share(max(r2, 0.0))} of the variance of {target}."


def _majority(metrics: dict[str, Any]) -> str:
    """The constant answer, by name if its share of the test rows identifies the class."""
    rows = {name: scores["rows"] for name, scores in metrics["classes"].items()}
    wanted = round(metrics["baseline"]["accuracy"] * sum(rows.values()))
    found = [name for name, count in rows.items() if count == wanted]
    return f"always answering “{found[0]}”" if len(found) == 1 else "always giving the same answer"
