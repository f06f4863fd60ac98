"""Tables in a page of Markdown, between markers such as <!-- results --> and <!-- end of results -->."""

from __future__ import annotations

from pathlib import Path

from glassnet.files import replacing


def put(page: Path, **texts: str) -> None:
    """Write each text between the markers of its name, in place of what stood there."""
    whole = page.read_text(encoding="utf-8")
    for marker, text in texts.items():
        before, rest = whole.split(f"<!-- {marker} -->\n")
        after = rest.split(f"<!-- end of {marker} -->")[1]
        whole = f"{before}<!-- {marker} -->\n{text}\n<!-- end of {marker} -->{after}"
    with replacing(page) as part:
        part.write_text(whole, encoding="utf-8")
