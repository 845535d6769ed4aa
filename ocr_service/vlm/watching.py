"""Who hears what the client does, and what can be seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ocr_service.domain.vlm import VlmTask
from ocr_service.vlm.breaker import BreakerState


@dataclass(frozen=True, slots=True)
class ClientStats:
    """The present state: questions that the server has, questions that wait for a place, and whether the server is asked at all."""

    breaker: BreakerState
    in_flight: int
    waiting: int


class ClientObserver(Protocol):
    """Hears what happens. Never raises, never blocks."""

    def vlm_asked(self, task: VlmTask, outcome: str, seconds: float, prompt_tokens: int, completion_tokens: int) -> None:
        """A question is over, `seconds` after it was put, the wait for a place included.

        `outcome`: stop | length | repetition (answered), refused, unavailable, not_asked (the breaker is open), cancelled.
        """

    def vlm_retried(self) -> None:
        """An attempt failed, and another one follows."""
