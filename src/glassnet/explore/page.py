"""The pages, explorer and playground: as the server gives them, and as one file that needs no server."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from glassnet.explore.code import load_lines
from glassnet.explore.encoding import to_json
from glassnet.explore.frozen import frozen
from glassnet.explore.network_view import describe, example
from glassnet.explore.subject import Subject
from glassnet.files import replacing

TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
FOLDERS = ("static", "playground")
PLACE = re.compile(r"\{\{ (\w+) \}\}")  # in a template
IMPORTED = re.compile(r'"glassnet/([\w-]+\.js)"')
EXAMPLES = 25  # rows of the test part that go with the page
# Nothing is asked of any machine: all that the page needs is inside.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' data:; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'"
)


@dataclass(frozen=True)
class Page:
    """A page: the folder of its index.html, the module that it begins with, and its style sheets."""

    folder: str
    module: str
    styles: tuple[str, ...]


EXPLORER = Page("static", "main.js", ("style.css", "walk.css"))
PLAYGROUND = Page("playground", "play.js", ("style.css", "playground.css", "embedded.css"))


@cache
def static_files() -> dict[str, tuple[str, str]]:
    """Return the modules and the style sheet by name: the text and its media type. There are no others."""
    folders = [resources.files(__package__).joinpath(name) for name in FOLDERS]
    found = {file.name: file for each in folders for file in each.iterdir() if file.name.rpartition(".")[2] in TYPES}
    return {name: (found[name].read_text(encoding="utf-8"), TYPES[name.rpartition(".")[2]]) for name in sorted(found)}


@cache
def modules(first: str) -> tuple[str, ...]:
    """Return the names of a module and of all that it imports."""
    found, left = set(), [first]
    while left:
        name = left.pop()
        found.add(name)
        left += set(IMPORTED.findall(static_files()[name][0])) - found
    return tuple(sorted(found))


def explorer(nonce: str) -> str:
    """Return the explorer as the server gives it, with a link to the playground."""
    return served(EXPLORER, nonce, "glassnet explorer", elsewhere='<a href="/playground">Playground</a>')


def served(page: Page, nonce: str, title: str, **places: str) -> str:
    """Return a page whose modules and style come from the server; scripts carry the nonce.

    It holds nothing of the subject, so it may be seen without a token. places: what else its template asks for.
    """
    style = "\n".join(f'<link rel="stylesheet" href="/static/{name}">' for name in page.styles)
    urls = {name: f"/static/{name}" for name in modules(page.module)}
    return _fill(page, title, urls, style, nonce=nonce, **places)


def alone(page: Page, title: str, **places: str) -> str:
    """Return a page that works from the file system: modules and style are inside."""
    style = "\n".join(f"<style>\n{static_files()[name][0]}</style>" for name in page.styles)
    urls = {
        name: f"data:text/javascript;base64,{base64.b64encode(static_files()[name][0].encode()).decode()}"
        for name in modules(page.module)
    }
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return _fill(page, title, urls, style, policy=policy, **places)


def inlined(value: Any) -> str:
    """Return JSON for an element of a page: written as an escape, "<" can't end the element, nor begin a comment."""
    return to_json(value).replace("<", "\\u003c")


def write(out: str | os.PathLike[str], subject: Subject) -> None:
    """Write one HTML file that works from the file system: network, examples, modules and style are inside.

    Raises ValueError if the network has a layer that the page can't compute.
    """
    data = f'<script type="application/json" id="glassnet">{inlined(contents(subject))}</script>'
    whole = alone(EXPLORER, subject.title, data=data)
    with replacing(out) as part:
        part.write_text(whole, encoding="utf-8")


def contents(subject: Subject) -> dict[str, Any]:
    """Return the data of a page without a server: the network, its numbers, and examples."""
    net = subject.net
    part = subject.part_with_rows()
    rows = range(min(EXAMPLES, len(getattr(subject.data, part))))
    return {
        "network": describe(subject, len(rows)),
        "frozen": frozen(net, net.n_in or subject.data.n_in, getattr(subject.data, part).x.dtype),
        "examples": [example(subject, part, row) for row in rows],
        "load": load_lines(subject),
    }


def _fill(page: Page, title: str, urls: dict[str, str], style: str, **places: str) -> str:
    """The page's template with its places filled. Modules import each other by the names in the import map."""
    text = resources.files(__package__).joinpath(page.folder, "index.html").read_text(encoding="utf-8")
    imports = {f"glassnet/{name}": url for name, url in urls.items()}
    known = {"title": html.escape(title), "style": style, "importmap": json.dumps({"imports": imports})} | places
    return PLACE.sub(lambda found: known.get(found[1], ""), text)
