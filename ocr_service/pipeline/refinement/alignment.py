"""Where two readings of the same region differ, and how sure the evidence is in that place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rapidfuzz.distance import Levenshtein

from ocr_service.pipeline.refinement.evidence import Piece
from ocr_service.pipeline.refinement.folding import by_shape, words

# A word of which less than this stands in the other reading is another word; but not for one wrong letter of two or three.
_SAME_WORD = 0.6


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the readings differ: the folded words that the difference touches on either side.

    `changed`: the letters and digits themselves that differ, of both sides. `is_sure`: the evidence is sure of its reading there.
    """

    evidence: tuple[str, ...]
    answer: tuple[str, ...]
    changed: str
    is_sure: bool

    @property
    def is_about_digits(self) -> bool:
        return any(char.isdecimal() for char in self.changed)

    @property
    def is_only_shape(self) -> bool:
        """Whether both sides look the same to the eye: «З» and 3, «О» and 0."""
        return by_shape("".join(self.evidence)) == by_shape("".join(self.answer))


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word that the other reading does not have. `is_alone`: nothing stands in its place there."""

    text: str
    is_sure: bool
    is_alone: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """`agreement` 0–1: the share of letters and digits in common. `lost` words are the evidence's, `new` ones the answer's."""

    agreement: float
    differences: tuple[Difference, ...]
    lost: tuple[Word, ...]
    new: tuple[Word, ...]
    evidence_letters: int
    answer_letters: int


class _Side:
    """The words of one reading, and to which of them each character of their folded text belongs."""

    def __init__(self, folded_words: Iterable[tuple[str, bool]]) -> None:
        self.words = list(folded_words)
        self.text = "".join(word for word, _ in self.words)
        self.home = [index for index, (word, _) in enumerate(self.words) for _ in word]
        self.matched = [0] * len(self.words)

    def touched(self, start: int, end: int) -> tuple[str, ...]:
        return tuple(self.words[index][0] for index in dict.fromkeys(self.home[start:end]))


def compare(pieces: Sequence[Piece], answer: str) -> Comparison:
    """Hold the answer against the pieces of evidence, in their order. Time and memory grow with the product of both lengths."""
    left = _Side((word, piece.is_sure) for piece in pieces for word in words(piece.text))
    right = _Side((word, True) for word in words(answer))
    operations = Levenshtein.opcodes(left.text, right.text)
    differences = []
    alone_left, alone_right = set(range(len(left.words))), set(range(len(right.words)))
    sure_right = [True] * len(right.words)
    for is_equal, group in groupby(operations, key=lambda operation: operation.tag == "equal"):
        run = list(group)
        a0, a1, b0, b1 = run[0].src_start, run[-1].src_end, run[0].dest_start, run[-1].dest_end
        if is_equal:
            for offset in range(a1 - a0):
                left.matched[left.home[a0 + offset]] += 1
                right.matched[right.home[b0 + offset]] += 1
            continue
        sure = _is_sure(left, a0, a1)
        differences.append(Difference(left.touched(a0, a1), right.touched(b0, b1), left.text[a0:a1] + right.text[b0:b1], sure))
        for index in set(right.home[b0:b1]):
            sure_right[index] = sure_right[index] and sure
        if a1 > a0 and b1 > b0:
            alone_left -= set(left.home[a0:a1])
            alone_right -= set(right.home[b0:b1])
    lost = tuple(Word(word, sure, index in alone_left) for index, (word, sure) in enumerate(left.words) if _is_missing(left, index))
    new = tuple(
        Word(word, sure_right[index], index in alone_right) for index, (word, _) in enumerate(right.words) if _is_missing(right, index)
    )
    longest = max(len(left.text), len(right.text))
    distance = sum(
        max(operation.src_end - operation.src_start, operation.dest_end - operation.dest_start)
        for operation in operations
        if operation.tag != "equal"
    )
    return Comparison(1 - distance / longest if longest else 1.0, tuple(differences), lost, new, len(left.text), len(right.text))


def _is_sure(left: _Side, start: int, end: int) -> bool:
    """Whether the evidence is sure of these characters; of a gap between two, whether it is sure of both."""
    first, last = (start, end - 1) if end > start else (max(0, start - 1), min(start, len(left.text) - 1))
    return bool(left.home) and all(left.words[index][1] for index in set(left.home[first : last + 1]))


def _is_missing(side: _Side, index: int) -> bool:
    length, matched = len(side.words[index][0]), side.matched[index]
    return matched == 0 or (matched < _SAME_WORD * length and length - matched > 1)
