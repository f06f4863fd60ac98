"""Which kernels are used: the wheel's, a compiler's or none; and where that is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.fast import compiling, loading, program, shipped
from glassnet.fast.library import NoKernelsError
from glassnet.train import step

chosen = loading.load_kernels.__wrapped__  # each time as a new process would
FLOAT = np.dtype(np.float32)
compiles = pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="needs a C compiler, on Linux")


def load() -> object:
    """Load the kernels as a new process would."""
    return chosen(FLOAT)


class Source:
    """Kernels that are there, or not."""

    def __init__(self, found: str | NoKernelsError) -> None:
        self.found = found

    def load(self, dtype: np.dtype[Any]) -> str:
        if isinstance(self.found, NoKernelsError):
            raise self.found
        return self.found


NO_WHEEL, NO_COMPILER = NoKernelsError("none came"), NoKernelsError("no compiler")


@pytest.mark.parametrize(
    ("variable", "wheel", "native", "wanted"),
    [
        ("", "wheel", "native", "wheel"),
        ("", NO_WHEEL, "native", "native"),
        ("", NO_WHEEL, NO_COMPILER, "none came; no compiler"),
        ("native", "wheel", "native", "native"),
        ("native", "wheel", NO_COMPILER, "no compiler"),
        ("wheel", "wheel", "native", "wheel"),
        ("wheel", NO_WHEEL, "native", "none came"),
        ("none", "wheel", "native", "GLASSNET_KERNELS is none"),
    ],
)
def test_the_order_of_kernels(
    monkeypatch: pytest.MonkeyPatch, variable: str, wheel: Any, native: Any, wanted: str
) -> None:
    monkeypatch.setenv("GLASSNET_KERNELS", variable)
    monkeypatch.setattr(shipped, "load", Source(wheel).load)
    monkeypatch.setattr(compiling, "load", Source(native).load)
    assert str(load()) == wanted


@pytest.mark.parametrize("value", ["Native", "gcc", " ", "0"])
def test_another_choice_is_refused_in_a_line(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    code = "import glassnet as gn; gn.Network([gn.Dense(2, 1)]).summary()"
    environment = os.environ | {"GLASSNET_KERNELS": value}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    said = f"GLASSNET_KERNELS is {value!r}: it must be native, wheel or none"
    assert said in done.stderr.splitlines()[-1]


# The wheel's ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like that of a wheel, with the probe in it."""
    folder = tmp_path / "built"
    folder.mkdir()
    probe = compiling.SOURCES / "probe.c"
    subprocess.run(["cc", "-shared", "-fPIC", probe, "-o", folder / "probe.so"], check=True)
    monkeypatch.setattr(shipped, "FOLDER", folder)
    return folder


@pytest.fixture
def some_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of kernels, made without care for its speed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CC", "cc -O0 -w")
    compiling.load(FLOAT)
    (path,) = (tmp_path / "cache" / "glassnet" / "kernels").iterdir()
    return path


@compiles
def test_the_best_build_that_is_there_and_runs_here_is_taken(
    built: Path, some_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usable = shipped.levels()
    assert usable[-1] in ("x86-64", "aarch64")
    for level in usable:
        shutil.copy(some_library, built / f"{level}-float32.so")
    monkeypatch.setenv("GLASSNET_KERNELS", "")
    for level in usable:
        assert load().level == f"wheel {level}"
        (built / f"{level}-float32.so").unlink()
    with pytest.raises(NoKernelsError, match="are for other processors"):
        shipped.load(FLOAT)


@compiles
def test_the_probe_says_what_the_system_says(built: Path) -> None:
    flags = set(Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split())
    levels = shipped.levels()
    assert ("x86-64-v3" in levels) == ({"avx2", "fma", "bmi1", "bmi2", "movbe", "f16c"} <= flags)
    assert ("x86-64-v4" in levels) == ({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags)


def remove_probe(built: Path) -> None:
    (built / "probe.so").unlink()


def spoil_library(built: Path) -> None:
    for level in shipped.levels():
        (built / f"{level}-float32.so").write_bytes(b"\x7fELF")


@compiles
@pytest.mark.parametrize("spoil", [remove_probe, spoil_library])
def test_kernels_of_a_wheel_that_cannot_be_used_say_so(built: Path, spoil: Callable[[Path], None]) -> None:
    spoil(built)
    with pytest.raises(NoKernelsError, match="came with this installation"):
        shipped.load(FLOAT)


# What is told --------------------------------------------------------------------------------------------------------


def train(monkeypatch: pytest.MonkeyPatch, patience: float = 0.0, **more: Any) -> None:
    """Train a network for a moment."""
    monkeypatch.setattr(step, "PATIENCE", patience)
    x = np.random.default_rng(0).normal(size=(60, 3))
    data = gn.Dataset.from_arrays(x, np.arange(60) % 2)
    gn.fit(gn.Network([gn.Dense(3, 2)], **more), data, gn.CrossEntropy(), gn.SGD(0.1), epochs=2, batch_size=9)


@pytest.fixture
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for kernels as a new process would, whenever a network needs them."""
    loading.tell_slow.cache_clear()
    for module in (loading, program):
        monkeypatch.setattr(module, "load_kernels", chosen)


def test_a_training_without_kernels_that_takes_long_says_once_what_helps(
    monkeypatch: pytest.MonkeyPatch, nothing_loaded: None
) -> None:
    monkeypatch.setenv("GLASSNET_KERNELS", "native")
    monkeypatch.setenv("CC", "nowhere")
    train(monkeypatch, patience=60)  # a short one says nothing: a warning would be an error here
    with pytest.warns(RuntimeWarning) as warned:
        train(monkeypatch)
    train(monkeypatch)
    (said,) = [str(warning.message) for warning in warned]
    assert "NumPy trains and predicts, slower than compiled kernels would: there is no C compiler (nowhere)" in said
    assert "Install a wheel of glassnet" in said
    assert "\n" not in said


def test_who_does_without_kernels_hears_nothing(monkeypatch: pytest.MonkeyPatch, nothing_loaded: None) -> None:
    monkeypatch.setenv("CC", "nowhere")
    train(monkeypatch, fast=False)
    monkeypatch.setenv("GLASSNET_KERNELS", "none")
    train(monkeypatch)
    assert str(load()) == "GLASSNET_KERNELS is none"


class Stop(gn.Callback):
    """Ends training after an epoch."""

    def on_epoch(self, run: gn.train.Training) -> None:
        run.stop = True


def test_a_training_that_goes_on_with_other_kernels_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = gn.Dataset.from_arrays(rng.normal(size=(60, 3)), np.arange(60) % 2)

    def train(fast: bool, **more: Any) -> gn.History:
        net = gn.Network([gn.Dense(3, 2)], fast=fast)
        return gn.fit(net, data, gn.CrossEntropy(), gn.SGD(0.1), epochs=3, **more)

    path = tmp_path / "checkpoint"
    train(False, callbacks=[gn.Checkpoint(path), Stop()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(False, resume=path)
    level = loading.level(FLOAT)
    if level == "NumPy":
        pytest.skip("no kernels here")
    with pytest.warns(
        UserWarning, match=f"NumPy computed .* up to epoch 1, and {level} goes on: the last bits may differ"
    ):
        train(True, resume=path)
