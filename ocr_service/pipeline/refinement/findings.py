"""What a comparison means: which differences forbid to believe an answer, and which only cast doubt on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ocr_service.pipeline.refinement.alignment import Comparison, Difference, Word
from ocr_service.pipeline.refinement.evidence import Piece

# Two texts of one language that have nothing to do with each other have 0.3 to 0.45 of their letters in common.
_RESEMBLES = 0.55
# A letter or two beside the text are specks on the paper, or what OCR took for a speck.
_SPECKS = 3
_ADDED_SHARE = 0.1
_LEFT_OUT_SHARE = 0.15


def contradiction(comparison: Comparison, pieces: Sequence[Piece]) -> str:
    """Why the answer cannot be right, in a phrase; "" if nothing speaks against it."""
    if comparison.differences and pieces and all(piece.is_exact for piece in pieces):
        return "differs from the file's own text"
    if any(_is_wrong_digit(difference) for difference in comparison.differences):
        return "digits contradict the evidence"
    if comparison.agreement < _RESEMBLES:
        return "does not resemble the evidence"
    shapes = {word for difference in comparison.differences if difference.is_only_shape for word in difference.evidence + difference.answer}
    lost = [word for word in comparison.lost if word.text not in shapes]
    new = [word for word in comparison.new if word.text not in shapes]
    if _is_too_much(new, _ADDED_SHARE * comparison.evidence_letters):
        return "says what the evidence does not"
    if _is_too_much(lost, _LEFT_OUT_SHARE * comparison.evidence_letters):
        return "leaves out what the evidence says"
    return ""


def casts_doubt(comparison: Comparison) -> bool:
    """Whether the answer has other digits than the evidence in places where that may be."""
    return any(difference.is_about_digits for difference in comparison.differences)


def _is_wrong_digit(difference: Difference) -> bool:
    """Where the evidence is sure, and where it has nothing at all, no other digits are believed."""
    if not difference.is_about_digits or difference.is_only_shape:
        return False
    return difference.is_sure or not difference.evidence


def _is_too_much(words: Iterable[Word], letters: float) -> bool:
    """A whole word more or less is too much where the evidence is sure; elsewhere, more than so many letters without a counterpart."""
    words = list(words)
    alone = sum(len(word.text) for word in words if word.is_alone)
    return any(word.is_sure and len(word.text) > 1 for word in words) or alone > max(_SPECKS, letters)
