"""The package as its users get it: built, installed into an environment of its own, used there from another folder."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import glassnet as gn

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "glassnet"


class Installed(NamedTuple):
    wheel: Path
    sdist: Path
    bin: Path
    folder: Path

    def run(self, program: str, *arguments: object) -> str:
        """Run a program of the environment in a folder that holds nothing of ours, as on a machine that is new."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GLASSNET", "MYPY"))}
        environment |= {"HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "cache")}
        command = [str(self.bin / program), *map(str, arguments)]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def install(wheel: Path, sdist: Path, room: Path) -> Installed:
    """Install a wheel in an environment of its own beside the dependencies that are here already."""
    venv, folder = room / "venv", room / "elsewhere"
    folder.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    place = {name: sysconfig.get_path(name, "venv", {"base": str(venv)}) for name in ("scripts", "purelib")}
    python = Path(place["scripts"], "python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel]
    subprocess.run(install, check=True)
    # An editable install there isn't seen from here: of a folder that a .pth file names, no .pth file is read.
    Path(place["purelib"], "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return Installed(wheel, sdist, python.parent, folder)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Build the sdist, the wheel from it, and install that."""
    room = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", room, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,), (sdist,) = room.glob("*.whl"), room.glob("*.tar.gz")
    yield install(wheel, sdist, room)
    shutil.rmtree(room)


@pytest.fixture(scope="module")
def with_kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Build and install the wheel with kernels for this machine."""
    room = tmp_path_factory.mktemp("wheel")
    tag = f"manylinux_2_17_{platform.machine()}.manylinux2014_{platform.machine()}"
    environment = os.environ | {"WHEEL_FOR": tag, "PYTHONPATH": str(ROOT / "tests" / "stand_in")}
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", room]
    subprocess.run(build, cwd=ROOT, env=environment, check=True, capture_output=True)
    (wheel,) = room.glob("*.whl")
    yield install(wheel, wheel, room)
    shutil.rmtree(room)


def test_it_is_pure_python_and_whole(installed: Installed) -> None:
    assert installed.wheel.name == f"glassnet-{gn.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(installed.wheel) as wheel:
        packed = {name.removeprefix("glassnet/") for name in wheel.namelist() if name.startswith("glassnet/")}
        metadata = wheel.read(f"glassnet-{gn.__version__}.dist-info/METADATA").decode()
    files = (path.relative_to(SOURCE) for path in SOURCE.rglob("*") if path.is_file())
    assert packed == {file.as_posix() for file in files if "__pycache__" not in file.parts}
    assert "py.typed" in packed
    assert "Requires-Python: >=3.11" in metadata
    assert "](docs/" not in metadata
    core = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert sorted(core) == ["numpy", "safetensors", "threadpoolctl"]


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="needs a C compiler, on Linux")
def test_a_wheel_for_a_platform_brings_its_kernels(with_kernels: Installed) -> None:
    name = with_kernels.wheel.name
    assert re.fullmatch(rf"glassnet-{gn.__version__}-py3-none-manylinux_2_17_(\w+)\.manylinux2014_\1\.whl", name)
    with zipfile.ZipFile(with_kernels.wheel) as wheel:
        built = {name.removeprefix("glassnet/fast/built/") for name in wheel.namelist() if "/built/" in name}
        tags = wheel.read(f"glassnet-{gn.__version__}.dist-info/WHEEL").decode()
    levels = ["x86-64", "x86-64-v3", "x86-64-v4"] if platform.machine() == "x86_64" else [platform.machine()]
    assert built == {"probe.so", *(f"{level}-{dtype}.so" for level in levels for dtype in ("float32", "float64"))}
    assert "Root-Is-Purelib: false" in tags
    assert tags.count("Tag: py3-none-manylinux") == 2


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="needs a C compiler, on Linux")
def test_where_there_is_no_compiler_the_wheels_kernels_train(
    with_kernels: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(with_kernels.bin))
    monkeypatch.delenv("CC", raising=False)
    example = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    said = with_kernels.run("python", "-W", "error", "-c", f"{example}\nnet.summary()")
    assert float(re.findall(r"'accuracy': ([\d.]+)", said)[0]) > 0.95
    level = "x86-64" if platform.machine() == "x86_64" else platform.machine()
    assert re.search(rf"^computed by compiled kernels \(wheel {level}(-v[34])?\)", said, re.MULTILINE)
    assert not list((with_kernels.folder / "cache").rglob("*.so"))


def test_the_sdist_has_what_belongs_to_it(installed: Installed) -> None:
    import tarfile

    with tarfile.open(installed.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names >= {"README.md", "CHANGELOG.md", "LICENSE", "CITATION.cff", "SECURITY.md", "tests/test_wheel.py"}
    assert not [name for name in names if "__pycache__" in name or name.startswith(("dist/", "runs/", ".venv"))]


def test_it_says_its_version(installed: Installed) -> None:
    for said in (installed.run("glassnet", "--version"), installed.run("python", "-m", "glassnet", "--version")):
        assert said == f"glassnet {gn.__version__}\n"
    where = installed.run("python", "-c", "import glassnet; print(glassnet.__file__)")
    assert Path(where.strip()).is_relative_to(installed.bin.parent)


def test_it_trains_reports_and_explores(installed: Installed) -> None:
    out = installed.run("glassnet", "train", "digits", "--set", "training.epochs=3", "--out", "run")
    assert "written to run" in out
    assert float(re.findall(r"^accuracy .* ([\d.]+) +[\d.]+$", out, re.MULTILINE)[0]) > 0.9
    if shutil.which("cc"):
        assert list((installed.folder / "cache").rglob("*.so")), "the kernels were not compiled"
    assert "report.html" in installed.run("glassnet", "report", "run", "--no-doctor")
    installed.run("glassnet", "explore", "--out", "page.html")
    assert (installed.folder / "page.html").stat().st_size > 100_000


def test_a_typed_program_is_checked_and_runs(installed: Installed) -> None:
    program = installed.folder / "program.py"
    text = (ROOT / "tests" / "typed_usage.py").read_text(encoding="utf-8")
    program.write_text(text)
    assert installed.run("python", program).endswith("typed\n")
    names = [f"reveal_type(gn.{name})\n" for name in gn.__all__]
    program.write_text(text + "".join(names))
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        f"--python-executable={installed.bin / 'python'}",
        f"--cache-dir={installed.folder / 'mypy'}",
        "program.py",
    ]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MYPY"))}
    shown = subprocess.run(command, cwd=installed.folder, env=environment, capture_output=True, text=True)
    assert not [line for line in shown.stdout.splitlines() if "error:" in line]
    assert shown.returncode == 0, shown.stderr
    types = re.findall(r'Revealed type is "(.*)"$', shown.stdout, re.MULTILINE)
    assert len(types) == len(names)
    assert not [t for t in types if t == "Any" or re.search(r"(: Any\b|-> Any$)", t)]
