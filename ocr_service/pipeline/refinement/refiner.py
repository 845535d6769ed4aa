"""Asks the VLM about the blocks of a page, all at once, and takes what can be believed.

A block is asked about as soon as a place is free; no page, document or task waits for another one. Whatever the VLM does, the page goes on
after `page_timeout_s` at the latest, with the evidence where there is no answer yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from ocr_service.domain.blocks import Block, RefinementStatus
from ocr_service.domain.documents import DocumentOptions, PageAnalysis
from ocr_service.domain.ports import RegionReader
from ocr_service.domain.questions import question_about
from ocr_service.domain.vlm import Question
from ocr_service.pipeline.cancellation import to_the_end
from ocr_service.pipeline.refinement.fair_places import FairPlaces
from ocr_service.pipeline.refinement.ladder import failed, refined

OUT_OF_TIME = "the time for the page's refinement was over"
TOO_LARGE = "the page's regions are too large to be shown"
DEGRADED = "vlm_degraded"

log = logging.getLogger(__name__)


class Refiner:
    """A PageRefiner. `places`: questions at the same time, over all documents; `page_timeout_s`: for all questions about one page."""

    def __init__(self, reader: RegionReader, places: int, page_timeout_s: float) -> None:
        self._reader = reader
        self._places = FairPlaces(places)
        self._page_timeout_s = page_timeout_s

    async def refine(self, analysis: PageAnalysis, options: DocumentOptions, document_id: str) -> PageAnalysis:
        """The page with its refined blocks and without the crops. Cancellation takes the questions back."""
        if not options.use_vlm:
            return analysis
        began = asyncio.get_running_loop().time()
        questions = {question.block_id: question for question in analysis.questions}
        begun: set[str] = set()
        # The page waits for its longest answers; asked for last, they would leave the VLM with little to do at the end.
        blocks = sorted((block for block in analysis.blocks if block.id in questions), key=lambda block: -len(block.content))
        asked = {block.id: asyncio.create_task(self._ask(block, questions[block.id], document_id, begun)) for block in blocks}
        try:
            if asked:
                await asyncio.wait(asked.values(), timeout=self._page_timeout_s)
        finally:
            await _take_back(asked.values())
        refined_blocks = tuple(
            self._outcome(block, asked.get(block.id), options, attempts=int(block.id in begun)) for block in analysis.blocks
        )
        timings = analysis.timings | {"refine": asyncio.get_running_loop().time() - began}
        warnings = analysis.warnings + _warnings(refined_blocks)
        return replace(analysis, blocks=refined_blocks, questions=(), timings=timings, warnings=warnings)

    async def _ask(self, block: Block, question: Question, document_id: str, begun: set[str]) -> Block:
        async with self._places.place(document_id):
            begun.add(block.id)
            return await refined(block, question, self._reader)

    def _outcome(self, block: Block, task: asyncio.Task[Block] | None, options: DocumentOptions, *, attempts: int) -> Block:
        if task is None:
            is_left_out = question_about(block, options.page.vlm_policy, options.page.lang) is not None
            return failed(block, TOO_LARGE, attempts=0) if is_left_out else block
        if task.cancelled():
            return failed(block, OUT_OF_TIME, attempts=attempts)
        if error := task.exception():
            log.error("A region could not be refined: unexpected error", exc_info=error)
            return failed(block, "internal error", attempts=attempts)
        return task.result()


async def _take_back(tasks: Iterable[asyncio.Task[Block]]) -> None:
    """Cancel what still runs, and wait until it has let go of its place; that takes no longer than closing a connection."""
    unfinished = [task for task in tasks if not task.done()]
    for task in unfinished:
        task.cancel()
    if unfinished:
        await to_the_end(_all_over(unfinished))


async def _all_over(tasks: Iterable[asyncio.Task[Block]]) -> None:
    await asyncio.wait(tasks)


def _warnings(blocks: tuple[Block, ...]) -> tuple[str, ...]:
    reasons = Counter(block.refinement.reason for block in blocks if block.refinement.status is RefinementStatus.FAILED)
    return tuple(f"{DEGRADED}: {_regions(count)} could not be refined: {reason}" for reason, count in reasons.most_common())


def _regions(count: int) -> str:
    return "1 region" if count == 1 else f"{count} regions"
