"""The notebooks: both forms are in step, their outputs are clean, and all cells run."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
BUILD = runpy.run_path(str(FOLDER / "build.py"))
TEXTS: list[Path] = BUILD["texts"]()
each_text = pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)


def sources(notebook: nbformat.NotebookNode) -> list[tuple[str, str, str]]:
    return [(cell.id, cell.cell_type, cell.source) for cell in notebook.cells]


def outputs(notebook: nbformat.NotebookNode) -> list[dict[str, Any]]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def pictures(notebook: nbformat.NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))


def assert_clean(notebook: nbformat.NotebookNode) -> None:
    """Every cell was run, in order, and nothing went to standard error: no warning, no traceback."""
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    for output in outputs(notebook):
        assert output.output_type in ("stream", "execute_result"), output
        assert output.get("name", "stdout") == "stdout", output.text


def test_there_are_three() -> None:
    assert [text.stem[:2] for text in TEXTS] == ["1-", "2-", "3-"]
    assert sorted(FOLDER.glob("*.ipynb")) == [text.with_suffix(".ipynb") for text in TEXTS]


@each_text
def test_both_forms_are_in_step(text: Path) -> None:
    kept = nbformat.read(text.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(kept)
    assert sources(kept) == sources(BUILD["read"](text)), "run make notebooks"


@each_text
def test_kept_outputs_are_clean_and_hold_no_times_or_versions(text: Path) -> None:
    kept = nbformat.read(text.with_suffix(".ipynb"), as_version=4)
    assert_clean(kept)
    assert pictures(kept) >= 1
    assert all(not cell.metadata for cell in kept.cells)
    assert kept.metadata["language_info"] == {"name": "python"}


@each_text
@pytest.mark.usefixtures("published_data")
def test_cells_run(text: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))  # the user's own start-up files and history stay out
    notebook = BUILD["read"](text)
    BUILD["execute"](notebook)
    assert_clean(notebook)
    assert pictures(notebook) == pictures(nbformat.read(text.with_suffix(".ipynb"), as_version=4))
