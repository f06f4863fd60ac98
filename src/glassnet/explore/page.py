"""The page: as the server gives it, and as one file that needs no server."""

from __future__ import annotations

import base64
import html
import json
import os
import re
from functools import cache
from importlib import resources
from typing import Any

from glassnet.explore.code import load_lines
from glassnet.explore.encoding import packed, to_json
from glassnet.explore.network_view import describe, example
from glassnet.explore.subject import Subject
from glassnet.files import replacing

TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
EXAMPLES = 25  # rows of the test part that go with the page
# Nothing is asked of any machine: all that the page needs is inside.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
)


@cache
def static_files() -> dict[str, tuple[str, str]]:
    """Return the modules and the style sheet by name: the text and its media type. There are no others."""
    folder = resources.files(__package__).joinpath("static")
    found = {file.name: file for file in folder.iterdir() if file.name.rpartition(".")[2] in TYPES}
    return {name: (found[name].read_text(encoding="utf-8"), TYPES[name.rpartition(".")[2]]) for name in sorted(found)}


@cache
def computed_layers() -> frozenset[str]:
    """Return the layers that static/layers.js computes, for the page that has no library behind it."""
    listed = static_files()["layers.js"][0].partition("export const LAYERS = {")[2].partition("}")[0]
    return frozenset(re.findall(r"\w+", listed))


def served(nonce: str) -> str:
    """Return the page whose modules, style and numbers come from the server; scripts carry the nonce.

    It holds nothing of the subject, so it may be seen without a token.
    """
    style = "\n".join(f'<link rel="stylesheet" href="/static/{name}">' for name in _names("css"))
    modules = {name: f"/static/{name}" for name in _names("js")}
    return _fill("glassnet explorer", nonce=nonce, modules=modules, style=style)


def write(out: str | os.PathLike[str], subject: Subject) -> None:
    """Write one HTML file that works from the file system: network, examples, modules and style are inside.

    Raises ValueError if the network has a layer that the page can't compute.
    """
    net = subject.net
    unknown = [layer for layer in net.layers if type(layer).__name__ not in computed_layers()]
    if unknown:
        raise ValueError(f"a page without a server can't compute {unknown[0]!r}: leave out --out, and use the server")
    style = "\n".join(f"<style>\n{static_files()[name][0]}</style>" for name in _names("css"))
    modules = {
        name: f"data:text/javascript;base64,{base64.b64encode(static_files()[name][0].encode()).decode()}"
        for name in _names("js")
    }
    # Written as an escape, "<" can't end the element that holds the data, nor begin a comment in it.
    data = to_json(contents(subject)).replace("<", "\\u003c")
    whole = _fill(
        subject.title,
        modules=modules,
        style=style,
        policy=f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        data=f'<script type="application/json" id="glassnet">{data}</script>',
    )
    with replacing(out) as part:
        part.write_text(whole, encoding="utf-8")


def contents(subject: Subject) -> dict[str, Any]:
    """Return the data of a page without a server: the network, its numbers, and examples."""
    net = subject.net
    part = subject.part_with_rows()
    rows = range(min(EXAMPLES, len(getattr(subject.data, part))))
    return {
        "network": describe(subject, len(rows)),
        "layers": [
            {
                "type": type(layer).__name__,
                "config": layer.config(),
                "formula": layer.formula,
                "note": layer.note,
                "arrays": {name: packed(getattr(layer, name)) for name in (*layer.parameters, *layer.state)},
            }
            for layer in net.layers
        ],
        "examples": [example(subject, part, row) for row in rows],
        "load": load_lines(subject),
    }


def _names(ending: str) -> list[str]:
    return [name for name in static_files() if name.endswith(f".{ending}")]


def _fill(title: str, modules: dict[str, str], style: str, nonce: str = "", policy: str = "", data: str = "") -> str:
    """The template with its places filled. Modules import each other by the names in the import map."""
    text = resources.files(__package__).joinpath("static", "index.html").read_text(encoding="utf-8")
    imports = {f"glassnet/{name}": url for name, url in modules.items()}
    for place, value in (
        ("title", html.escape(title)),
        ("nonce", nonce),
        ("policy", policy),
        ("style", style),
        ("importmap", json.dumps({"imports": imports})),
        ("data", data),
    ):
        text = text.replace(f"{{{{ {place} }}}}", value)
    return text
