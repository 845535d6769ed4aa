"""A page's questions: together, within a limit, in turn with other documents, and never longer than allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ocr_service.domain.blocks import Block, LayoutLabel, RefinementStatus
from ocr_service.domain.documents import (
    DocumentOptions,
    MediaType,
    PageAnalysis,
    PageOptions,
    PageResult,
    TextLayerVerdict,
    VlmPolicy,
)
from ocr_service.domain.errors import VlmUnavailable
from ocr_service.domain.geometry import BBox, Upright
from ocr_service.domain.vlm import Crop, Question, VlmAnswer, VlmTask
from ocr_service.pipeline.refinement.refiner import OUT_OF_TIME, TOO_LARGE, Refiner
from ocr_service.pipeline.shortfall import Shortfall
from tests.fakes.region_reader import FakeReader
from tests.fakes.scenario import eventually, run
from tests.unit.pipeline.refinement.blocks import said, text_block

OPTIONS = DocumentOptions(PageOptions(vlm_policy=VlmPolicy.ALL))
PATIENCE_S = 60.0


def read(name: str) -> str:
    return f"Страница договорз про {name}"


def true(name: str) -> str:
    return f"Страница договора про {name}"


def page(names: Sequence[str], number: int = 1) -> PageAnalysis:
    """A page with one weakly read block a name, which is its id too."""
    blocks = tuple(replace(text_block(read(name), confidence=0.7), id=name, order=order) for order, name in enumerate(names))
    questions = tuple(Question(name, VlmTask.OCR, (Crop(name, BBox(0, 0, 9, 9), 9, 9, MediaType.PNG, b""),)) for name in names)
    verdict = TextLayerVerdict(used=False, reason="no text")
    return PageAnalysis(number, 200, Upright(100, 100), verdict, blocks, questions=questions)


def reader_for(*names: str) -> FakeReader:
    answers: dict[str, Sequence[VlmAnswer | Exception]] = {name: [said(true(name))] for name in names}
    return FakeReader(answers)


def refiner_of(reader: FakeReader, places: int = 4, page_timeout_s: float = PATIENCE_S) -> Refiner:
    return Refiner(reader, places, page_timeout_s)


def contents(analysis: PageAnalysis) -> list[str]:
    return [block.content for block in analysis.blocks]


def statuses(analysis: PageAnalysis) -> list[RefinementStatus]:
    return [block.refinement.status for block in analysis.blocks]


def test_every_block_that_is_asked_about_is_refined_and_the_crops_go() -> None:
    async def scenario() -> None:
        reader = reader_for("насос", "кран")
        analysis = page(["насос", "кран"])
        untouched = replace(text_block("итог"), id="b9", label=LayoutLabel.IMAGE)
        analysis = replace(analysis, blocks=(*analysis.blocks, untouched))
        done = await refiner_of(reader).refine(analysis, OPTIONS, "d1")
        assert contents(done) == [true("насос"), true("кран"), "итог"]
        assert statuses(done)[-1] is RefinementStatus.NOT_NEEDED
        assert done.questions == ()
        assert done.warnings == ()
        assert done.timings["refine"] >= 0

    run(scenario())


def test_without_a_wish_for_it_nothing_is_asked() -> None:
    async def scenario() -> None:
        reader, analysis = FakeReader(), page(["насос"])
        assert await refiner_of(reader).refine(analysis, DocumentOptions(), "d1") is analysis
        assert reader.asked == []

    run(scenario())


def test_questions_are_asked_together_but_never_more_than_there_are_places() -> None:
    async def scenario() -> None:
        names = [f"n{number}" for number in range(12)]
        reader = reader_for(*names)
        await refiner_of(reader, places=3).refine(page(names), OPTIONS, "d1")
        assert reader.peak == 3
        assert len(reader.asked) == 12

    run(scenario())


def test_the_longest_questions_of_a_page_go_first() -> None:
    async def scenario() -> None:
        names = ["кран", "водонагреватель", "насос"]
        reader = reader_for(*names)
        done = await refiner_of(reader, places=1).refine(page(names), OPTIONS, "d1")
        assert reader.asked == ["водонагреватель", "насос", "кран"]
        assert contents(done) == [true(name) for name in names]

    run(scenario())


def test_a_document_with_one_question_goes_next_to_one_with_many() -> None:
    async def scenario() -> None:
        many = [f"m{number:02}" for number in range(20)]
        reader = reader_for(*many, "one")
        reader.held = {"m00"}
        refiner = refiner_of(reader, places=1)
        long = asyncio.create_task(refiner.refine(page(many), OPTIONS, "long"))
        await eventually(lambda: reader.asked == ["m00"])
        short = asyncio.create_task(refiner.refine(page(["one"]), OPTIONS, "short"))
        await asyncio.sleep(0)
        await reader.release()
        await asyncio.gather(long, short)
        assert reader.asked.index("one") <= 2

    run(scenario())


def test_no_page_waits_for_another() -> None:
    async def scenario() -> None:
        reader = reader_for("slow", "fast")
        reader.held = {"slow"}
        refiner = refiner_of(reader, places=2)
        slow = asyncio.create_task(refiner.refine(page(["slow"]), OPTIONS, "d1"))
        await refiner.refine(page(["fast"], 2), OPTIONS, "d1")
        assert not slow.done()
        await reader.release()
        await slow

    run(scenario())


def test_a_slow_vlm_holds_a_page_no_longer_than_allowed() -> None:
    async def scenario() -> None:
        reader = reader_for("stuck", "waits", "quick")
        reader.held = {"stuck"}
        refiner = refiner_of(reader, places=1, page_timeout_s=0.2)
        done = await refiner.refine(page(["stuck", "waits"]), OPTIONS, "d1")
        assert contents(done) == [read("stuck"), read("waits")]
        assert [(block.refinement.reason, block.refinement.attempts) for block in done.blocks] == [(OUT_OF_TIME, 1), (OUT_OF_TIME, 0)]
        assert done.warnings == (f"vlm_degraded: 2 regions could not be refined: {OUT_OF_TIME}",)
        assert reader.cancelled == ["stuck"]
        again = await refiner.refine(page(["quick"]), OPTIONS, "d1")
        assert contents(again) == [true("quick")]

    run(scenario())


def test_cancelling_a_page_takes_its_questions_back_and_frees_their_places() -> None:
    async def scenario() -> None:
        reader = reader_for("a", "b", "c", "next")
        reader.held = {"a", "b"}
        refiner = refiner_of(reader, places=2)
        task = asyncio.create_task(refiner.refine(page(["a", "b", "c"]), OPTIONS, "d1"))
        await eventually(lambda: len(reader.asked) == 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(reader.cancelled) == ["a", "b"]
        assert "c" not in reader.asked
        done = await refiner.refine(page(["next"]), OPTIONS, "d2")
        assert contents(done) == [true("next")]

    run(scenario())


def test_a_vlm_that_fails_costs_nothing_but_its_answers() -> None:
    async def scenario() -> None:
        reader = reader_for("well", "ill", "mad")
        reader.answers |= {"ill": [VlmUnavailable("The VLM server does not answer.")], "mad": [ValueError("a bug")]}
        done = await refiner_of(reader).refine(page(["well", "ill", "mad"]), OPTIONS, "d1")
        assert contents(done) == [true("well"), read("ill"), read("mad")]
        assert statuses(done) == [RefinementStatus.ACCEPTED, RefinementStatus.FAILED, RefinementStatus.FAILED]
        assert [block.refinement.reason for block in done.blocks[1:]] == ["The VLM server does not answer.", "internal error"]

    run(scenario())


def test_a_block_whose_crop_did_not_fit_is_marked() -> None:
    async def scenario() -> None:
        analysis = replace(page(["huge"]), questions=())
        done = await refiner_of(FakeReader()).refine(analysis, OPTIONS, "d1")
        assert (statuses(done), done.blocks[0].refinement.reason) == ([RefinementStatus.FAILED], TOO_LARGE)

    run(scenario())


def test_a_document_says_once_what_was_not_refined() -> None:
    def result(number: int, failed: bool) -> PageResult:
        analysis = page(["x"], number)
        status = RefinementStatus.FAILED if failed else RefinementStatus.REJECTED
        block: Block = analysis.blocks[0]
        return PageResult(number, replace(analysis, blocks=(replace(block, refinement=replace(block.refinement, status=status)),)))

    shortfall = Shortfall()
    shortfall.add(result(1, failed=False))
    assert shortfall.warnings() == ()
    for number in range(2, 15):
        shortfall.add(result(number, failed=True))
    assert shortfall.warnings() == (
        "vlm_degraded: 13 of 14 regions were not refined (pages 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more); they are as OCR read them.",
    )
