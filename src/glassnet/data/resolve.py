"""Places of published files: the user's data folder, then the cache, then a download into the cache."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from glassnet.data.archive import Archive
from glassnet.data.download import TIMEOUT, download
from glassnet.files import cache_folder

VARIABLE = "GLASSNET_DATA"

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FileState:
    """A published file on this machine. `path` is its place or, if it is missing, the place where it would be kept."""

    path: Path
    state: Literal["ok", "corrupted", "missing"]


def user_folder() -> Path | None:
    """The folder that GLASSNET_DATA names, if it is set. Raises ValueError if that is not a folder."""
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise ValueError(f"{VARIABLE} is set to {name}, which is not a folder; correct it or unset it")
    return folder


def find(archive: Archive) -> Path | None:
    """The path from which `read` would take an archive, or None if it would download it."""
    user = user_folder()
    return (user and archive.within(user)) or archive.within(cache_folder())


def read(archive: Archive, timeout: float = TIMEOUT) -> bytes | bytearray:
    """Find or download an archive and return its content, verified every time.

    A corrupted file in the cache is downloaded anew. A corrupted file in the user's own folder is left alone
    and raises ValueError. Raises OSError if every mirror fails. Each has `timeout` seconds.
    """
    user = user_folder()
    if user and (path := archive.within(user)):
        try:
            return archive.content(path)
        except ValueError as error:
            raise ValueError(f"{path} is corrupted ({error}); replace it, or remove it to use a download") from error
    cache = cache_folder()
    if path := archive.within(cache):
        try:
            return archive.content(path)
        except ValueError as error:
            log.warning("%s is corrupted (%s): downloading it anew", path, error)
    return download(archive, cache, timeout)


def state_of(archive: Archive) -> FileState:
    """Hash the archive where it is found, without downloading anything."""
    path = find(archive)
    if path is None:
        return FileState(cache_folder() / archive.path, "missing")
    try:
        archive.content(path)
    except ValueError:
        return FileState(path, "corrupted")
    return FileState(path, "ok")
