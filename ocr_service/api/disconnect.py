"""Work that stops when nobody is left to read its result."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Message, Receive, Send

from ocr_service.api.errors import ClientGone

T = TypeVar("T")


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The result of the work; if the client closes the connection first, the work is cancelled, its end awaited, ClientGone raised.

    The request's body must have been read: until then the server may not see that the connection was closed.
    """
    working = asyncio.create_task(work)
    watching = asyncio.create_task(_connection_closed(receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _connection_closed(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_within(idle_s: float, send: Send, message: Message) -> None:
    """Send a piece of an answer. Raises ClientGone if the client reads nothing for `idle_s` seconds."""
    try:
        async with asyncio.timeout(idle_s):
            await send(message)
    except TimeoutError:
        raise ClientGone from None
