"""One retry, then the evidence stays; digits in doubt need a second answer that says the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, RefinementStatus, Source
from ocr_service.domain.documents import MediaType
from ocr_service.domain.errors import VlmRefused, VlmUnavailable
from ocr_service.domain.geometry import BBox
from ocr_service.domain.vlm import Crop, FinishReason, Question, VlmAnswer, VlmTask
from ocr_service.pipeline.refinement.ladder import refined
from tests.fakes.region_reader import FakeReader
from tests.fakes.scenario import run
from tests.unit.pipeline.refinement.blocks import said, said_table, table_block, text_block

TRUTH = "Поставка товара на сумму 98 760 рублей по договору."
READ = "Поставка товзра на сумму 98 7б0 рублей по договору."
MADE_UP = "Аренда помещения площадью сорок метров на пять лет."
UNSURE = text_block(READ, confidence=0.7)


def question(task: VlmTask = VlmTask.OCR, crops: int = 2) -> Question:
    return Question("b01", task, tuple(Crop("b01", BBox(0, 0, 10, 10), 10, 10, MediaType.PNG, bytes([rung])) for rung in range(crops)))


def outcome(block: Block, *answers: VlmAnswer | Exception, task: VlmTask = VlmTask.OCR) -> tuple[Block, FakeReader]:
    reader = FakeReader({"b01": answers})
    blocks: list[Block] = []

    async def scenario() -> None:
        blocks.append(await refined(block, question(task), reader))

    run(scenario())
    return blocks[0], reader


def test_an_accepted_answer_becomes_the_content_and_the_lines_stay() -> None:
    block, reader = outcome(text_block(READ.replace("7б0", "760"), confidence=0.7), said(TRUTH))
    assert (block.content, block.source, block.confidence) == (TRUTH, Source.VLM, None)
    assert block.lines[0].text == READ.replace("7б0", "760")
    assert (block.refinement.status, block.refinement.attempts, len(reader.asked)) == (RefinementStatus.ACCEPTED, 1, 1)
    assert block.warnings == ("letters_differ",)


def test_a_second_look_has_more_margin_some_chance_and_a_penalty_on_repetition() -> None:
    _, reader = outcome(UNSURE, said(MADE_UP), said(TRUTH))
    assert [crop.data for crop in reader.crops] == [b"\0", b"\1"]
    assert [sampling.temperature for sampling in reader.samplings] == [0.0, 0.2]
    assert reader.samplings[0].repetition_penalty is None
    assert reader.samplings[1].repetition_penalty is not None


def test_what_the_second_look_gets_right_is_believed() -> None:
    block, _ = outcome(text_block(TRUTH), said(MADE_UP), said(TRUTH))
    assert (block.refinement.status, block.refinement.attempts, block.content) == (RefinementStatus.ACCEPTED, 2, TRUTH)


def test_after_two_answers_that_cannot_be_believed_the_evidence_stays_and_the_answer_is_kept() -> None:
    found = text_block(TRUTH)
    block, reader = outcome(found, said(MADE_UP))
    assert replace(block, refinement=found.refinement) == found
    assert len(reader.asked) == 2
    kept = block.refinement
    assert (kept.status, kept.answer, kept.attempts) == (RefinementStatus.REJECTED, MADE_UP, 2)
    assert kept.reason == "digits contradict the evidence"
    assert kept.agreement is not None


def test_digits_in_doubt_are_believed_and_marked_if_the_second_answer_has_the_same() -> None:
    block, reader = outcome(UNSURE, said(TRUTH))
    assert (block.refinement.status, block.content) == (RefinementStatus.ACCEPTED, TRUTH)
    assert block.warnings == ("digits_differ", "letters_differ")
    assert len(reader.asked) == 2


@pytest.mark.parametrize("second", [said(TRUTH.replace("760", "750")), said(MADE_UP), VlmUnavailable("gone")])
def test_digits_in_doubt_are_not_believed_without_a_second_answer_that_has_them(second: VlmAnswer | Exception) -> None:
    block, _ = outcome(UNSURE, said(TRUTH), second)
    assert (block.refinement.status, block.content, block.warnings) == (RefinementStatus.REJECTED, UNSURE.content, ())
    assert "did not confirm" in block.refinement.reason


@pytest.mark.parametrize("error", [VlmUnavailable("The VLM server does not answer."), VlmRefused("The VLM server takes no such picture.")])
def test_without_an_answer_the_block_is_marked_as_failed_with_the_reason(error: Exception) -> None:
    block, reader = outcome(UNSURE, error)
    assert (block.refinement.status, block.refinement.reason) == (RefinementStatus.FAILED, str(error))
    assert (block.content, block.source, len(reader.asked)) == (UNSURE.content, Source.OCR, 1)


def test_a_failure_of_the_second_look_leaves_the_first_ones_reason() -> None:
    block, _ = outcome(text_block(TRUTH), said(TRUTH[:20], FinishReason.LENGTH), VlmUnavailable("gone"))
    assert (block.refinement.status, block.refinement.reason) == (RefinementStatus.REJECTED, "cut off before its end")


def test_a_table_gets_the_grid_of_the_answer() -> None:
    rows = [["Товар", "Цена"], ["Бумага", "150"], ["Папка", "80"]]
    read = [["Товар", "Цена"], ["Бумзга", "150"], ["Папка", "80"]]
    block, _ = outcome(table_block(read, 0.7), said_table(rows), task=VlmTask.TABLE)
    assert block.table is not None
    assert [cell.text for cell in block.table.cells] == [text for row in rows for text in row]
    assert (block.source, block.format) == (Source.VLM, ContentFormat.HTML)


def test_a_picture_stays_a_picture_and_its_reading_goes_beside_it() -> None:
    seal = replace(
        text_block("ООО Восход Снаб", confidence=0.7, label=LayoutLabel.SEAL), format=ContentFormat.IMAGE, content="p0001-b01.png"
    )
    block, _ = outcome(seal, said("ООО «Восход-Снаб»"), task=VlmTask.SEAL)
    assert (block.format, block.content, block.source) == (ContentFormat.IMAGE, "p0001-b01.png", Source.OCR)
    assert (block.refinement.status, block.refinement.answer) == (RefinementStatus.ACCEPTED, "ООО «Восход-Снаб»")
