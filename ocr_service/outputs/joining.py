"""The pages of a document as one stream of blocks, in which what runs over a page break is whole again.

A block belongs to the page where it begins. What of the next page goes on with it comes with it; footnotes (and running heads and feet,
where they are asked for) of its page follow after it, then the next page begins. The joins are conservative: two things are joined
only if nothing but a page break parts them, and the pages follow each other.

- A paragraph or list item goes on where it ends without a sentence's end and the next page begins with a text in small letters.
- A table goes on where the next page begins with a table as wide, with as many columns. Its repeated head is dropped, and so is a caption
  like «Продолжение таблицы 2». A cell that is cut by the page break stays two cells.

Nothing but the paragraph at the end of a page is held back, so a document of any length takes the memory of two pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ocr_service.domain.blocks import Block, LayoutLabel
from ocr_service.domain.documents import PageResult
from ocr_service.domain.text import SOFT_HYPHEN, is_cjk, join_lines
from ocr_service.outputs.markdown import captions_of, grid_of
from ocr_service.outputs.table_joining import OpenTable

_SENTENCE_END = frozenset(".!?…:;。！？；：")
_CLOSING = "»\"'”’)]›」』）】*¹²³"
_OPENING = "«\"'“‘([‹"
_CONTINUED_CAPTION = re.compile(
    r"\W*(?:(?:продолжение|окончание)\b.{0,20}\bтабл|табл\w*\W.{0,40}\((?:продолжение|окончание)"
    r"|(?:continuation|end)\s+of\s+table\b|table\b.{0,40}\bcont(?:inued|\.|’d|'d)|续表|續表)",
    re.IGNORECASE,
)
_LONGEST_CAPTION = 150
# A paragraph of more characters is no paragraph: it is given out, so that no file can fill the memory with one.
_LONGEST_PARAGRAPH = 100_000


@dataclass(frozen=True, slots=True)
class PageStart:
    """From here on, blocks begin on this page. `failure`: the code of its error, "" if it was read."""

    page: int
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A block. `continues`: its table's rows go on with those of the table piece before; no other piece came between.

    `caption` is that of a picture; `number` counts the tables of a page from 1.
    """

    page: int
    block: Block
    caption: str = ""
    number: int = 0
    continues: bool = False


Event = PageStart | Piece


def join_pages(results: Iterable[PageResult], *, include_running: bool = False) -> Iterator[Event]:
    """The document, from its pages in order."""
    joiner = _Joiner(include_running=include_running)
    for result in results:
        yield from joiner.feed(result)
    yield from joiner.close()


class _Joiner:
    def __init__(self, *, include_running: bool) -> None:
        self._include_running = include_running
        self._last_page = 0
        # At most one of the two is set: what the next page may go on with. A paragraph is held back, a table is not.
        self._paragraph: Piece | None = None
        self._table: OpenTable | None = None
        self._after: list[Event] = []

    def close(self) -> Iterator[Event]:
        """Give out what is held back."""
        if self._paragraph is not None:
            yield self._paragraph
        yield from self._after
        self._paragraph, self._table, self._after = None, None, []

    def feed(self, result: PageResult) -> Iterator[Event]:
        follows = result.page == self._last_page + 1
        self._last_page = result.page
        if result.analysis is None or not follows:
            yield from self.close()
        page = _Page(result, include_running=self._include_running)
        body = page.body
        taken = 0
        if self._table is not None:
            taken = self._continue_table(body, page)
            if taken:
                yield replace(body[taken - 1], block=self._table.last_part, continues=True)
        elif self._paragraph is not None:
            taken = self._continue_paragraph(body)
        if not taken:
            yield from self.close()
        self._after += [PageStart(result.page, result.error.code if result.error else ""), *page.before]
        rest = body[taken:]
        if rest or not taken:
            yield from self.close()
        yield from rest[:-1]
        if rest:
            yield from self._open(rest[-1], page)
        self._after += page.after

    def _open(self, last: Piece, page: _Page) -> Iterator[Event]:
        """The last piece of a page: what the next page may go on with."""
        if last.number:
            self._table = OpenTable.of(last.block, page.size)
            yield last
        elif last.block.label in {LayoutLabel.TEXT, LayoutLabel.LIST_ITEM}:
            self._paragraph = last
        else:
            yield last

    def _continue_table(self, body: list[Piece], page: _Page) -> int:
        """How many pieces of the page's beginning the open table takes."""
        skipped = 1 if len(body) > 1 and _is_continued_caption(body[0].block) else 0
        if self._table is None or len(body) <= skipped or not body[skipped].number:
            return 0
        goes_on = self._table.take(body[skipped].block, page.size, is_announced=bool(skipped))
        return skipped + 1 if goes_on else 0

    def _continue_paragraph(self, body: list[Piece]) -> int:
        if self._paragraph is None or not body or not _goes_on(self._paragraph.block, body[0].block):
            return 0
        block = self._paragraph.block
        self._paragraph = replace(self._paragraph, block=replace(block, content=join_lines([block.content, body[0].block.content])))
        return 1


class _Page:
    """A page's pieces by their place: before the body, the body, after it."""

    def __init__(self, result: PageResult, *, include_running: bool) -> None:
        blocks = result.analysis.blocks if result.analysis else ()
        self.size = (result.analysis.upright.width, result.analysis.upright.height) if result.analysis else (0, 0)
        self.before: list[Event] = []
        self.body: list[Piece] = []
        footnotes: list[Event] = []
        running: list[Event] = []
        captions = captions_of(blocks)
        tables = 0
        for block in blocks:
            piece = Piece(result.page, block, captions.get(block.id, ""))
            if block.label is LayoutLabel.FOOTNOTE:
                footnotes.append(piece)
            elif not block.label.is_running:
                if grid_of(block) is not None:
                    tables += 1
                    piece = replace(piece, number=tables)
                self.body.append(piece)
            elif include_running:
                (running if self.body else self.before).append(piece)
        self.after = footnotes + running


def _is_continued_caption(block: Block) -> bool:
    is_caption = block.label in {LayoutLabel.TABLE_TITLE, LayoutLabel.TEXT, LayoutLabel.PARAGRAPH_TITLE, LayoutLabel.FIGURE_TITLE}
    return is_caption and len(block.content) <= _LONGEST_CAPTION and _CONTINUED_CAPTION.match(block.content) is not None


def _goes_on(first: Block, second: Block) -> bool:
    """Whether the second block, the first of its page, is the rest of the first one."""
    if second.label is not LayoutLabel.TEXT or second.marker or len(first.content) > _LONGEST_PARAGRAPH:
        return False
    end, beginning = first.content.rstrip(), second.content.lstrip().lstrip(_OPENING)
    if not end or not beginning:
        return False
    if end[-1] == SOFT_HYPHEN:
        return True
    if end.rstrip(_CLOSING)[-1:] in _SENTENCE_END:
        return False
    if is_cjk(beginning[0]):
        return is_cjk(end[-1]) and _is_full(first)
    return beginning[0].islower()


def _is_full(block: Block) -> bool:
    """Whether the last line reaches the right edge of its paragraph; scripts without small letters tell by this alone."""
    if len(block.lines) < 2:
        return False
    last = block.lines[-1].bbox
    return last.x1 >= max(line.bbox.x1 for line in block.lines) - last.height
