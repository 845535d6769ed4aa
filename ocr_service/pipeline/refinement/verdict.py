"""What is thought of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ocr_service.domain.blocks import TableGrid

DIGITS_DIFFER = "digits_differ"
WORDS_DIFFER = "words_differ"
LETTERS_DIFFER = "letters_differ"
UNSURE = {
    DIGITS_DIFFER: "other digits than unsure evidence",
    WORDS_DIFFER: "other words than unsure evidence",
    LETTERS_DIFFER: "other letters than sure evidence",
}


class Outcome(StrEnum):
    """`doubtful`: it has digits or words that unsure evidence does not have, or other letters in a word that the evidence is sure of; to be
    believed only if a second answer says the same.
    """

    ACCEPTED = "accepted"
    DOUBTFUL = "doubtful"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason`: a short phrase for people. `content` and `table` are what goes into the block: the answer, its script mended.

    `agreement` 0–1 with the evidence, None where there was nothing to compare.
    """

    outcome: Outcome
    reason: str
    agreement: float | None = None
    content: str = ""
    table: TableGrid | None = None
    warnings: tuple[str, ...] = ()


def rejected(reason: str, agreement: float | None = None) -> Verdict:
    return Verdict(Outcome.REJECTED, reason, agreement)


def believed(
    doubts: tuple[str, ...], agreement: float, content: str = "", table: TableGrid | None = None, *, notes: tuple[str, ...] = ()
) -> Verdict:
    """Accepted, or doubtful if there are doubts; these and the notes become the block's warnings."""
    warnings = tuple(dict.fromkeys((*doubts, *notes)))
    if doubts:
        return Verdict(Outcome.DOUBTFUL, UNSURE[doubts[0]], agreement, content, table, warnings)
    return Verdict(Outcome.ACCEPTED, "agrees with the evidence", agreement, content, table, warnings)
