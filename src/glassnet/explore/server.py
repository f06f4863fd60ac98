"""The explorer's server: it gives out the page, and answers its questions on loopback."""

from __future__ import annotations

import contextlib
import html
import inspect
import ipaddress
import os
import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.explore import page, play
from glassnet.explore.connections import MOST, PATIENCE, limited
from glassnet.explore.encoding import to_json
from glassnet.explore.guard import HEADERS, PLAYGROUND, Guard, RefusedError, json_body
from glassnet.explore.session import Session
from glassnet.explore.subject import Subject
from glassnet.explore.trainer import NotNowError
from glassnet.extras import need
from glassnet.files import scratch
from glassnet.program import keeping
from glassnet.terminal import say

if TYPE_CHECKING:
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

GET = ("network", "example", "weights", "progress")
POST = ("forward", "equation", "trace", "parameter", "check", "train", "settings", "scrub", "code", "contributions")


def application(session: Session, token: str, host: str, port: int) -> ASGIApp:
    """Return the ASGI application that answers for a session. Its answers need the token."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect
    from starlette.responses import HTMLResponse, Response
    from starlette.routing import Route

    def answer(value: dict[str, Any], status: int = 200) -> Response:
        return Response(to_json(value), status, media_type="application/json")

    def showing(make: Callable[[str], str], also: str = "") -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            nonce = secrets.token_urlsafe(16)
            policy = HEADERS["Content-Security-Policy"] + f"; script-src 'self' 'nonce-{nonce}'{also}"
            return HTMLResponse(make(nonce), headers={"Content-Security-Policy": policy})

        return endpoint

    async def static(request: Request) -> Response:
        found = page.static_files().get(request.path_params["name"])
        if found is None:
            return answer({"error": "there is no such file"}, 404)
        return Response(found[0], media_type=found[1])

    def asking(method: Callable[..., dict[str, Any]]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            given = dict(request.query_params) if request.method == "GET" else await json_body(request)
            return answer(await run_in_threadpool(partial(method, **_arguments(method, given))))

        return endpoint

    def refused(request: Request, error: Exception) -> Response:
        status = getattr(error, "status", None) or getattr(error, "status_code", None)
        status = status or (409 if isinstance(error, NotNowError) else 422)
        return answer({"error": " ".join(str(getattr(error, "detail", error)).split())}, status)

    routes = [Route("/", showing(page.explorer)), Route("/static/{name}", static)]
    routes.append(Route(PLAYGROUND, showing(play.served, " 'wasm-unsafe-eval'")))
    routes += [Route(f"/api/{name}", asking(getattr(session, name))) for name in GET]
    routes += [Route(f"/api/{name}", asking(getattr(session, name)), methods=["POST"]) for name in POST]
    handlers: dict[Any, Any] = {ClientDisconnect: lambda *_: Response()}  # nobody is there to read it
    handlers |= dict.fromkeys((RefusedError, NotNowError, ValueError, HTTPException), refused)
    return Guard(Starlette(routes=routes, exception_handlers=handlers), token, host, port)


def _arguments(method: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """The given arguments that the method takes. Raises RefusedError if one that it needs is missing."""
    parameters = inspect.signature(method).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name, p in parameters.items():
        if p.kind is not p.VAR_KEYWORD and p.default is p.empty and name not in given:
            raise RefusedError(422, f"{name} is missing")
    return {name: value for name, value in given.items() if takes_all or name in parameters}


def check_installed() -> None:
    """Raise NotInstalledError if Starlette or uvicorn isn't installed."""
    need("explore", "starlette", "uvicorn")


class Server:
    """The explorer as a running server. `run` serves until Ctrl-C or `stop`.

    `url` and `playground` are the addresses of its two pages.
    Raises NotInstalledError without Starlette and uvicorn, ValueError if host or port isn't one, OSError if the address
    can't be had. port 0 is any free one. patience, most: see `connections.limited`.
    """

    def __init__(
        self, subject: Subject, host: str = "127.0.0.1", port: int = 0, *, patience: float = PATIENCE, most: int = MOST
    ) -> None:
        check_installed()
        import uvicorn

        self.socket: socket.socket = _listen(host, port)
        port = self.socket.getsockname()[1]
        self.token: str = secrets.token_urlsafe(24)
        self.origin: str = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self.url: str = f"{self.origin}/?token={self.token}"
        self.playground: str = f"{self.origin}{PLAYGROUND}?token={self.token}"
        self.session: Session = Session(subject)
        config = uvicorn.Config(
            application(self.session, self.token, host, port),
            log_level="warning",
            access_log=False,
            lifespan="off",
            http=limited(patience, most),
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=1,
        )
        self.server: uvicorn.Server = uvicorn.Server(config)

    def run(self) -> None:
        """Answer until Ctrl-C, or `stop` from another thread."""
        try:
            with contextlib.suppress(KeyboardInterrupt):  # uvicorn has ended cleanly, and passes it on
                self.server.run(sockets=[self.socket])
        finally:
            self.session.close()
            self.socket.close()

    def stop(self) -> None:
        """Let `run` return."""
        self.server.should_exit = True


def serve(
    subject: Subject, host: str = "127.0.0.1", port: int = 0, browser: bool = True, playground: bool = False
) -> None:
    """Serve the explorer until Ctrl-C: print its address and open it in the browser. Raises as `Server`.

    playground: open the playground, which has a link to the subject.
    """
    server = Server(subject, host, port)
    url = server.playground if playground else server.url
    say(f"{'playground' if playground else subject.title}: {url}\nCtrl-C stops the explorer, and a training with it")
    with keeping(), scratch() as folder:
        if browser:
            way = _way_in(folder, url)
            threading.Thread(target=webbrowser.open, args=(way.as_uri(),), daemon=True).start()
        server.run()


def _way_in(folder: Path, url: str) -> Path:
    """Write a page that goes on to the address. On the browser's command line, any user could read the token."""
    way = folder / "explorer.html"
    way.touch(mode=0o600)
    refresh = f'<meta http-equiv="refresh" content="0; url={html.escape(url)}">'
    way.write_text(f'<!doctype html><meta charset="utf-8">{refresh}<title>glassnet explorer</title>', encoding="utf-8")
    return way


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises ValueError for a port or a host that is none, OSError if it can't be had."""
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be 0 to 65535, not {port}")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if ipaddress.ip_address(address[0]).is_unspecified:
            raise ValueError(f"{host} is every address, and the page has one: give this machine's own address as host")
        # asyncio sends answers at once only on sockets whose protocol is given. Otherwise each takes 40 ms (Nagle).
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":  # a port that was just left may be taken again
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen()
        except BaseException:
            listening.close()
            raise
        return listening
    except UnicodeError:  # from the codec of host names
        raise ValueError(f"{host!r} is no host name or address: choose another host") from None
    except OSError as error:
        raise OSError(
            f"can't listen at {host}, port {port} ({error.strerror}): choose another --port or --host"
        ) from None
