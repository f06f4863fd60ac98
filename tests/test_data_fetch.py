"""Finding and downloading published files, against a web server of our own on this machine."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from glassnet.data import catalog, resolve
from glassnet.data.archive import Archive, gunzip
from glassnet.files import cache_folder

CONTENT = bytes(range(256)) * 64
PACKED = gzip.compress(CONTENT, mtime=0)
PATH = "letters/letters.gz"


class Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        if self.path == "/missing":
            self.send_error(404)
            return
        body = {"/wrong": gzip.compress(b"something else"), "/truncated": PACKED[:-20]}.get(self.path, PACKED)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + (100 if self.path == "/interrupted" else 0)))
        self.end_headers()
        if self.path == "/stalling":
            self.wfile.write(body[:10])
        if self.path in ("/slow", "/stalling"):
            self.server.closing.wait(5)
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the base class's name
        pass


class Mirror(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.closing = threading.Event()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


@pytest.fixture
def mirror(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Mirror() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> Path:
    folder = tmp_path / "mine"
    (folder / PATH).parent.mkdir(parents=True)
    monkeypatch.setenv("GLASSNET_DATA", str(folder))
    return folder


def archive(*urls: str) -> Archive:
    size = len(CONTENT)
    return Archive(PATH, urls, hashlib.sha256(CONTENT).hexdigest(), size, partial(gunzip, limit=size))


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def cached(folder: Path, packed: bytes, name: str = PATH) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed)
    return path


def test_download_is_verified_and_kept(mirror: Mirror, empty_cache: Path) -> None:
    letters = archive(mirror.url("good"))
    assert resolve.state_of(letters) == resolve.FileState(empty_cache / PATH, "missing")
    assert resolve.read(letters) == CONTENT
    assert files(empty_cache) == [PATH]
    assert (empty_cache / PATH).read_bytes() == PACKED
    assert resolve.read(letters) == CONTENT
    assert mirror.requests == ["/good"]  # the second time from the cache
    assert resolve.state_of(letters) == resolve.FileState(empty_cache / PATH, "ok")


def test_nothing_is_printed_where_standard_error_is_not_a_terminal(
    mirror: Mirror, capfd: pytest.CaptureFixture[str]
) -> None:
    resolve.read(archive(mirror.url("good")))
    assert capfd.readouterr() == ("", "")


def test_a_terminal_shows_progress(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    resolve.read(archive(mirror.url("good")))
    out, err = capsys.readouterr()
    assert out == ""
    assert "100%" in err


@pytest.mark.parametrize("bad", ["missing", "wrong", "truncated", "interrupted", "slow", "stalling"])
def test_a_bad_mirror_is_followed_by_the_next(mirror: Mirror, empty_cache: Path, bad: str) -> None:
    letters = archive(mirror.url(bad), mirror.url("good"))
    assert resolve.read(letters, timeout=0.2) == CONTENT
    assert mirror.requests == [f"/{bad}", "/good"]
    assert files(empty_cache) == [PATH]


def test_a_mirror_that_refuses_connections_is_followed_by_the_next(mirror: Mirror) -> None:
    assert resolve.read(archive(unused(), mirror.url("good"))) == CONTENT
    assert mirror.requests == ["/good"]


def unused() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/good"


def test_one_error_says_what_was_tried_and_how_to_place_the_file(mirror: Mirror, empty_cache: Path) -> None:
    bad = ["missing", "wrong", "truncated", "interrupted", "slow", "stalling"]
    urls = [unused(), *map(mirror.url, bad)]
    with pytest.raises(OSError, match="no mirror gave it") as caught:
        resolve.read(archive(*urls), timeout=0.2)
    line = str(caught.value)
    reasons = [
        "no connection",
        "HTTP status 404",
        "wrong content: SHA-256 ",
        "truncated, or another kind of file",
        "connection lost half-way",
        "no answer for 0.2 s",
        "no answer for 0.2 s",
    ]
    for url, reason in zip(urls, reasons, strict=True):
        assert f"{url} ({reason}" in line
    assert f"save it as {empty_cache / PATH}" in line
    assert f"as {PATH} " in line
    assert "GLASSNET_DATA" in line
    assert "\n" not in line
    assert files(empty_cache) == []


def test_a_corrupted_cache_is_replaced(mirror: Mirror, empty_cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = cached(empty_cache, PACKED[:50])
    letters = archive(mirror.url("good"))
    assert resolve.state_of(letters).state == "corrupted"
    assert resolve.read(letters) == CONTENT
    assert path.read_bytes() == PACKED
    assert f"{path} is corrupted" in caplog.text


def test_a_cache_that_cannot_be_written_is_one_error(mirror: Mirror, empty_cache: Path) -> None:
    empty_cache.write_text("a file, where a folder should be")
    with pytest.raises(OSError, match=r"letters\.gz can't be kept at .*GLASSNET_DATA") as caught:
        resolve.read(archive(mirror.url("good")))
    assert "\n" not in str(caught.value)
    assert mirror.requests == []


@pytest.mark.parametrize(("name", "packed"), [(PATH, PACKED), ("letters/letters", CONTENT)])
def test_the_users_folder_comes_first(
    mirror: Mirror, empty_cache: Path, user_folder: Path, name: str, packed: bytes
) -> None:
    path = cached(user_folder, packed, name)
    cached(empty_cache, b"broken, but nobody looks")
    letters = archive(mirror.url("good"))
    assert resolve.read(letters) == CONTENT
    assert resolve.state_of(letters) == resolve.FileState(path, "ok")
    assert mirror.requests == []


def test_a_corrupted_file_of_the_user_is_an_error_and_left_alone(mirror: Mirror, user_folder: Path) -> None:
    path = cached(user_folder, b"mine")
    letters = archive(mirror.url("good"))
    with pytest.raises(ValueError, match="is corrupted") as caught:
        resolve.read(letters)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"mine"
    assert resolve.state_of(letters) == resolve.FileState(path, "corrupted")
    assert mirror.requests == []


def test_what_the_users_folder_lacks_is_looked_for_elsewhere(
    mirror: Mirror, empty_cache: Path, user_folder: Path
) -> None:
    assert resolve.read(archive(mirror.url("good"))) == CONTENT
    assert files(empty_cache) == [PATH]
    assert files(user_folder) == []


def test_a_users_folder_that_is_none_is_an_error(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=r"GLASSNET_DATA is set to .*nowhere, which is not a folder"):
        resolve.find(archive())


@pytest.mark.parametrize(
    ("system", "variable", "usual"),
    [
        ("linux", "XDG_CACHE_HOME", "/home/me/.cache/glassnet"),
        ("freebsd14", "XDG_CACHE_HOME", "/home/me/.cache/glassnet"),
        ("darwin", "XDG_CACHE_HOME", "/home/me/Library/Caches/glassnet"),
        ("win32", "LOCALAPPDATA", "/home/me/AppData/Local/glassnet"),
    ],
)
def test_the_cache_is_where_the_system_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, system: str, variable: str, usual: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv(variable, raising=False)
    assert cache_folder() == Path(usual)
    monkeypatch.setenv(variable, "/somewhere/else")
    assert cache_folder() == Path("/somewhere/else/glassnet")


@pytest.fixture
def named(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> str:
    """A data set named letters, in the place of MNIST."""
    monkeypatch.setitem(
        catalog.SOURCES,
        "letters",
        catalog.Source("letters", 1, "regression", "nobody", lambda: None, (archive(mirror.url("good")),)),
    )
    return "letters"


def test_catalog_lists_fetches_and_verifies(named: str, empty_cache: Path) -> None:
    where = {line.name: line.where for line in catalog.status()}
    assert where == {
        "mnist": "not here yet",
        "california": "not here yet",
        "digits": "inside scikit-learn",
        "diabetes": "inside scikit-learn",
        named: "not here yet",
    }
    assert [file.state for file in catalog.verify(named)] == ["missing"]
    assert catalog.fetch(named) == [resolve.FileState(empty_cache / PATH, "ok")]
    assert catalog.status()[-1].where == os.fspath(empty_cache / "letters")
    cached(empty_cache, PACKED[:-1])
    assert [file.state for file in catalog.verify(named)] == ["corrupted"]


def test_catalog_knows_what_it_does_not_know(empty_cache: Path) -> None:
    assert catalog.fetch("digits") == catalog.verify("digits") == []
    for ask in (catalog.fetch, catalog.verify):
        with pytest.raises(ValueError, match="no data set is called 'diggits'; did you mean 'digits'"):
            ask("diggits")


def test_a_failed_download_names_all_files_and_what_works_offline(
    monkeypatch: pytest.MonkeyPatch, empty_cache: Path
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no mirror gave it")

    monkeypatch.setattr("glassnet.data.resolve.download", fail)
    for ask in (catalog.load, catalog.fetch):
        with pytest.raises(OSError, match=r"gave it; mnist needs mnist/train.*digits and diabetes work"):
            ask("mnist")
