"""What isn't installed: one line says what to install, and what needs nothing more goes on working."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

import glassnet as gn
from glassnet.extras import PACKAGES, PURPOSES

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {name: set(needed) for name, needed in PROJECT["optional-dependencies"].items()}

HIDE = """
import sys

class Hider:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hider())
"""


CORE = {re.split(r"[><=]", each)[0] for each in PROJECT["dependencies"]}


def packages(extra: str) -> set[str]:
    """What an extra installs, in lower case, with what the extras that it brings do."""
    found = set()
    if extra == "core":
        return CORE
    for each in EXTRAS[extra]:
        if inside := re.fullmatch(r"glassnet\[(.*)\]", each):
            found |= set().union(*map(packages, inside[1].split(",")))
        else:
            found.add(re.split(r"[><=]", each)[0].lower())
    return found


def module(package: str) -> str:
    return {name: module for module, name in PACKAGES.items()}.get(package, package)


BESIDE = sorted({module(package) for extra in EXTRAS for package in packages(extra)})  # all that isn't in the core


def run(code: str, hidden: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a process in which some packages aren't installed."""
    (folder / "table.csv").write_text("a,b\n" + "1,2\n2,3\n" * 20)
    command = [sys.executable, "-c", HIDE.format(hidden=set(hidden)) + code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


NETWORK = "import glassnet as gn; net = gn.Network([gn.Dense(2, 3), gn.ReLU(), gn.Dense(3, 1)])\n"
CALLS = [
    ("core", "safetensors", NETWORK + "net.save('net.safetensors')"),
    ("core", "safetensors", "import glassnet as gn; gn.Network.load('table.csv')"),
    ("core", "safetensors", NETWORK + "from glassnet.exchange import load_pytorch; load_pytorch(net, 'table.csv')"),
    ("tables", "polars", "import glassnet as gn; gn.load('table.csv', target='b')"),
    ("excel", "openpyxl", "from glassnet import data; data.read_table('table.xlsx')"),
    ("tables", "polars", "from glassnet import data; data.read_rows('table.csv', ['a'])"),
    ("data", "scikit-learn", "import glassnet as gn; gn.load('digits')"),
    ("data", "scikit-learn", "import glassnet as gn; gn.load('diabetes')"),
    ("data", "pooch", "from glassnet import data; data.fetch('mnist')"),
    ("data", "requests", "from glassnet import data; data.fetch('california')"),
    ("data", "pillow", "from glassnet import data; data.read_digit('7.png', (28, 28), 255)"),
    ("plots", "matplotlib", "from glassnet import plots; plots.confusion([[1, 0], [0, 1]], ['a', 'b'])"),
    ("plots", "jinja2", "from glassnet import report; report.write_report('run')"),
    ("plots", "jinja2", "from glassnet import report; report.write_comparison(['one', 'two'], 'page.html')"),
    ("sklearn", "scikit-learn", "from glassnet.estimators import MLPClassifier"),
    ("sklearn", "scipy", "from glassnet.estimators import MLPClassifier"),
    ("onnx", "onnx", NETWORK + "net.export('net.onnx')"),
    ("cli", "typer", "import glassnet.cli"),
    ("cli", "rich", "import glassnet.cli"),
    ("cli", "tomli-w", "from glassnet import recipes; recipes.load('digits').save('recipe.toml')"),
    ("cli", "matplotlib", "from glassnet import recipes; recipes.train(recipes.load('digits'), None)"),
    ("tune", "optuna", "from glassnet import tuning; tuning.tune(None, None)"),
    ("explore", "starlette", "from glassnet import explore; explore.serve(None)"),
    ("explore", "uvicorn", "from glassnet import explore; explore.serve(None)"),
    ("mpi", "mpi4py", "os.environ['PMI_SIZE'] = '2'; from glassnet.ranks import world; world()"),
]


@pytest.mark.parametrize(("extra", "package", "call"), CALLS)
def test_what_needs_a_package_that_isnt_there_says_how_to_get_it(
    extra: str, package: str, call: str, tmp_path: Path
) -> None:
    code = f"import os; os.environ.update(XDG_CACHE_HOME={str(tmp_path)!r}); os.environ.pop('GLASSNET_DATA', 0)\n{call}"
    done = run(code, [module(package)], tmp_path)
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(
        rf"glassnet\.extras\.NotInstalledError: {PURPOSES[extra]} need {package}, which isn't installed: "
        rf'pip install "{re.escape("glassnet" if extra == "core" else f"glassnet[{extra}]")}"',
        last,
    )
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_every_package_of_an_extra_has_a_call_that_misses_it() -> None:
    tried = {package for _, package, _ in CALLS}
    without = {"numpy", "tqdm", "threadpoolctl", "joblib"}  # lines stand for bars, and nobody has chosen workers
    assert set().union(*(packages(extra) for extra in PURPOSES)) - tried == without


def test_what_is_asked_to_be_installed_is_what_brings_the_package() -> None:
    """Every call of `need` in the library names an extra of pyproject.toml, and packages that it installs."""
    calls = 0
    for path in Path(gn.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "need":
                extra, *modules = (ast.literal_eval(each) for each in node.args)
                assert {PACKAGES.get(each, each) for each in modules} <= packages(extra), path
                calls += 1
    assert calls > 10
    assert {"core", *EXTRAS} == {*PURPOSES, "all", "notebook"}


def test_all_brings_everything_that_the_library_can_use() -> None:
    """But mpi4py: it needs an MPI, and most people start no ranks."""
    assert packages("all") == set().union(*map(packages, PURPOSES.keys() - {"core", "mpi"}))


def test_the_command_line_without_its_packages_is_one_line_and_exit_status_2(tmp_path: Path) -> None:
    code = "sys.argv = ['glassnet', 'train', 'digits']\nfrom glassnet.cli import main\nmain()"
    done = run(code, BESIDE, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "glassnet: recipes and the command line need typer, rich, tomli-w, which aren't installed:"
        ' pip install "glassnet[cli]"\n'
    )


@pytest.mark.parametrize(
    ("arguments", "hidden", "extra"),
    [
        (["train", "table.csv", "--target", "b"], "polars", "tables"),
        (["train", "digits"], "sklearn", "data"),
        (["train", "digits"], "matplotlib", "cli"),
        (["tune", "digits"], "optuna", "tune"),
        (["explore", "--no-browser"], "uvicorn", "explore"),
    ],
)
def test_a_command_without_one_of_its_packages_is_one_line(
    arguments: list[str], hidden: str, extra: str, tmp_path: Path
) -> None:
    done = run(f"sys.argv = ['glassnet', *{arguments}]\nfrom glassnet.cli import main\nmain()", [hidden], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf'glassnet: .* isn\'t installed: pip install "glassnet\[{extra}\]"\n', done.stderr)


LEARNING = """
import numpy as np
import glassnet as gn

x = np.random.default_rng(0).normal(size=(200, 3))
data = gn.Dataset.from_arrays(x, x[:, 0] * x[:, 1])
net = gn.Network([gn.Standardize(), gn.Dense(3, 8), gn.GELU(), gn.Dense(8, 1), gn.Unstandardize()])
doctor = gn.Doctor()
gn.fit(net, data, gn.MSE(), gn.AdamW(), epochs=2, callbacks=[doctor, gn.Progress()])
gn.trace(net, x[0], data.train.y[0], gn.MSE(), gn.SGD(0.1)).equation(layer=1, unit=0)
assert gn.gradcheck(net, x[:4], data.train.y[:4], gn.MSE()).passed
assert gn.evaluate(net, data.test, gn.MSE())["mse"] > 0
"""


def test_numpy_alone_trains_looks_inside_and_compiles_kernels(tmp_path: Path) -> None:
    code = f"import os; os.environ['XDG_CACHE_HOME'] = {str(tmp_path)!r}\n" + LEARNING + "net.summary()"
    done = run(code, [*BESIDE, *map(module, CORE - {"numpy"})], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "epoch 2/2" in done.stderr
    if shutil.which("cc"):
        assert "computed by NumPy" not in done.stdout


def test_the_core_saves_and_loads(tmp_path: Path) -> None:
    code = (
        LEARNING
        + """
gn.fit(net, data, gn.MSE(), gn.AdamW(), epochs=1, callbacks=[gn.Checkpoint("part")])
net.save("net.safetensors")
assert (gn.Network.load("net.safetensors").predict(x) == net.predict(x)).all()
assert len(gn.fit(net, data, gn.MSE(), gn.AdamW(), epochs=1, resume="part")) == 1
"""
    )
    done = run(code, BESIDE, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gelu_is_the_same_without_scipy(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(-9, 9, 301, dtype=dtype).reshape(7, 43)
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    y = gn.GELU().forward(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, x * ndtr(x), rtol=100 * np.finfo(dtype).eps)
