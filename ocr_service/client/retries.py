"""When a request is sent again: the service is busy, or nobody answers. Never once an answer has begun."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ocr_service.client.errors import Busy, ClientError, TimedOut, Unreachable

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_CONNECT_WAIT_S = 0.3


@dataclass(frozen=True, slots=True)
class Patience:
    """`busy_s`: time that a request may wait, in sum, for a busy service; `connects`: how often one that nobody answers is sent."""

    busy_s: float = 300.0
    connects: int = 3


class Attempts:
    """The tries of one request."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._waited_s = 0.0
        self._refusals = 0
        self._silences = 0

    def wait_after(self, error: ClientError) -> float | None:
        """Seconds until the request is sent again; None: not again."""
        if isinstance(error, TimedOut):
            return None  # it may be at work on it
        if isinstance(error, Unreachable):
            self._silences += 1
            return _CONNECT_WAIT_S * 2**self._silences if self._silences < self._patience.connects else None
        return self._wait_for(error) if isinstance(error, Busy) else None

    def _wait_for(self, error: Busy) -> float | None:
        self._refusals += 1
        own = min(_FIRST_WAIT_S * 2.0 ** min(self._refusals - 1, 8), _LONGEST_WAIT_S)
        # What the service asks for is a least time; a little more, so that those who were refused together do not come back together.
        wait_s = (own if error.retry_after_s is None else error.retry_after_s) * random.uniform(1.0, 1.2)  # noqa: S311  no secret
        if self._waited_s + wait_s > self._patience.busy_s:
            return None
        self._waited_s += wait_s
        return wait_s
