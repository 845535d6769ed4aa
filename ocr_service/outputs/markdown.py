"""Blocks as Markdown. A page is the same blocks whether it is written alone or as a part of its document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, TableGrid
from ocr_service.domain.text import join_lines
from ocr_service.outputs import table_html
from ocr_service.outputs.escaping import escape_alt, escape_heading, escape_paragraph
from ocr_service.outputs.list_markers import ListWriter

_DEEPEST_HEADING = 6


def page_markdown(blocks: Sequence[Block], *, include_running: bool = False) -> str:
    """A page's Markdown, without a line end after the last line; "" for a page without content.

    Running heads, running feet and page numbers are left out unless asked for. Footnotes come last.
    """
    writer = MarkdownWriter()
    captions = captions_of(blocks)
    shown = [block for block in blocks if include_running or not block.label.is_running]
    ordered = [block for block in shown if block.label is not LayoutLabel.FOOTNOTE]
    ordered += [block for block in shown if block.label is LayoutLabel.FOOTNOTE]
    return "".join(writer.write(block, captions.get(block.id, "")) for block in ordered).strip("\n")


def captions_of(blocks: Iterable[Block]) -> dict[str, str]:
    """Block id of a picture → the text of the caption that follows it."""
    captions: dict[str, str] = {}
    picture: Block | None = None
    for block in blocks:
        if picture is not None and block.label is LayoutLabel.FIGURE_TITLE:
            captions[picture.id] = block.content
        picture = block if block.format is ContentFormat.IMAGE else None
    return captions


def grid_of(block: Block) -> TableGrid | None:
    """The block's table: its grid, or what its HTML says."""
    if block.table is not None:
        return block.table
    return table_html.from_html(block.content) if block.format is ContentFormat.HTML else None


class MarkdownWriter:
    """Writes blocks one after the other; each piece brings the line ends that part it from what is before it."""

    def __init__(self) -> None:
        self._list: ListWriter | None = None
        self._is_first = True

    def write(self, block: Block, caption: str = "") -> str:
        """The block's Markdown, "" where it has nothing to show."""
        if block.label is LayoutLabel.LIST_ITEM and block.format is ContentFormat.TEXT:
            return self._write_list_item(block)
        return self.write_raw(block_markdown(block, caption))

    def write_raw(self, markdown: str) -> str:
        """A piece of Markdown of its own; it ends a list."""
        if not markdown:
            return ""
        self._list = None
        return self._parted(markdown, "\n\n")

    def _write_list_item(self, block: Block) -> str:
        lines = _lines(block.content)
        if not lines and not block.marker:
            return ""
        self._list = self._list or ListWriter()
        item, tight = self._list.write(block, lines)
        return self._parted(item, "\n" if tight else "\n\n")

    def _parted(self, markdown: str, separator: str) -> str:
        separator, self._is_first = ("" if self._is_first else separator), False
        return separator + markdown


def block_markdown(block: Block, caption: str = "") -> str:
    """One block that is no list item. Text and HTML from the document or from a model are never passed on as markup."""
    if block.format is ContentFormat.IMAGE:
        return f"![{escape_alt(join_lines(caption.splitlines()))}](images/{quote(block.content)})"
    grid = grid_of(block)
    if grid is not None:
        return table_html.to_html(grid)
    if block.format is ContentFormat.LATEX:
        return _formula(block.content)
    if block.label.is_heading:
        return _heading(block)
    return _paragraphs(block.content)


def _heading(block: Block) -> str:
    level = block.level or (1 if block.label is LayoutLabel.DOC_TITLE else 2)
    text = escape_heading(join_lines(block.content.splitlines()))
    return f"{'#' * max(1, min(level, _DEEPEST_HEADING))} {text}" if text else ""


def _paragraphs(content: str) -> str:
    """A line end inside of the content was put there on purpose and is kept; an empty line parts paragraphs."""
    paragraphs = (_lines(part) for part in re.split(r"\n[ \t]*(?:\n[ \t]*)+", "\n".join(content.splitlines())))
    return "\n\n".join("  \n".join(escape_paragraph(lines)) for lines in paragraphs if lines)


def _lines(content: str) -> list[str]:
    return [stripped for line in content.splitlines() if (stripped := line.strip())]


def _formula(latex: str) -> str:
    """On one line, so that no line of it can begin a block; `<` is kept from beginning a tag, which means the same to LaTeX."""
    body = " ".join(latex.split()).strip("$ ").replace("$$", "$ $")
    return f"$${re.sub(r'<(?=[A-Za-z/!?])', '< ', body)}$$" if body else ""
