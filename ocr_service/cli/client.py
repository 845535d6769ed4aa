"""The client as commands use it: patient, and telling what it waits for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ocr_service.cli.environment import Environment
from ocr_service.client import AsyncClient, Busy, ClientError, Patience

_TIMEOUT_S = 300.0
_TELL_EVERY_S = 10.0


def patient_client(url: str, environment: Environment, patience_s: float, say: Callable[[str], None]) -> AsyncClient:
    """A service that is full or away is waited for, `patience_s` seconds each. Raises ValueError for an impossible address."""
    patience = Patience(busy_s=patience_s, away_s=patience_s)
    return AsyncClient(url, api_key=environment.api_key, timeout_s=_TIMEOUT_S, patience=patience, on_wait=_Waits(say).tell)


class _Waits:
    """A service that is away is away for all documents, and for many tries: that is said now and then, not each time."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told_at = -math.inf

    def tell(self, error: ClientError, seconds: float) -> None:
        now = time.monotonic()
        if isinstance(error, Busy) or now - self._told_at >= _TELL_EVERY_S:
            self._told_at = now
            self._say(f"… {error.detail} Next try in {seconds:.0f} s")
