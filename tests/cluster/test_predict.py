"""An exported network predicts in Spark, Dask and Ray, by the very files that the documentation shows."""

from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glassnet import recipes
from small_packs import one_network

EXAMPLES = Path(__file__).parents[2] / "docs" / "how-to" / "cluster"


@pytest.fixture(scope="module")
def flats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of text, dates, booleans and missing values, a run, and its ONNX file."""
    folder, draw = tmp_path_factory.mktemp("flats"), random.Random(0)
    with (folder / "flats.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["town", "built", "lift", "rooms", "rent"])
        for _ in range(300):
            town, rooms = draw.choice(["Bern", "Chur", "Genève", ""]), draw.choice(["", 2, 3, 4])
            built, lift = f"{draw.randint(1950, 2020)}-07-01", draw.choice(["true", "false"])
            table.writerow([town, built, lift, rooms, 500.5 + 300 * (rooms or 3) + draw.randint(0, 200)])
    recipes.train(one_network(folder / "flats.csv", "rent", "training.epochs=3"), folder / "run")
    recipes.export_run(folder / "run", folder / "flats.onnx")
    return folder


@pytest.mark.parametrize(
    ("example", "package"),
    [("predict_spark.py", "pyspark"), ("predict_dask.py", "dask.dataframe"), ("predict_ray.py", "ray.data")],
)
def test_the_example_predicts_as_glassnet_does(example: str, package: str, flats: Path, tmp_path: Path) -> None:
    pytest.importorskip(package)
    pd = pytest.importorskip("pandas")
    if package == "pyspark" and not shutil.which("java"):
        pytest.skip("Spark needs Java: apt-get install default-jre-headless")
    for name in ("flats.csv", "flats.onnx"):
        shutil.copy(flats / name, tmp_path)
    surroundings = os.environ | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", "MASTER": "local[2]"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / example)], cwd=tmp_path, env=surroundings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = pd.concat([pd.read_parquet(part) for part in sorted((tmp_path / "predictions").glob("*.parquet"))])
    with (flats / "flats.csv").open(newline="", encoding="utf-8") as file:
        rents = [row["rent"] for row in csv.DictReader(file)]
    assert found["rent"].tolist() == rents
    (answers,) = recipes.predictions(flats / "run", flats / "flats.csv")
    np.testing.assert_allclose(found["prediction"], answers["prediction"], rtol=1e-5)


def test_the_example_of_members_trains_them(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "train_dask.py")], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "digits" / "metrics.json").is_file()
