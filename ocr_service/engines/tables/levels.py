"""The levels of a head without lines between them: groups of columns above, single columns below."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ocr_service.engines.tables.textrows import Band, CellLine, line_groups

_ALIGNED = 0.6  # of a line's height that lines of one cell may differ at their left, middle and right


def head_bands(lines: Sequence[CellLine], rules: Sequence[float]) -> list[Band]:
    """One band a level, from the top: levels are parted by short rules (heights), or by text that spans what stands under it."""
    bands: list[Band] = []
    bounds = [float("-inf"), *sorted(rules), float("inf")]
    for top, bottom in itertools.pairwise(bounds):
        between = [line for line in lines if top <= line.middle < bottom]
        bands.extend((min(line.top for line in level), max(line.bottom for line in level)) for level in _levels(between))
    return bands


def _levels(lines: Sequence[CellLine]) -> list[list[CellLine]]:
    levels: list[list[CellLine]] = []
    for group in line_groups(lines):
        if levels and not any(_spans(upper, lower) for upper in levels[-1] for lower in group):
            levels[-1].extend(group)
        else:
            levels.append(group)
    return levels


def _spans(upper: CellLine, lower: CellLine) -> bool:
    """Whether the upper text stands over the lower one and others, so that both cannot be lines of one cell."""
    if upper.last < lower.first or lower.last < upper.first or upper.bottom > lower.middle:
        return False
    if upper.last - upper.first != lower.last - lower.first:
        return upper.first <= lower.first and lower.last <= upper.last
    offsets = (upper.left - lower.left, upper.right - lower.right, (upper.left + upper.right - lower.left - lower.right) / 2)
    return min(abs(offset) for offset in offsets) > _ALIGNED * lower.height
