"""What a comparison means: which differences forbid to believe an answer, and which only cast doubt on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ocr_service.pipeline.refinement.alignment import Comparison, Difference, Word
from ocr_service.pipeline.refinement.evidence import Piece
from ocr_service.pipeline.refinement.verdict import DIGITS_DIFFER, LETTERS_DIFFER, WORDS_DIFFER

# Two texts of one language that have nothing to do with each other have 0.3 to 0.45 of their letters in common.
_RESEMBLES = 0.55
# OCR that gets nearly every letter of the words around right did not read another word in their midst.
_WELL_READ = 0.97
_LENGTHS = (0.8, 1.25)
_A_FEW_LETTERS = 4


def contradiction(comparison: Comparison, pieces: Sequence[Piece]) -> str:
    """Why the answer cannot be right, in a phrase; "" if nothing speaks against it."""
    if comparison.differences and pieces and all(piece.is_exact for piece in pieces):
        return "differs from the file's own text"
    well_read = comparison.likeness >= _WELL_READ
    if any(_is_wrong_digit(difference, well_read=well_read) for difference in comparison.differences):
        return "digits contradict the evidence"
    if comparison.agreement < _RESEMBLES:
        return "does not resemble the evidence"
    if any(_is_wrong_word(word, well_read=well_read) for word in _other_words(comparison, comparison.new)) or _length(comparison) > 0:
        return "says what the evidence does not"
    if any(_is_wrong_word(word, well_read=well_read) for word in _other_words(comparison, comparison.lost)) or _length(comparison) < 0:
        return "leaves out what the evidence says"
    return ""


def doubts(comparison: Comparison) -> tuple[str, ...]:
    """What the answer has otherwise than the evidence where that may be, but is not believed of one answer alone: warnings for readers."""
    digits = any(difference.is_about_digits for difference in comparison.differences)
    words = any(len(word.text) > 1 for word in _other_words(comparison, comparison.new))
    letters = any(difference.is_sure for difference in _other_letters(comparison))
    return (DIGITS_DIFFER,) * digits + (WORDS_DIFFER,) * words + (LETTERS_DIFFER,) * letters


def notes(comparison: Comparison) -> tuple[str, ...]:
    """Warnings for the readers of an answer that is believed at once: it corrects letters that the evidence is unsure of."""
    return (LETTERS_DIFFER,) * bool(_other_letters(comparison))


def _other_letters(comparison: Comparison) -> list[Difference]:
    return [difference for difference in comparison.differences if not difference.is_about_digits and not difference.is_only_shape]


def _is_wrong_digit(difference: Difference, *, well_read: bool) -> bool:
    """Where the evidence is sure, no other digits are believed; elsewhere none out of nothing, and none are lost from what is well read.

    A single digit may be lost where the evidence is unsure: OCR takes specks and rulings for 1.
    """
    if not difference.is_about_digits or difference.is_only_shape:
        return False
    is_lost = well_read and len(difference.changed) > 1
    return difference.is_sure or (difference.is_alone and (is_lost or not difference.evidence))


def _other_words(comparison: Comparison, words: Iterable[Word]) -> list[Word]:
    """Those of the words that do not look the same in the other reading."""
    alike = {word for difference in comparison.differences if difference.is_only_shape for word in difference.evidence + difference.answer}
    return [word for word in words if word.text not in alike]


def _is_wrong_word(word: Word, *, well_read: bool) -> bool:
    """A whole word more or less, and another word where the evidence is sure or reads well; single letters are specks."""
    return len(word.text) > 1 and (word.is_alone or word.is_sure or well_read)


def _length(comparison: Comparison) -> int:
    """1 if the answer is too long to be the same text, -1 if it is too short."""
    least, most = (share * comparison.evidence_letters for share in _LENGTHS)
    if comparison.answer_letters > most + _A_FEW_LETTERS:
        return 1
    return -1 if comparison.answer_letters < least - _A_FEW_LETTERS else 0
