"""What prediction notices: missing values, unknown categories, other kinds of columns, files that change, formulas."""

from __future__ import annotations

import csv
import datetime
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from glassnet import recipes
from glassnet.data import rows
from glassnet.estimators import MLPRegressor
from small_packs import SMALL_PACK

DAY = datetime.date(2001, 1, 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A regression on a number x without a gap, a category k of 1, 2, 3 and "more", and a date d."""
    folder = tmp_path_factory.mktemp("run")
    lines = [f"{i}.5,{(1, 2, 3, 'more')[i % 4]},{DAY + datetime.timedelta(i)},{i % 4}.25" for i in range(120)]
    (folder / "t.csv").write_text("\n".join(["x,k,d,y", *lines]) + "\n")
    recipes.train(recipes.choose(str(folder / "t.csv"), target="y", changes=SMALL_PACK), folder / "run")
    return folder / "run"


def predicted(run: Path, file: Path) -> list[float]:
    return pl.concat(recipes.predictions(run, file))["prediction"].to_list()


def written(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(["x,k,d", *lines]) + "\n")
    return file


@pytest.mark.parametrize("block", [1, 1 << 22])
def test_missing_values_are_filled_and_said_once_for_a_file(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], block: int
) -> None:
    monkeypatch.setattr("glassnet.data.dialect.BLOCK", block)
    file = written(tmp_path / "new.csv", ",1,2001-02-03", "4.5,,2001-02-03", "", "NA,2,", "1.5,2,2001-02-03")
    recipes.predict_file(run, file)
    out, err = capsys.readouterr()
    answers = [float(row["prediction"]) for row in csv.DictReader(out.splitlines())]
    assert len(answers) == 5
    assert np.isfinite(answers).all()
    assert err.splitlines() == [
        "glassnet: 7 missing values were filled in: x (3), k (2), d (2)",
        "glassnet: 1 row holds no value at all, like a blank line, and got an answer all the same",
    ]


def test_a_whole_number_is_the_category_however_it_is_written(run: Path, tmp_path: Path) -> None:
    plain = written(tmp_path / "plain.csv", *(f"1.5,{k},2001-02-03" for k in (1, 2, 3, "more")))
    float_ = written(tmp_path / "float.csv", *(f"1.5,{k},2001-02-03" for k in ("1.0", " 2. ", "3.00", "more")))
    assert predicted(run, float_) == predicted(run, plain)
    frame = pl.DataFrame({"x": [1.5] * 3, "k": [1.0, 2.0, 3.0], "d": [datetime.date(2001, 2, 3)] * 3})
    frame.write_parquet(tmp_path / "numbers.parquet")
    assert predicted(run, tmp_path / "numbers.parquet") == predicted(run, plain)[:3]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["More", "one", "two"], "column 'k': none of 3 values is a category known from training, such as '1'; 'More'"),
        (
            ["one", "two", "more"],
            "column 'k': only 1 of 3 values is a category known from training, such as '1'; 'on",
        ),
    ],
)
def test_a_column_of_unknown_categories_is_said_once(run: Path, tmp_path: Path, names: list[str], said: str) -> None:
    file = written(tmp_path / "new.csv", *(f"1.5,{name},2001-02-03" for name in names))
    with pytest.warns(UserWarning, match=said) as warned:
        answers = predicted(run, file)
    assert len(warned) == 1
    assert answers[0] == answers[1]


def test_an_unknown_category_now_and_then_is_no_news(run: Path, tmp_path: Path) -> None:
    predicted(run, written(tmp_path / "one.csv", "1.5,new,2001-02-03"))
    predicted(run, written(tmp_path / "some.csv", *(f"1.5,{k},2001-02-03" for k in ("new", "1", "newer", "more"))))


def test_an_estimator_warns_of_unknown_categories_too(small_preset: None) -> None:
    X = pl.DataFrame({"k": ["a", "b", "c"] * 20})
    model = MLPRegressor(preset="strong", random_state=0)
    model.fit(X, np.arange(60) % 3.0)
    with pytest.warns(UserWarning, match="none of 60 values is a category known from training, such as 'a'; 'A'"):
        model.predict(X.select(pl.col("k").str.to_uppercase()))


TYPES: dict[str, tuple[pl.Series, str]] = {
    "seconds": (pl.Series([1, 2]), "numbers"),
    "booleans": (pl.Series([True, False]), "booleans"),
    "times": (pl.Series([datetime.time(1), datetime.time(2)]), "times of the day"),
    "spans": (pl.Series([datetime.timedelta(1)] * 2), "spans of time"),
    "dates": (pl.Series([DAY, DAY]), "dates"),
}


@pytest.mark.parametrize("new", TYPES)
@pytest.mark.parametrize(("column", "kind"), [("x", "numbers"), ("d", "dates"), ("k", "categories")])
def test_a_column_of_another_kind_is_refused(run: Path, tmp_path: Path, column: str, kind: str, new: str) -> None:
    series, name = TYPES[new]
    frame = pl.DataFrame({"x": [1.5, 2.5], "k": ["1", "more"], "d": [DAY, DAY]}).with_columns(series.alias(column))
    frame.write_parquet(tmp_path / "new.parquet")
    if name == kind:
        predicted(run, tmp_path / "new.parquet")
    elif kind != "categories" or new not in ("seconds", "booleans"):  # which may be their names
        with pytest.raises(ValueError, match=f"column '{column}' holds {name}; in training it held {kind}"):
            predicted(run, tmp_path / "new.parquet")


def replaced(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    other.replace(file)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def overwritten(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(1, 1))  # a clock may be coarse


@pytest.mark.parametrize("change", [replaced, cut, overwritten, Path.unlink])
@pytest.mark.parametrize("ending", ["npy", "parquet", "csv"])
def test_a_file_that_changes_while_it_is_predicted_leaves_no_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, change: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(rows, "MOST", 8)
    monkeypatch.setattr("glassnet.data.dialect.BLOCK", 64)
    x = np.random.default_rng(0).normal(size=(64, 2))
    frame = pl.DataFrame(x, schema=["a", "b"])
    table, file = tmp_path / "t.csv", tmp_path / f"new.{ending}"
    frame.with_columns(y=pl.col("a")).write_csv(table)
    recipes.train(recipes.choose(str(table), target="y", changes=SMALL_PACK), tmp_path / "run")
    writers: dict[str, Callable[[Any], Any]] = {
        "npy": lambda path: np.save(path, x),
        "parquet": frame.write_parquet,
        "csv": frame.write_csv,
    }
    writers[ending](file)
    seen = iter(range(100))
    answers = recipes.predicting._answers

    def changing(*arguments: Any) -> Any:
        if next(seen) == 1:
            change(file)
        return answers(*arguments)

    monkeypatch.setattr(recipes.predicting, "_answers", changing)
    with pytest.raises(ValueError, match=rf"new.{ending} was changed while it was read"):
        recipes.predict_file(tmp_path / "run", file, tmp_path / "out.csv")
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_formulas_are_quoted_if_asked_for(run: Path, tmp_path: Path, ending: str) -> None:
    texts = ["=cmd()", "+a", "-b", "@c", "\td", "a=1", "-5", "+3.5e-2", None]
    harmless = ["'=cmd()", "'+a", "'-b", "'@c", "'\td", "a=1", "-5", "+3.5e-2", None]
    n = len(texts)
    frame = pl.DataFrame({"=id": texts, "x": [1.5] * n, "k": ["1"] * n, "d": ["2001-02-03"] * n})
    frame.write_csv(tmp_path / "new.csv")
    for quoted, name, expected in ((False, "=id", texts), (True, "'=id", harmless)):
        out = tmp_path / f"{quoted}.{ending}"
        recipes.predict_file(run, tmp_path / "new.csv", out, quote_formulas=quoted)
        found = pl.read_csv(out) if ending == "csv" else pl.read_parquet(out)
        assert found[name].to_list() == expected


@pytest.mark.parametrize("target", ["prediction", "p(yes)"])
def test_a_target_with_the_name_of_an_answer(tmp_path: Path, target: str) -> None:
    file = tmp_path / "t.csv"
    frame = pl.DataFrame({"a": np.arange(40) / 2, target: ["no", "yes"] * 20})
    frame.write_csv(file)
    recipes.train(recipes.choose(str(file), target=target, changes=SMALL_PACK), tmp_path / "run")
    found = pl.concat(recipes.predictions(tmp_path / "run", file))
    assert found[target].to_list() == frame[target].to_list()
    assert set(found.columns) == {"prediction", "p(no)", "p(yes)", f"predicted {target}"}
