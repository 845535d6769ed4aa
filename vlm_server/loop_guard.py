"""Tells while a text is written that its writer is caught in a loop.

Fed piece by piece; looks only at the text's end, so a piece costs the same however long the text is. A loop is

- the same passage again and again at the very end, long enough and often enough that no document means it;
- the same line again and again;
- empty table cells without end.

Not a loop: leaders ("......", "____", "- - -"), which stand in tables of contents and forms, and rows of a table that a document
repeats a few times. The limits are generous on purpose: stopping a real text is worse than a second of a looping one.
"""

from __future__ import annotations

import re

LOOK_BACK = 4096  # characters
CHECK_EVERY = 16  # characters: looking at every one would cost more and find nothing sooner
LONGEST_PASSAGE = 400  # characters
EMPTY_CELLS = 240  # of a table, one after the other, line ends not counted
SAME_LINES = 24
SAME_LEADER = 2000  # characters: even dots end at a page's edge
_ROW_ENDS = ("<nl>", "\n", " ")
_EMPTY_MARKS = ("<ecel>", "<fcel>", "<lcel>", "<ucel>", "<xcel>", *_ROW_ENDS)
_MARK = re.compile(r"<(?:[eluxf]cel|nl)>")
_LEADERS = set(".…_-–—·•*=~ \t\n")


class LoopGuard:
    """`feed` the text as it comes; once it returns True, `useful` is the text without the loop."""

    def __init__(self) -> None:
        self._text = ""
        self._checked = 0
        self.useful = ""

    @property
    def text(self) -> str:
        return self._text

    def feed(self, piece: str) -> bool:
        """Whether the text has become a loop."""
        self._text += piece
        if len(self._text) - self._checked < CHECK_EVERY:
            return False
        self._checked = len(self._text)
        tail = self._text[-LOOK_BACK:]
        repeated = _empty_cells(tail) or _repeated_lines(tail) or _repeated_passage(tail)
        if not repeated:
            return False
        self.useful = self._text[: len(self._text) - repeated].rstrip()
        return True


def _empty_cells(tail: str) -> int:
    """Characters at the end that are cells without content, when there are too many of them."""
    start, count = tail.rfind(">") + 1, 0
    if not "<fcel>".startswith(tail[start:].strip()[:1]):
        return 0
    while start and (mark := next((mark for mark in _EMPTY_MARKS if tail.endswith(mark, 0, start)), "")):
        start -= len(mark)
        count += mark not in _ROW_ENDS
    return len(tail) - start if count >= EMPTY_CELLS else 0


def _repeated_lines(tail: str) -> int:
    """Characters at the end that say the last whole line once more; its first showing is useful."""
    lines = tail.split("\n")[:-1]
    if not lines or not lines[-1].strip() or _is_leader(lines[-1]):
        return 0
    count = 0
    while count < len(lines) and lines[-1 - count] == lines[-1]:
        count += 1
    return (len(lines[-1]) + 1) * (count - 1) + len(tail.split("\n")[-1]) if count >= SAME_LINES else 0


def _repeated_passage(tail: str) -> int:
    """Characters at the end that repeat what stands before them, period by period; the first showing is useful."""
    for period in _periods(tail):
        run = _run(tail, period)
        if _is_leader(tail[-period:]):
            if run >= SAME_LEADER:
                return run
        elif run >= period * _times(period) and not _is_empty_table(tail[-run:]):
            return run - period
    return 0


def _periods(tail: str) -> list[int]:
    """Distances at which the last characters were met before, short ones first."""
    probe = tail[-8:]
    if len(probe) < 8:
        return []
    found, at = [], len(tail) - 8
    while (at := tail.rfind(probe, max(0, len(tail) - 8 - LONGEST_PASSAGE), at + 7)) >= 0:
        found.append(len(tail) - 8 - at)
    return found


def _run(tail: str, period: int) -> int:
    """How many characters at the end are periodic, the first showing included."""
    length, position = period, len(tail) - period - 1
    while position >= 0 and tail[position] == tail[position + period]:
        length, position = length + 1, position - 1
    return length


def _times(period: int) -> int:
    """How often a passage must stand there: a long one says sooner that something is wrong than "0 0 0 0"."""
    return max(8, min(60, 600 // period))


def _is_empty_table(text: str) -> bool:
    """Nothing but cell marks, but for a mark cut at either end: `_empty_cells` has its own limit for those."""
    return len(_MARK.sub("", text).strip()) <= 12 and len(_MARK.findall(text)) > 8


def _is_leader(text: str) -> bool:
    return set(text) <= _LEADERS
