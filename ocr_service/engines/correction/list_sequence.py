"""Markers of a list count on: what stands between «а)» and «в)» is «б)», though it was read as «6)», which looks the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ocr_service.domain.blocks import Block, LayoutLabel

_LETTERS = "абвгдежзиклмнопрстуфхцчшщэюя"
# What is read for the other; one way and the other.
_LOOK_ALIKE = {"6": "б", "б": "6", "3": "з", "з": "3"}


# A paragraph that begins with a marker, though the layout took it for text.
_BEGINNING = re.compile(r"(?P<marker>[0-9а-яё]{1,2}\))(?P<rest>\s)", re.IGNORECASE)


def with_counted_markers(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The blocks; an item's marker that looks like the one after its predecessor's becomes that. `lines` keep what was read."""
    counted: list[Block] = []
    for block in blocks:
        before = counted[-1] if counted else None
        counted.append(_counted(before, block) if before is not None else block)
    return tuple(counted)


def _counted(before: Block, block: Block) -> Block:
    marker = _marker(block)
    counted = _counted_on(_marker(before), marker) if before.label is block.label and marker else None
    if not marker or counted is None:
        return block
    if block.marker:
        return replace(block, marker=counted)
    return replace(block, content=counted + block.content[len(marker) :])


def _marker(block: Block) -> str | None:
    if block.label is LayoutLabel.TEXT:
        beginning = _BEGINNING.match(block.content)
        return beginning["marker"] if beginning else None
    return block.marker if block.label is LayoutLabel.LIST_ITEM else None


def _counted_on(before: str | None, marker: str) -> str | None:
    """What the marker is if it only looks like another one than that which is due."""
    sign, end = marker[:-1], marker[-1]
    other = _LOOK_ALIKE.get(sign.lower())
    if not before or other is None or before[-1] != end or other != _next(before[:-1]):
        return None
    return other + end


def _next(sign: str) -> str | None:
    if sign.isdecimal():
        return str(int(sign) + 1)
    place = _LETTERS.find(sign.lower()) if len(sign) == 1 else -1
    return _LETTERS[place + 1] if 0 <= place < len(_LETTERS) - 1 else None
