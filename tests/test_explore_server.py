"""The explorer's server: who is answered, who isn't, and how it runs, stops and trains."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the extra explore isn't installed")
pytest.importorskip("httpx2", reason="httpx2, which Starlette's test client needs, isn't installed")

from starlette.testclient import TestClient

from glassnet import explore, recipes
from glassnet.explore import page
from glassnet.explore.encoding import to_json
from glassnet.explore.guard import LIMIT
from glassnet.explore.server import application
from glassnet.explore.session import Session
from glassnet.explore.subject import open_subject
from small_packs import SMALL_PACK

TOKEN, HOST, PORT = "a-token", "127.0.0.1", 8000
WITH_TOKEN = {"X-Glassnet-Token": TOKEN}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    session = Session(explore.open_subject("diabetes"))
    yield session
    session.close()


@pytest.fixture
def client(session: Session) -> TestClient:
    return TestClient(application(session, TOKEN, HOST, PORT), base_url=f"http://{HOST}:{PORT}")


def test_the_page_and_its_modules(client: TestClient) -> None:
    answer = client.get("/", params={"token": TOKEN})
    assert answer.status_code == 200
    assert "{{" not in answer.text
    policy = answer.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([\w-]+)'", policy)
    assert nonce
    assert "default-src 'self'" in policy
    scripts = re.findall(r"<script[^>]*>", answer.text)
    assert all(f'nonce="{nonce[1]}"' in script for script in scripts)
    assert nonce[1] not in client.get("/", params={"token": TOKEN}).text
    assert TOKEN not in answer.text
    assert "<title>glassnet explorer</title>" in answer.text  # the bare page tells nothing of what is explored
    names = re.findall(r'"/static/([^"]+)"', answer.text)
    assert set(names) == {*page.modules("main.js"), *page.EXPLORER.styles}
    assert "main.js" in names
    for name in names:
        static = client.get(f"/static/{name}")  # modules can't bring a token along
        assert static.text == page.static_files()[name][0]
        assert static.headers["x-content-type-options"] == "nosniff"
        assert static.headers["content-type"].startswith("text/css" if name.endswith("css") else "text/javascript")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 200),
        ("/", {"Host": "evil.example:8000"}, 403),
        ("/", {"Origin": "http://evil.example"}, 403),
        ("/?token=", {}, 403),
        ("/?token=wrong", {}, 403),
        (f"/?token={TOKEN}&token={TOKEN}", {}, 403),
        ("/?token=%C3%A4", {}, 403),
        (f"/?token={TOKEN}", {"Host": "evil.example:8000"}, 403),
        (f"/?token={TOKEN}", {"Host": "127.0.0.1"}, 403),
        (f"/?token={TOKEN}", {"Host": "127.0.0.1:8001"}, 403),
        (f"/?token={TOKEN}", {"Host": "localhost:8000"}, 200),
        (f"/?token={TOKEN}", {"Host": "[::1]:8000"}, 200),
        ("/api/network", {}, 403),
        (f"/api/network?token={TOKEN}", {}, 403),
        ("/api/network", {"X-Glassnet-Token": TOKEN + "x"}, 403),
        ("/api/network", WITH_TOKEN, 200),
        ("/api/network", WITH_TOKEN | {"Origin": "http://127.0.0.1:8000"}, 200),
        ("/api/network", WITH_TOKEN | {"Origin": "http://localhost:8000"}, 403),
        ("/api/network", WITH_TOKEN | {"Origin": "https://127.0.0.1:8000"}, 403),
        ("/api/network", WITH_TOKEN | {"Origin": "http://evil.example"}, 403),
        ("/api/network", WITH_TOKEN | {"Origin": "null"}, 403),
        ("/static/main.js", {"Origin": "http://evil.example"}, 403),
        ("/static/main.js", {"Host": "evil.example"}, 403),
        ("/static/..%2fserver.py", {}, 404),
        ("/static/../server.py", {}, 403),
        ("/static/server.py", {}, 404),
        ("/static/index.html", {}, 404),
        ("/nothing", WITH_TOKEN, 404),
        ("/api/forward", WITH_TOKEN, 405),
        ("/api/example?part=test&row=88", WITH_TOKEN, 422),
        ("/api/example?part=test&row=87", WITH_TOKEN, 200),
        ("/api/example?part=test", WITH_TOKEN, 422),
        ("/api/weights?name=../../x", WITH_TOKEN, 422),
        ("/api/progress?since=-1", WITH_TOKEN, 422),
        ("/api/progress", WITH_TOKEN, 200),
    ],
)
def test_who_is_answered(client: TestClient, path: str, headers: dict[str, str], status: int) -> None:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    if status != 200:
        assert list(answer.json()) == ["error"]
        assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b"x=[1]", "application/json", 422),
        (b"[1]", "application/json", 422),
        (b"{}", "application/json", 422),
        (b"\xff{}", "application/json", 422),
        (b"[" * 100_000, "application/json", 422),
        (b'{"x": [NaN]}', "application/json", 422),
        (b'{"x": [1, 2, 3]}', "application/json", 422),
        (b" " * (LIMIT + 1), "application/json", 413),
        (b'{"x": [1,2,3,4,5,6,7,8,9,10]}', "application/json; charset=utf-8", 200),
    ],
)
def test_bodies(client: TestClient, body: bytes, kind: str, status: int) -> None:
    headers = WITH_TOKEN | {"Content-Type": kind}
    assert client.post("/api/forward", content=body, headers=headers).status_code == status

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    assert client.post("/api/forward", content=chunks(), headers=headers).status_code == status


ROW = list(range(10))


@pytest.mark.parametrize(
    ("name", "body", "fault"),
    [
        ("code", {}, "view is missing"),
        ("code", {"view": "equation", "x": ROW, "target": 1, "layer": 99, "unit": 0}, "no layer 99"),
        ("code", {"view": "equation", "x": ROW, "target": 1, "layer": 1, "unit": 999}, "no unit 999"),
        ("code", {"view": "check", "x": ROW, "target": 1, "name": "1.W", "index": [99, 0]}, "no entry"),
        ("code", {"view": "check", "x": ROW, "target": 1, "name": "1.W", "index": [0]}, "no entry"),
        ("code", {"view": "check", "x": ROW, "target": 1, "name": "1.W", "index": 5}, "list"),
        ("code", {"view": "check", "x": ROW, "target": 1, "name": [], "index": [0]}, "no parameter"),
        ("settings", {"self": 1}, "no setting 'self'"),
        ("settings", {"func": 1}, "no setting 'func'"),
        ("settings", {"lr": 10**400}, "lr must be a number"),
        ("forward", {"x": [10**400, *ROW[1:]]}, "finite"),
        ("forward", {"x": [10**5000, *ROW[1:]]}, "JSON"),
        ("trace", {"x": ROW, "target": 10**400}, "finite"),
        ("train", {"action": []}, "no action"),
        ("train", {"action": {}}, "no action"),
        ("train", {}, "action is missing"),
    ],
)
def test_nonsense_is_answered_in_one_line(client: TestClient, name: str, body: dict[str, Any], fault: str) -> None:
    sys.set_int_max_str_digits(0)
    try:
        content = json.dumps(body)
    finally:
        sys.set_int_max_str_digits(4300)
    answer = client.post(f"/api/{name}", content=content, headers=WITH_TOKEN | {"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert fault in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_what_does_not_go_together_is_a_conflict(client: TestClient) -> None:
    assert client.post("/api/train", json={"action": "start"}, headers=WITH_TOKEN).json()["running"]
    try:
        answer = client.post("/api/scrub", json={"epoch": 0}, headers=WITH_TOKEN)
        assert (answer.status_code, answer.json()) == (409, {"error": "pause the training first"})
    finally:
        paused = client.post("/api/train", json={"action": "pause"}, headers=WITH_TOKEN).json()
    assert not paused["running"]
    assert client.post("/api/settings", json={"lr": -1}, headers=WITH_TOKEN).status_code == 422
    changed = client.post("/api/settings", json={"lr": 0.5}, headers=WITH_TOKEN).json()
    assert changed == {"lr": 0.5, "momentum": None, "batch_size": 32}


# A real server


@pytest.mark.parametrize(
    ("host", "port", "fault"),
    [
        ("127.0.0.1", 70000, "port must be 0 to 65535, not 70000"),
        ("127.0.0.1", -1, "port must be 0 to 65535"),
        ("0.0.0.0", 0, "own address"),
        ("0", 0, "own address"),
        ("::", 0, "own address"),
        ("a" * 80, 0, "no host name"),
    ],
)
def test_where_it_does_not_listen(session: Session, host: str, port: int, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as refusal:
        explore.Server(session.subject, host, port)
    assert "\n" not in str(refusal.value)


def test_the_browser_is_not_given_the_token_on_its_command_line(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    seen: list[tuple[int, int, str]] = []

    def run(server: explore.Server) -> None:
        while not opened:
            time.sleep(0.01)
        way = Path(url2pathname(urlsplit(opened[0]).path))
        seen.append((way.stat().st_mode & 0o777, way.parent.stat().st_mode & 0o777, way.read_text(encoding="utf-8")))
        server.session.close()
        server.socket.close()

    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(explore.Server, "run", run)
    explore.serve(session.subject)
    url = capsys.readouterr().out.splitlines()[0].split()[-1]
    assert opened[0].startswith("file:")
    assert parse_qs(urlsplit(url).query)["token"][0] not in opened[0]
    mode, folder, content = seen[0]
    assert f'content="0; url={url}"' in content
    if sys.platform != "win32":
        assert (mode, folder) == (0o600, 0o700)
    assert not Path(url2pathname(urlsplit(opened[0]).path)).parent.exists()


class Asking:
    """What the page does, on one connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.token = parse_qs(parts.query)["token"][0]
        self.connection = http.client.HTTPConnection(parts.netloc, timeout=10)

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def __call__(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"X-Glassnet-Token": self.token, "Content-Type": "application/json"}
        method = "GET" if body is None else "POST"
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        return json.loads(content)


