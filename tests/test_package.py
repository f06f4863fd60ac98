"""What the package promises as a whole."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Set
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

import glassnet as gn

SOURCE = Path(gn.__file__).parent
WORKFLOWS = SOURCE.parents[1] / ".github" / "workflows"
FLOORS = [
    ["checks", "configured", "extras"],
    ["meanwhile", "memory", "program", "terminal", "turns", "version"],
    ["files", "ranks"],
    ["limits"],
    ["nn", "data", "optim", "plots"],
    ["fast"],
    ["train"],
    ["pack"],
    ["intervals"],
    ["inspection", "exchange"],
    ["recipes"],
    ["estimators"],
    ["report", "explore", "tuning"],
    ["cli"],
]

UPWARD = {("nn/network.py", "exchange"), ("nn/ensemble.py", "exchange")}  # `net.export`, while it runs


def test_importing_glassnet_loads_numpy_and_nothing_heavier() -> None:
    code = (
        "import sys, numpy.random; before = set(sys.modules)\n"
        "import glassnet\n"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(shown.split()) <= {"glassnet", "numpy"}


def test_training_in_memory_needs_numpy_alone() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"  # a system's sitecustomize, and .pth files, load modules of theirs
        "import numpy as np, glassnet as gn\n"
        "x = np.random.default_rng(0).normal(size=(100, 3))\n"
        "net = gn.Network([gn.Standardize(), gn.Dense(3, 4), gn.ReLU(), gn.Dense(4, 1), gn.Unstandardize()])\n"
        "gn.fit(net, gn.Dataset.from_arrays(x, x[:, 0]), gn.MSE(), gn.SGD(0.01), epochs=2)\n"
        "print(*{m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name for name in shown.split() if not name.startswith(("_", "cython"))}
    assert loaded <= {"glassnet", "numpy"}


def loaded(*command: str) -> set[str]:
    """The modules that Python loads for a command, beside its own."""
    done = subprocess.run([sys.executable, "-X", "importtime", *command], capture_output=True, text=True)
    found = re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", done.stderr, re.MULTILINE)
    assert "glassnet.program" in found, done.stderr
    return {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names}


def test_the_version_is_told_before_any_library_is_loaded() -> None:
    assert "numpy" in loaded("-c", "import glassnet")
    assert not {"numpy", "typer", "glassnet.nn", "glassnet.cli"} & loaded("-m", "glassnet", "--version")


@pytest.mark.parametrize("command", [["--help"], ["train", "--help"], ["train"], ["recipes", "digits"]])
def test_a_command_loads_only_what_it_uses(command: list[str]) -> None:
    heavy = {"sklearn", "scipy", "polars", "pandas", "matplotlib", "onnx", "optuna", "starlette", "jinja2", "PIL"}
    assert not heavy & loaded("-m", "glassnet", *command)


def test_the_estimators_load_little_beside_scikit_learn() -> None:
    already = loaded("-c", "import sklearn.neural_network, glassnet")
    more = {
        name.removeprefix("glassnet.").partition(".")[0]
        for name in loaded("-c", "import glassnet.estimators") - already
    }
    assert more <= {"estimators", "data", "pack", "limits", "sklearn"}  # of it old versions load a module more


def floor(room: str) -> int:
    return next((i for i, rooms in enumerate(FLOORS) if room in rooms), -1)


def rooms(path: Path) -> set[str]:
    """The rooms that a file imports from; "" stands for glassnet as a whole."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {f"{name.name}.".split(".")[1] for name in node.names if name.name.split(".")[0] == "glassnet"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "glassnet":
            inside = (node.module or "").split(".")[1:]
            found |= {inside[0]} if inside else {name.name for name in node.names}
    return found


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
    here = path.relative_to(SOURCE).with_suffix("").parts[0]
    if here in ("__init__", "__main__"):
        return
    assert floor(here) >= 0, f"{here} has no floor in the house"
    for room in rooms(path) - {here}:
        if (path.relative_to(SOURCE).as_posix(), room) in UPWARD:
            continue
        assert room, f"{path} imports the whole of glassnet, which imports it"
        assert 0 <= floor(room) < floor(here), f"{path} imports {room}"


