"""A model's text as the answer to its task."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ocr_service.domain.blocks import ContentFormat, TableGrid
from ocr_service.domain.text import printable
from ocr_service.domain.vlm import VlmAnswer, VlmTask
from ocr_service.outputs import table_html
from ocr_service.vlm.answers.delimited import read_piped, read_separated
from ocr_service.vlm.answers.html_table import is_html_table, read_html
from ocr_service.vlm.answers.latex import bare, is_balanced
from ocr_service.vlm.answers.maths import with_dollars
from ocr_service.vlm.answers.otsl import is_otsl, read_otsl
from ocr_service.vlm.reply import Reply

# More than 8192 tokens hold; reading is linear, but everything else waits for it.
_LONGEST_ANSWER = 50_000
_FENCED = re.compile(r"```[a-zA-Z]*\n(.*?)\n?```", re.DOTALL)
_SPECIAL = re.compile(r"<\|[A-Z_]+(?:_\d+)?\|>")
_EMPTY_LINES = re.compile(r"\n{3,}")
_UNBALANCED = "unbalanced formula"


@dataclass(frozen=True, slots=True)
class _Read:
    content: str
    format: ContentFormat = ContentFormat.TEXT
    table: TableGrid | None = None
    defect: str = ""


def read_answer(task: VlmTask, reply: Reply) -> VlmAnswer:
    """Never raises: what cannot be used says so in `defect`."""
    read = _read(task, reply.text)
    return VlmAnswer(
        raw=reply.text,
        content=read.content,
        format=read.format,
        finish_reason=reply.finish_reason,
        table=None if read.defect else read.table,
        defect=read.defect,
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=reply.completion_tokens,
        model=reply.model,
    )


def _read(task: VlmTask, raw: str) -> _Read:
    if len(raw) > _LONGEST_ANSWER:
        return _Read("", defect="too long")
    text = _unwrapped(printable(raw))
    if not text:
        return _Read("", defect="empty")
    if _SPECIAL.search(text):
        return _Read(text, defect="markup of another task")
    if task in {VlmTask.TABLE, VlmTask.CHART}:
        return _table(task, text)
    if is_otsl(text) or is_html_table(text):
        return _Read(text, defect="a table, which was not asked for")
    return _formula(text) if task is VlmTask.FORMULA else _text(text)


def _unwrapped(text: str) -> str:
    """Without a fence around all of it, which chat models like to add."""
    text = text.strip()
    fenced = _FENCED.fullmatch(text)
    return fenced[1].strip() if fenced else text


def _text(text: str) -> _Read:
    lines = _EMPTY_LINES.sub("\n\n", "\n".join(line.strip() for line in text.splitlines()))
    content = with_dollars(lines)
    return _Read(lines, defect=_UNBALANCED) if content is None else _Read(content)


def _formula(text: str) -> _Read:
    latex = bare(text)
    if latex is None:
        return _Read(text, ContentFormat.LATEX, defect=_UNBALANCED)
    return _Read(latex, ContentFormat.LATEX, defect="empty" if not latex else "" if is_balanced(latex) else _UNBALANCED)


def _table(task: VlmTask, text: str) -> _Read:
    grid, defect = _grid(task, text)
    if grid is None:
        return _Read(text, defect=defect or "no table")
    texts = [with_dollars(cell.text) for cell in grid.cells]
    if None in texts:
        defect = defect or _UNBALANCED
    if not any(cell.text for cell in grid.cells):
        defect = defect or "empty"
    cells = (replace(cell, text=text or cell.text) for cell, text in zip(grid.cells, texts, strict=True))
    grid = replace(grid, cells=tuple(cells))
    return _Read(table_html.to_html(grid), ContentFormat.HTML, grid, defect)


def _grid(task: VlmTask, text: str) -> tuple[TableGrid | None, str]:
    """The grid and what is wrong with it, by what the text looks like."""
    if is_otsl(text):
        otsl = read_otsl(text)
        return otsl.grid, "text outside of the table" if otsl.outside else ""
    if is_html_table(text):
        html = read_html(text)
        return html.grid, html.defect
    grid = read_piped(text)
    # Only a chart is answered with commas: a sentence has them, too.
    return grid or (read_separated(text) if task is VlmTask.CHART else None), ""
