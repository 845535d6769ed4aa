"""Answers that a VLM might give about regions whose truth is known: true ones, and lies of every kind that was seen of such models.

Pure, so that the tests can use it too: the evidence is what this service's OCR really read on the pages of the evaluation set
(`tests/data/refinement/evidence.jsonl`, written by `bench/evidence.py`), the truth is that set's.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ocr_service.domain.blocks import Block, ContentFormat, TableCell, TableGrid
from ocr_service.domain.vlm import FinishReason, VlmAnswer, VlmTask
from ocr_service.outputs import table_html
from ocr_service.outputs.page_json import decode_page
from ocr_service.pipeline.refinement.folding import folded

EVIDENCE = Path(__file__).parents[1] / "tests/data/refinement/evidence.jsonl"
_TWINS = str.maketrans("АВЕКМНОРСТУХаеорсух", "ABEKMHOPCTYXaeopcyx")
_OCR_SLIPS = {
    "в": "з",
    "н": "и",
    "п": "л",
    "ш": "щ",
    "о": "с",
    "е": "с",
    "а": "з",
    "т": "г",
    "0": "О",
    "3": "З",
    "1": "l",
    "8": "3",
    "5": "6",
}


@dataclass(frozen=True, slots=True)
class Region:
    """A block as OCR read it, and what is written there: text, or a table's grid."""

    document: str
    block: Block
    text: str
    table: TableGrid | None

    @property
    def task(self) -> VlmTask:
        return VlmTask.OCR if self.table is None else VlmTask.TABLE


@dataclass(frozen=True, slots=True)
class Said:
    """One answer about a region. `kind` names the lie, or the way in which the truth is told."""

    kind: str
    region: Region
    answer: VlmAnswer


