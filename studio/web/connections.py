"""Connections as uvicorn serves them, with an end: heads of requests come in time, and nobody holds all there are."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from studio import limits

_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connection(H11Protocol):
    """While no request is at work, what comes is a head, or the rest of a body that nobody reads: both end soon."""

    _deadline: asyncio.TimerHandle | None = None
    _begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._too_many():
            self._end(_FULL)
        else:
            self._wait(limits.KEEP_ALIVE_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        at_work = self.cycle is not None and not self.cycle.response_complete
        if at_work or self.transport.get_protocol() is not self:  # or it has become a websocket
            self._stop_waiting()
        elif not self._begun:
            self._wait(limits.HEAD_SECONDS)
            self._begun = True  # what drops in later moves the deadline no more

    def _too_many(self) -> bool:
        """All connections are known to the server, those of websockets as well."""
        host = self.client[0] if self.client else ""
        same = sum(1 for one in self.connections if (getattr(one, "client", None) or ("",))[0] == host)
        return len(self.connections) > limits.CONNECTIONS or same > limits.CONNECTIONS_PER_ADDRESS

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(seconds, self._end, _SLOW)

    def _stop_waiting(self) -> None:
        self._begun = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()
