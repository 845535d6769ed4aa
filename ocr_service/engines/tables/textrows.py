"""Rows of a table from where its text stands, for tables (or parts of them) without lines between the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_SHRINK = 0.12  # of a line's height at top and bottom: ascenders and descenders of neighbours may overlap
_LEADING = 0.55  # of a line's height: a smaller gap is that between two lines of one cell
_LEADING_KNOWN = 0.8  # the same where the words say that the cell goes on
_ALIGNED = 0.35  # of a line's height between the middles of two lines of one row


@dataclass(frozen=True, slots=True)
class CellLine:
    """One line of text in a cell: its columns (first and last) and where it stands.

    `may_continue`: whether its words say that it goes on what the line above it began; None where words are not known.
    """

    first: int
    last: int
    top: float
    bottom: float
    may_continue: bool | None = None
    left: float = 0.0
    right: float = 0.0

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        return self.bottom - self.top


Band = tuple[float, float]


def row_bands(lines: Sequence[CellLine], columns: int) -> list[Band]:
    """The rows' tops and bottoms, as far as text reaches, from the top."""
    if not lines:
        return []
    height = median(line.height for line in lines)
    bands: list[list[CellLine]] = []
    for group in line_groups(lines):
        for row in _rows_of_group(group, height):
            if bands and _continues(bands[-1], row, height, columns):
                bands[-1].extend(row)
            else:
                bands.append(row)
    return [(min(line.top for line in band), max(line.bottom for line in band)) for band in _without_centred(bands, height)]


def _without_centred(bands: list[list[CellLine]], height: float) -> list[list[CellLine]]:
    """Without text that stands between two rows, in columns that are empty in both: it belongs to both (rowspan)."""
    kept: list[list[CellLine]] = []
    for index, band in enumerate(bands):
        if kept and index + 1 < len(bands):
            mine, near = {line.first for line in band}, {line.first for line in (*kept[-1], *bands[index + 1])}
            above = min(line.top for line in band) - max(line.bottom for line in kept[-1])
            under = min(line.top for line in bands[index + 1]) - max(line.bottom for line in band)
            if not mine & near and max(above, under) < _LEADING * height:
                continue
        kept.append(band)
    return kept


def line_groups(lines: Sequence[CellLine]) -> list[list[CellLine]]:
    """Lines whose heights overlap, directly or through others."""
    groups: list[list[CellLine]] = []
    reach = 0.0
    for line in sorted(lines, key=lambda item: item.top):
        inset = line.height * _SHRINK
        if groups and line.top + inset < reach:
            groups[-1].append(line)
            reach = max(reach, line.bottom - inset)
        else:
            groups.append([line])
            reach = line.bottom - inset
    return groups


def _rows_of_group(group: list[CellLine], height: float) -> list[list[CellLine]]:
    """One row, or several if most columns hold that many lines at the same heights; the others' lines stand between (rowspan)."""
    by_column: dict[int, list[CellLine]] = {}
    for line in group:
        by_column.setdefault(line.first, []).append(line)
    counts = Counter(len(stack) for stack in by_column.values())
    usual, votes = max(counts.items(), key=lambda item: (item[1], -item[0]))
    if usual < 2 or votes < 2 or votes * 2 <= len(by_column):
        return [group]
    stacks = [sorted(stack, key=lambda item: item.top) for stack in by_column.values() if len(stack) == usual]
    middles = [[stack[index].middle for stack in stacks] for index in range(usual)]
    if any(max(level) - min(level) > 2 * _ALIGNED * height for level in middles):
        return [group]
    centres = [median(level) for level in middles]
    return [[line for line in group if abs(line.middle - centre) <= _ALIGNED * height] for centre in centres]


def _continues(upper: list[CellLine], lower: list[CellLine], height: float, columns: int) -> bool:
    """Whether the lower lines go on what some cells of the upper row began."""
    gap = min(line.top for line in lower) - max(line.bottom for line in upper)
    begun = {column for line in upper for column in range(line.first, line.last + 1)}
    going_on = {column for line in lower for column in range(line.first, line.last + 1)}
    few = len(going_on) < 0.6 * len(begun) or (columns <= 2 and len(going_on) < len(begun))
    if any(line.may_continue is False for line in lower):
        return False
    known = all(line.may_continue for line in lower)
    return gap < (_LEADING_KNOWN if known else _LEADING) * height and going_on <= begun and (few or known)
