"""Where two readings of the same region differ, and how sure the evidence is in that place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rapidfuzz.distance import Levenshtein

from ocr_service.pipeline.refinement.evidence import Piece
from ocr_service.pipeline.refinement.folding import by_shape, words
from ocr_service.pipeline.refinement.pairing import without_partner

# A word of which less than this stands in the other reading is another word, but not for one wrong letter of two or three; where the
# evidence is sure, three wrong letters make another word too if they are more than a fifth.
_SAME_WORD = 0.6
_SURELY_SAME_WORD = 0.8


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the readings differ: the folded words that the difference touches on either side.

    `changed`: the letters and digits themselves that differ, of both sides. `is_sure`: the evidence is sure of its reading there.
    `is_alone`: one side has whole words where the other has nothing.
    """

    evidence: tuple[str, ...]
    answer: tuple[str, ...]
    changed: str
    is_sure: bool
    is_alone: bool

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
    """`agreement` 0–1: the share of letters and digits in common; `likeness` 0–1: the same over the words that both readings have.

    `lost` words are the evidence's, `new` ones the answer's.
    """

    agreement: float
    likeness: float
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
        touched = left.touched(a0, a1), right.touched(b0, b1)
        alone = len("".join(touched[0] + touched[1])) == a1 - a0 + b1 - b0 and (a1 == a0 or b1 == b0)
        differences.append(Difference(*touched, left.text[a0:a1] + right.text[b0:b1], sure, alone))
        for index in set(right.home[b0:b1]):
            sure_right[index] = sure_right[index] and sure
        if _are_counterparts(a1 - a0, b1 - b0):
            alone_left -= set(left.home[a0:a1])
            alone_right -= set(right.home[b0:b1])
    without = _without_counterpart(left, right)
    alone_left |= without[0]
    alone_right |= without[1]
    lost = tuple(
        Word(word, sure, index in alone_left)
        for index, (word, sure) in enumerate(left.words)
        if index in without[0] or _is_missing(left, index, is_sure=sure)
    )
    new = tuple(
        Word(word, sure_right[index], index in alone_right)
        for index, (word, _) in enumerate(right.words)
        if index in without[1] or _is_missing(right, index, is_sure=sure_right[index])
    )
    longest = max(len(left.text), len(right.text))
    distance = sum(
        max(operation.src_end - operation.src_start, operation.dest_end - operation.dest_start)
        for operation in operations
        if operation.tag != "equal"
    )
    agreement = 1 - distance / longest if longest else 1.0
    return Comparison(agreement, _likeness(left), tuple(differences), lost, new, len(left.text), len(right.text))


def _without_counterpart(left: _Side, right: _Side) -> tuple[set[int], set[int]]:
    """The words of either side with nothing in their place on the other.

    Letter by letter, «не» beside a word with н and е in it would be taken for a part of that word.
    """
    found: tuple[set[int], set[int]] = set(), set()
    texts = [[word for word, _ in side.words] for side in (left, right)]
    for is_equal, group in groupby(Levenshtein.opcodes(*texts), key=lambda operation: operation.tag == "equal"):
        if is_equal:
            continue
        run = list(group)
        starts = run[0].src_start, run[0].dest_start
        differing = texts[0][starts[0] : run[-1].src_end], texts[1][starts[1] : run[-1].dest_end]
        for alone, start, places in zip(found, starts, without_partner(*differing), strict=True):
            alone.update(start + place for place in places)
    return found


def _likeness(side: _Side) -> float:
    """Share of letters in common, over the words that the other side has too; 1 if it has none."""
    shared = [index for index in range(len(side.words)) if not _is_missing(side, index)]
    letters = sum(len(side.words[index][0]) for index in shared)
    return sum(side.matched[index] for index in shared) / letters if letters else 1.0


def _are_counterparts(left: int, right: int) -> bool:
    """Whether so many letters can be two readings of the same ones; a single letter is none of a whole sentence."""
    return left > 0 and right > 0 and max(left, right) <= 2 * min(left, right) + 3


def _is_sure(left: _Side, start: int, end: int) -> bool:
    """Whether the evidence is sure of these characters; of a gap between two, whether it is sure of both."""
    first, last = (start, end - 1) if end > start else (max(0, start - 1), min(start, len(left.text) - 1))
    return bool(left.home) and all(left.words[index][1] for index in set(left.home[first : last + 1]))


def _is_missing(side: _Side, index: int, *, is_sure: bool = False) -> bool:
    length, matched = len(side.words[index][0]), side.matched[index]
    wrong = length - matched
    if matched == 0 or (wrong > 1 and matched < _SAME_WORD * length):
        return True
    return is_sure and wrong > 2 and matched < _SURELY_SAME_WORD * length
