"""Write the notebooks anew: each text form NAME.py becomes NAME.ipynb, executed, the same bytes for the same results.

`python notebooks/build.py` writes all; with arguments, those whose name starts so: `python notebooks/build.py 1 3`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from glassnet.files import replacing

FOLDER = Path(__file__).resolve().parent
TIMEOUT = 300  # seconds that a cell may take


def texts() -> list[Path]:
    """Return the text forms, in order."""
    return sorted(FOLDER.glob("[0-9]-*.py"))


def read(text: Path) -> nbformat.NotebookNode:
    """Read a text form as a notebook without outputs. A cell's id is its place, so that it stays the same."""
    notebook = jupytext.read(text)
    notebook.metadata.pop("jupytext")
    for place, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{place}"
        cell.metadata.clear()  # jupytext's notes on blank lines
    return notebook


def execute(notebook: nbformat.NotebookNode) -> None:
    """Run all cells in a kernel of this environment, and keep the outputs, but neither times nor versions.

    Raises nbclient.exceptions.CellExecutionError if a cell does.
    """
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(FOLDER)}},
        config=Config(KernelManager={"transport_encryption": "auto"}),  # else the kernel warns that it has none
    )
    # One thread: the sums, hence the figures, don't depend on the number of cores, and a busy machine isn't slower still.
    client.execute(env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "TQDM_DISABLE": "1"})
    notebook.metadata["language_info"] = {"name": "python"}


def main(wanted: tuple[str, ...]) -> None:
    """Write the notebooks whose names start with one of `wanted`; all, if there are none."""
    for text in texts():
        if not text.name.startswith(wanted or ("",)):
            continue
        notebook = read(text)
        execute(notebook)
        with replacing(text.with_suffix(".ipynb")) as part:
            nbformat.write(notebook, part)
        print(f"wrote {text.stem}.ipynb")


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
