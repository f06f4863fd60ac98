"""A dataset: three splits of rows and targets, and the names of their columns and classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.data.columns import MAX_CATEGORIES
from glassnet.data.labels import Task, check_task, encode, infer_task
from glassnet.data.schema import Column, Schema

T = TypeVar("T")
SMALLEST = 1e-150  # and its inverse: the bounds of targets whose squares are numbers
VAL, TEST = 0.16, 0.2  # shares of the rows, unless a split has been published
DAY, WEEK, MONTH, YEAR = 1.0, 7.0, 365.2425 / 12, 365.2425  # in days, on average


class Stored(Protocol):
    """Rows on disk, in chunks of so many rows (sizes). Equal fingerprints mean equal chunks.

    networks: how many may train on chunks of their own side by side, by the memory. class_weights: what multiplies the
    losses of the rows of each class in training, or None.
    """

    sizes: list[int]
    fingerprint: str
    networks: int
    class_weights: NDArray[np.float64] | None

    def read_ahead(self, numbers: Sequence[int], ready: Callable[[Split], T]) -> Iterator[T]:
        """Yield what `ready` makes of the chunks with these numbers. A thread makes the next one meanwhile."""


@dataclass(eq=False, repr=False)
class Split:
    """Examples: x (N, n_in), one per row, and the targets y (N,).

    blocks (N,): numbers of blocks that stay together when some of the rows are held out, or None. weights (N,): of the
    rows' losses in training, or None if they are alike. rows (N,): their numbers in the file that they come from,
    counted from 0, or None. stored: all rows, on disk, if they are more than memory holds. Then x and y are a sample.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    blocks: NDArray[np.int64] | None = None
    weights: NDArray[np.float64] | None = None
    rows: NDArray[np.int64] | None = None
    stored: Stored | None = None

    def __len__(self) -> int:
        return sum(self.sizes)

    @property
    def sizes(self) -> list[int]:
        """How many rows are in memory together, chunk by chunk: all at once, unless they are stored."""
        return [len(self.y)] if self.stored is None else self.stored.sizes  # a sparse x has no length

    def __repr__(self) -> str:
        return f"Split(x={self.x.dtype}{list(self.x.shape)}, y={self.y.dtype}{list(self.y.shape)})"


@dataclass(eq=False, repr=False)
class Dataset:
    """The data that a network learns from, as stored: nothing is scaled.

    train, val, test: splits that share no row. x is uint8 for images, floating-point for tables.
    task: "classification" (y is int64 in 0..C-1) or "regression" (y is float64).
    classes: the C class names, empty for regression. features: the n_in column names. target: the name of y.
    image_shape: (height, width) if every row is an image stored row by row, else None.
    schema: the kind of each column, if x is a table. Then NaN is a missing value. Empty for arrays and images.
    notes: lines about the columns, for people.
    left_out: the columns of the table that hold nothing to learn from, and so are no features, by the reason.
    """

    name: str
    train: Split
    val: Split
    test: Split
    task: Task
    classes: tuple[str, ...]
    features: tuple[str, ...]
    image_shape: tuple[int, int] | None
    target: str
    schema: Schema = ()
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Dataset({self})"

    def __str__(self) -> str:
        rows = ", ".join(f"{part} {len(getattr(self, part)):,}" for part in ("train", "val", "test"))
        return f"{self.name}: {self.task} of {self.target} from {self.n_in} features; rows: {rows}"

    @property
    def n_in(self) -> int:
        """Number of inputs of a network for this data."""
        return self.train.x.shape[1]

    @property
    def n_out(self) -> int:
        """Number of outputs of a network for this data: one per class, or one value."""
        return len(self.classes) if self.task == "classification" else 1

    @property
    def categories(self) -> tuple[tuple[str, ...], ...]:
        """For each column of a table the names of its categories. x holds their numbers, -1 for any other category."""
        return tuple(column.categories for column in self.schema)

    @property
    def numbers(self) -> list[int]:
        """The columns of x that hold numbers, no categories."""
        return [j for j in range(self.n_in) if not (self.schema and self.schema[j].categories)]

    @property
    def dates(self) -> tuple[str, ...]:
        """The columns whose numbers are days since 1970."""
        return tuple(column.name for column in self.schema if column.kind == "date")

    def columns(self) -> dict[str, Any]:
        """Return the arguments of the layer `Columns`; none if x is no table.

        A column gets a mark for missing values if one is missing in a training row. A date comes with its place in the
        week, the month and the year, and with a time of the day also in the day.
        """
        if not self.schema:
            return {}
        missing = np.flatnonzero(np.isnan(self.train.x).any(axis=0)).tolist()
        categories = [min(len(names), MAX_CATEGORIES) for names in self.categories]
        found: dict[str, Any] = {"categories": categories, "missing": missing}
        cycles = [(j, length) for j in range(self.n_in) for length in self._cycles(j)]
        return found | ({"cycles": cycles} if cycles else {})

    def _cycles(self, j: int) -> list[float]:
        """The lengths of the cycles of a column, in days: none if it holds no dates."""
        if self.schema[j].kind != "date":
            return []
        return [WEEK, MONTH, YEAR, DAY] if (self.train.x[:, j] % 1 > 0).any() else [WEEK, MONTH, YEAR]

    def without_validation(self) -> Dataset:
        """Return a dataset with the validation rows behind the training rows, and none to validate."""
        x, y = (np.concatenate([getattr(self.train, name), getattr(self.val, name)]) for name in ("x", "y"))
        blocks = [part.blocks for part in (self.train, self.val) if part.blocks is not None]
        train = Split(x, y, np.concatenate(blocks) if blocks else None)
        return replace(self, train=train, val=Split(self.val.x[:0], self.val.y[:0]))

    @classmethod
    def from_arrays(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        *,
        task: Task | None = None,
        classes: Sequence[str] | None = None,
        features: Sequence[str] | None = None,
        image_shape: tuple[int, int] | None = None,
        name: str = "arrays",
        target: str = "target",
        val: float = VAL,
        test: float = TEST,
        seed: int = 0,
        categories: Sequence[Sequence[str]] = (),
        parts: Sequence[ArrayLike] | None = None,
    ) -> Dataset:
        """Make a dataset of your own arrays, shuffled by `seed` into train, val and test.

        x (N, n_in): uint8 and floating-point numbers keep their type, others become float64. y (N,): floating-point for
        regression; whole numbers, booleans or text for classification, unless `task` says otherwise. Classes are named
        by the distinct values of y, or by `classes`. Then whole numbers are indices into them. `val` and `test` are
        shares of the rows, in [0, 1). `parts`, in their place and that of `seed`, holds the numbers of the training,
        validation and test rows. `categories` gives for each column the names of its categories, or none for a
        column of numbers. With it, x may hold NaN.
        Raises ValueError for shapes that don't fit, NaN, infinite values, and labels outside the classes.
        """
        x, y = _numbers(np.asarray(x), missing=bool(categories)), np.asarray(y)
        if y.ndim != 1 or len(y) != len(x):
            raise ValueError(f"y has shape {y.shape}; x has shape {x.shape}, so y must be ({len(x)},)")
        n_in = x.shape[1]
        if image_shape is not None and image_shape[0] * image_shape[1] != n_in:
            raise ValueError(f"rows of {n_in} values aren't images of shape {tuple(image_shape)}")
        if features is None:
            features = pixel_names(image_shape) if image_shape else [f"x{column}" for column in range(n_in)]
        if len(features) != n_in:
            raise ValueError(f"{len(features)} names of features for {n_in} columns of x")
        task = task or infer_task(y)
        check_task(task)
        if task == "classification":
            y, names = encode(y, classes)
        elif classes is not None:
            raise ValueError("classes are for classification; this task is regression")
        else:
            y, names = _values(y), ()
        rows = shuffled_rows(len(x), val=val, test=test, seed=seed) if parts is None else map(np.asarray, parts)
        train, validation, tested = (Split(x[part], y[part]) for part in rows)
        schema = tuple(
            Column(feature, "category" if words else "number", tuple(words))
            for feature, words in zip(features, categories, strict=bool(categories))
        )
        return cls(name, train, validation, tested, task, names, tuple(features), image_shape, target, schema)


