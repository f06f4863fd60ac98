"""The playground: a page that builds networks and trains them itself, by the library's kernels."""

from __future__ import annotations

import base64
import os

from glassnet.explore import page
from glassnet.explore.catalog import catalog
from glassnet.explore.engine import FILE
from glassnet.files import replacing

TITLE = "glassnet playground"


def contents() -> dict[str, str]:
    """Return what the page needs of the library: its description, and its kernels."""
    return {"catalog": page.inlined(catalog()), "kernels": base64.b64encode(FILE.read_bytes()).decode("ascii")}


def served(nonce: str) -> str:
    """Return the page as the server gives it, with a link to the explorer; scripts carry the nonce."""
    elsewhere = '<a href="/" id="explorer">A trained network, number by number</a>'
    return page.served(page.PLAYGROUND, nonce, TITLE, elsewhere=elsewhere, **contents())


def write_playground(out: str | os.PathLike[str]) -> None:
    """Write the playground as one HTML file that trains without a server."""
    whole = page.alone(page.PLAYGROUND, TITLE, **contents())
    with replacing(out) as part:
        part.write_text(whole, encoding="utf-8")
