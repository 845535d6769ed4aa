"""Commas before kopecks that were read as points: «1 986,00» on a fax. A comma goes below the line, a point stands on it.

Recognisers see a line at a height of their own, in which a small comma is a dot; in the picture its tail is still there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.ocr.recognition import ReadChar
from ocr_service.engines.page.ink import ink_of_line

# Of the height of figures: how far a comma goes below their feet at least. On faxes with figures 14 pixels high one point in 90 goes
# further, and one in three of the commas that were read as points.
_TAIL = 0.13
# Figures to either side whose feet are the line, which may be tilted; and half of the width that is looked at, in heights of the picture.
_NEAR, _HALF = 4, 0.06


def with_commas(chars: Sequence[ReadChar], pixels: NDArray[np.uint8]) -> tuple[ReadChar, ...]:
    """The characters of a line, as read from `pixels` (h×w, grey); a point before two figures is a comma if it has a comma's tail."""
    points = [place for place in range(1, len(chars) - 1) if _is_decimal(place, chars)]
    if not points:
        return tuple(chars)
    ink = ink_of_line(pixels)
    told = list(chars)
    for place in points:
        if _has_tail(place, chars, ink):
            told[place] = replace(chars[place], text=",")
    return tuple(told)


def _is_decimal(place: int, chars: Sequence[ReadChar]) -> bool:
    """Whether a point parts two figures from those before, alone in its number: a date has two, «1,234.50» another sign before it, and
    the number of a section, «7.2», seldom two figures behind it."""
    if chars[place].text != "." or not chars[place - 1].text.isdigit() or not chars[place + 1].text.isdigit():
        return False
    before, after = ("".join(char.text for char in part) for part in (reversed(chars[:place]), chars[place + 1 :]))
    return re.match(r"\d+(?![\d.,])", before) is not None and re.match(r"\d\d(?![\d.,]\d|\d)", after) is not None


def _has_tail(place: int, chars: Sequence[ReadChar], ink: NDArray[np.bool_]) -> bool:
    height, width = ink.shape
    near = [char for char in chars[max(0, place - _NEAR) : place + _NEAR + 1] if char.text.isdigit()]
    reach = _HALF * height
    extents = [np.flatnonzero(ink[:, max(0, int(char.at * width - reach)) : int(char.at * width + reach) + 1].any(axis=1)) for char in near]
    extents = [rows for rows in extents if len(rows)]
    if not extents:
        return False
    top, foot = (float(np.median([rows[end] for rows in extents])) for end in (0, -1))
    below = ink[int(foot) + 1 :, int(chars[place - 1].at * width) : int(chars[place + 1].at * width) + 1]
    depth = int(np.argmin(below.any(axis=1))) if below.size and not below.any(axis=1).all() else len(below)
    return depth >= _TAIL * (foot - top)
