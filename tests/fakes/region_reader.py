"""A VLM without a server: what it says about each block is written down beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ocr_service.domain.vlm import Crop, Sampling, VlmAnswer, VlmTask


class FakeReader:
    """Implements `domain.ports.RegionReader`. `answers`: block id → what happens at each attempt; the last one repeats.

    A block waits while its id is in `held`. `asked` lists block ids, `samplings` and `crops` what they were asked with, in order.
    """

    def __init__(self, answers: dict[str, Sequence[VlmAnswer | Exception]] | None = None) -> None:
        self.answers = answers or {}
        self.held: set[str] = set()
        self.asked: list[str] = []
        self.samplings: list[Sampling] = []
        self.crops: list[Crop] = []
        self.tasks: list[VlmTask] = []
        self.cancelled: list[str] = []
        self.running = 0
        self.peak = 0
        self._changed = asyncio.Condition()

    async def release(self) -> None:
        self.held.clear()
        async with self._changed:
            self._changed.notify_all()

    async def read(self, crop: Crop, task: VlmTask, sampling: Sampling) -> VlmAnswer:
        attempt = self.asked.count(crop.block_id)
        self.asked.append(crop.block_id)
        self.samplings.append(sampling)
        self.crops.append(crop)
        self.tasks.append(task)
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            await asyncio.sleep(0)
            async with self._changed:
                await self._changed.wait_for(lambda: crop.block_id not in self.held)
        except asyncio.CancelledError:
            self.cancelled.append(crop.block_id)
            raise
        finally:
            self.running -= 1
        said = self.answers[crop.block_id]
        answer = said[min(attempt, len(said) - 1)]
        if isinstance(answer, Exception):
            raise answer
        return answer
