"""Uvicorn, made to stop the way this service wants to: first the documents, then the connections, and exit status 0.

Uvicorn alone closes its listener at the first signal, so that nobody could ask for the health of a service that finishes its work; and
it ends by raising the signal again.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override

from ocr_service.api.connections import BoundedProtocol, ConnectionLimits

log = logging.getLogger(__name__)

ANSWERS_GRACE_S = 5
"""Least time for answers that are still being read when all documents are done."""

KEEP_ALIVE_S = 75  # longer than the usual 60 s of a load balancer, which else would meet closed connections
MAX_HEADER_BYTES = 64 * 1024

# Beside connections and the files that are sent over them: pipes of workers, databases, libraries.
_OTHER_FILES = 512

Drain = Callable[[float], Awaitable[None]]


class _Uvicorn(uvicorn.Server):
    """Leaves the signals to `Server`."""

    @contextmanager
    @override
    def capture_signals(self) -> Iterator[None]:
        yield


class Server:
    """Serves until SIGTERM or SIGINT; then drains while still listening; a second signal drains with no grace."""

    def __init__(self, app: ASGIApp, address: tuple[str, int], drain: Drain, grace_s: float, limits: ConnectionLimits) -> None:
        host, port = address
        # h11, because it limits the size of headers; the other parser does not.
        self._config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http=cast(type[asyncio.Protocol], partial(BoundedProtocol, limits)),
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        )
        self._uvicorn = _Uvicorn(self._config)
        self._drain = drain
        self._grace_s = grace_s
        self._limits = limits
        self._stopping: list[asyncio.Task[None]] = []

    async def serve(self) -> None:
        """Returns when everything has stopped. Raises SystemExit if the port cannot be had."""
        _allow_open_files(2 * self._limits.count + _OTHER_FILES)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        await self._uvicorn.serve()
        await asyncio.gather(*self._stopping)

    def _on_signal(self, number: signal.Signals) -> None:
        grace_s = 0.0 if self._stopping else self._grace_s
        log.info("stopping", extra={"signal": number.name, "grace_s": grace_s})
        self._stopping.append(asyncio.create_task(self._stop(grace_s)))

    async def _stop(self, grace_s: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace_s
        await self._drain(grace_s)
        self._config.timeout_graceful_shutdown = max(ANSWERS_GRACE_S, int(deadline - loop.time()))
        self._uvicorn.should_exit = True


def _allow_open_files(count: int) -> None:
    """As many as the system lets: with the usual 1024 the last connections would find none left for their uploads."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
