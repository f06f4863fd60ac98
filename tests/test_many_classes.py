"""Many classes: what is kept and shown of a confusion matrix goes by the rows, not by the classes squared."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ensemble_runs import command
from glassnet.recipes.confusion import MOST_WHOLE, Confusion
from glassnet.train.metrics import class_scores, confusion_matrix
from small_packs import SET_SMALL_PACK


@given(st.integers(1, 2 * MOST_WHOLE), st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_counts_of_pairs_are_the_matrix(classes: int, rows: int, seed: int) -> None:
    true, predicted = np.random.default_rng(seed).integers(classes, size=(2, rows))
    matrix = confusion_matrix(true, predicted, classes)
    found = Confusion.of(true, predicted, classes)
    for each in (found, Confusion.read(json.loads(json.dumps(found.written())), classes)):
        np.testing.assert_array_equal(each.whole(), matrix)
        for ours, whole in zip(vars(each.scores()).values(), vars(class_scores(matrix)).values(), strict=True):
            np.testing.assert_array_equal(ours, whole)
        assert each.mistakes().rows.sum() == (true != predicted).sum()


@pytest.mark.parametrize(
    "value",
    [
        {"true": [0], "predicted": [200], "rows": [1]},
        {"true": [0], "predicted": [1], "rows": []},
        {"true": ["0"], "predicted": [1], "rows": [1]},
        {"true": [-1], "predicted": [1], "rows": [1]},
    ],
)
def test_other_counts_are_refused(value: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match="it "):
        Confusion.read(value, 200)


def test_a_run_with_a_thousand_classes_is_small_and_everything_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [[f"{i % 7}", f"{i % 11}", f"town{i % 1000}"] for i in range(3000)]
    with Path("towns.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b", "town"], *rows])
    assert command(monkeypatch, "train", "towns.csv", "--target", "town", *SET_SMALL_PACK, "--out", "run") == 0
    said = capsys.readouterr().out
    assert "1,000 classes: of the confusion matrix, only counts above 0 are kept, and there is no picture of it" in said
    assert Path("run/metrics.json").stat().st_size < 400_000
    assert {path.name for path in Path("run/plots").iterdir()} == {"curves.png", "mistakes.png"}
    assert command(monkeypatch, "evaluate", "run") == 0
    said = capsys.readouterr().out
    assert "of 1,000 classes, the 20 commonest mistakes at most; metrics.json holds all counts above 0" in said
    assert max(map(len, said.splitlines())) < 200
    assert command(monkeypatch, "report", "run", "--out", "report.html") == 0
    assert "town999" in Path("report.html").read_text(encoding="utf-8")
