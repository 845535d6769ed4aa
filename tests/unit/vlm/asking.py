"""A client of a fake server, and somebody who listens to it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ocr_service.domain.documents import MediaType
from ocr_service.domain.geometry import BBox
from ocr_service.domain.vlm import Crop, Sampling, VlmAnswer, VlmTask
from ocr_service.vlm.client import VlmClient
from ocr_service.vlm.clock import Clock
from ocr_service.vlm.config import ClientConfig
from tests.fakes.scenario import eventually
from tests.fakes.vlm_server import FakeVlm

PNG = b"\x89PNG\r\n\x1a\n the bytes as they are \x00\xff"
CROP = Crop("b1", BBox(0, 0, 100, 50), 100, 50, MediaType.PNG, PNG)


class Listener:
    """A ClientObserver that remembers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int, int]] = []
        self.retries = 0

    @property
    def outcomes(self) -> list[str]:
        return [outcome for _, outcome, _, _ in self.asked]

    def vlm_asked(self, task: VlmTask, outcome: str, seconds: float, prompt_tokens: int, completion_tokens: int) -> None:
        assert seconds >= 0
        self.asked.append((task.value, outcome, prompt_tokens, completion_tokens))

    def vlm_retried(self) -> None:
        self.retries += 1


class Asker:
    """One client and its listener."""

    def __init__(self, client: VlmClient, listener: Listener) -> None:
        self.client = client
        self.listener = listener

    async def ask(self, task: VlmTask = VlmTask.OCR, crop: Crop = CROP, sampling: Sampling | None = None) -> VlmAnswer:
        return await self.client.read(crop, task, sampling or Sampling())


async def until_asked(vlm: FakeVlm, count: int) -> None:
    """Return as soon as the server has got so many questions."""
    await eventually(lambda: len(vlm.asked) == count)


@asynccontextmanager
async def asking(url: str, clock: Clock | None = None, **settings: Any) -> AsyncIterator[Asker]:
    """A client with short pauses."""
    quick: dict[str, Any] = {"first_backoff_s": 0.001, "first_pause_s": 0.02, "longest_pause_s": 0.05}
    listener = Listener()
    client = VlmClient(ClientConfig(url, **(quick | settings)), listener, clock, random.Random(0))
    try:
        yield Asker(client, listener)
    finally:
        await client.aclose()
