"""A circuit breaker: while the VLM server does not answer, no page waits for it, and a probe in the background notices when it is back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from ocr_service.vlm.clock import Clock

log = logging.getLogger(__name__)


class BreakerState(StrEnum):
    """`open`: questions fail at once. `half_open`: they still do, while one probe finds out whether the server is back."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Patience:
    """Failures in a row that open the breaker; the pause before the first probe, doubled before each further one, in seconds."""

    failures: int
    first_pause_s: float
    longest_pause_s: float


class Breaker:
    """`probe` asks the server one small question and says whether it answered; it never raises. `on_open` hears when the breaker opens.

    What was asked before the breaker opened does not count any more: thirty questions that run into the same silence are one failure of
    the server, not a reason to open again after the first probe. The pauses become short again only with a real answer, so that
    a server that passes every probe and answers nothing else is left alone longer and longer.
    """

    def __init__(self, patience: Patience, probe: Callable[[], Awaitable[bool]], clock: Clock, on_open: Callable[[], None]) -> None:
        self._patience = patience
        self._probe = probe
        self._clock = clock
        self._on_open = on_open
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._era = 0
        self._pause_s = patience.first_pause_s
        self._prober: asyncio.Task[None] | None = None

    @property
    def state(self) -> BreakerState:
        return self._state

    @property
    def era(self) -> int:
        """Named when a question is asked and when its outcome is told: how often the breaker had opened."""
        return self._era

    def answered(self) -> None:
        """A question was answered, well or with a refusal. While the breaker is open, too: the server is back before its probe."""
        self._failures = 0
        self._pause_s = self._patience.first_pause_s
        if self._state is not BreakerState.CLOSED:
            self._close()
            self._stop_probing()

    def failed(self, era: int) -> None:
        """A question of that era failed, and the server is to blame."""
        if era != self._era or self._state is not BreakerState.CLOSED:
            return
        self._failures += 1
        if self._failures >= self._patience.failures:
            self._open()

    async def aclose(self) -> None:
        prober = self._prober
        self._stop_probing()
        if prober is not None:
            with suppress(asyncio.CancelledError):
                await prober

    def _open(self) -> None:
        self._state = BreakerState.OPEN
        self._era += 1
        log.warning("the VLM server does not answer: pages go on without it", extra={"failures": self._failures})
        self._prober = asyncio.get_running_loop().create_task(self._probe_until_back(), name="VLM probe")
        self._on_open()

    def _close(self) -> None:
        self._state = BreakerState.CLOSED
        self._failures = 0
        log.info("the VLM server answers again")

    def _stop_probing(self) -> None:
        if self._prober is not None:
            self._prober.cancel()
            self._prober = None

    async def _probe_until_back(self) -> None:
        while True:
            pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, self._patience.longest_pause_s)
            await self._clock.sleep(pause_s)
            self._state = BreakerState.HALF_OPEN
            if await self._probe():
                break
            self._state = BreakerState.OPEN
        self._close()
        self._prober = None
