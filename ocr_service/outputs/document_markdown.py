"""`document.md`: the pages as one text.

Each page begins with a comment on a line of its own, `<!-- page: 3 -->`, or `<!-- page: 3, failed: page_timed_out -->`; what is joined over
a page break stands whole before the comment of the page that it runs into. So there are as many comments as pages, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ocr_service.domain.documents import PageResult
from ocr_service.outputs import table_html
from ocr_service.outputs.atomic import whole_file
from ocr_service.outputs.joining import Event, PageStart, Piece, join_pages
from ocr_service.outputs.markdown import MarkdownWriter, grid_of


def document_markdown(results: Iterable[PageResult], *, include_running: bool = False) -> Iterator[str]:
    """The document's Markdown in pieces of at most a page; together they end with a line end."""
    writer = _DocumentWriter()
    for event in join_pages(results, include_running=include_running):
        yield writer.write(event)
    yield writer.close()


def write_document_markdown(results: Iterable[PageResult], target: Path, *, include_running: bool = False) -> None:
    """Write `document.md`. Raises StorageFailed."""
    with whole_file(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(document_markdown(results, include_running=include_running))


class _DocumentWriter:
    def __init__(self) -> None:
        self._markdown = MarkdownWriter()
        self._in_table = False

    def write(self, event: Event) -> str:
        if isinstance(event, PageStart):
            return self._end_table() + self._markdown.write_raw(_page_comment(event))
        return self._write_piece(event)

    def close(self) -> str:
        return f"{self._end_table()}\n"

    def _write_piece(self, piece: Piece) -> str:
        grid = grid_of(piece.block) if piece.number else None
        if grid is None:
            return self._end_table() + self._markdown.write(piece.block, piece.caption)
        rows = "\n".join(table_html.html_rows(grid))
        if piece.continues:
            return f"\n{rows}" if rows else ""
        before, self._in_table = self._end_table(), True
        return before + self._markdown.write_raw(f"{table_html.OPEN}\n{rows}")

    def _end_table(self) -> str:
        was_in_table, self._in_table = self._in_table, False
        return f"\n{table_html.CLOSE}" if was_in_table else ""


def _page_comment(start: PageStart) -> str:
    failed = f", failed: {start.failure}" if start.failure else ""
    return f"<!-- page: {start.page}{failed} -->"
