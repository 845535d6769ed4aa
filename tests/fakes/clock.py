"""A clock whose hands the test turns."""

from __future__ import annotations

import asyncio

from tests.fakes.scenario import eventually


class ManualClock:
    """Implements `vlm.clock.Clock`. `sleepers`: when those who sleep want to be woken."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.slept: list[float] = []

    @property
    def sleepers(self) -> list[float]:
        return sorted(until for until, future in self._sleepers if not future.done())

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, future))
        await future

    async def until_slept(self, times: int) -> None:
        """Return as soon as somebody has gone to sleep so often."""
        await eventually(lambda: len(self.slept) == times)

    def advance(self, seconds: float) -> None:
        self._now += seconds
        for until, future in self._sleepers:
            if until <= self._now and not future.done():
                future.set_result(None)
        self._sleepers = [sleeper for sleeper in self._sleepers if not sleeper[1].done()]
