"""The questions about one block: a second look if the first answer is not believed, then the evidence stays.

The second look has more margin around the block, a little chance and a penalty on repetition: what a model got wrong by bad luck it gets
right then, and what it made up it makes up differently.
"""

from __future__ import annotations

from dataclasses import replace

from ocr_service.domain.blocks import Block, ContentFormat, Refinement, RefinementStatus, Source
from ocr_service.domain.errors import VlmFailed
from ocr_service.domain.ports import RegionReader
from ocr_service.domain.vlm import Question, Sampling, VlmAnswer
from ocr_service.pipeline.refinement.folding import folded
from ocr_service.pipeline.refinement.judge import judge
from ocr_service.pipeline.refinement.verdict import Outcome, Verdict

RUNGS = (Sampling(temperature=0.0), Sampling(temperature=0.2, repetition_penalty=1.05))
_UNCONFIRMED = "{}, and a second answer did not confirm it"


async def refined(block: Block, question: Question, reader: RegionReader) -> Block:
    """The block with what became of the question; its content is the answer's only if that is believed. Raises nothing of the VLM's."""
    heard: list[tuple[VlmAnswer, Verdict]] = []
    for attempt, sampling in enumerate(RUNGS):
        crop = question.crops[min(attempt, len(question.crops) - 1)]
        try:
            answer = await reader.read(crop, question.task, sampling)
        except VlmFailed as error:
            if not heard:
                return failed(block, error.detail, attempts=1)
            return _kept(block, heard, attempts=attempt + 1)
        verdict = judge(block, question.task, answer)
        if verdict.outcome is Outcome.ACCEPTED:
            return _replaced(block, answer, verdict, attempt + 1)
        heard.append((answer, verdict))
    if _is_confirmed(heard):
        # The first answer, as the greedier one.
        return _replaced(block, *heard[0], len(heard))
    return _kept(block, heard, attempts=len(heard))


def failed(block: Block, reason: str, *, attempts: int) -> Block:
    """The block as it was, with the reason why nothing was heard about it."""
    return replace(block, refinement=Refinement(RefinementStatus.FAILED, reason, attempts=attempts))


def _is_confirmed(heard: list[tuple[VlmAnswer, Verdict]]) -> bool:
    """Whether both answers are doubtful and say the same, letter for letter."""
    return all(verdict.outcome is Outcome.DOUBTFUL for _, verdict in heard) and len({_letters(verdict) for _, verdict in heard}) == 1


def _letters(verdict: Verdict) -> str:
    cells = verdict.table.cells if verdict.table is not None else ()
    return folded(" ".join([verdict.content, *(cell.text for cell in cells)]))


def _replaced(block: Block, answer: VlmAnswer, verdict: Verdict, attempts: int) -> Block:
    refinement = Refinement(RefinementStatus.ACCEPTED, verdict.reason, verdict.agreement, attempts)
    warnings = (*block.warnings, *verdict.warnings)
    if block.format is ContentFormat.IMAGE:
        # The picture stays what is shown; what was read on it goes beside it.
        return replace(block, table=verdict.table, refinement=replace(refinement, answer=verdict.content), warnings=warnings)
    return replace(
        block,
        content=verdict.content,
        format=answer.format,
        table=verdict.table,
        source=Source.VLM,
        # Nobody says how sure the VLM is; how sure OCR was of each line is in `lines`.
        confidence=None,
        refinement=refinement,
        warnings=warnings,
    )


def _kept(block: Block, heard: list[tuple[VlmAnswer, Verdict]], *, attempts: int) -> Block:
    """The evidence stays; the last answer is kept beside it for people to look at."""
    answer, verdict = heard[-1]
    doubted = next((verdict for _, verdict in heard if verdict.outcome is Outcome.DOUBTFUL), None)
    reason = _UNCONFIRMED.format(doubted.reason) if doubted is not None else verdict.reason
    return replace(block, refinement=Refinement(RefinementStatus.REJECTED, reason, verdict.agreement, attempts, answer.raw))
