"""When a request is sent again: the service is busy, nobody answers, or, where that does no harm, the answer broke off."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from ocr_service.client.errors import BrokenOff, Busy, ClientError, ServiceFailed, TimedOut, Unreachable

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_CONNECT_WAIT_S = 0.3
_FIRST_AWAY_S, _LONGEST_AWAY_S = 0.5, 8.0
_AWAY = frozenset({502, 504, 507})
"""A proxy that finds no service behind it, and a service that finds no database of jobs or no space."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in seconds: `busy_s`, in sum, for a busy service; `away_s` for one that has answered before and is away now, if
    the request may be repeated. `connects`: how often a request that nobody answers is sent else.
    """

    busy_s: float = 300.0
    connects: int = 3
    away_s: float = 300.0


class Attempts:
    """The tries of one request. `repeatable`: to have it done twice is to have it done once."""

    def __init__(self, patience: Patience, *, repeatable: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._repeatable = repeatable
        self._clock = clock
        self.heard()

    def heard(self) -> None:
        """The service is there: patience begins anew."""
        self._waited_s = 0.0
        self._refusals = 0
        self._silences = 0
        self._away_since: float | None = None

    def wait_after(self, error: ClientError, *, known: bool = False) -> float | None:
        """Seconds until the request is sent again; None: not again. `known`: the service has answered this client before."""
        if isinstance(error, Busy):
            return self._wait_for(error)
        if self._repeatable and known and _is_away(error):
            return self._wait_for_return()
        if isinstance(error, TimedOut) or not isinstance(error, Unreachable):
            return None  # it may be at work on it
        self._silences += 1
        return _CONNECT_WAIT_S * 2**self._silences if self._silences < self._patience.connects else None

    def _wait_for(self, error: Busy) -> float | None:
        self._refusals += 1
        own = min(_FIRST_WAIT_S * 2.0 ** min(self._refusals - 1, 8), _LONGEST_WAIT_S)
        # What the service asks for is a least time; a little more, so that those who were refused together do not come back together.
        wait_s = (own if error.retry_after_s is None else error.retry_after_s) * random.uniform(1.0, 1.2)  # noqa: S311  no secret
        if self._waited_s + wait_s > self._patience.busy_s:
            return None
        self._waited_s += wait_s
        return wait_s

    def _wait_for_return(self) -> float | None:
        now = self._clock()
        if self._away_since is None:
            self._away_since = now
        wait_s = min(_FIRST_AWAY_S * 2.0 ** min(self._silences, 8), _LONGEST_AWAY_S) * random.uniform(1.0, 1.2)  # noqa: S311  no secret
        self._silences += 1
        return wait_s if now - self._away_since + wait_s <= self._patience.away_s else None


def _is_away(error: ClientError) -> bool:
    return isinstance(error, Unreachable | BrokenOff) or (isinstance(error, ServiceFailed) and error.status in _AWAY)
