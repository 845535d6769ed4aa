"""A table that a model wrote as HTML.

HTML parsers forgive everything and take their time over it: the standard library's needs seconds for a few thousand unfinished tags. So
only what can belong to a table is let through to it, as plainly as it can be written; all other `<` are text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ocr_service.domain.blocks import TableGrid
from ocr_service.outputs import table_html

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,9})(?P<attributes>(?:[\s/][^<>]{0,300})?)>")
_SPAN = re.compile(r"\b(rowspan|colspan)\s*=\s*[\"']?\s*(\d{1,6})(?!\d)", re.IGNORECASE)
_TABLE_START = re.compile(r"<(?:table|tr|td|th)[\s>]", re.IGNORECASE)
_STRUCTURE = {"table", "thead", "tbody", "tfoot", "tr", "td", "th", "br", "p", "div"}
# They shape letters or wrap the table; their text stays, they go.
_DROPPED = {"b", "i", "u", "s", "em", "strong", "span", "sup", "sub", "small", "font", "center", "img", "html", "body", "colgroup", "col"}


@dataclass(frozen=True, slots=True)
class HtmlTable:
    """`defect` says why the grid is not all there is; "" if it is."""

    grid: TableGrid | None
    defect: str


def is_html_table(text: str) -> bool:
    return _TABLE_START.search(text) is not None


def read_html(text: str) -> HtmlTable:
    """The first table."""
    pieces: list[str] = []
    follower = _Follower()
    position = 0
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        if name not in _STRUCTURE | _DROPPED:
            continue
        follower.text(text[position : tag.start()])
        pieces.append(_as_text(text[position : tag.start()]))
        position = tag.end()
        if name in _STRUCTURE:
            follower.tag(name, is_end=bool(tag["end"]))
            pieces.append(f"<{tag['end']}{name}{'' if tag['end'] else _spans(tag['attributes'])}>")
    follower.text(text[position:])
    pieces.append(_as_text(text[position:]))
    return HtmlTable(table_html.from_html("".join(pieces)), follower.defect())


def _as_text(text: str) -> str:
    """Entities stay what they are."""
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _spans(attributes: str) -> str:
    return "".join(f' {name.lower()}="{value}"' for name, value in _SPAN.findall(attributes))


class _Follower:
    """Follows how tables open and close. Rows and cells may leave their end out, as HTML allows; a table may not."""

    def __init__(self) -> None:
        self._open = 0
        self._tables = 0
        self._unmatched = False
        self._outside = False

    def tag(self, name: str, *, is_end: bool) -> None:
        if name == "table":
            # A table inside of a table has no place in a grid.
            self._unmatched = self._unmatched or self._open != int(is_end)
            self._open += -1 if is_end else 1
            self._tables += not is_end
        elif name in {"tr", "td", "th"} and self._open != 1:
            self._outside = True

    def text(self, text: str) -> None:
        self._outside = self._outside or (self._open != 1 and not text.isspace() and text != "")

    def defect(self) -> str:
        if self._open or self._unmatched or not self._tables:
            return "unbalanced table"
        if self._tables > 1:
            return "more than one table"
        return "text outside of the table" if self._outside else ""
