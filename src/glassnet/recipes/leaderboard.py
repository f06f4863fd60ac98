"""A recipe beside models that anyone would try first, on the same rows and columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from glassnet.data import Dataset
from glassnet.extras import need
from glassnet.nn import Columns, Ensemble, Network, Standardize
from glassnet.nn.layer import Array, Layer
from glassnet.recipes.identity import info_of
from glassnet.recipes.judging import answers_of, constant_answers, judged
from glassnet.recipes.packs import fit_recipe
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import load_data
from glassnet.terminal import doing
from glassnet.train import fit
from glassnet.train.figures import ClassFigures, ValueFigures, resampled, spread

BY = {"classification": "log_loss", "regression": "rmse"}  # what decides
OURS = "glassnet"
Answer = Callable[[Array], Array]  # of rows: the values (N,), or the probabilities of classes (N, C)


def leaderboard(recipe: Recipe, trained: Network | Ensemble | None = None) -> dict[str, Any]:
    """Train a recipe, a linear model and gradient boosting, and judge them and a constant answer by the test rows.

    All learn from the same rows and columns, with the defaults of scikit-learn: logistic regression, or ridge
    regression that chooses its strength, of columns as a network gets them (`Columns`, `Standardize`), and
    HistGradientBoosting, which takes gaps and categories as they are.

    trained: what the recipe has trained already, which then isn't trained again; its "seconds" are 0.

    "models" has for each its "figures" (see `judged`), "seconds" and "predict_seconds", and its "lead" over the recipe
    in what decides, "judged_by": the "value" and the bounds "low" and "high" of its interval of 95%, in which both
    answer the same rows. It is positive if the model is better. The best come first. "verdict" says it in words.
    """
    need("sklearn", "sklearn")
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401  so that no model's time includes it

    data = load_data(recipe)
    whole = data.without_validation()
    by, test = BY[data.task], data.test
    makers: dict[str, Callable[[], Answer]] = {
        OURS: lambda: _ours(recipe, data) if trained is None else _answer(trained),
        "linear model": lambda: _linear(whole, recipe.seed),
        "HistGradientBoosting": lambda: _boosting(whole, recipe.seed),
        "baseline": lambda: _constant(whole),
    }
    measure = ValueFigures if data.task == "regression" else ClassFigures
    models: list[dict[str, Any]] = []
    drawn: dict[str, Array] = {}
    for name, make in makers.items():
        doing(f"training {name}")
        start = time.perf_counter()
        answer = make()
        made = time.perf_counter()
        answers = answer(test.x)
        seconds = {"seconds": made - start, "predict_seconds": time.perf_counter() - made}
        figures = judged(answers, test.y, constant_answers(whole.train.y, answers))
        models.append({"model": name, "figures": figures, **{key: round(of, 3) for key, of in seconds.items()}})
        drawn[name] = resampled(measure(answers, test.y))[by]
    ours = models[0]["figures"][by]["value"]
    for model in models:
        lead = ours - model["figures"][by]["value"]
        low, high = lead + spread(drawn[OURS] - drawn[model["model"]])
        model["lead"] = {"value": lead, "low": float(low), "high": float(high)}
    models.sort(key=lambda model: -model["lead"]["value"])
    about = {"data": str(whole), "task": data.task, "recipe": recipe.name, "notes": list(data.notes), "judged_by": by}
    return about | {"models": models, "verdict": _verdict(models, by)}


def _verdict(models: list[dict[str, Any]], by: str) -> str:
    """Say which model is better than the recipe, if one is, beyond what the choice of test rows explains."""
    better = [m["model"] for m in models if m["lead"]["low"] > 0]
    worse = [m["model"] for m in models if m["lead"]["high"] < 0]
    alike = [m["model"] for m in models if m["model"] not in (OURS, *better, *worse)]
    said = [
        (better, f"{' and '.join(better)} {'are' if len(better) > 1 else 'is'} better than {OURS} by {by}: prefer it"),
        (worse, f"{OURS} is better than {' and '.join(worse)} by {by}"),
        (alike, f"the test rows can't tell {' and '.join(alike)} from {OURS}"),
    ]
    return "; ".join(line for models_, line in said if models_)


def _ours(recipe: Recipe, data: Dataset) -> Answer:
    net: Network | Ensemble
    if recipe.pack is not None:
        pack = fit_recipe(recipe, data, info=info_of(data), threads=recipe.network.threads)
        net, history = pack.ensemble, pack.history
    else:
        settled = recipe.settle(data)
        net = settled.net
        net.info = info_of(data)
        history = fit(net, data, settled.loss, settled.optimizer, **vars(settled.settings), progress=False)
    if history.interrupted:  # by Ctrl-C: half a training is no rival
        raise KeyboardInterrupt
    return _answer(net)


def _answer(net: Network | Ensemble) -> Answer:
    return lambda x: answers_of(net, net.predict(x))


def _linear(data: Dataset, seed: int) -> Answer:
    from sklearn.linear_model import LogisticRegression, RidgeCV

    layers: list[Layer] = [Columns(**data.columns())] if data.schema else []
    front = Network([*layers, Standardize()], "float64")
    front.fit_preprocessing(data.train.x)
    x = front.predict(data.train.x)
    if data.task == "regression":
        values = RidgeCV(alphas=np.logspace(-2, 4, 13)).fit(x, data.train.y)
        return lambda rows: values.predict(front.predict(rows))
    model = LogisticRegression(max_iter=1000, random_state=seed)
    with _without_warnings():
        model.fit(x, data.train.y)
    return lambda rows: _of_all(model, front.predict(rows), data)


def _boosting(data: Dataset, seed: int) -> Answer:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    named = np.array([bool(names) for names in data.categories], bool)

    def gaps(x: Array) -> Array:
        """Categories that training hasn't are missing to it."""
        x = x.astype(np.float64)
        return np.where(named & (x < 0), np.nan, x) if named.any() else x

    settings: dict[str, Any] = {"random_state": seed, "categorical_features": named if named.any() else None}
    if data.task == "regression":
        values = HistGradientBoostingRegressor(**settings).fit(gaps(data.train.x), data.train.y)
        return lambda rows: values.predict(gaps(rows))
    model = HistGradientBoostingClassifier(**settings).fit(gaps(data.train.x), data.train.y)
    return lambda rows: _of_all(model, gaps(rows), data)


def _constant(data: Dataset) -> Answer:
    shape = () if data.task == "regression" else (data.n_out,)
    return lambda rows: constant_answers(data.train.y, np.empty((len(rows), *shape)))


def _of_all(model: Any, x: Array, data: Dataset) -> Array:
    """The probabilities of all classes, also of those that training rows lack."""
    p = np.zeros((len(x), data.n_out))
    p[:, model.classes_] = model.predict_proba(x)
    return p


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Without the warning that more steps would help, as every model has its defaults."""
    import warnings

    with warnings.catch_warnings(action="ignore"):
        yield
