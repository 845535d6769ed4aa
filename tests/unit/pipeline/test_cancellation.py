"""Work that is not left half done."""

from __future__ import annotations

import asyncio

import pytest

from ocr_service.pipeline.cancellation import to_the_end
from tests.fakes.scenario import run


def test_the_result_and_the_error_of_the_work_come_through() -> None:
    async def give(value: int) -> int:
        return 10 // value

    async def scenario() -> None:
        assert await to_the_end(give(2)) == 5
        with pytest.raises(ZeroDivisionError):
            await to_the_end(give(0))

    run(scenario())


@pytest.mark.parametrize("fails", [False, True])
def test_cancellation_however_often_waits_for_the_end_of_the_work_and_then_counts(fails: bool) -> None:
    async def scenario() -> None:
        gate, done = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            await gate.wait()
            done.set()
            if fails:
                raise ValueError

        task = asyncio.create_task(to_the_end(work()))
        for _ in range(3):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done.is_set()

    run(scenario())


def test_a_timeout_around_it_is_still_a_timeout() -> None:
    async def scenario() -> None:
        gate = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, gate.set)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await to_the_end(gate.wait())
        assert gate.is_set()

    run(scenario())
