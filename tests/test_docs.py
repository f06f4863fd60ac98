"""The documentation says what is: links lead somewhere, Python runs, commands exist, no public name lacks."""

from __future__ import annotations

import pkgutil
import re
import shlex
import textwrap
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import typer

import glassnet as gn
from glassnet.cli import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
HTML = DOCS / "_build" / "html"
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts and not path.name.startswith("_")),
]
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation isn't in a source distribution")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FENCE = re.compile(r"^(`{3,})(.*?)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def blocks(path: Path, language: str) -> list[str]:
    return [block[3] for block in FENCE.finditer(text(path)) if re.fullmatch(language, block[2].strip())]


# Links ---------------------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The headings of a page, as links name them."""
    titles = re.findall(r"^#+ (.*)$", FENCE.sub("", text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=named)
def test_relative_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text(page)))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if there.is_relative_to(DOCS / "notebooks"):  # where a build copies them
            there = ROOT / there.relative_to(DOCS)
        assert there.exists(), f"{named(page)} links to {target}"
        assert not anchor or anchor in anchors(there), f"{named(page)} links to {target}, a heading that isn't there"


# Code ----------------------------------------------------------------------------------------------------------------


def surroundings(page: Path) -> dict[str, Any]:
    """What a page's pieces of code take for granted."""
    rng = np.random.default_rng(0)
    if page.name == "CONTRIBUTING.md":
        return {"gn": gn, "x": rng.normal(size=(5, 4)), "t": rng.normal(size=(5, 3))}
    data = gn.load("digits")
    net = gn.Network([gn.Standardize(), gn.Dense(64, 128), gn.ReLU(), gn.Dense(128, 10)])
    net.fit_preprocessing(data.train.x)
    batches = [(data.train.x[:8], data.train.y[:8])]
    training = {"batches": batches, "loss": gn.CrossEntropy(), "optimizer": gn.SGD(lr=0.1)}
    return {"gn": gn, "data": data, "net": net, "x": data.train.x[:100], "y": data.train.y[:100]} | training


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=named)
def test_python_in_pages_runs(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pieces that aren't run by the build. Those that are, are cells; with PyTorch, which a build hasn't, these too."""
    pieces = blocks(page, "python")
    if any("import torch" in code for code in pieces):
        pytest.importorskip("torch")
        pieces = [code for code in blocks(page, r"(?:{code-cell} )?python") if ":tags: [remove-cell]" not in code]
    if any("from mpi4py" in code for code in pieces):
        pytest.importorskip("mpi4py")
    monkeypatch.chdir(tmp_path)
    np.random.seed(0)  # noqa: NPY002  scikit-learn draws from it where no seed is given; some draws don't converge
    given = surroundings(page)
    namespace = given.copy()
    for code in pieces:
        exec(compile(textwrap.dedent(code), named(page), "exec"), namespace)
        if page.name == "README.md":  # whose sections don't build on each other
            namespace |= given


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_cells_are_on_pages_that_are_run(page: Path) -> None:
    cells = blocks(page, r"{code-cell} python")
    assert text(page).startswith("---\nfile_format: mystnb\n") == bool(cells)


# Commands ------------------------------------------------------------------------------------------------------------


def commands(page: Path) -> Iterator[str]:
    """Every `glassnet ...` of a page: in blocks and cells for the terminal, and between backticks."""
    pieces = blocks(page, "sh")
    pieces += [code for code in blocks(page, r"{code-cell} python") if re.search(r"^%%sh", code, re.MULTILINE)]
    for line in "\n".join(pieces).replace("\\\n", " ").splitlines():
        if line.strip().startswith("glassnet "):
            yield line.strip()
    yield from re.findall(r"`(glassnet [^`]+)`", FENCE.sub("", text(page)).replace("\n", " "))


@pytest.mark.parametrize("page", [page for page in PAGES if list(commands(page))], ids=named)
def test_commands_exist_with_their_options(page: Path) -> None:
    for line in commands(page):
        words = shlex.split(line.replace("--debug", ""), comments=True)[1:]
        words = words[: next((i for i, word in enumerate(words) if re.match(r"\d?[|>;&]", word)), len(words))]
        command: Any = typer.main.get_command(app)
        while words:
            _, words, _ = command.make_parser(command.context_class(command)).parse_args(words)  # or raises
            if not words or not hasattr(command, "commands") or words[0].isupper():  # COMMAND stands for any
                break
            assert words[0] in command.commands, f"{named(page)}: {line}"
            command, words = command.commands[words[0]], words[1:]
        assert not words or hasattr(command, "commands"), f"{named(page)}: {line} has too many arguments"


# The reference, and what is built ------------------------------------------------------------------------------------


def test_every_public_name_is_in_the_reference() -> None:
    described = "\n".join(text(path) for path in (DOCS / "reference").glob("*.md"))
    found = re.findall(r"^\.\. every:: (\S+)(\n   :direct:)?", described, re.MULTILINE)
    every = tuple(pkgutil.resolve_name(base) for base, direct in found if not direct)
    direct = {pkgutil.resolve_name(base) for base, direct in found if direct}

    def is_described(name: str) -> bool:
        by_itself = re.search(rf":: glassnet\.(\w+\.)?{name}$", described, re.MULTILINE)
        public = getattr(gn, name)
        return by_itself is not None or (
            isinstance(public, type) and (issubclass(public, every) or not direct.isdisjoint(public.__bases__))
        )

    assert [name for name in gn.__all__ if not is_described(name)] == []


class Loaded(HTMLParser):
    """Collects what a page loads by itself, as opposed to what it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        loaded = ("src", "data", "href") if tag == "link" else ("src", "data")
        self.urls += filter(None, map(values.get, loaded))


DOCUMENTED = re.compile(r"^\.\. (?:every|auto(?:class|function|exception|method|attribute|data)):: (\S+)", re.MULTILINE)


@pytest.mark.parametrize("page", sorted((DOCS / "reference").glob("*.md")), ids=lambda page: page.stem)
def test_the_reference_names_what_there_is(page: Path) -> None:
    for name in DOCUMENTED.findall(page.read_text(encoding="utf-8")):
        assert pkgutil.resolve_name(name) is not None


@pytest.mark.skipif(not HTML.is_dir(), reason="make docs hasn't been run")
def test_built_pages_load_nothing_from_elsewhere() -> None:
    pages = list(HTML.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert not [url for url in loaded.urls if re.match(r"(\w+:)?//", url)], page
    for sheet in HTML.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet
