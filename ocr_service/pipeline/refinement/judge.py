"""Whether an answer of the VLM is believed, by what was read without it.

Digits that the evidence does not have are never believed silently: where the evidence is sure, the answer is rejected; elsewhere it is
doubtful, and carries the warning `digits_differ` if it is believed in the end. Other letters are marked as well (`letters_differ`).
"""

from __future__ import annotations

import re
from collections import Counter

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel
from ocr_service.domain.text import join_lines
from ocr_service.domain.vlm import FinishReason, VlmAnswer, VlmTask
from ocr_service.pipeline.refinement.alignment import compare
from ocr_service.pipeline.refinement.evidence import cells_of, lines_of
from ocr_service.pipeline.refinement.findings import contradiction, doubts, notes
from ocr_service.pipeline.refinement.folding import digits, folded, words
from ocr_service.pipeline.refinement.script import mended
from ocr_service.pipeline.refinement.tables import judge_table
from ocr_service.pipeline.refinement.verdict import DIGITS_DIFFER, Verdict, believed, rejected

# LaTeX writes with commands what OCR reads as letters, so little is left to compare.
_FORMULA_RESEMBLES = {True: 0.6, False: 0.3}
_CHART_RESEMBLES = 0.7
# Comparing takes time that grows with the product of both lengths; nothing on a page is so long, but a runaway answer is.
_LONGEST_ANSWER = 50_000
_UNFINISHED = {FinishReason.LENGTH: "cut off before its end", FinishReason.REPETITION: "repeats itself"}


def judge(block: Block, task: VlmTask, answer: VlmAnswer) -> Verdict:
    """The verdict on one answer about the block. Never raises for what is in the answer."""
    if reason := _unusable(answer) or _incomparable(block):
        return rejected(reason)
    match task:
        case VlmTask.TABLE:
            return judge_table(block, answer.table) if answer.table is not None else rejected("malformed: no table")
        case VlmTask.FORMULA:
            return _formula(block, answer.content)
        case VlmTask.CHART:
            return _chart(block, answer)
        case VlmTask.OCR | VlmTask.SEAL:
            return _text(block, answer)


def _unusable(answer: VlmAnswer) -> str:
    if answer.finish_reason in _UNFINISHED:
        return _UNFINISHED[answer.finish_reason]
    if answer.defect:
        return f"malformed: {answer.defect}"
    if len(answer.content) > _LONGEST_ANSWER:
        return "far longer than a region can be"
    return "" if folded(answer.content) else "empty"


def _incomparable(block: Block) -> str:
    is_read = any(folded(line.text) for line in block.lines) or any(folded(piece.text) for piece in cells_of(block))
    return "" if is_read else "nothing to hold it against"


def _text(block: Block, answer: VlmAnswer) -> Verdict:
    if answer.format is not ContentFormat.TEXT:
        return rejected("malformed: not text")
    pieces = lines_of(block)
    comparison = compare(pieces, answer.content)
    if reason := contradiction(comparison, pieces):
        return rejected(reason, comparison.agreement)
    content = _laid_out(mended(answer.content, (piece.text for piece in pieces)), block)
    return believed(doubts(comparison), comparison.agreement, content, notes=notes(comparison))


def _laid_out(text: str, block: Block) -> str:
    """As the engine writes a block: a paragraph on one line, the marker of a list item apart."""
    paragraphs = [joined for part in re.split(r"\n\s*\n", text) if (joined := join_lines(part.splitlines()))]
    content = " ".join(paragraphs) if block.label.is_heading else "\n\n".join(paragraphs)
    if block.label is LayoutLabel.LIST_ITEM and block.marker:
        content = re.sub(rf"^{re.escape(block.marker)}\s+", "", content)
    return content


def _formula(block: Block, latex: str) -> Verdict:
    pieces = lines_of(block)
    evidence = " ".join(piece.text for piece in pieces)
    agreement = _letters_in_common(evidence, latex)
    exact = all(piece.is_exact for piece in pieces)
    if agreement < _FORMULA_RESEMBLES[exact]:
        return rejected("does not resemble the evidence", agreement)
    if Counter(digits(evidence)) == Counter(digits(latex)):
        return believed((), agreement, latex)
    if all(piece.is_sure for piece in pieces):
        return rejected("digits contradict the evidence", agreement)
    return believed((DIGITS_DIFFER,), agreement, latex)


def _chart(block: Block, answer: VlmAnswer) -> Verdict:
    """A chart's numbers must all be printed on it: what a model guesses from the height of bars is made up."""
    evidence = Counter(word for line in block.lines for word in words(line.text))
    found = Counter(words(answer.content))
    known = found & evidence
    agreement = known.total() / found.total()
    if any(char.isdecimal() for word in (found - evidence) for char in word):
        return rejected("digits contradict the evidence", agreement)
    if agreement < _CHART_RESEMBLES:
        return rejected("does not resemble the evidence", agreement)
    return believed((), agreement, answer.content, answer.table)


def _letters_in_common(left: str, right: str) -> float:
    """Share of letters and digits in common, whatever their order."""
    a, b = Counter(folded(left)), Counter(folded(right))
    longest = max(a.total(), b.total())
    return (a & b).total() / longest if longest else 1.0
