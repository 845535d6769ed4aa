"""The simulated VLM server of the benchmarks: it may be no faster than it says, and must count what it did."""

from __future__ import annotations

import asyncio

import pytest

from bench.simulated_vlm import Gpu, Run, Speed, tokens


def test_no_more_requests_run_at_the_same_time_than_there_are_slots() -> None:
    gpu = Gpu(Speed(slots=2, tokens_per_s=1000.0, prefill_s=0.01))

    async def ask_all() -> None:
        await asyncio.gather(*(gpu.generate(10) for _ in range(6)))

    asyncio.run(ask_all())
    assert len(gpu.runs) == 6
    assert max(sum(other.began <= run.began < other.ended for other in gpu.runs) for run in gpu.runs) == 2


def test_a_request_that_is_taken_back_frees_its_slot() -> None:
    gpu = Gpu(Speed(slots=1, tokens_per_s=0.001, prefill_s=0.0))

    async def take_back() -> None:
        asked = asyncio.create_task(gpu.generate(10))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        gpu.speed = Speed(slots=1, tokens_per_s=1000.0, prefill_s=0.0)
        await asyncio.wait_for(gpu.generate(1), 30)

    asyncio.run(take_back())
    assert gpu.runs[-1].tokens == 1


def test_the_capacity_used_is_the_share_of_the_slots_time() -> None:
    gpu = Gpu(Speed(slots=2, tokens_per_s=1.0, prefill_s=0.0))
    gpu.runs += [Run(0.0, 0.0, 4.0, 4), Run(0.0, 0.0, 2.0, 2)]
    assert gpu.used() == pytest.approx(0.75)


def test_the_last_answers_do_not_count_while_there_is_nothing_more_to_ask() -> None:
    gpu = Gpu(Speed(slots=2, tokens_per_s=1.0, prefill_s=0.0))
    gpu.runs += [Run(0.0, 0.0, 4.0, 4), Run(0.0, 0.0, 1.0, 1), Run(0.0, 1.0, 2.0, 1), Run(3.0, 3.0, 9.0, 6)]
    assert gpu.used_while_asked() == pytest.approx(5 / 6)
    assert Gpu(gpu.speed).used_while_asked() == 0


def test_markup_of_a_table_is_a_token_a_cell_and_a_row() -> None:
    assert tokens("<table><tr><td>abc</td><td colspan=2></td></tr></table>") == tokens("abc") + 3
