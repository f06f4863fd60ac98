"""Downloads: from one mirror after the other, into place only when the content is verified."""

from __future__ import annotations

import logging
from pathlib import Path

from glassnet.data.archive import Archive
from glassnet.extras import need
from glassnet.files import replacing
from glassnet.terminal import bar_fits

TIMEOUT = 30.0  # seconds without a connection, or without a byte, after which a mirror counts as dead
CHUNK = 1 << 16  # bytes

log: logging.Logger = logging.getLogger(__name__)


def download(archive: Archive, folder: Path, timeout: float = TIMEOUT) -> bytes | bytearray:
    """Download an archive to its place below `folder` and return its verified content.

    A progress bar goes to standard error if that is a terminal. The file appears under its name only whole and
    verified, and replaces an older one. `timeout` is in seconds. Raises OSError, in one line, if every mirror fails or
    the folder can't be written.
    """
    need("data", "pooch", "requests")
    import requests
    from pooch import HTTPDownloader

    get = HTTPDownloader(progressbar=bar_fits(), chunk_size=CHUNK, timeout=timeout)
    place = folder / archive.path
    failures = []
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        for url in archive.urls:
            log.info("downloading %s", url)
            try:
                with replacing(place) as part:
                    get(url, str(part), None)
                    return archive.content(part)
            except (requests.RequestException, ValueError) as error:
                failures.append(f"{url} ({_in_short(error, timeout)})")
                log.info("%s failed: %s", url, error)
    except OSError as error:
        raise OSError(
            f"{archive.path} can't be kept at {place} ({error.strerror or error}); {_by_hand(archive, None)}"
        ) from error
    raise OSError(f"{archive.path} isn't here and no mirror gave it: {', '.join(failures)}; {_by_hand(archive, place)}")


def _in_short(error: Exception, timeout: float) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):  # a slow body isn't a requests.Timeout
        return f"no answer for {timeout:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "connection lost half-way"
    if isinstance(error, requests.RequestException):
        return "no connection"
    return str(error)


def _by_hand(archive: Archive, place: Path | None) -> str:
    either = f"save it as {place}, or " if place else ""
    return (
        f"to place it by hand, download it elsewhere and {either}put it into any folder as {archive.path} "
        f"and set the environment variable GLASSNET_DATA to that folder; glassnet data verify lists every file"
    )
