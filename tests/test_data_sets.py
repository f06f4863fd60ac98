"""The named data sets, against what is published about them; and datasets made of arrays."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet.data as gd
from glassnet.data.california import FEATURES, benchmark_rows
from glassnet.data.dataset import shuffled_rows
from glassnet.data.mnist import parse_idx


def sizes(data: gd.Dataset) -> list[int]:
    return [len(data.train), len(data.val), len(data.test)]


def test_digits() -> None:
    data = gd.load("digits")
    assert sizes(data) == [1150, 288, 359]
    assert (data.name, data.task, data.target) == ("digits", "classification", "digit")
    assert (data.n_in, data.n_out, data.image_shape) == (64, 10, (8, 8))
    assert data.classes == tuple("0123456789")
    assert data.features[:2] == ("pixel_0_0", "pixel_0_1")
    assert data.features[-1] == "pixel_7_7"
    assert data.train.x.dtype == np.uint8
    assert data.train.y.dtype == np.int64
    assert data.train.x.max() == 16
    counts = sum(np.bincount(split.y, minlength=10) for split in (data.train, data.val, data.test))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert all(np.array_equal(data.train.x, gd.load("digits", seed=seed).train.x) for seed in (0, 1))


def test_diabetes() -> None:
    data = gd.load("diabetes")
    assert sizes(data) == [283, 71, 88]
    assert (data.task, data.classes, data.n_in, data.n_out) == ("regression", (), 10, 1)
    assert data.features == ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
    x = np.concatenate([data.train.x, data.val.x, data.test.x])
    y = np.concatenate([data.train.y, data.val.y, data.test.y])
    first = np.flatnonzero((x == [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]).all(axis=1))
    assert y[first].tolist() == [151.0]
    assert y.dtype == np.float64
    assert y.mean() == pytest.approx(152.133484)


@pytest.mark.usefixtures("published_data")
def test_mnist() -> None:
    data = gd.load("mnist")
    assert sizes(data) == [50_000, 10_000, 10_000]
    assert (data.task, data.n_in, data.n_out, data.image_shape) == ("classification", 784, 10, (28, 28))
    assert data.classes == tuple("0123456789")
    assert data.features[29] == "pixel_1_1"
    for split in (data.train, data.val, data.test):
        assert split.x.dtype == np.uint8
        assert split.y.dtype == np.int64
        assert split.x.flags.writeable
    assert data.train.x.max() == 255
    assert data.train.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.test.y[:5].tolist() == [7, 2, 1, 0, 4]
    training = np.bincount(data.train.y) + np.bincount(data.val.y)
    assert training.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    mean = (data.train.x.mean() * 5 + data.val.x.mean()) / 6 / 255
    assert mean == pytest.approx(0.1307, abs=5e-5)


@pytest.mark.usefixtures("published_data")
def test_california() -> None:
    data = gd.load("california")
    assert sizes(data) == [13_209, 3_303, 4_128]
    assert (data.task, data.classes, data.n_in, data.n_out) == ("regression", (), 8, 1)
    assert (data.features, data.target) == (FEATURES, "MedHouseVal")
    ordered = gd.load("california", split="sequential")
    assert sizes(ordered) == [15_640, 2_500, 2_500]
    np.testing.assert_allclose(
        ordered.train.x[0], [8.3252, 41, 6.98412698, 1.02380952, 322, 2.55555556, 37.88, -122.23], rtol=1e-8
    )
    assert ordered.train.y[0] == 4.526
    x = np.concatenate([ordered.train.x, ordered.val.x, ordered.test.x])
    y = np.concatenate([ordered.train.y, ordered.val.y, ordered.test.y])
    assert y.var() == pytest.approx(1.3316, abs=5e-5)
    train, val, test = benchmark_rows()
    np.testing.assert_array_equal(data.train.x, x[train])
    np.testing.assert_array_equal(data.val.x, x[val])
    np.testing.assert_array_equal(data.test.y, y[test])


def test_california_benchmark_split_is_the_published_one() -> None:
    rows = np.concatenate(benchmark_rows()).astype("<i8")
    digest = hashlib.sha256(rows.tobytes()).hexdigest()
    assert digest == "2262ca12094cb50f5d45d62635884b659349855faaee9d31b047f993ca477888"


def idx(shape: tuple[int, ...], values: bytes, code: int = 8) -> bytes:
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + values


def test_idx_is_read_as_its_header_says() -> None:
    assert parse_idx(idx((2, 1, 3), bytes(range(6)))).tolist() == [[[0, 1, 2]], [[3, 4, 5]]]
    assert parse_idx(idx((0,), b"")).shape == (0,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\x89PNG\r\n\x1a\n", "not an IDX file"),
        (idx((2,), b"12", code=13), "type 0x0d"),
        (idx((2, 2), b"")[:9], r"truncated IDX file: 9 bytes, its header alone takes 12"),
        (idx((2, 3), b"12345"), r"truncated IDX file: 17 bytes, shape \(2, 3\) takes 18"),
        (idx((2, 3), b"1234567"), "overlong IDX file"),
    ],
)
def test_idx_that_is_not_whole(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_idx(content)


@settings(deadline=None)
@given(n=st.integers(3, 300), seed=st.integers(0, 2**32))
def test_shuffled_rows_hold_every_row_once(n: int, seed: int) -> None:
    train, val, test = shuffled_rows(n, seed=seed)
    assert sorted(np.concatenate([train, val, test])) == list(range(n))
    assert (len(val), len(test)) == (round(0.16 * n), round(0.2 * n))
    assert all(map(np.array_equal, shuffled_rows(n, seed=seed), (train, val, test)))


def test_arrays_become_a_dataset() -> None:
    x = np.arange(200, dtype=np.uint8).reshape(50, 4)
    data = gd.Dataset.from_arrays(x, np.arange(50) % 3, image_shape=(2, 2), val=0.2, test=0.1, seed=3)
    assert sizes(data) == [35, 10, 5]
    assert data.features == ("pixel_0_0", "pixel_0_1", "pixel_1_0", "pixel_1_1")
    for split in (data.train, data.val, data.test):
        assert split.x.dtype == np.uint8
        np.testing.assert_array_equal(split.x[:, 0] // 4 % 3, split.y)  # rows and labels stay together
    assert repr(data.val) == "Split(x=uint8[10, 4], y=int64[10])"


@pytest.mark.parametrize(
    ("y", "options", "task", "classes", "labels"),
    [
        ([1.5, 2.0, 1.5], {}, "regression", (), [1.5, 2.0, 1.5]),
        ([3, 7, 3], {}, "classification", ("3", "7"), [0, 1, 0]),
        ([1.0, 2.0, 1.0], {"task": "classification"}, "classification", ("1", "2"), [0, 1, 0]),
        ([3, 7, 3], {"task": "regression"}, "regression", (), [3.0, 7.0, 3.0]),
        ([True, False, True], {}, "classification", ("False", "True"), [1, 0, 1]),
        (["b", "a", "b"], {}, "classification", ("a", "b"), [1, 0, 1]),
        (np.array(["b", "a", "b"], dtype=object), {}, "classification", ("a", "b"), [1, 0, 1]),
        (["b", "a", "b"], {"classes": ["b", "c", "a"]}, "classification", ("b", "c", "a"), [0, 2, 0]),
        ([2, 0, 2], {"classes": ["b", "c", "a"]}, "classification", ("b", "c", "a"), [2, 0, 2]),
    ],
)
def test_the_task_follows_from_the_target(y, options, task, classes, labels) -> None:
    data = gd.Dataset.from_arrays(np.arange(3.0)[:, None], y, val=0, test=0, **options)
    assert (data.task, data.classes) == (task, classes)
    assert data.n_out == (len(classes) or 1)
    order = data.train.x[:, 0].astype(int)
    assert data.train.y.tolist() == [labels[row] for row in order]


X = np.ones((4, 2))


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (np.ones(4), [0, 1, 0, 1], {}, r"x has shape \(4,\)"),
        (X, [0, 1, 0], {}, r"y has shape \(3,\); x has shape \(4, 2\)"),
        (X, [[0], [1], [0], [1]], {}, r"y has shape \(4, 1\)"),
        ([["a", "b"]] * 4, [0, 1, 0, 1], {}, "x must hold numbers"),
        (np.where(np.eye(4, 2) > 0, np.nan, 1), [0, 1, 0, 1], {}, r"x\[0, 0\] is nan"),
        (X, [0.5, np.inf, 1, 2], {}, r"y\[1\] is inf"),
        (X, ["a", "b", "a", "b"], {"task": "regression"}, "targets of a regression must be numbers"),
        (X, [0, 1, 0, 1.5], {"task": "classification"}, r"1\.5, which can't be a class"),
        (X, [0, 1, 2, 1], {"classes": "ab"}, r"label 2 in y\[2\] is outside the 2 classes 0\.\.1"),
        (X, [0, 1, -1, 1], {"classes": "ab"}, r"label -1 in y\[2\]"),
        (X, ["a", "b", "a", "z"], {"classes": "ab"}, r"label 'z' in y\[3\] isn't among the 2"),
        (X, [0, 1, 0, 1], {"classes": "aa"}, "the same name"),
        (X, [1, 1, 1, 1], {}, r"one class only \(1\)"),
        (X, np.array(["a", None, "b", "a"], dtype=object), {}, r"y\[1\] is None"),
        (X, [1j, 2j, 1j, 2j], {}, "complex128"),
        (X, [0.5, 1, 2, 3], {"classes": "ab"}, "classes are for classification"),
        (X, [0, 1, 0, 1], {"task": "ranking"}, "unknown task 'ranking'"),
        (X, [0, 1, 0, 1], {"features": ["a"]}, "1 names of features for 2 columns"),
        (X, [0, 1, 0, 1], {"image_shape": (2, 2)}, r"rows of 2 values aren't images of shape \(2, 2\)"),
        (X, [0, 1, 0, 1], {"val": 0.5, "test": 0.5}, "leave none to train on"),
        (X, [0, 1, 0, 1], {"test": -0.1}, "shares of the rows"),
    ],
)
def test_arrays_that_do_not_fit(x, y, options, message) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        gd.Dataset.from_arrays(x, y, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("minst", {}, "no data set is called 'minst'; did you mean 'mnist'.*'california'.*path of a table"),
        ("mnist", {"split": "benchmark"}, "split='benchmark' doesn't apply to 'mnist'"),
        ("digits", {"target": "y"}, "target='y' doesn't apply to 'digits'"),
        ("california", {"task": "regression"}, "task='regression' doesn't apply"),
        ("california", {"split": "random"}, "no split 'random'; there are 'benchmark', 'sequential'"),
        ("rows.csv", {"split": "random"}, "the split of a table is one of 'time', 'group', not 'random'"),
    ],
)
def test_options_that_do_not_apply(name, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        gd.load(name, **options)
