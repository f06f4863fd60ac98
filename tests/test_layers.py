"""Each layer does what its docstring says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import glassnet as gn
from glassnet.nn.initializers import initializer
from glassnet.nn.noise import silenced

ROWS = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-50, 50))


def test_dense_is_the_formula() -> None:
    dense = gn.Dense(2, 3)
    dense.W[...] = [[1, 2, 3], [4, 5, 6]]
    dense.b[...] = [10, 20, 30]
    x = np.array([[1.0, 0.0], [1.0, -1.0]])
    assert dense.forward(x).tolist() == [[11, 22, 33], [7, 17, 27]]
    dy = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])
    assert dense.backward(dy).tolist() == [[7, 16], [5, 11]]
    assert dense.dW.tolist() == [[1, 1, 3], [0, -1, -1]]
    assert dense.db.tolist() == [1, 1, 3]


@given(ROWS)
def test_activations_are_their_formulas(x: np.ndarray) -> None:
    expected = {
        gn.ReLU(): np.where(x > 0, x, 0),
        gn.LeakyReLU(0.2): np.where(x > 0, x, 0.2 * x),
        gn.Sigmoid(): 1 / (1 + np.exp(-x)),
        gn.Tanh(): np.tanh(x),
        gn.SiLU(): x / (1 + np.exp(-x)),
        gn.GELU(): x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))),
    }
    for layer, y in expected.items():
        np.testing.assert_allclose(layer.forward(x), y, rtol=1e-9, atol=1e-14)


@given(ROWS, st.floats(-1e4, 1e4))
def test_softmax_rows_are_probabilities_whatever_is_added_to_them(x: np.ndarray, shift: float) -> None:
    y = gn.Softmax().forward(x)
    np.testing.assert_allclose(y.sum(axis=1), 1)
    assert (y >= 0).all()
    np.testing.assert_allclose(gn.Softmax().forward(x + shift), y, atol=1e-9)


def test_softmax_backward_is_its_jacobian() -> None:
    softmax = gn.Softmax()
    y = softmax.forward(np.array([[0.3, -1.0, 2.0]]))[0]
    jacobian = np.diag(y) - np.outer(y, y)
    np.testing.assert_allclose([softmax.backward(row[None])[0] for row in np.eye(3)], jacobian, atol=1e-15)


@pytest.mark.parametrize("layer", [gn.Sigmoid(), gn.Tanh(), gn.SiLU(), gn.GELU(), gn.Softmax(), gn.ReLU()])
def test_activations_survive_huge_values(layer: gn.Layer) -> None:
    x = np.array([[-1e4, 1e4, 0.0]], dtype=np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(layer.forward(x)).all()
        assert np.isfinite(layer.backward(np.ones_like(x))).all()


def test_dropout_keeps_the_mean_drops_the_rate_and_does_nothing_in_inference() -> None:
    dropout = gn.Dropout(0.3)
    x = np.ones((200, 500))
    y = dropout.forward(x, training=True)
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(dropout.backward(x), y)  # the same mask
    assert not np.array_equal(dropout.forward(x, training=True), y)  # a new one
    np.testing.assert_array_equal(dropout.forward(x), x)


def test_gaussian_noise_has_its_size_and_does_nothing_in_inference() -> None:
    noise = gn.GaussianNoise(0.3)
    x = np.full((200, 500), 2.0)
    y = noise.forward(x, training=True)
    assert y.mean() == pytest.approx(2, abs=0.01)
    assert y.std() == pytest.approx(0.3, abs=0.01)
    assert not np.array_equal(noise.forward(x, training=True), y)
    np.testing.assert_array_equal(noise.backward(x), x)
    np.testing.assert_array_equal(noise.forward(x), x)
    np.testing.assert_array_equal(gn.GaussianNoise(0).forward(x, training=True), x)


def test_noise_is_silenced_for_a_while() -> None:
    layers, x = [gn.Dense(4, 4), gn.Dropout(0.5), gn.GaussianNoise(1.0)], np.ones((3, 4))
    with silenced(layers):
        for layer in layers[1:]:
            np.testing.assert_array_equal(layer.forward(x, training=True), x)
    assert (layers[1].rate, layers[2].std) == (0.5, 1.0)


def test_batch_norm_normalises_and_remembers() -> None:
    rng = np.random.default_rng(0)
    norm = gn.BatchNorm(3, momentum=0.5)
    x = rng.normal([5, -3, 0], [2, 1, 10], (400, 3))
    y = norm.forward(x, training=True)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=0), 1, atol=1e-4)
    np.testing.assert_allclose(norm.running_mean, 0.5 * x.mean(axis=0))
    np.testing.assert_allclose(norm.running_var, 0.5 + 0.5 * x.var(axis=0, ddof=1))
    for _ in range(60):
        norm.forward(x, training=True)
    np.testing.assert_allclose(norm.forward(x), y, atol=0.01)


def test_layer_norm_normalises_each_row_the_same_in_both_modes() -> None:
    x = np.random.default_rng(0).normal(3, 5, (7, 40))
    norm = gn.LayerNorm(40)
    y = norm.forward(x)
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(norm.forward(x, training=True), y)


def test_standardize_by_feature_and_by_all() -> None:
    x = np.random.default_rng(0).normal([10, 0, 7], [1, 100, 0], (1000, 3))
    y = gn.Standardize().fit(x).forward(x)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(y.std(axis=0), [1, 1, 0], atol=1e-9)  # the constant column is only centred
    whole = gn.Standardize(per_feature=False).fit(x).forward(x)
    assert whole.mean() == pytest.approx(0, abs=1e-9)
    assert whole.std() == pytest.approx(1)


def test_standardize_adds_eps_to_the_deviation() -> None:
    x = np.array([[0.0, 1.0], [0.0, 3.0]])
    y = gn.Standardize(eps=0.5).fit(x).forward(np.array([[1.0, 5.0]]))
    np.testing.assert_allclose(y, [[1 / 0.5, 3 / 1.5]])


@pytest.mark.parametrize("constant", [0.1, 1 / 3, 123456.789, -7e-9, 1e15])
def test_a_constant_column_isnt_blown_up_by_rounding(constant: float) -> None:
    x = np.full((997, 1), constant)
    assert np.abs(gn.Standardize().fit(x).forward(x)).max() <= abs(constant) * 1e-12


def test_large_offsets_lose_no_digits_in_a_float32_network() -> None:
    x = 1.7e9 + np.arange(100.0)[:, None]  # seconds since 1970, say
    net = gn.Network([gn.Standardize(), gn.Dense(1, 1)])
    net.fit_preprocessing(x)
    y = net.layers[0].forward(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[:, 0], (np.arange(100) - 49.5) / np.arange(100).std(), rtol=1e-5)


def test_unstandardize_undoes_standardize() -> None:
    t = np.random.default_rng(0).normal(200, 30, 50)
    standard, back = gn.Standardize().fit(t[:, None]), gn.Unstandardize().fit(t)
    np.testing.assert_allclose(back.forward(standard.forward(t[:, None]))[:, 0], t)


def test_quantile_normalize_makes_any_column_normal_and_keeps_its_order() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.exponential(5, 4000), rng.integers(3, size=4000), np.full(4000, 2.0)])
    layer = gn.QuantileNormalize().fit(x)
    y = layer.forward(x)
    assert y[:, 0].mean() == pytest.approx(0, abs=0.01)
    assert y[:, 0].std() == pytest.approx(1, abs=0.02)
    order = np.argsort(x[:, 0])
    assert (np.diff(y[order, 0]) >= 0).all()
    assert len(np.unique(y[:, 1])) == 3
    assert len(np.unique(y[:, 2])) == 1
    beyond = layer.forward(np.array([[1e9, 1e9, 1e9], [-1e9, -1e9, -1e9]]))
    np.testing.assert_allclose(np.abs(beyond), 5.2, atol=0.01)


def test_quantile_normalize_agrees_with_scikit_learn_where_values_are_distinct() -> None:
    from sklearn.preprocessing import QuantileTransformer

    rng = np.random.default_rng(1)
    x, new = rng.gamma(2, 3, (1500, 1)), rng.gamma(2, 4, (300, 1))
    theirs = QuantileTransformer(n_quantiles=1000, output_distribution="normal").fit(x).transform(new)
    ours = gn.QuantileNormalize(1000).fit(x).forward(new)
    inside = np.abs(theirs) < 3  # in the outermost segments they interpolate probabilities, we the levels
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=2e-3)
    assert inside.mean() > 0.9


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_quantile_normalize_meets_frequent_values_in_any_precision(dtype: type) -> None:
    x = np.random.default_rng(2).integers(-9, 10, (500, 2)) / 10  # most of which neither type has
    layer = gn.QuantileNormalize(100).fit(x)
    np.testing.assert_allclose(layer.forward(x.astype(dtype)), layer.forward(x), atol=1e-12)
    huge = gn.QuantileNormalize().fit(np.array([[0.0], [1e300]]))
    assert np.isfinite(huge.forward(np.array([[0], [1], [np.finfo(dtype).max]], dtype))).all()


def test_unfitted_preprocessing_says_what_to_do() -> None:
    net = gn.Network([gn.Standardize(), gn.Dense(3, 1)])
    with pytest.raises(ValueError, match=r"Standardize\(\) is not fitted.*gn.fit"):
        net.forward(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="fitted on rows of 2 values, not 3"):
        gn.Standardize().fit(np.zeros((5, 2))).forward(np.zeros((5, 3)))


@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("he", math.sqrt(2 / 300)),
        ("glorot", math.sqrt(2 / 500)),
        ("lecun", math.sqrt(1 / 300)),
        ("normal(0.1)", 0.1),
        ("zeros", 0.0),
    ],
)
def test_initializers_have_the_variance_of_their_papers(init: str, std: float) -> None:
    dense = gn.Network([gn.Dense(300, 200, init=init)]).layers[0]
    assert dense.W.std() == pytest.approx(std, rel=0.02)
    assert dense.W.mean() == pytest.approx(0, abs=0.02 * std + 1e-12)
    assert (dense.b == 0).all()


@pytest.mark.parametrize("name", ["hee", "normal", "normal(x)", "normal(-1)", "normal(nan)", ""])
def test_an_unknown_initializer_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="is not one of he, glorot, lecun, zeros or normal"):
        initializer(name)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: gn.Dense(0, 3), "fan_in must be a whole number of at least 1, not 0"),
        (lambda: gn.Dense(3, -1), "fan_out must be a whole number of at least 1, not -1"),
        (lambda: gn.Dense(3, 2.5), "fan_out"),
        (lambda: gn.Dense(True, 3), "fan_in"),
        (lambda: gn.Rotations(2, plain=-1), "Rotations: plain must be a whole number of at least 0, not -1"),
        (lambda: gn.Rotations(2, angles=2), "Rotations: angles must be a whole number of at least 3, not 2"),
        (lambda: gn.Periodic(2, 2, plain=1.5), "Periodic: plain must be a whole number of at least 0, not 1.5"),
        (lambda: gn.CategoryEmbedding([2], 2, plain=-2), "CategoryEmbedding: plain must be .* 0, not -2"),
        (lambda: gn.Dropout(1.0), "rate must be a number of at least 0 and below 1"),
        (lambda: gn.Dropout(-0.1), "rate"),
        (lambda: gn.GaussianNoise(-0.1), "GaussianNoise: std must be"),
        (lambda: gn.BatchNorm(0), "width"),
        (lambda: gn.BatchNorm(3, momentum=2), "momentum"),
        (lambda: gn.LayerNorm(3, eps=0), "eps"),
        (lambda: gn.QuantileNormalize(1), "quantiles"),
        (lambda: gn.Huber(0), "delta"),
        (lambda: gn.CrossEntropy(1.0), "label_smoothing"),
    ],
)
def test_settings_that_make_no_sense_are_named(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_layer_on_its_own_draws_its_parameters_when_asked_and_returns_new_arrays() -> None:
    dense = gn.Dense(3, 2)
    x = np.ones((1, 3))
    first = dense.forward(x)
    second = dense.forward(2 * x)
    assert dense.W.dtype == np.float64
    np.testing.assert_allclose(2 * first, second)
    with pytest.raises(AttributeError, match="'Dense' has no attribute 'gamma'"):
        _ = dense.gamma


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, bool])
@pytest.mark.parametrize("make", [gn.Standardize, gn.QuantileNormalize])
def test_preprocessing_takes_raw_rows_of_any_type(make, dtype: type) -> None:
    x = np.random.default_rng(0).integers(0, 2 if dtype is bool else 17, (60, 3)).astype(dtype)
    np.testing.assert_allclose(make().fit(x).forward(x), make().fit(x.astype(float)).forward(x.astype(float)))


@pytest.mark.parametrize(("dtype", "x"), [(np.float32, -80.0), (np.float64, -700.0)])
def test_the_logistic_function_keeps_its_tail(dtype: type, x: float) -> None:
    y = gn.Sigmoid().forward(np.array([[x]], dtype=dtype))
    assert y[0, 0] == pytest.approx(math.exp(x), rel=1e-5)


def test_one_row_does_not_teach_batch_norm_a_variance_of_zero() -> None:
    norm = gn.BatchNorm(2)
    norm.forward(np.ones((1, 2)), training=True)
    assert (norm.running_var == 1).all()


def test_columns_of_numbers_categories_and_missing_values() -> None:
    nan = np.nan
    layer = gn.Columns([0, 3, 0], missing=[0, 1])
    layer.fit(np.array([[1.0, 0, 5], [3, 2, 5], [nan, 1, 5], [5, nan, 5]]))
    np.testing.assert_array_equal(layer.median, [3, 0, 5])
    y = layer.forward(np.array([[3, 2, 6.0], [nan, -1, nan], [3 + layer.scale[0], nan, 5]]))
    np.testing.assert_allclose(
        y,
        [
            [0, 1, 0, 0, 0, 0, 1],
            [0, 0, 1, 0, 0, 0, 0],  # an unknown category has no column
            [1, 0, 0, 1, 0, 0, 0],
        ],
    )
    with pytest.raises(ValueError, match="missing must name columns 0 to 1"):
        gn.Columns([0, 0], missing=[2])


def test_columns_place_a_number_in_its_cycles() -> None:
    layer = gn.Columns([3, 0, 0], missing=[2], cycles=[(2, 7), (2, 365.2425), (1, 2)])
    thursday = 19000 // 7 * 7  # 1970-01-01 was one
    x = np.array([[0, 0.5, thursday], [1, -0.5, thursday + 3], [2, 2.0, thursday + 700], [0, np.nan, np.nan]])
    y = layer.fit(x).forward(x)
    assert y.shape == (4, layer.width_out(None))
    np.testing.assert_allclose(y[:, 2], [-0.5, 3 / 7 - 0.5, -0.5, 0])
    np.testing.assert_allclose(y[:3, 3], x[:3, 2] / 365.2425 % 1 - 0.5)
    np.testing.assert_allclose(y[:, 4], [-0.25, 0.25, -0.5, 0])
    assert [layer.source(unit)[0] for unit in range(6)] == [1, 2, 2, 2, 1, 2]
    for cycles, fault in (([(0, 7)], "columns of numbers"), ([(1, 0)], "above 0"), ([(3, 7)], "columns of numbers")):
        with pytest.raises(ValueError, match=fault):
            gn.Columns([3, 0, 0], cycles=cycles)


def test_piecewise_linear_is_the_papers_encoding_times_weights() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=300), rng.integers(0, 4, 300), np.full(300, 7.0)])
    layer = gn.PiecewiseLinear(3, 2, bins=8, version="A")
    layer.fit(x)
    assert np.isfinite(layer.edges).sum(axis=0).tolist() == [9, 4, 2]  # few values, few bins
    new = np.concatenate([x, [[-9, -9, 0], [9, 9, 9]]])
    wanted = np.repeat(layer.bias[np.newaxis], len(new), axis=0)
    for j in range(3):
        edges = layer.edges[np.isfinite(layer.edges[:, j]), j]
        t = (new[:, j, np.newaxis] - edges[:-1]) / np.diff(edges)
        t[:, 1:] = np.maximum(t[:, 1:], 0)  # the first may go below 0, the last above 1
        t[:, :-1] = np.minimum(t[:, :-1], 1)
        wanted[:, j] += t @ layer.W[j, : len(edges) - 1]
    np.testing.assert_allclose(layer.forward(new), wanted.reshape(len(new), -1), atol=1e-12)


def test_a_bin_holds_enough_rows() -> None:
    x = np.random.default_rng(0).normal(size=(100, 1))
    for min_rows, bins in ((1, 48), (9, 11), (49, 2), (1000, 1)):
        edges = gn.PiecewiseLinear(1, 2, min_rows=min_rows).fit(x).edges[:, 0]
        assert np.isfinite(edges).sum() == bins + 1
        assert np.histogram(x, edges[np.isfinite(edges)])[0].min() >= min(min_rows, 100) - 1
    with pytest.raises(ValueError, match="min_rows must be a whole number of at least 1"):
        gn.PiecewiseLinear(1, 2, min_rows=0)
