"""Recognises an answer that runs in circles, when no guard of the server stopped it while it was generated."""

from __future__ import annotations

# The endless part of an answer that was cut at the limit of tokens.
_CUT_TIMES, _CUT_LENGTH = 4, 160
# An answer that ended by itself may repeat itself truly: forty equal rows, a page of empty cells. Only more than a page holds is a loop.
_ENDED_TIMES, _ENDED_LENGTH = 60, 2000
# A loop's unit is at most some lines; looking no further back keeps this linear.
_LONGEST_LOOK = 12_000
_LEADERS = set(" \t\n.…·_-–—=*•")


def without_loop(text: str, *, was_cut: bool) -> str | None:
    """The text up to and including the first time round; None if it does not end in a loop.

    `was_cut`: the answer ended at the limit of tokens. A real loop practically always does, because it never ends by itself.
    Leaders ("Всего ........ 5") and rules to write on ("Подпись ______") are no loops.
    """
    times, length = (_CUT_TIMES, _CUT_LENGTH) if was_cut else (_ENDED_TIMES, _ENDED_LENGTH)
    backwards = text[-_LONGEST_LOOK:][::-1]
    for period, repeated in _periods(backwards):
        if repeated >= length and repeated >= times * period and not _LEADERS.issuperset(backwards[:period]):
            return text[: len(text) - repeated + period]
    return None


def _periods(text: str) -> list[tuple[int, int]]:
    """(period, length of the longest beginning of the text that has this period), for each period, the shortest first."""
    return [(period, period + same) for period, same in enumerate(_common_with_beginning(text)) if period and same]


def _common_with_beginning(text: str) -> list[int]:
    """For each position, how many characters from there equal the text's beginning (the Z function); 0 for position 0."""
    common = [0] * len(text)
    left = right = 0
    for position in range(1, len(text)):
        same = min(right - position, common[position - left]) if position < right else 0
        while position + same < len(text) and text[same] == text[position + same]:
            same += 1
        common[position] = same
        if position + same > right:
            left, right = position, position + same
    return common
