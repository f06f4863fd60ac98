"""The content of a run directory, read once."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Any

from glassnet.data import Dataset
from glassnet.data.catalog import SOURCES
from glassnet.files import reason
from glassnet.limits import read_json
from glassnet.nn import Ensemble, Loss, Network
from glassnet.nn.ensemble import leading
from glassnet.recipes.confusion import Confusion
from glassnet.recipes.directory import HISTORY_FILE, METRICS_FILE, RECIPE_FILE, member, open_model, open_run
from glassnet.recipes.identity import require_same_data
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import load_data
from glassnet.train import History
from glassnet.train.figures import Estimate
from glassnet.train.metrics import METRICS

FIGURE = float | int | None  # None stands for NaN and infinity
ABOUT: dict[str, Any] = {
    "data": str,
    "epochs": int,
    "best_epoch": int | None,
    "interrupted": bool,
    "seconds": float | int,
    "parameters": int,
    "version": str,
    "seed": int,
}


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished run: its recipe, its network or that of a pack, the content of metrics.json, and its history."""

    path: Path
    recipe: Recipe
    net: Network | Ensemble
    metrics: dict[str, Any]
    history: History

    @classmethod
    def read(cls, path: Path) -> Finished:
        """Read the run directory `path`. Raises ValueError if it is none, or damaged; OSError if a file is missing."""
        recipe, net = open_run(path)
        try:
            metrics = read_json(path / METRICS_FILE)
            history = History.from_csv(path / HISTORY_FILE)
            _check(metrics, history, net)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} is damaged: its metrics or its history can't be read ({error})") from None
        return cls(path, recipe, net, metrics, history)

    @classmethod
    def of_ensemble(cls, path: Path) -> Finished:
        """Read the directory of an ensemble of runs as one run: the recipe is that of the first, and no history.

        Of folds, the test rows are those of all. Raises as `read`.
        """
        recipe, net = open_model(path)
        try:
            metrics = read_json(path / METRICS_FILE)
            if "folds" in metrics:
                runs = [cls.read(member(path, fold)) for fold in range(recipe.data.folds or 0)]
                net.info["rows"] = [
                    0,
                    0,
                    sum(run.net.info["rows"][2] for run in runs),
                ]  # all rows are tested once
                metrics["members"] = [run.metrics | {"run": str(run.path), "seed": run.recipe.seed} for run in runs]
            members = metrics["members"]
            metrics |= {
                "epochs": sum(each["epochs"] for each in members),
                "best_epoch": None,
                "interrupted": any(each["interrupted"] for each in members),
                "seed": recipe.seed,
                "networks": len(members),
                "parts": [f"{each['run']}, {each['recipe']} with seed {each['seed']}" for each in members],
            }
            _check(metrics, History(), net)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} can't be read as an ensemble: {error}") from None
        return cls(path, recipe, net, metrics, History())

    @property
    def joined(self) -> bool:
        """Whether it is an ensemble of runs, and no pack."""
        return isinstance(self.net, Ensemble) and (self.recipe.pack is None or self.folded)

    @property
    def folded(self) -> bool:
        """Whether its networks were tested on a fold each."""
        return "folds" in self.metrics

    @property
    def network(self) -> Network:
        """The network to look into: of a pack, the one with the largest share of the answer."""
        return leading(self.net)

    @property
    def which(self) -> str | None:
        """Which network of a pack that is, in words; None for a single network."""
        if isinstance(self.net, Network):
            return None
        return "the first of several networks" if self.joined else which_network(self.net)

    @property
    def task(self) -> str:
        """The task: "classification" or "regression"."""
        return str(self.net.info["task"])

    @property
    def confusion(self) -> Confusion:
        """The confusion matrix of the test part."""
        return Confusion.read(self.metrics["confusion_matrix"], len(self.metrics["classes"]))

    @property
    def loss(self) -> Loss:
        """The loss that it was trained with."""
        return self.recipe.build_loss(self.task)

    @property
    def recipe_text(self) -> str:
        """The recipe as TOML."""
        own = self.path / RECIPE_FILE
        return (own if own.is_file() else member(self.path, 0) / RECIPE_FILE).read_text(encoding="utf-8")

    def load_data(self) -> Dataset:
        """Load the data that it was trained on. Raises ValueError or OSError if they are gone or were changed."""
        return load_same_data(self.path, self.recipe, self.net)


def which_network(pack: Ensemble) -> str:
    """Say which network of a pack is looked into."""
    shares = pack.mean().shares
    return f"the network with the largest share of the answer, {shares.max():.1%}, of a pack of {len(shares)}"


def load_same_data(run: Path, recipe: Recipe, net: Network | Ensemble) -> Dataset:
    """Do as `Finished.load_data` for a run of which only the recipe and the network are read."""
    try:
        data = load_data(recipe)
    except FileNotFoundError as error:
        if recipe.data.source in SOURCES:
            raise
        hint = f"if it was moved, glassnet evaluate {run} --data NEW finds it again"
        raise FileNotFoundError(f"{reason(error)}; {hint}") from None
    require_same_data(data, recipe, net.info, run)
    return data


def _check(metrics: Any, history: History, net: Network | Ensemble) -> None:
    """Raise ValueError unless this is as `train` writes it, in all parts that are used."""
    task = net.info["task"]
    _compare(metrics, {"task": str}, METRICS_FILE)
    if metrics["task"] != task:
        raise ValueError(f"{METRICS_FILE} is of a {metrics['task']}, the network of a {task}")
    expected: dict[str, Any] = ABOUT | {
        part: dict.fromkeys(METRICS[task], FIGURE) for part in ("train", "val", "test", "baseline")
    }
    if task == "classification":
        scores = {"precision": FIGURE, "recall": FIGURE, "rows": int}
        expected |= {"confusion_matrix": list | dict, "classes": dict.fromkeys(net.info["classes"], scores)}
    _compare(metrics, expected | {"figures": dict}, METRICS_FILE)
    figures = dict.fromkeys(metrics["figures"], dict.fromkeys(Estimate._fields, FIGURE))
    _compare(metrics["figures"], figures, f"figures in {METRICS_FILE}")
    if task == "classification":
        try:
            Confusion.read(metrics["confusion_matrix"], len(metrics["classes"]))
        except (KeyError, ValueError) as error:
            raise ValueError(f"confusion_matrix in {METRICS_FILE} isn't one ({error})") from None
    if any(not row.keys() >= {"epoch", "train_loss"} for row in history.epochs):
        raise ValueError(f"{HISTORY_FILE} lacks the column epoch or train_loss")
    best = metrics["best_epoch"]
    if best is not None and best not in history["epoch"]:
        raise ValueError(f"{HISTORY_FILE} has no epoch {best}, whose weights were kept")


def _compare(found: Any, expected: dict[str, Any], place: str) -> None:
    """Raise ValueError if a table lacks a key, or a value is of another type; tables may stand in it."""
    if not isinstance(found, dict):
        raise ValueError(f"{place} is no table")
    for name, kind in expected.items():
        if name not in found:
            raise ValueError(f"{place} lacks {name}")
        if isinstance(kind, dict):
            _compare(found[name], kind, f"{name} in {place}")
        elif not isinstance(found[name], kind) or (isinstance(found[name], int) and abs(found[name]) > sys.maxsize):
            raise ValueError(f"{name} in {place} is {short(found[name])}")
