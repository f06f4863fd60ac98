"""scikit-learn's own inspection functions on the estimators, with categories, dates and missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance

from glassnet.estimators import MLPClassifier, MLPRegressor
from strong_tables import STRONG, houses, to_polars

HOUSES = houses(160)


@pytest.fixture(scope="module")
def fitted() -> MLPRegressor:
    with pytest.warns(UserWarning, match="left out"):
        return MLPRegressor(**STRONG).fit(*HOUSES)


def test_permutation_importance_of_a_pandas_frame_finds_the_town_and_nothing_in_names(fitted: Any) -> None:
    X, y = HOUSES
    found = permutation_importance(fitted, X, y, n_repeats=2, random_state=0).importances_mean
    by_name = dict(zip(X.columns, found, strict=True))
    assert by_name["town"] > 0.1
    assert by_name["name"] == 0


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_permutation_importance_of_a_polars_frame_is_that_of_the_same_frame_in_pandas(fitted: Any) -> None:
    X, y = HOUSES
    with pytest.warns(UserWarning, match="left out"):
        ours = MLPRegressor(**STRONG).fit(to_polars(X), y)
    found = [
        permutation_importance(m, f, y, n_repeats=2, random_state=0) for m, f in ((ours, to_polars(X)), (fitted, X))
    ]
    np.testing.assert_allclose(found[0].importances_mean, found[1].importances_mean, atol=0.02)


@pytest.mark.parametrize(("column", "points"), [("heating", 2), ("zone", 3), ("garden", 2)])
def test_partial_dependence_of_categories_and_booleans(fitted: Any, column: str, points: int) -> None:
    X, _ = HOUSES
    found = partial_dependence(fitted, X, [column], grid_resolution=30, kind="both")
    assert found["average"].shape == (1, points)
    assert found["individual"].shape == (1, len(X), points)
    assert np.ptp(found["average"]) > 0


def test_partial_dependence_of_dates_and_of_columns_with_gaps_takes_the_values_that_are_given(fitted: Any) -> None:
    X, _ = HOUSES
    days = pd.to_datetime(["2005-01-01", "2015-01-01"]).to_numpy()
    towns, areas = np.array(["harbour", "hills"], object), np.array([50.0, 190.0])
    for column, values in (("built", days), ("town", towns), ("area", areas)):  # its own grids can't have gaps
        found = partial_dependence(fitted, X, [column], custom_values={column: values}, kind="average")
        assert found["average"].shape == (1, 2)
        assert np.ptp(found["average"]) > 0


def test_the_display_draws_numbers_and_categories_of_a_classifier() -> None:
    X, y = HOUSES
    X = X[["area", "heating", "garden"]].dropna()
    y = y[X.index]
    model = MLPClassifier(**STRONG).fit(X, np.where(y > np.median(y), "dear", "cheap"))
    shown = PartialDependenceDisplay.from_estimator(
        model,
        X,
        ["area", "heating"],
        categorical_features=["heating"],
        grid_resolution=5,
        response_method="predict_proba",
    )
    assert len(shown.axes_.ravel()) == 2
