"""Trained networks in a page: the kernels there give what the library gives, layer after layer."""

from __future__ import annotations

import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from browser import MISSING, Page
from glassnet import explore
from glassnet.explore.encoding import json_numbers, to_json
from glassnet.explore.frozen import frozen
from glassnet.nn.selfcheck import cases
from public import public

in_browser = pytest.mark.skipif(bool(MISSING), reason=f"the page's tests need {', '.join(MISSING)}")
ROWS = 3


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page whose modules can be imported."""
    out = tmp_path_factory.mktemp("page") / "page.html"
    explore.write(out, explore.open_subject())
    return out.as_uri()


@pytest.fixture
def opened(page: Page, file: str) -> Page:
    page.open(file)
    return page


def outputs_in_page(page: Page, net: gn.Network, x: np.ndarray) -> list[list[np.ndarray]]:
    """Of each row the output of each layer."""
    given = to_json(frozen(net, x.shape[1], x.dtype))
    rows = page.asking(
        """
        const { Frozen } = await import("glassnet/frozen.js");
        const net = await Frozen.of(JSON.parse(given[0]));
        return given[1].map((row) => net.run(row).map((y) => Array.from(y, String)));""",
        given,
        json_numbers(x),
    )
    numbers = {"Infinity": "inf", "-Infinity": "-inf"}
    return [[np.array([float(numbers.get(v, v)) for v in y]) for y in row] for row in rows]


def assert_same(page: Page, net: gn.Network, x: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        values = [y.copy() for y in net.outputs(x)]
    for i, row in enumerate(outputs_in_page(page, net, x)):
        for layer, got, expected in zip(net.layers, row, values, strict=True):
            size = np.abs(expected[i][np.isfinite(expected[i])]).max(initial=1e-3)
            np.testing.assert_allclose(got, expected[i], rtol=1e-4, atol=3e-5 * size, err_msg=repr(layer))


def test_there_is_a_kernel_for_every_layer() -> None:
    found = {name for case in cases() for name in _types(case.net, case.x)}
    assert found == {layer.__name__ for layer in public(gn.Layer)}


def _types(net: gn.Network, x: np.ndarray) -> list[str]:
    return [layer["type"] for layer in frozen(net, x.shape[1], x.dtype)["layers"]]


@in_browser
@pytest.mark.parametrize("name", sorted({layer.__name__ for layer in public(gn.Layer)}))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layer_gives_the_librarys_numbers(opened: Page, name: str, dtype: str) -> None:
    known = {repr(case.net.layers): case for case in cases() if case.layer == name and not case.training}
    for case in known.values():
        assert_same(opened, case.net.copy(dtype), case.x[:ROWS].astype(dtype))


@in_browser
@pytest.mark.parametrize("seed", range(12))
def test_random_networks_give_the_librarys_numbers(opened: Page, seed: int) -> None:
    pytest.importorskip("onnxruntime")
    from random_networks import draw

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = draw(random.Random(seed))
    assert_same(opened, drawn.net, drawn.x[[0, 1, 200, 214]])


@in_browser
def test_a_table_with_all_that_prepares_its_rows(opened: Page) -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([rng.integers(0, 3, 300), 1.7e9 + 1e6 * rng.normal(size=300), rng.integers(0, 40, 300)])
    x = x.astype(float)
    x[::7, 1] = np.nan
    y = 2e9 + 1e4 * (x[:, 0] + rng.normal(size=300))
    columns = gn.Columns([3, 0, 0])
    columns.fit(x)
    width = columns.width_out(3)
    assert width
    layers = [columns, gn.RobustScale(), gn.Dense(width, 6), gn.SiLU(), gn.Dense(6, 1), gn.Unstandardize(margin=0.05)]
    net = gn.Network(layers, seed=0)
    net.fit_preprocessing(x, y)
    net.theta *= 3  # so that the margin holds some answers
    rows = np.concatenate([x[:8], [[5, np.nan, 1e6], [-1, 0, 0]]])
    for got, expected in zip(outputs_in_page(opened, net, rows), net.predict(rows), strict=True):
        np.testing.assert_allclose(got[-1], expected, rtol=1e-7)


@in_browser
def test_a_page_of_a_table_opens_and_says_what_its_formulas_are_not(page: Page, tmp_path: Path) -> None:
    rows = [f"{['red', 'green', ''][i % 3]},20{10 + i % 9}-03-{1 + i % 28:02},{i % 3 + i % 17 / 9}" for i in range(240)]
    (tmp_path / "paint.csv").write_text("\n".join(["colour,day,price", *rows]), encoding="utf-8")
    text = f'name = "paint"\n[data]\nsource = "{tmp_path / "paint.csv"}"\ntarget = "price"\n[network]\nhidden = [6]\n'
    (tmp_path / "paint.toml").write_text(text + "[training]\nepochs = 2\n", encoding="utf-8")
    from glassnet import recipes

    recipes.train(recipes.load(str(tmp_path / "paint.toml")), tmp_path / "run")
    subject = explore.open_subject(str(tmp_path / "run"))
    explore.write(tmp_path / "page.html", subject)
    page.open((tmp_path / "page.html").as_uri())
    cut = "const e = document.querySelector('.feature input[type=date]'); return e.scrollWidth - e.clientWidth"
    assert page.js(cut) <= 0
    x, _ = subject.row("test", 0)
    seen: Any = page.asking(
        """
        const { engine, shown } = await import("glassnet/model.js");
        const { layers, prediction } = await engine.forward(given[0]);
        const texts = [];
        for (const { index } of layers) texts.push((await engine.equation(given[0], index, 0)).text);
        return { prediction, texts };""",
        json_numbers(x[0]),
    )
    assert seen["prediction"] == pytest.approx(float(subject.net.predict(x)[0, 0]), abs=1e-5)
    assert "glassnet explore" in seen["texts"][0]
    assert page.complaints() == []
