"""The directive `playground`: a part of the playground on a page, with a network of its own, which is trained there."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from glassnet import explore

# In pixels: height. The rest is a state of the playground, as its links hold it.
FIGURES: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


class Playground(SphinxDirective):
    """A figure of playgrounds.json; the content says what to do with it."""

    required_arguments = 1
    has_content = True

    def run(self) -> Sequence[nodes.Node]:
        """Write a frame that shows the page, and the sentence below it."""
        figure = dict(FIGURES[self.arguments[0]])
        height = figure.pop("height")
        state = base64.urlsafe_b64encode(json.dumps(figure).encode()).decode().rstrip("=")
        up = "../" * self.env.docname.count("/")
        title = f"A figure to play with: {self.arguments[0]}"
        html = (
            f'<iframe class="playground" title="{title}" loading="lazy" src="{up}_static/playground.html#{state}"'
            f' style="height: {height}px"></iframe>'
        )
        return [nodes.raw("", html, format="html"), *self.parse_content_to_nodes()]


def write(app: Sphinx, error: Exception | None) -> None:
    """Put the page beside the others."""
    if error is None and app.builder.format == "html":
        explore.write_playground(Path(app.outdir) / "_static" / "playground.html")


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the above."""
    app.add_directive("playground", Playground)
    app.connect("build-finished", write)