def regions(path: Path = EVIDENCE) -> list[Region]:
    """All regions, in the order of the file: one page a line, `{"document", "page", "truths": {block id: text or HTML}}`."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        analysis = decode_page(json.dumps(entry["page"]).encode()).analysis
        assert analysis is not None
        for block in analysis.blocks:
            truth = entry["truths"].get(block.id)
            if truth is not None:
                table = table_html.from_html(truth) if block.table is not None else None
                found.append(Region(entry["document"], block, "" if table else truth, table))
    return found


def true_answers(region: Region, rng: random.Random) -> Iterator[Said]:
    """The truth, told in different ways, and the truth about a region that OCR read worse than it did."""
    if region.table is not None:
        yield _table("the truth", region, region.table)
        for confidence, slips in ((0.9, 0.02), (0.7, 0.06)):
            yield _table(f"the truth, OCR {confidence}", _worse(region, confidence, slips, rng), region.table)
        return
    yield _text("the truth", region, region.text)
    yield _text("the truth, line by line", region, "".join("\n" if char == " " and rng.random() < 0.2 else char for char in region.text))
    marks = str.maketrans({"«": '"', "»": '"', "—": "-", "–": "-", "ё": "е", " ": "\u00a0"})
    yield _text("the truth, other marks", region, region.text.translate(marks))
    for confidence, slips in ((0.9, 0.02), (0.7, 0.06)):
        yield _text(f"the truth, OCR {confidence}", _worse(region, confidence, slips, rng), region.text)


def lies(region: Region, others: Sequence[Region], rng: random.Random) -> Iterator[Said]:
    """Every kind of lie that can be told about the region. `others`: what else the model may have seen."""
    told = _table_lies(region, others, rng) if region.table is not None else _text_lies(region, others, rng)
    yield from told
    for kind, finish in (("cut off, and said so", FinishReason.LENGTH), ("a loop, and said so", FinishReason.REPETITION)):
        answer = _table(kind, region, region.table) if region.table is not None else _text(kind, region, region.text)
        yield replace(answer, answer=replace(answer.answer, finish_reason=finish))
    yield replace(_text("nothing", region, ""), answer=VlmAnswer("", "", ContentFormat.TEXT, FinishReason.STOP))


def delivers_a_lie(said: Said, block: Block) -> bool:
    """Whether the block, as it came out of refinement, says what neither OCR read nor the page has; look-alike letters count."""
    region = said.region
    if region.table is None:
        return not _is_known(block.content, (region.text, region.block.content))
    assert block.table is not None
    sources = [grid for grid in (region.table, region.block.table) if grid is not None]
    if not any(_same_places(block.table, grid) for grid in sources):
        return True
    known = [{(cell.row, cell.column): cell.text for cell in grid.cells} for grid in sources]
    return not all(
        _is_known(cell.text, [cells.get((cell.row, cell.column), "") for cells in known])
        for cell in block.table.cells
        if _strict(cell.text)
    )


def _is_known(text: str, sources: Sequence[str]) -> bool:
    """Whether the text looks like one of the sources, and every word is written as in one of them."""
    words = {word for source in sources for word in _strict_words(source)}
    return folded(text) in {folded(source) for source in sources} and set(_strict_words(text)) <= words


def _text_lies(region: Region, others: Sequence[Region], rng: random.Random) -> Iterator[Said]:
    for kind, tell in _TEXT_LIES.items():
        lie = tell(region.text, rng)
        if lie is not None and _strict(lie) != _strict(region.text):
            yield _text(kind, region, lie)
    if region.text.translate(_TWINS) != region.text:
        yield _text("Latin look-alikes", region, region.text.translate(_TWINS))
        mixed = "".join(char.translate(_TWINS) if rng.random() < 0.5 else char for char in region.text)
        yield _text("some Latin look-alikes", region, mixed)
    texts = [other.text for other in others if other.text and _strict(other.text) != _strict(region.text)]
    another = rng.choice(texts)
    yield _text("another crop's answer", region, another)
    # Of the same length, as the next lines of the same page are.
    alike = min(rng.sample(texts, min(40, len(texts))), key=lambda text: abs(len(text) - len(region.text)))
    yield _text("another crop's answer, as long", region, alike)
    yield _text("another crop's words added", region, f"{region.text} {another}")
    word = next((word for word in another.split() if len(_strict(word)) > 3 and word.isalpha()), None)
    own = [word for word in region.text.split() if word.isalpha() and len(word) > 3]
    if word is not None and own and _strict(word) not in _strict(region.text):
        yield _text("another word", region, region.text.replace(rng.choice(own), word, 1))


def _looped(text: str, rng: random.Random) -> str:
    words = text.split()
    cut = rng.randint(1, len(words))
    return " ".join(words[:cut] + words[max(0, cut - 3) : cut] * 25)


def _cut_off(text: str, rng: random.Random) -> str | None:
    words = text.split()
    return " ".join(words[: max(1, int(len(words) * rng.uniform(0.3, 0.8)))]) if len(words) > 3 else None


def _beginning_lost(text: str, rng: random.Random) -> str | None:
    words = text.split()
    return " ".join(words[int(len(words) * rng.uniform(0.2, 0.7)) + 1 :]) if len(words) > 4 else None


def _digit_changed(text: str, rng: random.Random) -> str | None:
    places = [index for index, char in enumerate(text) if char.isdecimal()]
    if not places:
        return None
    place = rng.choice(places)
    return text[:place] + rng.choice([digit for digit in "0123456789" if digit != text[place]]) + text[place + 1 :]


def _digits_swapped(text: str, rng: random.Random) -> str | None:
    places = [index for index in range(len(text) - 1) if text[index : index + 2].isdecimal() and text[index] != text[index + 1]]
    if not places:
        return None
    place = rng.choice(places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _letter_changed(text: str, rng: random.Random) -> str | None:
    """Another letter of the same alphabet; the look of it is OCR's own slip as often as not."""
    places = [index for index, char in enumerate(text) if char.isalpha()]
    if not places:
        return None
    place = rng.choice(places)
    letters = "abdeghiklmnrstuz" if text[place].isascii() else "абвгдежиклмнпруыья"
    return text[:place] + rng.choice([letter for letter in letters if letter != text[place].casefold()]) + text[place + 1 :]


