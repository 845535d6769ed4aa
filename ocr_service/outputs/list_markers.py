"""How a list item's own marker is written, so that Markdown neither renumbers it nor loses it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_service.domain.blocks import Block
from ocr_service.outputs.escaping import escape_paragraph

_BULLETS = frozenset("•‣▪▫■□●○◦◆◇➢➤►∙·*-–—−+⁃§\u00b7\uf0b7\uf0a7")
_ORDERED = re.compile(r"(0|[1-9]\d{0,8})([.)])")
# Indentation in line heights: less is noise, more is another column.
_INDENT, _OTHER_COLUMN = 0.5, 8.0
_DEEPEST = 6


@dataclass(slots=True)
class _Level:
    """An open list: where its items begin in the picture and in the Markdown, and its last number."""

    x0: float
    column: int
    child_column: int
    number: int | None = None
    delimiter: str = ""


class ListWriter:
    """Writes consecutive list items of one page; knows where it is in the list.

    "•" and its like become `-`; `3.` and `3)` stay what they are where they count on, for a list that skips a number would be renumbered.
    Every other marker («2.1.», «а)», a number out of order) is part of its item's text.
    """

    def __init__(self) -> None:
        self._levels: list[_Level] = []
        self._last_y = 0.0
        self._last_is_item = False

    def write(self, block: Block, lines: Sequence[str]) -> tuple[str, bool]:
        """The item's Markdown, from the lines of its text; and whether the item is of the same list as the one before it,
        so that no blank line parts them."""
        level = self._level_of(block)
        marker = (block.marker or "").strip()
        begins = level.number is None
        # An item without text would make a heading of the line above it.
        prefix = self._prefix(marker, level) if lines else None
        # Below a line of text only a bullet or a 1 begins a list; another number would be a part of that line.
        tight = self._last_is_item and prefix is not None and (not begins or prefix.startswith(("-", "1.", "1)")))
        if prefix is None:
            lines = [f"{marker} {lines[0] if lines else ''}", *lines[1:]]
            level.child_column, level.number = level.column, None
            prefix = ""
        else:
            level.child_column = level.column + len(prefix)
        self._last_is_item = bool(prefix)
        indent, hanging = " " * level.column, " " * level.child_column
        return f"{indent}{prefix}" + f"  \n{hanging}".join(escape_paragraph(lines)), tight

    @staticmethod
    def _prefix(marker: str, level: _Level) -> str | None:
        """The marker as Markdown, None where it has to be text."""
        if not marker or (len(marker) == 1 and marker in _BULLETS):
            level.number, level.delimiter = None, ""
            return "- "
        ordered = _ORDERED.fullmatch(marker)
        if ordered is None:
            return None
        number, delimiter = int(ordered[1]), ordered[2]
        counts_on = level.number is None or delimiter != level.delimiter or number == level.number + 1
        level.number, level.delimiter = (number if counts_on else None), delimiter
        return f"{marker} " if counts_on else None

    def _level_of(self, block: Block) -> _Level:
        """The level that the item's left edge says."""
        heights = [line.bbox.height for line in block.lines] or [block.bbox.height / max(1, block.content.count("\n") + 1)]
        height = max(1.0, min(heights))
        x0 = block.bbox.x0
        if self._levels and (block.bbox.y0 < self._last_y or abs(x0 - self._levels[-1].x0) > _OTHER_COLUMN * height):
            # The next column of the page: its left edge says nothing about depth. Numbers count on.
            shift = x0 - self._levels[-1].x0
            for level in self._levels:
                level.x0 += shift
        self._last_y = block.bbox.y0
        while len(self._levels) > 1 and x0 < self._levels[-1].x0 - _INDENT * height:
            self._levels.pop()
        if not self._levels:
            self._levels.append(_Level(x0, 0, 0))
        elif x0 > self._levels[-1].x0 + _INDENT * height and len(self._levels) < _DEEPEST:
            column = self._levels[-1].child_column
            self._levels.append(_Level(x0, column, column))
        return self._levels[-1]
