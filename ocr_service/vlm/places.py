"""The one limit of questions that the VLM server has at the same time. Who waits longest goes next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Places:
    """A semaphore whose line can be counted and sent home."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = 0
        self._line: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> int:
        return self._taken

    @property
    def waiting(self) -> int:
        return len(self._line)

    async def take(self, timeout_s: float) -> None:
        """Wait for a place. Raises TimeoutError, or what the line was sent home with."""
        if self._taken < self._count:
            # While places are free nobody waits: `give_back` hands a place on before it counts it as free.
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            async with asyncio.timeout(timeout_s):
                await turn
        except BaseException:
            if turn in self._line:
                self._line.remove(turn)
            elif not turn.cancelled() and turn.exception() is None:
                self.give_back()  # it was handed over in the very moment in which the wait was given up
            raise

    def give_back(self) -> None:
        """The place goes to the first in the line."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._taken -= 1

    def send_home(self, error: Callable[[], Exception]) -> None:
        """Nobody goes on waiting: each gets an error of its own."""
        while self._line:
            turn = self._line.popleft()
            if not turn.done():
                turn.set_exception(error())
