"""Libraries besides NumPy: each extra of the package has a purpose, and an error says how to install it."""

from __future__ import annotations

from importlib.util import find_spec

PURPOSES = {
    "core": "files of networks",  # no extra: pip install --no-deps leaves it out
    "tables": "tables and data frames",
    "data": "data sets by name and pictures of digits",
    "excel": "Excel files",
    "plots": "pictures and reports",
    "sklearn": "the estimators",
    "onnx": "ONNX models",
    "cli": "recipes and the command line",
    "tune": "searches for settings",
    "explore": "the explorer's pages",
    "mpi": "ranks of mpiexec",
}
PACKAGES = {"PIL": "pillow", "sklearn": "scikit-learn", "tomli_w": "tomli-w"}  # where the module has another name


class NotInstalledError(ModuleNotFoundError):
    """A library of an extra isn't installed. The message is one line with the command that installs it."""


def installed(module: str) -> bool:
    """Whether a module can be found. It isn't imported for that."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # ValueError: the entry in sys.modules is no module
        return False


def need(extra: str, *modules: str) -> None:
    """Raise NotInstalledError unless these modules are installed. `extra` installs them.

    A room calls it before it uses a library, and before anything is read, trained or written.
    """
    if missing := [PACKAGES.get(module, module) for module in modules if not installed(module)]:
        there = "isn't" if len(missing) == 1 else "aren't"
        wanted = "glassnet" if extra == "core" else f"glassnet[{extra}]"
        raise NotInstalledError(
            f'{PURPOSES[extra]} need {", ".join(missing)}, which {there} installed: pip install "{wanted}"'
        )