def imported(path: Path, modules: Set[str]) -> set[str]:
    """The modules of glassnet that a file imports, be it for types alone or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{name.name}" for name in node.names}
            found |= whole if whole <= modules else whole & modules | {node.module}
    return found & modules


def test_no_imports_go_round_in_a_circle() -> None:
    paths = {".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): path for path in SOURCE.rglob("*.py")}
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    graph = {name: imported(path, paths.keys()) for name, path in paths.items()}
    for file, room in UPWARD:
        graph[f"glassnet.{file.removesuffix('.py').replace('/', '.')}"].discard(f"glassnet.{room}")
    assert sum(map(len, graph.values())) > len(graph)
    TopologicalSorter(graph).prepare()  # its CycleError names the circle


def test_a_room_that_is_imported_changes_no_class_of_another() -> None:
    code = """
import importlib, pkgutil, sys, glassnet

def classes():
    ours = [vars(module).values() for name, module in list(sys.modules.items()) if name.startswith("glassnet.")]
    found = {value for values in ours for value in values if isinstance(value, type)}
    return {c: {k: id(v) for k, v in vars(c).items()} for c in found if c.__module__.startswith("glassnet.")}

before = classes()
for room in pkgutil.iter_modules(glassnet.__path__):
    if room.name != "__main__":
        importlib.import_module(f"glassnet.{room.name}")
after = classes()
print(*[c.__name__ for c in before if before[c] != after[c]])
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == []


def test_a_name_that_files_import_means_the_same_in_all_of_them() -> None:
    meant: dict[str, dict[str, str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if path.name == "__init__.py":  # the face of a room, whose names are led by the room's
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "glassnet":
                for name in node.names:
                    thing = getattr(importlib.import_module(node.module or ""), name.name, None)
                    origin = getattr(thing, "__module__", node.module)  # a constant's is where it is imported from
                    if not isinstance(thing, ModuleType):
                        meant.setdefault(name.asname or name.name, {}).setdefault(str(origin), path.name)
    assert {name: places for name, places in meant.items() if len(places) > 1} == {}


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.relative_to(SOURCE).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_the_public_names_are_there() -> None:
    contract = (
        "load Network Standardize Dense ReLU LeakyReLU Sigmoid Tanh Softmax GELU SiLU Dropout BatchNorm LayerNorm MSE"
        " MAE Huber CrossEntropy BinaryCrossEntropy SGD Adam AdamW Constant ExponentialDecay Cosine OneCycle fit"
        " evaluate gradcheck"
    )
    names = contract.split()
    assert not [name for name in names if not hasattr(gn, name)]
    assert not [name for name in gn.__all__ if not getattr(gn, name).__doc__]


def test_the_five_lines_of_the_package_docstring_run(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.strip() for line in (gn.__doc__ or "").splitlines() if line.startswith("    ")]
    exec("\n".join(lines), {})
    assert float(re.findall(r"'accuracy': ([0-9.]+)", capsys.readouterr().out)[0]) > 0.9


def test_the_citation_names_this_version() -> None:
    citation = (Path(__file__).parents[1] / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [gn.__version__]


@pytest.mark.skipif(not WORKFLOWS.is_dir(), reason="the sdist has no workflows")
def test_the_workflows_call_targets_that_there_are() -> None:
    texts = [path.read_text() for path in WORKFLOWS.glob("*.yml")]
    called = {name for text in texts for name in re.findall(r"run: make ([\w-]+)$", text, re.MULTILINE)}
    targets = set(re.findall(r"^([\w-]+):", (SOURCE.parents[1] / "Makefile").read_text(), re.MULTILINE))
    assert called <= targets
    assert {"test", "wheels"} <= called
