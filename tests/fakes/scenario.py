"""Runs an asynchronous test, and waits for conditions instead of for a fixed time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


def run(scenario: Coroutine[object, object, None], limit_s: float = 60.0) -> None:
    """Run the scenario in a fresh event loop; fail rather than hang."""

    async def limited() -> None:
        async with asyncio.timeout(limit_s):
            await scenario

    asyncio.run(limited())


async def eventually(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Return as soon as the condition holds; fail with TimeoutError if it never does."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110  a condition of another process sets no event
            await asyncio.sleep(0.005)
