"""Fixtures that several files of tests share."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from functools import partial
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # the first example may import SciPy, on a machine that is busy
settings.load_profile("untimed")


def pytest_configure() -> None:
    """In the background, as in `make test &`, SIGINT is ignored, and would be in every process that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which no data set is here yet: GLASSNET_DATA is unset, the cache is a folder of the test."""
    cache = tmp_path / "cache"
    monkeypatch.delenv("GLASSNET_DATA", raising=False)
    monkeypatch.setattr("glassnet.data.resolve.cache_folder", lambda: cache)
    return cache


@pytest.fixture
def published_data() -> None:
    """Skip the test where MNIST and California Housing aren't at hand; a test never downloads them."""
    if not os.environ.get("GLASSNET_DATA"):
        pytest.skip("GLASSNET_DATA isn't set: MNIST and California Housing are needed")


@pytest.fixture(scope="session")
def forking() -> BaseContext:
    """Starts processes from one that has imported what a training needs, in place of an import in each of them."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["glassnet.recipes.side_by_side", "matplotlib.figure", "sklearn.datasets"])
    return context


@pytest.fixture
def quick_members(forking: BaseContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the members of an ensemble in less time than `spawn` takes."""
    monkeypatch.setattr("glassnet.recipes.side_by_side.get_context", lambda _: forking)


@pytest.fixture(scope="session")
def three_seeds(tmp_path_factory: pytest.TempPathFactory, forking: BaseContext) -> Path:
    """The run directory of an ensemble of three small networks for the digits, of seeds from 4 on."""
    from ensemble_runs import SMALL
    from glassnet import recipes

    out = tmp_path_factory.mktemp("runs") / "digits"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glassnet.recipes.side_by_side.get_context", lambda _: forking)
        recipes.train(recipes.load("digits", seed=4, changes=[*SMALL, "ensemble=3"]), out)
    return out


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw none of runs that are trained in this process."""
    monkeypatch.setattr("glassnet.recipes.run.draw", lambda *_: None)


@pytest.fixture
def small_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pack of preset="strong" a small one that hardly trains."""
    from glassnet import recipes
    from small_packs import SMALL_PACK

    monkeypatch.setattr("glassnet.recipes.load", partial(recipes.load, changes=SMALL_PACK))


@pytest.fixture
def learning_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pack of preset="strong" a small one that learns enough to be right about most rows."""
    from glassnet import recipes
    from small_packs import LEARNING_PACK

    monkeypatch.setattr("glassnet.recipes.load", partial(recipes.load, changes=LEARNING_PACK))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from browser import started

    yield from started()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """The browser; afterwards nothing may have been complained of, and nothing asked of another machine."""
    yield browser
    assert browser.complaints() == []
    browser.driver.get("about:blank")  # what a page asks for later isn't the next test's
    local = ("http://127.0.0.1:", "file://", "data:", "about:")
    assert [address for address in browser.addresses() if not address.startswith(local)] == []
