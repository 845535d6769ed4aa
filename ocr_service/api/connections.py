"""Connections, bounded in number and in the time that they may take to ask: uvicorn alone waits for a request's head for ever."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import h11
from typing_extensions import override
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

log = logging.getLogger(__name__)

_ANSWER = "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n{more}\r\n"
_TIMED_OUT = _ANSWER.format(status="408 Request Timeout", more="").encode("ascii")
_FULL = _ANSWER.format(status="503 Service Unavailable", more="Retry-After: 10\r\n").encode("ascii")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """`count`: connections at the same time; `head_s`: time for a request's head, and for the rest of a body that nobody reads any more."""

    count: int = 1000
    head_s: float = 20.0


class BoundedProtocol(H11Protocol):
    """uvicorn's, with a clock that runs whenever the client has something to finish and no request of it is at work."""

    def __init__(
        self,
        limits: ConnectionLimits,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._clock: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.count:
            log.warning("refused a connection: there are as many as there may be", extra={"connections": self._limits.count})
            self._end(_FULL)
            return
        self._start_clock()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        is_at_work = self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first
        if self.transport.is_closing() or is_at_work:
            self._stop_clock()
        elif self.conn.trailing_data[0] or self.conn.their_state is h11.SEND_BODY:
            # Not anew for every byte: that is what a client that sends one now and then counts on.
            self._start_clock()

    def _start_clock(self) -> None:
        if self._clock is None:
            self._clock = self.loop.call_later(self._limits.head_s, self._time_is_up)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _time_is_up(self) -> None:
        self._clock = None
        if self.transport.is_closing():
            return
        # Who sent nothing asked for nothing; who has its answer already, and goes on sending, gets no second one.
        has_begun = self.conn.trailing_data[0] and self.conn.their_state is h11.IDLE
        self._end(_TIMED_OUT if has_begun else b"")

    def _end(self, answer: bytes) -> None:
        self._unset_keepalive_if_required()
        if answer:
            self.transport.write(answer)
        self.transport.close()