def test_a_training_goes_on_without_its_browser() -> None:
    server = explore.Server(explore.open_subject("digits"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with Asking(server.url) as ask:
            x = ask("/api/example?part=test&row=0")["x"]
            assert ask("/api/forward", {"x": x})["layers"]
            assert server.socket.proto == socket.IPPROTO_TCP  # else asyncio sends by Nagle's algorithm: 40 ms a stroke
            before = ask("/api/train", {"action": "start"})["step"]
        time.sleep(0.1)  # the browser has gone
        with Asking(server.url) as ask:
            later = ask("/api/progress")
            assert later["running"]
            end = time.monotonic() + 10
            while ask("/api/progress")["step"] <= max(before, later["step"]):
                assert time.monotonic() < end
                time.sleep(0.01)
        with pytest.raises(OSError, match=r"can't listen at 127\.0\.0\.1, port .*choose another --port"):
            explore.Server(server.session.subject, port=int(urlsplit(server.url).port or 0))
    finally:
        server.stop()
        thread.join(timeout=20)
    assert not thread.is_alive()
    assert not server.session.trainer.progress()["running"]


@contextmanager
def serving(**limits: Any) -> Iterator[explore.Server]:
    server = explore.Server(explore.open_subject("diabetes"), **limits)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(timeout=20)


def connect(server: explore.Server, sent: bytes = b"") -> socket.socket:
    parts = urlsplit(server.url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20)
    connection.sendall(sent)
    return connection


def is_closed(connection: socket.socket) -> bool:
    """Wait until the other side has closed it, and say so; what comes before is read."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


HALF_BODY = b"POST /api/forward HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nX-Glassnet-Token: %s\r\n"
HALF_BODY += b"Content-Length: 1000\r\n\r\n{"


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\n", b"body", b"second"])
def test_a_request_that_is_never_finished_is_not_waited_for_without_end(sent: bytes) -> None:
    with serving(patience=0.2) as server:
        host, token = urlsplit(server.url).netloc.encode(), server.token.encode()
        second = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\nGET" % host
        sent = {b"body": HALF_BODY % (host, token), b"second": second}.get(sent, sent)
        with connect(server, sent) as connection:
            assert is_closed(connection)
        with Asking(server.url) as ask:
            assert ask("/api/network")


def test_more_connections_than_a_few_browsers_open_are_closed() -> None:
    with serving(patience=600.0, most=8) as server, ExitStack() as stack:
        silent = [stack.enter_context(connect(server)) for _ in range(8)]
        for _ in range(20):
            with connect(server) as other:
                assert is_closed(other)
        for connection in silent:
            connection.close()
        until(lambda: not server.server.server_state.connections)
        with Asking(server.url) as ask:
            assert ask("/api/network")


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither these signals nor locks of folders")
def test_nothing_is_left_for_good_whatever_ends_the_explorer(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary), "BROWSER": "true"}
    command = [sys.executable, "-m", "glassnet", "explore", "diabetes"]
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
        ) as process:
            assert process.stdout
            url = process.stdout.readline().split()[-1]
            until(lambda: list(temporary.glob(".glassnet-*/explorer.html")))
            parts = urlsplit(url)
            sent = HALF_BODY % (parts.netloc.encode(), parse_qs(parts.query)["token"][0].encode())
            with socket.create_connection((parts.hostname or "", parts.port or 0)) as leaving:
                leaving.sendall(sent)
            with Asking(url) as ask:
                assert ask("/api/network")
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors
        assert len(list(temporary.glob(".glassnet-*"))) == (number == signal.SIGKILL)


def test_the_terminal_serves_until_ctrl_c(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "glassnet", "explore", "diabetes", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", url)
        with Asking(url) as ask:
            assert ask("/api/train", {"action": "start"})["running"]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.parametrize("dim", [[], ["network.category_dim=2"]], ids=["columns", "embedded"])
def test_a_table_with_categories_and_missing_values(tmp_path: Path, dim: list[str]) -> None:
    rng = np.random.default_rng(0)
    x = ["" if i % 9 == 0 else f"{rng.normal():.3f}" for i in range(90)]
    rows = [f"{x[i]},{'abc'[i % 3]},{i % 7 + rng.normal():.3f}" for i in range(90)]
    (tmp_path / "t.csv").write_text("\n".join(["x,kind,y", *rows]))
    recipes.train(recipes.choose(str(tmp_path / "t.csv"), target="y", changes=[*SMALL_PACK, *dim]), tmp_path / "run")
    session = Session(open_subject(str(tmp_path / "run")))
    try:
        assert session.network()["ranges"][0]["min"] < 0 < session.network()["ranges"][0]["max"]
        parts = [("train", i) for i in range(20)]
        row = next(e for e in (session.example(*p) for p in parts) if e["x"][0] is None)
        forward = session.forward(row["x"])
        assert np.isfinite(forward["layers"][-1]["output"][0])
        assert np.isfinite(session.trace(row["x"], row["target"])["loss"])
        to_json([session.network(), row, forward])
        with pytest.raises(ValueError, match="x must be a list of 2 finite numbers"):
            session.forward([float("nan"), 0.0])
    finally:
        session.close()
