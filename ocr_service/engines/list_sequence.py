"""Markers of a list count on: what stands between «а)» and «в)» is «б)», though it was read as «6)», which looks the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ocr_service.domain.blocks import Block, LayoutLabel

_LETTERS = "абвгдежзиклмнопрстуфхцчшщэюя"
# What is read for the other; one way and the other.
_LOOK_ALIKE = {"6": "б", "б": "6", "3": "з", "з": "3"}


def with_counted_markers(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The blocks; a list item's marker that looks like the one after its predecessor's becomes that. `lines` keep what was read."""
    counted: list[Block] = []
    for block in blocks:
        before = counted[-1] if counted else None
        counted.append(_counted(before, block) if before is not None else block)
    return tuple(counted)


def _counted(before: Block, block: Block) -> Block:
    if not (before.label is block.label is LayoutLabel.LIST_ITEM and before.marker and block.marker):
        return block
    sign, end = block.marker[:-1], block.marker[-1]
    other = _LOOK_ALIKE.get(sign.lower())
    if other is None or before.marker[-1] != end or other != _next(before.marker[:-1]):
        return block
    return replace(block, marker=other + end)


def _next(sign: str) -> str | None:
    if sign.isdecimal():
        return str(int(sign) + 1)
    place = _LETTERS.find(sign.lower()) if len(sign) == 1 else -1
    return _LETTERS[place + 1] if 0 <= place < len(_LETTERS) - 1 else None
