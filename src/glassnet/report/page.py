"""Pages: the templates, and their notation of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glassnet.files import replacing


@dataclass(frozen=True)
class Table:
    """A table of text: the line above it, its headings, and its rows, each led by its own heading."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def of_words(self) -> list[bool]:
        """Whether a column holds words, which stand to the left, rather than figures."""
        return [any(row[i][:1] not in "-+0123456789" for row in self.rows) for i in range(len(self.head))]


def write_page(template: str, path: Path, **content: object) -> Path:
    """Fill the template of that name and write the page to `path`, atomically; return `path`.

    Raises ValueError or OSError as `files.replacing`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("glassnet.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template).render(**content)
    with replacing(path) as part:
        part.write_text(page, encoding="utf-8")
    return path