def shuffled_rows(
    n: int, *, val: float = VAL, test: float = TEST, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Split the row numbers 0..n-1 at random into train, val and test. The same `seed` gives the same split.

    `val` and `test` are shares of n, rounded to whole rows. Raises ValueError if no row is left to train on.
    """
    if not (0 <= val < 1 and 0 <= test < 1):
        raise ValueError(f"val={val} and test={test} must be shares of the rows, at least 0 and below 1")
    n_val, n_test = round(val * n), round(test * n)
    if n_val + n_test >= n:
        raise ValueError(f"of {n} rows, {n_val} for validation and {n_test} for the test leave none to train on")
    rows = np.random.default_rng(seed).permutation(n)
    return rows[n_val + n_test :], rows[:n_val], rows[n_val : n_val + n_test]


def pixel_names(image_shape: tuple[int, int]) -> tuple[str, ...]:
    """Names of an image's pixels, row by row: pixel_0_0, pixel_0_1, ..."""
    height, width = image_shape
    return tuple(f"pixel_{row}_{column}" for row in range(height) for column in range(width))


def _numbers(x: NDArray[Any], missing: bool) -> NDArray[Any]:
    if x.ndim != 2:
        raise ValueError(f"x has shape {x.shape}; it must be (N, n_in), one example per row")
    if x.dtype != np.uint8 and x.dtype.kind != "f":
        try:
            x = x.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"x must hold numbers: {error}") from error
    wrong = np.argwhere(np.isinf(x) if missing else ~np.isfinite(x))
    if len(wrong):
        row, column = wrong[0]
        raise ValueError(f"x[{row}, {column}] is {x[row, column]}; every value must be finite")
    return x


def _values(y: NDArray[Any]) -> NDArray[np.float64]:
    try:
        y = y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the targets of a regression must be numbers: {error}") from error
    wrong = np.flatnonzero(~np.isfinite(y))
    if wrong.size:
        raise ValueError(f"y[{wrong[0]}] is {y[wrong[0]]}; every target must be finite")
    require_squares(y)
    return y


def require_squares(y: NDArray[Any]) -> None:
    """Raise ValueError if the squares of targets overflow or vanish, because no loss could distinguish them."""
    largest = max(y.max(initial=0.0), -y.min(initial=0.0))
    if largest and not SMALLEST < largest < 1 / SMALLEST:
        unit = "write them in another unit (the loss became inf or 0)"
        raise ValueError(f"values up to {largest:.3g} have squares that float64 can't hold: {unit}")
