"""The figures by which people decide, with their intervals, beside the baseline."""

from __future__ import annotations

from typing import Any

from glassnet.data.written import in_unit
from glassnet.report import words
from glassnet.report.page import Table

LED_BY = {"classification": ("log_loss", "roc_auc", "accuracy"), "regression": ("rmse", "mae", "r2", "pinball")}
IN_UNIT = ("mae", "rmse", "median_absolute_error", "pinball")


def spread_of(metrics: dict[str, Any]) -> float:
    """Return how far apart values lie: the baseline's error; 1 for classes."""
    return float(metrics["baseline"].get("rmse") or 1.0)


def written(name: str, value: float | None, spread: float) -> str:
    """Write a figure: in the unit of the target, in percent, or as a number."""
    if value is None:
        return "-"
    if name in IN_UNIT:
        return in_unit(value, spread)
    return words.figure(value, name)


def estimates(metrics: dict[str, Any]) -> Table | None:
    """Return the figures of the test part with their intervals of 95%; None if the run has none."""
    figures = metrics.get("figures")
    if not figures:
        return None
    spread = spread_of(metrics)
    rows = []
    for name, found in figures.items():
        low, high = (written(name, found[end], spread) for end in ("low", "high"))
        between = "-" if found["low"] is None else f"{low} to {high}"
        cells = [written(name, found["value"], spread), between, written(name, found["baseline"], spread)]
        rows.append([words.NAMES.get(name, name), *cells, words.MEANINGS.get(name, "")])
    baseline = words.CONSTANT[metrics["task"]]
    which = "All rows, each answered by networks that hadn't seen it" if "folds" in metrics else "The test part"
    caption = f"{which}. The interval holds 95% of what other rows would give. Baseline: {baseline}."
    return Table(caption, ["figure", "test", "95% interval", "baseline", "meaning"], rows)


def folds(metrics: dict[str, Any]) -> Table | None:
    """Return the mean of each figure over the folds, with its standard error; None for a run of one split."""
    if "folds" not in metrics:
        return None
    spread = spread_of(metrics)
    rows = [
        [words.NAMES.get(name, name), *(written(name, found[key], spread) for key in ("mean", "standard_error"))]
        for name, found in metrics["folds"].items()
    ]
    return Table("The folds, tested one by one.", ["figure", "mean of the folds", "standard error"], rows)


def leaders(found: dict[str, Any], metrics: dict[str, Any]) -> Table:
    """Return a leaderboard as a table, the best model first, with the verdict above it."""
    names, spread = LED_BY[found["task"]], spread_of(metrics)
    rows = [
        [
            model["model"],
            *(written(name, (model["figures"].get(name) or {}).get("value"), spread) for name in names),
            f"{model['seconds']:.1f} s" if model["seconds"] else "-",
        ]
        for model in found["models"]
    ]
    verdict = found["verdict"]
    caption = f"{verdict[0].upper()}{verdict[1:]}. All learned from the same rows and columns."
    return Table(caption, ["model", *(words.NAMES.get(name, name) for name in names), "training"], rows)
