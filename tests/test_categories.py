"""Embedded categories: the rows of W, whatever comes before them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import glassnet as gn


@pytest.mark.parametrize(
    "between",
    [[], [gn.Standardize()], [gn.RobustScale()], [gn.QuantileNormalize(noise=1e-3), gn.Standardize()]],
    ids=str,
)
def test_each_category_has_a_row_whatever_preprocessing_made_of_its_column(between, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.normal(size=300), rng.integers(0, 3, 300), rng.choice(2, 300, p=[0.95, 0.05])])
    x[::7, 1] = np.nan
    layers = [type(layer)(**layer.config()) for layer in between]
    embedding = gn.CategoryEmbedding([4, 2], 5, plain=2)  # no training row has the last of the four
    net = gn.Network([gn.Columns([0, 4, 2], missing=[1]), *layers, embedding, gn.Dense(12, 1)])
    net.fit_preprocessing(x)
    assert np.abs(embedding.W).max() <= 1 / np.sqrt(5)
    net.save(tmp_path / "net.safetensors")
    for each in (net, gn.Network.load(tmp_path / "net.safetensors")):
        y = np.array([[1.5, 2, 1], [0, 0, 0], [0, np.nan, 9], [0, 3, 0]])
        for layer in each.layers[:-1]:
            plain, y = y, layer.forward(y)
        np.testing.assert_array_equal(y[:, :2], plain[:, :2])
        zeros, rows = np.zeros(5), embedding.W
        wanted = [[rows[2], rows[5]], [rows[0], rows[4]], [zeros, zeros], [zeros, rows[4]]]
        np.testing.assert_allclose(y[:, 2:], np.reshape(wanted, (4, 10)), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (([], 2), "a count for each column, but there is none"),
        (([3, 0], 2), "a count of categories must be a whole number of at least 1, not 0"),
        (([3], 0), "dim must be a whole number of at least 1, not 0"),
    ],
)
def test_category_embeddings_that_cannot_be(arguments, fault) -> None:
    with pytest.raises(ValueError, match=fault):
        gn.CategoryEmbedding(*arguments)
    with pytest.raises(ValueError, match="is not fitted"):
        gn.CategoryEmbedding([3], 2).forward(np.eye(3))
