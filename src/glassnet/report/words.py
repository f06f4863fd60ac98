"""Results as words and figures that need no background."""

from __future__ import annotations

import math
from typing import Any

MEANINGS = {
    "loss": "what training makes small",
    "accuracy": "share of right answers",
    "mse": "mean of the squared errors",
    "rmse": "root of that, in the unit of the target",
    "mae": "mean size of the errors, in the unit of the target",
    "r2": "share of the variance that is explained; 1 is perfect",
}
NAMES = {"mse": "MSE", "rmse": "RMSE", "mae": "MAE", "r2": "R²"}
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
    """Write a share in percent, with one decimal; what isn't whole never reads 100.0%."""
    return f"{value:.1%}" if value < 0.9995 or value == 1 else f"{math.floor(value * 1e5) / 1e5:.3%}"


def verdict(metrics: dict[str, Any], info: dict[str, Any]) -> str:
    """Say how good a run is on its test part beside a constant answer, in sentences that anyone understands.

    metrics: what metrics.json holds. info: what is saved with the network.
    """
    test, constant = metrics["test"], metrics["baseline"]
    rows = f"{info['rows'][2]:,} test {'images' if 'image_shape' in info else 'rows'}"
    needed = ("accuracy",) if metrics["task"] == "classification" else ("mae", "mse")
    if any(part[name] is None for part in (test, constant) for name in needed):
        return f"The errors on the {rows} are not finite numbers: the training went wrong, or values are too large."
    if metrics["task"] == "classification":
        always = _majority(metrics)
        said = f"{share(test['accuracy'])} of {rows} right; {always} would get {share(constant['accuracy'])}."
        learned = test["accuracy"] > constant["accuracy"]
    else:
        said = (
            f"Off by {test['mae']:,.4g} on average for {rows}; always answering with the mean of the training rows"
            f" would be off by {constant['mae']:,.4g}."
        )
        learned = test["mse"] < constant["mse"]
        if learned and test["r2"] is not None:
            said += f" It explains {share(max(test['r2'], 0.0))} of the variance of {info['target']}."
    return said if learned else f"{said} So it has learned nothing that helps with rows it hasn't seen."


def _majority(metrics: dict[str, Any]) -> str:
    """The constant answer, by name if its share of the test rows tells which class it is."""
    rows = {name: scores["rows"] for name, scores in metrics["classes"].items()}
    wanted = round(metrics["baseline"]["accuracy"] * sum(rows.values()))
    found = [name for name, count in rows.items() if count == wanted]
    return f"always answering “{found[0]}”" if len(found) == 1 else "always giving the same answer"
