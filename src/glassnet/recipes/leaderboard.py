"""A recipe beside models that anyone would try first, on the same rows and columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from glassnet.data import Dataset
from glassnet.extras import need
from glassnet.intervals import ClassSets, ValueIntervals
from glassnet.nn import Columns, Ensemble, Network, Standardize
from glassnet.nn.layer import Array, Layer
from glassnet.recipes import intervals
from glassnet.recipes.finished import Finished
from glassnet.recipes.identity import info_of
from glassnet.recipes.judging import answers_of, constant_answers, judged
from glassnet.recipes.packs import fit_recipe, rows_of
from glassnet.recipes.recipe import Recipe
from glassnet.recipes.run import load_data
from glassnet.terminal import doing
from glassnet.train import History, fit
from glassnet.train.figures import BOUNDED, ClassFigures, ValueFigures, resampled, spread

BY = {"classification": "log_loss", "regression": "rmse"}  # what decides
SAID = {"log_loss": "log loss", "rmse": "RMSE"}
OURS = "glassnet"
Answer = Callable[[Array], Array]  # of rows: the values (N,), or the probabilities of classes (N, C)
Bounds = Callable[[Array, Array], Array]  # of rows and the answers to them: bounds of 90% (N, 2)


class Model(NamedTuple):
    """A trained model. learn_bounds: learns the bounds around its values; None for classes, and if it has none."""

    answer: Answer
    learn_bounds: Callable[[], Bounds] | None = None


def leaderboard(recipe: Recipe, trained: Finished | None = None) -> dict[str, Any]:
    """Train a recipe, a linear model and gradient boosting, and judge them and a constant answer by the test rows.

    All learn from the same rows and columns, with the defaults of scikit-learn: logistic regression, or ridge
    regression that chooses its strength, of columns as a network gets them (`Columns`, `Standardize`), and
    HistGradientBoosting, which takes gaps and categories as they are. Bounds around values are the recipe's intervals,
    quantiles of what the linear model misses in training, gradient boosting by the pinball loss, and quantiles of the
    known values. The seconds are without them.

    trained: a finished run of the recipe, which then isn't trained again; its "seconds" are 0.

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
    makers: dict[str, Callable[[], Model]] = {
        OURS: lambda: _ours(recipe, data) if trained is None else _of_run(trained),
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
        made = make()
        ready = time.perf_counter()
        answers = made.answer(test.x)
        seconds = {"seconds": ready - start, "predict_seconds": time.perf_counter() - ready}
        bounds = None
        if made.learn_bounds is not None and np.isfinite(answers).all():
            doing(f"learning bounds around the answers of {name}")
            bounds = made.learn_bounds()(test.x, answers), _quantiles(whole)(test.x, answers)
        figures = judged(answers, test.y, constant_answers(whole.train.y, answers), bounds=bounds)
        models.append({"model": name, "figures": figures, **{key: round(of, 3) for key, of in seconds.items()}})
        drawn[name] = resampled(measure(answers, test.y))[by]
    ours = models[0]["figures"][by]["value"]
    for model in models:
        lead = ours - model["figures"][by]["value"]
        low, high = lead + spread(drawn[OURS] - drawn[model["model"]])
        model["lead"] = {"value": lead, "low": float(low), "high": float(high)}
    models.sort(key=lambda model: -model["lead"]["value"])
    about = {"data": str(whole), "task": data.task, "recipe": recipe.name, "notes": list(data.notes), "judged_by": by}
    return about | {"models": models, "verdict": _verdict(models, SAID[by])}


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


def _ours(recipe: Recipe, data: Dataset) -> Model:
    if recipe.pack is not None:
        pack = fit_recipe(recipe, data, info=info_of(data), threads=recipe.network.threads)
        _require_whole(pack.history)
        enough = intervals.enough(pack, data)
        return _network(pack.ensemble, (lambda: intervals.of_pack(pack, data, rows_of(data))) if enough else None)
    settled = recipe.settle(data)
    net = settled.net
    net.info = info_of(data)
    _require_whole(fit(net, data, settled.loss, settled.optimizer, **vars(settled.settings), progress=False))
    return _network(net, (lambda: intervals.of_network(net, data)) if intervals.enough(net, data) else None)


def _require_whole(history: History) -> None:
    """Go on with Ctrl-C, if it has ended the training: half a training is no rival."""
    if history.interrupted:
        raise KeyboardInterrupt


def _of_run(run: Finished) -> Model:
    return _network(run.net, (lambda: intervals.read(run.path)) if intervals.has(run.path) else None)


def _network(net: Network | Ensemble, learn: Callable[[], ValueIntervals | ClassSets] | None) -> Model:
    def bounds() -> Bounds:
        assert learn is not None
        found = learn()
        assert isinstance(found, ValueIntervals)
        return lambda x, answers: found(x, answers, BOUNDED[1] - BOUNDED[0])

    values = learn is not None and net.info["task"] == "regression"
    return Model(lambda x: answers_of(net, net.predict(x)), bounds if values else None)


def _linear(data: Dataset, seed: int) -> Model:
    from sklearn.linear_model import LogisticRegression, RidgeCV

    layers: list[Layer] = [Columns(**data.columns())] if data.schema else []
    front = Network([*layers, Standardize()], "float64")
    front.fit_preprocessing(data.train.x)
    x = front.predict(data.train.x)
    if data.task == "regression":
        values = RidgeCV(alphas=np.logspace(-2, 4, 13)).fit(x, data.train.y)
        missed = np.quantile(data.train.y - values.predict(x), BOUNDED)
        return Model(
            lambda rows: values.predict(front.predict(rows)), lambda: lambda _, answers: answers[:, None] + missed
        )
    model = LogisticRegression(max_iter=1000, random_state=seed)
    with _without_warnings():
        model.fit(x, data.train.y)
    return Model(lambda rows: _of_all(model, front.predict(rows), data))


def _boosting(data: Dataset, seed: int) -> Model:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    named = np.array([bool(names) for names in data.categories], bool)

    def gaps(x: Array) -> Array:
        """Categories that training hasn't are missing to it."""
        x = x.astype(np.float64)
        return np.where(named & (x < 0), np.nan, x) if named.any() else x

    settings: dict[str, Any] = {"random_state": seed, "categorical_features": named if named.any() else None}
    x, y = gaps(data.train.x), data.train.y
    if data.task == "classification":
        model = HistGradientBoostingClassifier(**settings).fit(x, y)
        return Model(lambda rows: _of_all(model, gaps(rows), data))
    values = HistGradientBoostingRegressor(**settings).fit(x, y)

    def bounds() -> Bounds:
        ends = [HistGradientBoostingRegressor(loss="quantile", quantile=q, **settings).fit(x, y) for q in BOUNDED]
        return lambda rows, _: np.stack([end.predict(gaps(rows)) for end in ends], axis=1)

    return Model(lambda rows: values.predict(gaps(rows)), bounds)


def _constant(data: Dataset) -> Model:
    if data.task == "regression":
        return Model(lambda rows: constant_answers(data.train.y, np.empty(len(rows))), lambda: _quantiles(data))
    return Model(lambda rows: constant_answers(data.train.y, np.empty((len(rows), data.n_out))))


def _quantiles(data: Dataset) -> Bounds:
    """The bounds of the known values, whatever the row."""
    ends = np.quantile(data.train.y, BOUNDED)
    return lambda x, _: np.tile(ends, (len(x), 1))


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
