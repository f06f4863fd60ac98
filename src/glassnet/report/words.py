"""Results as words and figures that need no background."""

from __future__ import annotations

import math
from typing import Any

from glassnet.data.written import in_unit

MEANINGS = {
    "loss": "training makes it small",
    "accuracy": "share of right answers",
    "auc": "area under the ROC curve: how often a row of a class is scored above one of another; 0.5 is chance",
    "roc_auc": "area under the ROC curve: how often a row of a class is scored above one of another; 0.5 is chance",
    "average_precision": "mean precision over all thresholds; chance is the share of the class",
    "log_loss": "what the probabilities cost: 0 if all are sure and right",
    "brier": "mean squared error of the probabilities; 0 is perfect",
    "f1_macro": "precision and recall in one, the mean over the classes; 1 is perfect",
    "balanced_accuracy": "share of each class that is found, the mean over the classes",
    "calibration_error": "how far probabilities are from how often they come true; 0 is perfect",
    "mse": "mean of the squared errors",
    "rmse": "root of the mean squared error, in the unit of the target: large errors count more",
    "mae": "mean size of the errors, in the unit of the target",
    "median_absolute_error": "half of the errors are smaller",
    "mape": "mean size of the errors, as a share of the true values",
    "r2": "share of the variance that is explained; 1 is perfect",
    "pinball": "what the bounds of 90% cost, in the unit of the target: narrow ones that hold are best",
}
NOTHING = " So it has learned nothing that helps with rows it hasn't seen."
RANKED = 2.5  # standard errors of chance beyond which a ranking is evidence
NAMES = {
    "auc": "AUC",
    "roc_auc": "AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "f1_macro": "F1, mean over the classes",
    "balanced_accuracy": "balanced accuracy",
    "calibration_error": "calibration error",
    "mse": "MSE",
    "rmse": "RMSE",
    "mae": "MAE",
    "median_absolute_error": "median error",
    "mape": "MAPE",
    "r2": "R²",
    "pinball": "pinball loss",
}
PERCENT = ("accuracy", "balanced_accuracy", "precision", "recall", "mape")
PARTS = {"train": "training", "val": "validation", "test": "test", "baseline": "baseline"}
CONSTANT = {
    "classification": "always the commonest class of training; its loss is that of the classes' shares",
    "regression": "always the mean of the training targets",
}


def figure(value: object, name: str = "") -> str:
    """Write a figure with the digits that say something; shares such as the accuracy in percent."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    if not isinstance(value, (int, float)):
        return str(value)
    if name in PERCENT:
        return f"{value:.2%}"
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    if isinstance(value, int) or abs(value) >= 1e6 or (value.is_integer() and abs(value) >= 1000):
        return f"{value:,.0f}"
    if name == "r2":
        return f"{value + 0.0:.4f}".replace("-0.0000", "0.0000")
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4f}" if abs(value) >= 0.01 else f"{value:.3g}"


def share(value: float) -> str:
    """Write a share in percent, with one decimal. Only a whole share is written 100.0%."""
    return f"{value:.1%}" if value < 0.9995 or value == 1 else f"{math.floor(value * 1e5) / 1e5:.3%}"


def verdict(metrics: dict[str, Any], info: dict[str, Any], ranked: tuple[float, float] | None = None) -> str:
    """Say how good a run is on its test part beside a constant answer, in sentences that anyone understands.

    metrics: the content of metrics.json. info: the network's `info`. ranked: `metrics.ranking` of the test part, if it
    is known and the metrics have no figures. If one class is rare, accuracy alone hides the progress. The loss and the
    ranking show it, as far as chance doesn't explain them.
    """
    test, constant = metrics["test"], metrics["baseline"]
    rows = f"{info['rows'][2]:,} test {'images' if 'image_shape' in info else 'rows'}"
    needed = ("accuracy",) if metrics["task"] == "classification" else ("mae", "mse")
    if any(part[name] is None for part in (test, constant) for name in needed):
        return f"The errors on the {rows} are not finite numbers: the training went wrong, or values are too large."
    losses = test["loss"], constant["loss"]
    cheaper = None not in losses and losses[0] < losses[1]
    if metrics["task"] == "classification":
        always, figures = _majority(metrics), metrics.get("figures") or {}
        right = (figures.get("accuracy") or {}).get("value")  # as answers are decided, not by the likeliest class
        right = test["accuracy"] if right is None else right
        said = f"{share(right)} of {rows} right; {always} would get {share(constant['accuracy'])}."
        if figures.get("roc_auc", {}).get("low") is not None:
            return f"{said} {_told_apart(figures)}"
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
    spread = constant.get("rmse") or 1.0
    sure = (metrics.get("figures") or {}).get("mae") or {}
    between = ""
    if sure.get("low") is not None:
        between = f" (95% interval {in_unit(sure['low'], spread)} to {in_unit(sure['high'], spread)})"
    said = (
        f"Off by {in_unit(test['mae'], spread)} on average{between} for {rows}; always answering with the mean of the"
        f" training rows would be off by {in_unit(constant['mae'], spread)}."
    )
    if test["mse"] < constant["mse"]:
        return said + _explained(test["r2"], info["target"])
    return said if cheaper else said + NOTHING


def _told_apart(figures: dict[str, Any]) -> str:
    """Say what was learned, by the ranking and the probabilities, as far as chance doesn't explain them."""
    auc, loss = figures["roc_auc"], figures["log_loss"]
    interval = f"AUC {auc['value']:.3f}, 95% interval {auc['low']:.3f} to {auc['high']:.3f}"
    apart, cheaper = auc["low"] > 0.5, loss["high"] < loss["baseline"]
    costs = f"log loss {figure(loss['value'])}, that of the classes' shares {figure(loss['baseline'])}"
    if cheaper:
        worth = f"Its probabilities beat the classes' shares ({costs})."
    elif loss["value"] < loss["baseline"]:
        worth = f"Its probabilities seem to beat the classes' shares, but so few rows can't tell for sure ({costs})."
    else:
        worth = f"Its probabilities are no better than the classes' shares ({costs})."
    if apart:
        ranks = f"of two rows of different classes it ranks {auc['value']:.0%} rightly ({interval}; 0.5 is chance)"
        return f"It tells the classes apart: {ranks}. {worth}"
    if cheaper:
        return worth
    unsure = f"Whether it tells the classes apart is not sure ({interval}; 0.5 is chance). {worth}"
    return unsure if loss["value"] < loss["baseline"] else unsure + NOTHING


def _explained(r2: float | None, target: str) -> str:
    return "" if r2 is None else f" It explains {share(max(r2, 0.0))} of the variance of {target}."


def _majority(metrics: dict[str, Any]) -> str:
    """The constant answer, by name if its share of the test rows identifies the class."""
    rows = {name: scores["rows"] for name, scores in metrics["classes"].items()}
    wanted = round(metrics["baseline"]["accuracy"] * sum(rows.values()))
    found = [name for name, count in rows.items() if count == wanted]
    return f"always answering “{found[0]}”" if len(found) == 1 else "always giving the same answer"
