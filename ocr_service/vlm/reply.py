"""What a VLM server said, before it is read; and how its ways of speaking are told apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from ocr_service.domain.vlm import Crop, FinishReason, Sampling, VlmTask
from ocr_service.vlm.trouble import Trouble

NO_ANSWER = "the VLM server gave an answer that cannot be read"


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's text as it came, and the server's words about it."""

    text: str
    finish_reason: FinishReason
    prompt_tokens: int = 0
    completion_tokens: int = 0
    model: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """The JSON of a POST; `path` is the URL's, query included."""

    url: str
    body: dict[str, object]


Get = Callable[[str], Awaitable[bytes]]
"""GET of a URL. Raises Trouble and VlmRefused."""


class Dialect(Protocol):
    """One way to ask a server."""

    async def question(self, crop: Crop, task: VlmTask, sampling: Sampling, get: Get) -> Question:
        """Raises what `get` raises."""

    def reply(self, body: bytes) -> Reply:
        """Read the body of a 200. Raises Trouble."""

    def forget(self) -> None:
        """The server said that there is no such thing: what was learnt about it is out of date."""


def finish_reason(word: str | None) -> FinishReason:
    """Raises Trouble for an answer that was broken off: vLLM says `abort` when it is told to stop while it generates."""
    try:
        return FinishReason(word or "")
    except ValueError:
        raise Trouble("the VLM server broke its answer off", again=word in {"abort", "error"}) from None
