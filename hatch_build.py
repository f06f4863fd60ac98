"""What the index of packages shows beside pyproject.toml: a README whose links lead somewhere, and addresses.

In the repository, the README links to files by relative paths. On the index's page there are no such files. There the
links lead to `repository`, see pyproject.toml; where that is empty, only their text is left, and no picture.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)]+)\)")


def readme(text: str, repository: str) -> str:
    """Return the README with links to a repository on the web, or without its relative ones if there is none."""

    def link(found: re.Match[str]) -> str:
        picture, words, path = found.groups()
        if not repository:
            return "" if picture else words
        return f"{picture}[{words}]({repository}/{'raw' if picture else 'blob'}/HEAD/{path})"

    return RELATIVE.sub(link, text)


class CustomMetadataHook(MetadataHookInterface):
    """Hatchling calls it when it builds a package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in the fields that pyproject.toml calls dynamic."""
        repository = self.config["repository"].rstrip("/")
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": readme(text, repository)}
        metadata["urls"] = {}
        if repository:
            metadata["urls"] = {
                "Source": repository,
                "Documentation": f"{repository}/blob/HEAD/docs/index.md",
                "Changelog": f"{repository}/blob/HEAD/CHANGELOG.md",
                "Issues": f"{repository}/issues",
            }
