"""Which words of two readings are readings of the same word, where neither has the words of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rapidfuzz.distance import LCSseq, Levenshtein

# A word may be read as so many: "12 500 000". Each of them must have this share of its letters in the whole.
_MOST_PARTS = 4
_PART_OF_WORD = 0.6
# Pairs of words that are weighed, within about a tenth of a second; no paragraph has as many words in a row that were all misread.
_MOST_PAIRS = 2_500

Words = Sequence[str]
Step = tuple[int, int]


def without_partner(left: Words, right: Words) -> tuple[set[int], set[int]]:
    """The places of the words on either side that have no partner on the other, when words are paired in order with the fewest letters
    changed. Several words may together be the partner of one. Of readings too long to weigh, no word is without a partner.
    """
    if len(left) * len(right) > _MOST_PAIRS:
        return set(), set()
    # costs[i][j]: letters changed, lost and added in the first i and j words; came[i][j]: how many words of either side the last step took.
    costs = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    came: list[list[Step]] = [[(0, 0)] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) + 1):
        for j in range(len(right) + 1):
            if i or j:
                steps = _steps(left[max(0, i - _MOST_PARTS) : i], right[max(0, j - _MOST_PARTS) : j])
                costs[i][j], came[i][j] = min((costs[i - a][j - b] + cost, (a, b)) for (a, b), cost in steps)
    return _alone(came)


def _steps(left: Words, right: Words) -> Iterator[tuple[Step, int]]:
    """The ways to take the last words of either side together, and what each costs in letters."""
    if left:
        yield (1, 0), len(left[-1])
    if right:
        yield (0, 1), len(right[-1])
    if left and right:
        yield (1, 1), Levenshtein.distance(left[-1], right[-1])
        for parts in range(2, len(right) + 1):
            if _are_parts(right[-parts:], left[-1]):
                yield (1, parts), Levenshtein.distance(left[-1], "".join(right[-parts:]))
        for parts in range(2, len(left) + 1):
            if _are_parts(left[-parts:], right[-1]):
                yield (parts, 1), Levenshtein.distance("".join(left[-parts:]), right[-1])


def _are_parts(parts: Words, whole: str) -> bool:
    """Whether every one of the parts stands in the whole, in order."""
    joined = "".join(parts)
    if min(len(joined), len(whole)) < _PART_OF_WORD * max(len(joined), len(whole)):
        return False
    matched = {place for block in LCSseq.opcodes(joined, whole) if block.tag == "equal" for place in range(block.src_start, block.src_end)}
    start = 0
    for part in parts:
        if len(matched.intersection(range(start, start + len(part)))) < _PART_OF_WORD * len(part):
            return False
        start += len(part)
    return True


def _alone(came: list[list[Step]]) -> tuple[set[int], set[int]]:
    alone: tuple[set[int], set[int]] = set(), set()
    i, j = len(came) - 1, len(came[0]) - 1
    while i or j:
        a, b = came[i][j]
        i, j = i - a, j - b
        if b == 0:
            alone[0].add(i)
        if a == 0:
            alone[1].add(j)
    return alone
