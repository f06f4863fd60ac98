"""preset="strong" on data frames, and on arrays with missing values."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from glassnet.data import load
from glassnet.estimators import MLPClassifier, MLPRegressor
from strong_tables import CANCER, STRONG, TOWNS, houses, network, to_polars

pytestmark = [pytest.mark.filterwarnings("ignore:left out:UserWarning"), pytest.mark.usefixtures("small_preset")]


def test_a_data_frame_of_pandas_or_polars(learning_preset: None) -> None:
    X, y = houses()
    model = MLPRegressor(**STRONG).fit(X, y)
    info = dict(zip(network(model).info["features"], network(model).info["categories"], strict=True))
    assert {name: list(names) for name, names in info.items()} == {
        "area": [],
        "rooms": [],
        "town": ["centre", "harbour", "hills"],
        "heating": ["gas", "oil"],
        "zone": ["0", "1", "2"],
        "garden": [],
        "built": [],
        "pool": [],
    }
    assert list(model.feature_names_in_) == list(X)
    assert model.n_features_in_ == X.shape[1]
    assert network(model).layers[0].missing == [0, 2, 7]
    assert model.score(X, y) > 0.8
    other = MLPRegressor(**STRONG).fit(to_polars(X), pl.Series(y))
    np.testing.assert_array_equal(other.predict(to_polars(X)), model.predict(X))
    np.testing.assert_array_equal(model.predict(to_polars(X)), model.predict(X))


def test_columns_are_what_glassnet_train_takes_them_for(tmp_path: Path) -> None:
    X, y = houses()
    to_polars(X).with_columns(price=pl.Series(y)).write_parquet(tmp_path / "houses.parquet")
    data = load(tmp_path / "houses.parquet", target="price")
    net = network(MLPRegressor(**STRONG).fit(X, y))
    assert tuple(net.info["features"]) == data.features
    assert tuple(map(tuple, net.info["categories"])) == data.categories
    columns = data.columns()
    assert (net.layers[0].categories, net.layers[0].missing) == (columns["categories"], columns["missing"])


def test_rows_one_at_a_time_with_values_that_are_new_or_missing() -> None:
    X, y = houses()
    model = MLPRegressor(**STRONG).fit(X, y)
    np.testing.assert_allclose([model.predict(X[i : i + 1])[0] for i in range(9)], model.predict(X[:9]), rtol=1e-6)
    row = X[3:4].astype(object)
    new, other = (row.assign(town=[town], heating=["coal"], zone=[9]) for town in ("moon", "mars"))
    assert np.isfinite(model.predict(new)).all()
    np.testing.assert_array_equal(model.predict(new), model.predict(other))
    assert model.predict(new) != model.predict(row.assign(town="centre", heating="coal", zone=9))
    for none in (None, np.nan, pd.NA):
        empty = pd.DataFrame({name: [none] for name in X})
        np.testing.assert_array_equal(model.predict(empty), model.predict(pd.DataFrame({name: [None] for name in X})))
    np.testing.assert_array_equal(model.predict(to_polars(X)[:1].clear(1)), model.predict(empty))  # polars, all null
    area = X["area"].median()
    known = X[3:4].assign(rooms=np.nan, built=datetime.datetime(2010, 1, 1))
    np.testing.assert_allclose(
        model.predict(known), model.predict(known.assign(rooms=X["rooms"].median())), rtol=1e-6
    )  # no row of training lacked it: the median alone
    assert model.predict(X[3:4].assign(area=np.nan)) != model.predict(X[3:4].assign(area=area))  # marked


def test_names_and_order_of_columns_are_checked() -> None:
    X, y = houses()
    model = MLPRegressor(**STRONG).fit(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X.drop(columns="name"))
    with pytest.raises(ValueError, match="X must be a data frame, as in fit: 'town', 'heating', 'zone', 'name' held"):
        model.predict(np.zeros(X.shape))
    with pytest.warns(UserWarning, match="does not have valid feature names"):  # columns in order, as values
        np.testing.assert_array_equal(model.predict(X.to_numpy()), model.predict(X))
    numbered = X.set_axis(range(X.shape[1]), axis=1)
    again = MLPRegressor(**STRONG).fit(numbered, y)
    np.testing.assert_array_equal(again.predict(numbered), model.predict(X))
    assert network(again).info["features"][2] == "x2"
    with pytest.raises(ValueError, match="column 'rooms', row 1: 'many' is not a number"):
        model.predict(X[:2].assign(rooms=["2", "many"]))
    twice = pd.concat([X, X[["rooms", "area"]]], axis=1)
    for use in (lambda: model.fit(twice, y), lambda: model.predict(twice)):
        with pytest.raises(ValueError, match="X has several columns named 'rooms'; rename all but one"):
            use()


def test_text_that_is_numbers_and_objects() -> None:
    text = np.array(["1.5", "2", "NA", "4"] * 10, object)
    objects = np.array([3, None, 2.5, 1] * 10, object)
    flags = np.array([True, None, False, True] * 10, object)
    mixed = np.array(["a", 1, None, "a"] * 10, object)
    X = pd.DataFrame({"text": text, "objects": objects, "flags": flags, "mixed": mixed})
    net = network(MLPRegressor(**STRONG).fit(X, np.arange(40.0)))
    assert [list(names) for names in net.info["categories"]] == [[], [], [], ["1", "a"]]
    assert net.layers[0].missing == [0, 1, 2, 3]
    np.testing.assert_array_equal(net.layers[0].median[:3], [2, 2.5, 1])


@pytest.mark.parametrize("dtype", [object, "string"])
def test_a_column_of_text_without_any_value_is_left_out(dtype: Any) -> None:
    X = pd.DataFrame({"area": np.arange(40.0), "note": pd.Series([None] * 40, dtype=dtype)})
    model = MLPRegressor(**STRONG).fit(X, np.arange(40.0))
    assert list(network(model).info["features"]) == ["area"]
    np.testing.assert_array_equal(model.predict(X.assign(note="damp")), model.predict(X))
    with pytest.raises(ValueError, match="X has no column to learn from: in 'note', there is no value"):
        model.fit(X[["note"]], np.arange(40.0))


def test_points_in_time_are_the_same_in_every_unit_and_type(learning_preset: None) -> None:
    days = [datetime.date(1960, 1, 1) + datetime.timedelta(days=400 * i) for i in range(40)]
    dates = pl.DataFrame({"day": days}).with_columns(span=pl.col("day") - datetime.date(1999, 1, 1))
    times = dates["day"].cast(pl.Datetime("us"))
    model = MLPRegressor(**STRONG).fit(dates, np.arange(40.0))
    expected = model.predict(dates)
    assert len(set(expected)) > 30
    for unit in ("ms", "us", "ns"):
        same = dates.with_columns(day=times.dt.cast_time_unit(unit), span=dates["span"].dt.cast_time_unit(unit))
        np.testing.assert_array_equal(model.predict(same), expected)
        zoned = same.with_columns(day=same["day"].dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"))
        np.testing.assert_array_equal(model.predict(zoned), expected)
        frame = pd.DataFrame({"day": pd.Series(times.to_list()), "span": pd.Series(dates["span"].to_list())})
        frame = frame.astype({"day": f"datetime64[{unit}]", "span": f"timedelta64[{unit}]"})
        np.testing.assert_array_equal(model.predict(frame), expected)
        np.testing.assert_array_equal(model.predict(frame.assign(day=days)), expected)


def test_dates_as_text(learning_preset: None) -> None:
    days = [datetime.date(1960, 1, 1) + datetime.timedelta(days=400 * i) for i in range(40)]
    dates = pl.DataFrame({"day": days})
    text = dates.cast(pl.String)
    model, same = (
        MLPRegressor(**STRONG).fit(X, np.arange(40.0)) for X in (dates, pd.DataFrame(text.to_dict(as_series=False)))
    )
    for X in (dates, text, pd.DataFrame({"day": days}), pd.DataFrame({"day": text["day"].to_list()})):
        np.testing.assert_array_equal(model.predict(X), same.predict(dates))
    with pytest.raises(ValueError, match="column 'day', row 2: 'soon' is not a date"):
        model.predict(pl.DataFrame({"day": [*text["day"][:2], "soon", "never"]}))
    model.fit(pl.DataFrame({"age": range(40)}), np.arange(40.0))
    with pytest.raises(ValueError, match="column 'age', row 0: '1960-01-01' is not a number"):
        model.predict(text.rename({"day": "age"}))


def test_a_few_mistakes_count_as_missing_and_are_said(learning_preset: None) -> None:
    """Other libraries take such a table, too. On the terminal it is a question, as somebody is there to answer it."""
    y, wrong = np.arange(60.0), [7, 31]
    good = {
        "opened": [f"{i % 12 + 6}:{i % 50 + 10}" for i in range(60)],
        "day": [f"{i % 28 + 1:02}.{i % 12 + 1:02}.2024" for i in range(60)],
        "area": [f"{i},5" for i in range(60)],
    }
    X, gaps = pl.DataFrame(good), pl.DataFrame(good)
    for name, bad in (("opened", "9.12"), ("day", "soon"), ("area", "unknown")):
        X = X.with_columns(pl.when(pl.int_range(60).is_in(wrong)).then(pl.lit(bad)).otherwise(name).alias(name))
        gaps = gaps.with_columns(pl.when(~pl.int_range(60).is_in(wrong)).then(name).alias(name))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = MLPRegressor(**STRONG).fit(X, y)
        answers = model.predict(X)
        same = model.predict(gaps)
        again = MLPRegressor(**STRONG).fit(gaps, y).predict(gaps)
    lines = [str(each.message) for each in said]
    for bad in ("'9.12' is not a time of the day", "'soon' is not a date", "'unknown' is not a number"):
        assert (
            sum(f"{bad} (2 such values), and count as missing" in line for line in lines) == 2
        )  # in fit and in predict
    np.testing.assert_array_equal(answers, same)
    np.testing.assert_array_equal(answers, again)


def test_categories_alone(learning_preset: None) -> None:
    town = pl.DataFrame({"town": TOWNS[np.arange(80) % 4], "side": ["left", "right"] * 40})
    model = MLPClassifier(**STRONG).fit(town, np.arange(80) % 4 == 3)
    assert model.score(town, np.arange(80) % 4 == 3) == 1


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(
    ("fitted", "same"),
    [
        ([1, 2, 3], [[1.0, 2.0, 3.0], np.array([1, 2, 3], np.int8), ["1", "2", "3"]]),
        ([1.0, 1e-5, 0.1], [np.array([1, 1e-5, 0.1], np.float32), ["1", "1e-05", "0.1"]]),
        (np.array([2, 0.1, 1012345.4], np.float32), [[2.0, 0.1, 1012345.4], np.array([2, 0.1, 1012345.4], np.float32)]),
        ([True, False], [[True, False], np.array([True, False], object), ["True", "False"]]),
        (["a", 1, 0.5], [["a", "1", "0.5"]]),
    ],
)
def test_categories_are_known_whatever_the_type_of_the_column(
    make: Any, fitted: list[Any], same: Any, learning_preset: None
) -> None:
    wide = {"number": np.arange(20.0 * len(fitted))}
    X = pd.DataFrame(wide | {"kind": pd.concat([pd.Series(fitted)] * 20, ignore_index=True).astype("category")})
    model = MLPRegressor(**STRONG).fit(X, list(range(len(fitted))) * 20)
    head = {"number": wide["number"][: len(fitted)]}
    expected = model.predict(X[: len(fitted)])
    assert len(set(expected)) == len(fitted)
    for kind in same:
        np.testing.assert_array_equal(model.predict(make(head | {"kind": kind})), expected)
    one = model.predict(make({"number": head["number"][:1], "kind": same[0][:1]}))
    np.testing.assert_allclose(one, expected[:1], rtol=1e-6)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_a_whole_float_beside_a_missing_value_is_the_category_it_was(make: Any, learning_preset: None) -> None:
    X = pd.DataFrame({"kind": pd.Categorical([1, 2, None] * 20)})
    model = MLPRegressor(**STRONG).fit(X, [1, 2, 3] * 20)
    assert list(network(model).info["categories"][0]) == ["1", "2"]
    np.testing.assert_array_equal(model.predict(make({"kind": [1.0, 2.0, np.nan]})), model.predict(X[:3]))
    np.testing.assert_array_equal(model.predict(make({"kind": [1, 2, None]})), model.predict(X[:3]))


def test_numbers_some_missing(learning_preset: None) -> None:
    X, y = CANCER
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    model = MLPClassifier(**STRONG).fit(holes, y)
    assert model.score(holes, y) > 0.95
    assert model.score(pd.DataFrame(holes), y) == model.score(holes, y)
    whole = MLPClassifier(**STRONG).fit(X, y)  # in which nothing lacked
    filled = np.where(np.isnan(holes), np.median(X, axis=0), holes)
    np.testing.assert_allclose(whole.predict_proba(holes), whole.predict_proba(filled), atol=1e-6)
    for dtype in (np.float32, np.float64):
        assert whole.predict_proba(X.astype(dtype)).dtype == dtype
        np.testing.assert_allclose(whole.predict_proba(X).sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("exponent", [300, -300])
def test_targets_whose_squares_are_no_numbers_are_refused(exponent: int) -> None:
    x = np.arange(40.0).reshape(-1, 1)
    with pytest.raises(ValueError, match=r"y: values up to .* have squares that float64 can't hold"):
        MLPRegressor(preset="strong").fit(x, (x[:, 0] + 0.5) * 10.0**exponent)