def _ending_changed(text: str, rng: random.Random) -> str | None:
    """«Договор» said as «Догове»: the end of a word is made up."""
    words = text.split()
    places = [index for index, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not places:
        return None
    place = rng.choice(places)
    words[place] = words[place][:-2] + ("e" if words[place].isascii() else "е")
    return " ".join(words)


def _number_added(text: str, rng: random.Random) -> str:
    words = text.split()
    words.insert(rng.randint(0, len(words)), str(rng.randint(2, 99_999)))
    return " ".join(words)


def _number_lost(text: str, rng: random.Random) -> str | None:
    words = text.split()
    places = [index for index, word in enumerate(words) if any(char.isdecimal() for char in word)]
    return " ".join(words[:place] + words[place + 1 :]) if places and (place := rng.choice(places)) is not None else None


def _negation_lost(text: str, _rng: random.Random) -> str | None:
    return text.replace(" не ", " ", 1) if " не " in text else None


def _negation_added(text: str, rng: random.Random) -> str | None:
    words = text.split()
    places = [index for index, word in enumerate(words) if len(word) > 4]
    if not places:
        return None
    words.insert(rng.choice(places), "не")
    return " ".join(words)


_TEXT_LIES: dict[str, Callable[[str, random.Random], str | None]] = {
    "a loop": _looped,
    "said three times": lambda text, _rng: f"{text} {text} {text}",
    "cut off": _cut_off,
    "its beginning lost": _beginning_lost,
    "a digit changed": _digit_changed,
    "two digits swapped": _digits_swapped,
    "a letter changed": _letter_changed,
    "a word's end changed": _ending_changed,
    "a number made up": _number_added,
    "a number lost": _number_lost,
    "«не» lost": _negation_lost,
    "«не» made up": _negation_added,
    "garbage markup": lambda text, rng: "".join(rng.choice(["<fcel>", "<nl>", "</td>", "\\frac{", "$$", "<|LOC_1|>"]) for _ in text[:80]),
}


def _table_lies(region: Region, others: Sequence[Region], rng: random.Random) -> Iterator[Said]:
    assert region.table is not None
    rows = _rows(region.table)
    for kind, tell in _TABLE_LIES.items():
        lie = tell([list(row) for row in rows], rng)
        if lie is not None and [[_strict(cell) for cell in row] for row in lie] != [[_strict(cell) for cell in row] for row in rows]:
            yield _table(kind, region, _like(region.table, lie))
    swapped = [[text.translate(_TWINS) for text in row] for row in rows]
    if swapped != rows:
        yield _table("Latin look-alikes", region, _like(region.table, swapped))
    tables = [other.table for other in others if other.table is not None and _rows(other.table) != rows]
    yield _table("another crop's answer", region, rng.choice(tables))


Rows = list[list[str]]


def _row_made_up(rows: Rows, rng: random.Random) -> Rows:
    place = rng.randint(1, len(rows))
    new = ["".join(rng.choice("0123456789") if char.isdecimal() else char for char in cell) for cell in rows[place - 1]]
    return [*rows[:place], new, *rows[place:]]


def _row_lost(rows: Rows, rng: random.Random) -> Rows | None:
    place = rng.randrange(len(rows))
    return rows[:place] + rows[place + 1 :] if len(rows) > 2 else None


def _cell_digit_changed(rows: Rows, rng: random.Random) -> Rows | None:
    places = _filled(rows, str.isdecimal)
    if not places:
        return None
    row, column = rng.choice(places)
    rows[row][column] = _digit_changed(rows[row][column], rng) or ""
    return rows


def _cells_swapped(rows: Rows, rng: random.Random) -> Rows | None:
    places = _filled(rows, str.isalnum)
    if len(places) < 2:
        return None
    (row, column), (other_row, other_column) = rng.sample(places, 2)
    rows[row][column], rows[other_row][other_column] = rows[other_row][other_column], rows[row][column]
    return rows


def _row_shifted(rows: Rows, rng: random.Random) -> Rows | None:
    row = rng.randrange(len(rows))
    rows[row] = ["", *rows[row][:-1]]
    return rows if len(rows[row]) > 1 else None


def _rows_swapped(rows: Rows, rng: random.Random) -> Rows | None:
    if len(rows) < 3:
        return None
    first, second = rng.sample(range(len(rows)), 2)
    rows[first], rows[second] = rows[second], rows[first]
    return rows


def _empty_cell_filled(rows: Rows, rng: random.Random) -> Rows | None:
    empty = [(row, column) for row, cells in enumerate(rows) for column, text in enumerate(cells) if not text]
    if not empty:
        return None
    row, column = rng.choice(empty)
    rows[row][column] = str(rng.randint(1, 9999))
    return rows


_TABLE_LIES: dict[str, Callable[[Rows, random.Random], Rows | None]] = {
    "a row made up": _row_made_up,
    "a row lost": _row_lost,
    "cut off": lambda rows, _rng: rows[: len(rows) // 2] if len(rows) > 3 else None,
    "a loop": lambda rows, _rng: rows + [rows[-1]] * 20,
    "a digit changed": _cell_digit_changed,
    "all digits made up": lambda rows, rng: [
        ["".join(rng.choice("123456789") if c.isdecimal() else c for c in t) for t in r] for r in rows
    ],
    "two cells swapped": _cells_swapped,
    "a row shifted": _row_shifted,
    "two rows swapped": _rows_swapped,
    "an empty cell filled": _empty_cell_filled,
    "all cells empty": lambda rows, _rng: [[""] * len(row) for row in rows],
}


def _filled(rows: Rows, has: Callable[[str], bool]) -> list[tuple[int, int]]:
    return [(row, column) for row, cells in enumerate(rows) for column, text in enumerate(cells) if any(map(has, text))]


def _rows(grid: TableGrid) -> Rows:
    """The texts by row and column; positions under a span are empty."""
    rows = [[""] * grid.columns for _ in range(grid.rows)]
    for cell in grid.cells:
        rows[cell.row][cell.column] = cell.text
    return rows


def _like(grid: TableGrid, rows: Rows) -> TableGrid:
    """The texts in the grid's cells where the rows are as many; else in a plain grid."""
    if len(rows) == grid.rows:
        return replace(grid, cells=tuple(replace(cell, text=rows[cell.row][cell.column]) for cell in grid.cells))
    cells = tuple(TableCell(row, column, text) for row, texts in enumerate(rows) for column, text in enumerate(texts))
    return TableGrid(len(rows), grid.columns, cells)


def _worse(region: Region, confidence: float, slips: float, rng: random.Random) -> Region:
    """The region as a worse scan would be read: letters taken for others, in lines that OCR is unsure of."""
    slipped = region.text and _slipped(region.text, slips, rng)
    block = region.block
    if region.table is None:
        words = slipped.split()
        size = max(1, len(words) // max(1, len(block.lines)))
        parts = [" ".join(words[start : start + size]) for start in range(0, len(words), size)]
        boxes = [line.bbox for line in block.lines]
        height = boxes[0].height
        lines = tuple(
            replace(
                block.lines[0],
                text=part,
                confidence=confidence,
                bbox=boxes[0]._replace(y0=boxes[0].y0 + 1.3 * height * index, y1=boxes[0].y1 + 1.3 * height * index),
            )
            for index, part in enumerate(parts)
        )
        return replace(region, block=replace(block, lines=lines, content=slipped, confidence=confidence))
    assert block.table is not None
    cells = tuple(replace(cell, text=_slipped(cell.text, slips, rng)) for cell in block.table.cells)
    lines = tuple(replace(line, confidence=confidence) for line in block.lines)
    return replace(region, block=replace(block, lines=lines, table=replace(block.table, cells=cells), confidence=confidence))


def _slipped(text: str, share: float, rng: random.Random) -> str:
    return "".join(_OCR_SLIPS.get(char, char) if rng.random() < share else char for char in text)


def _text(kind: str, region: Region, text: str) -> Said:
    return Said(kind, region, VlmAnswer(text, text, ContentFormat.TEXT, FinishReason.STOP))


def _table(kind: str, region: Region, grid: TableGrid) -> Said:
    html = table_html.to_html(grid)
    return Said(kind, region, VlmAnswer(html, html, ContentFormat.HTML, FinishReason.STOP, grid))


def _strict(text: str) -> str:
    """Letters and digits as they are encoded: look-alikes differ. Case, marks and blanks do not count."""
    return "".join(_strict_words(text))


def _strict_words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text.replace("№", " ")).casefold().replace("ё", "е")
    return re.findall(r"[^\W_]+", plain)


def _same_places(left: TableGrid, right: TableGrid) -> bool:
    return {(c.row, c.column, c.rowspan, c.colspan) for c in left.cells} == {(c.row, c.column, c.rowspan, c.colspan) for c in right.cells}
