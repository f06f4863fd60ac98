"""No pickle is ever loaded, and no text is evaluated: SECURITY.md says so."""

from __future__ import annotations

import ast
import gzip
import io
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet import recipes
from glassnet.cli import main
from glassnet.exchange import load_pytorch
from glassnet.nn.storage import write_arrays
from glassnet.recipes import Finished

SOURCE = Path(gn.__file__).parent
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch"}
WORKERS = {"joblib.Parallel", "joblib.delayed", "joblib.parallel.get_active_backend"}  # which read no file
CALLS = {"eval", "exec", "compile", "__import__", "read_pickle"}


def faults(tree: ast.AST) -> list[str]:
    """What could run code from a file: imports of picklers, evaluation, and NumPy's load with object arrays."""
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [name for alias in node.names if (name := f"{node.module}.{alias.name}") not in WORKERS]
        found += [f"{name} is imported" for name in names if name.partition(".")[0] in MODULES]
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            last, options = name.rpartition(".")[2], {k.arg: ast.unparse(k.value) for k in node.keywords}
            bad = name in CALLS or last == "read_pickle" or options.get("allow_pickle", "False") != "False"
            if bad or (name in ("np.load", "numpy.load") and "allow_pickle" not in options):
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_the_source_loads_no_pickle_and_evaluates_nothing(path: Path) -> None:
    assert faults(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "import torch.serialization",
        "eval(text)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.lib.format.read_array(file, allow_pickle=flag)",
        "pd.read_pickle(path)",
    ],
)
def test_it_would_be_noticed(code: str) -> None:
    assert faults(ast.parse(code))
    assert not faults(ast.parse("np.load(path, allow_pickle=False); json.load(file); re.compile(text)"))


class Trap:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("security") / "run"
    recipes.train(recipes.load("digits", changes=["training.epochs=1"]), run)
    return run


def resume_fit(path: Path) -> None:
    net = gn.Network([gn.Dense(64, 10)])
    gn.fit(net, gn.load("digits"), gn.CrossEntropy(), gn.SGD(0.1), epochs=1, resume=path)


def load_weights(path: Path) -> None:
    load_pytorch(gn.Network([gn.Dense(2, 1)]), path)


def load_mnist(path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLASSNET_DATA", str(path.parents[1]))
        gn.load("mnist")


LOADERS: dict[str, Callable[[Path], object]] = {  # by the file that they are given
    "net.safetensors": gn.Network.load,
    "ensemble.safetensors": gn.Ensemble.load,
    "checkpoint.safetensors": resume_fit,
    "theirs.safetensors": load_weights,
    "theirs.pt": load_weights,
    "table.csv": gn.load,
    "table.parquet": gn.load,
    "recipe.toml": recipes.load,
    "history.csv": gn.History.from_csv,
    "mnist/train-images-idx3-ubyte.gz": load_mnist,
}
OF_A_RUN = ("model.safetensors", "recipe.toml", "metrics.json", "history.csv")
INPUTS = ("rows.csv", "rows.parquet", "digit.png", "rows.npy", "rows.pkl")


def payloads(mark: Path) -> dict[str, bytes]:
    """Pickles that leave a mark, in the forms in which they come."""
    objects = io.BytesIO()
    np.save(objects, np.array([Trap(mark)], dtype=object), allow_pickle=True)
    plain = {f"protocol {i}": pickle.dumps(Trap(mark), protocol=i) for i in (0, 5)}
    return plain | {"gzip": gzip.compress(plain["protocol 5"]), "npy": objects.getvalue()}


KINDS = sorted(payloads(Path()))


@pytest.fixture(params=KINDS)
def trap(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[bytes]:
    """A pickle that must not be loaded in the test; loaded after it, it shows that it would have left a mark."""
    mark = tmp_path / "mark"
    payload = payloads(mark)[request.param]
    yield payload
    assert not mark.exists()
    if request.param == "npy":
        np.load(io.BytesIO(payload), allow_pickle=True)
    else:
        pickle.loads(gzip.decompress(payload) if request.param == "gzip" else payload)
    assert mark.exists()


@pytest.mark.parametrize("name", LOADERS)
def test_no_loader_loads_a_pickle(name: str, trap: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(trap)
    with pytest.raises((ValueError, OSError)):
        LOADERS[name](path)


@pytest.mark.parametrize("name", OF_A_RUN)
def test_no_file_of_a_run_is_loaded_as_a_pickle(name: str, trap: bytes, finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    (run / name).write_bytes(trap)
    with pytest.raises((ValueError, OSError)):
        Finished.read(run)


def test_no_checkpoint_of_a_run_is_loaded_as_a_pickle(trap: bytes, finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "metrics.json").unlink()
    (run / "checkpoint.safetensors").write_bytes(trap)
    with pytest.raises((ValueError, OSError)):
        recipes.train(recipes.load(run / "recipe.toml"), run, resume=True)


@pytest.mark.parametrize("name", INPUTS)
def test_no_input_of_a_prediction_is_loaded_as_a_pickle(
    name: str, trap: bytes, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    path.write_bytes(trap)
    monkeypatch.setattr(sys, "argv", ["glassnet", "predict", str(finished), str(path)])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 2


def test_the_layers_of_a_file_are_those_that_were_imported(tmp_path: Path) -> None:
    net = gn.Network([gn.Dense(2, 1)])
    described = net.describe()
    for name in ("os.system", "Popen", "Layer", "Network"):
        described["layers"][0]["type"] = name
        write_arrays(tmp_path / "net.safetensors", net.arrays(), {"network": described})
        with pytest.raises(ValueError, match="unknown: import the module that defines it first"):
            gn.Network.load(tmp_path / "net.safetensors")
