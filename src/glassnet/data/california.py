"""California Housing: 20,640 blocks of the 1990 census (Pace and Barry 1997), as scikit-learn prepares them."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glassnet.data.archive import Archive, gunzip
from glassnet.data.dataset import Dataset, Split
from glassnet.data.resolve import read
from glassnet.extras import need

SHAPE = (20_640, 9)
FEATURES = ("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude")
TARGET = "MedHouseVal"
LARGEST = 1 << 23  # bytes of the tar file, which has 2 MB
SEQUENTIAL = (15_640, 18_140)  # where validation and test begin, in file order


def unpack(packed: bytes) -> bytes:
    """Take the table out of the tar file: its numbers as little-endian float64, row by row."""
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(gunzip(packed, LARGEST)), mode="r:") as tar:
        member = tar.getmember("CaliforniaHousing/cal_housing.data")
        if not member.isreg() or member.issparse() or (table := tar.extractfile(member)) is None:  # a link has no end
            raise ValueError("the table in the archive is not a file")
        return np.loadtxt(table, delimiter=",", dtype="<f8").tobytes()


ARCHIVE = Archive(
    path="california/cal_housing.tgz",
    urls=(
        "https://ndownloader.figshare.com/files/5976036",  # scikit-learn's copy
        "https://www.dcc.fc.up.pt/~ltorgo/Regression/cal_housing.tgz",  # Luis Torgo's original
    ),
    sha256="a2f4f55ff91c67e60391318ea4d61d247d09f8fef119ec6f44a1eb727d7f1f7b",
    size=1_486_080,
    unpack=unpack,
)


def load_california(split: Literal["benchmark", "sequential"] = "benchmark") -> Dataset:
    """Load California Housing: x float64 (N, 8), y the median house value in units of $100,000.

    split: "benchmark" has 13,209/3,303/4,128 rows drawn by scikit-learn's train_test_split, as in published results.
    "sequential" has 15,640/2,500/2,500 rows in file order. That order is by place, so training and test lie in
    different parts of the state. Raises as `resolve.read`.
    """
    table = np.frombuffer(read(ARCHIVE), "<f8").reshape(SHAPE)
    longitude, latitude, age, rooms, bedrooms, population, households, income, value = table.T
    x = np.column_stack(
        [
            income,
            age,
            rooms / households,
            bedrooms / households,
            population,
            population / households,
            latitude,
            longitude,
        ]
    )
    y = value / 100_000
    rows = benchmark_rows() if split == "benchmark" else np.split(np.arange(len(y)), SEQUENTIAL)
    train, val, test = (Split(x[part], y[part]) for part in rows)
    return Dataset("california", train, val, test, "regression", (), FEATURES, None, TARGET)


def benchmark_rows() -> list[NDArray[np.int64]]:
    """Row numbers of the published split: a fifth for the test, then a fifth of the rest for validation."""
    need("data", "sklearn")
    from sklearn.model_selection import train_test_split

    rest, test = train_test_split(np.arange(SHAPE[0]), test_size=0.2, random_state=0)
    train, val = train_test_split(rest, test_size=0.2, random_state=1)
    return [train, val, test]
