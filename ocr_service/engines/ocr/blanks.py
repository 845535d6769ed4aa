"""Blanks in a line, which tell words and numbers apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.paddle_reader import ink_columns
from ocr_service.engines.ocr.reading import ReadWord

# The first word of a short line, in heights of the line: where it may end, and how wide the gap after it is at least.
_FIRST_WORD, _GAP = 1.5, 0.15
# A blank narrower than this, in heights of the line, is none between two numbers.
_BLANK = 0.2


def first_gap(line: LinePicture) -> int | None:
    """Where in the line the first word ends that is not too short to tell a script by; None where nothing much would follow it."""
    blank = ~ink_columns(line)
    least = max(2, round(_GAP * line.height))
    begin = round(_FIRST_WORD * line.height)
    # From here on all the columns of a gap are blank.
    gaps = np.flatnonzero(sliding_window_view(blank[begin:], least).all(axis=1)) if len(blank) - begin > least else np.array([])
    end = begin + int(gaps[0]) + least // 2 if len(gaps) else line.width
    return end if end < line.width - begin and not blank[:end].all() else None


def numbers_joined(line: LinePicture, run: Sequence[ReadWord]) -> list[ReadWord]:
    """The run; words that are one number, which Tesseract cut though there is no blank in it, made one."""
    joined: list[ReadWord] = []
    for word in run:
        if joined and joined[-1].text.isdigit() and word.text[:1].isdigit() and not _blank_between(line, joined[-1], word):
            before = joined.pop()
            joined.append(ReadWord(before.text + word.text, min(before.confidence, word.confidence), before.x0, word.x1))
        else:
            joined.append(word)
    return joined


def _blank_between(line: LinePicture, left: ReadWord, right: ReadWord) -> bool:
    """Whether paper is seen between the words, which need not be cut right where the ink ends."""
    blank = ~ink_columns(line)[max(0, int(left.x1 - _BLANK * line.height)) : int(right.x0 + _BLANK * line.height) + 1]
    least = max(2, round(_BLANK * line.height))
    return len(blank) >= least and bool(sliding_window_view(blank, least).all(axis=1).any())
