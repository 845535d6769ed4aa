"""How much one key may ask for: documents at the same time, and documents a minute."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ocr_service.api.errors import TooManyAtOnce, TooManyPerMinute

_MINUTE_S = 60.0
_AT_ONCE_RETRY_S = 5


class KeyLimits:
    """Counts for each name. A minute's documents may come all at once; then one is allowed whenever its share of a minute has passed."""

    def __init__(self, *, at_once: int = 0, per_minute: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        """0: no limit."""
        self._at_once = at_once
        self._per_minute = per_minute
        self._clock = clock
        self._running: Counter[str] = Counter()
        # When the name's allowance will be whole again, by the clock.
        self._whole_at: dict[str, float] = {}

    @contextmanager
    def document(self, name: str) -> Iterator[None]:
        """For one document, from before its upload to the end of its answer. Raises TooManyAtOnce, TooManyPerMinute."""
        if self._at_once and self._running[name] >= self._at_once:
            raise TooManyAtOnce(
                f"This key has {self._at_once} documents in progress, as many as it may. Try again when one is done.",
                retry_after_s=_AT_ONCE_RETRY_S,
            )
        self._count_in(name)
        self._running[name] += 1
        try:
            yield
        finally:
            self._running[name] -= 1

    def _count_in(self, name: str) -> None:
        if not self._per_minute:
            return
        share = _MINUTE_S / self._per_minute
        now = self._clock()
        whole_at = max(now, self._whole_at.get(name, now)) + share
        if (excess := whole_at - now - _MINUTE_S) > 1e-6:
            raise TooManyPerMinute(
                f"This key may send {self._per_minute} documents a minute. Try again later.", retry_after_s=max(1, math.ceil(excess))
            )
        self._whole_at[name] = whole_at
