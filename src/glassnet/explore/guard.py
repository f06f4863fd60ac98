"""The guard: only the page that this server gave out may ask, and no request may be too large."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from glassnet.limits import parse_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 1_000_000  # bytes of a body
PLAYGROUND = "/playground"
PAGES = ("/", PLAYGROUND)  # what a person opens
HEADER = "x-glassnet-token"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class RefusedError(Exception):
    """A request that isn't answered: an HTTP status, and one line that says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Guard:
    """An ASGI application in front of another: it lets only requests of the page itself through.

    Host must name this server (host:port, or a loopback name), so that no other site's name can be made to point here.
    Origin, if there is one, must be this server. Every question of the page needs the token in a header. The pages
    themselves, which hold no more than the static files, may come without a token, so that they can take it out of
    their address. A wrong token is refused. All answers carry the security headers.
    """

    def __init__(self, app: ASGIApp, token: str, host: str, port: int) -> None:
        self.app = app
        self.token: bytes = token.encode()
        names = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host.lower()}
        self.hosts: set[str] = {f"{name}:{port}" for name in names} | (names if port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse to."""
        if scope["type"] != "http":  # this server has no web sockets
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message.get("headers", ())}
                more = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items() if k.lower().encode() not in given]
                message = {**message, "headers": [*message.get("headers", ()), *more]}
            await send(message)

        try:
            self.check(scope)
        except RefusedError as refusal:
            from starlette.responses import JSONResponse

            answer = JSONResponse({"error": str(refusal)}, refusal.status)
            await answer(scope, receive, with_headers)
        else:
            await self.app(scope, receive, with_headers)

    def check(self, scope: Scope) -> None:
        """Raise RefusedError unless the request comes from the page, or is the first for it."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        host = headers.get("host", [])
        if len(host) != 1 or host[0].lower() not in self.hosts:
            raise RefusedError(403, "this server answers only to its own address")
        if any(origin.lower() != f"http://{host[0].lower()}" for origin in headers.get("origin", [])):
            raise RefusedError(403, "this server answers only to its own page")
        if scope["path"].startswith("/static/"):
            return
        given = headers.get(HEADER, [])
        if scope["path"] in PAGES:
            query = scope["query_string"].decode("latin-1")
            given = parse_qs(query, keep_blank_values=True).get("token", [])
            if not given:
                return
        if len(given) != 1 or not secrets.compare_digest(given[0].encode("utf-8", "replace"), self.token):
            raise RefusedError(403, "the token is missing or wrong: open the address that the terminal shows")


async def json_body(request: Request) -> dict[str, Any]:
    """Read a body of JSON. Raises RefusedError if it is too large, of another type, or no JSON object."""
    too_large = RefusedError(413, f"the body is larger than {LIMIT:,} bytes")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, "the body must be of type application/json")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LIMIT:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():  # a chunked body doesn't say how long it will be
        body += chunk
        if len(body) > LIMIT:
            raise too_large
    try:
        value = parse_json(bytes(body), "the body")
    except ValueError as error:
        raise RefusedError(422, str(error)) from None
    if not isinstance(value, dict):
        raise RefusedError(422, "the body must be a JSON object")
    return value
