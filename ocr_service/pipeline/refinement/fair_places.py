"""The VLM's places, handed out to documents in turn: a document with a thousand questions does not stop one with a single one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class FairPlaces:
    """`count` places. Among the documents that wait, each gets one in its turn; within a document, who came first."""

    def __init__(self, count: int) -> None:
        self._free = count
        # In the order of their turns: who was served goes to the end.
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def place(self, document_id: str) -> AsyncGenerator[None, None]:
        """Wait for a place, and give it back afterwards."""
        await self._take(document_id)
        try:
            yield
        finally:
            self._free += 1
            self._hand_out()

    async def _take(self, document_id: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(document_id, deque()).append(turn)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # It was handed over in the very moment in which the wait was given up.
                self._free += 1
            self._hand_out()
            raise

    def _hand_out(self) -> None:
        while self._free > 0 and self._waiting:
            document_id = next(iter(self._waiting))
            line = self._waiting.pop(document_id)
            turn = line.popleft()
            if line:
                self._waiting[document_id] = line
            if not turn.done():
                self._free -= 1
                turn.set_result(None)
