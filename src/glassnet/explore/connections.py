"""Limits on connections to the explorer: their number, and the time for a request."""

from __future__ import annotations

import asyncio

PATIENCE = 10.0  # seconds for a whole request, its body included
MOST = 64  # connections; a browser opens six


def limited(patience: float = PATIENCE, most: int = MOST) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol with limits. Without them it would wait for half a request without end.

    A connection is closed if its request isn't whole after `patience` seconds, or if `most` are open already.
    """
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Limited(H11Protocol):
        """HTTP with limits on connections and on their time."""

        deadline: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Begin to wait for the first request, unless there are too many connections."""
            super().connection_made(transport)
            if len(self.connections) > most:
                transport.abort()
            else:
                self.deadline = self.loop.call_later(patience, transport.abort)

        def data_received(self, data: bytes) -> None:
            """Wait no longer once the request is whole; of a next one, wait for the rest from its first byte on."""
            super().data_received(data)
            whole = self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)
            if self.deadline is not None and whole:
                self.forget()
            elif self.deadline is None and not whole:
                self.deadline = self.loop.call_later(patience, self.transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            """Let go of all."""
            self.forget()
            super().connection_lost(exc)

        def forget(self) -> None:
            """Wait for nothing."""
            if self.deadline is not None:
                self.deadline.cancel()
                self.deadline = None

    return Limited
