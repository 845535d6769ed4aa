"""What runs over a page break is whole in the document's Markdown; what does not is not glued together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, TableCell, TableGrid, TextLine
from ocr_service.domain.documents import PageResult
from ocr_service.domain.geometry import BBox
from ocr_service.outputs.document_markdown import document_markdown
from ocr_service.outputs.markdown import page_markdown
from tests.unit.outputs.blocks import HEIGHT, block, failed_page, item, page, picture, table

_BOTTOM, _TOP = BBox(150, 1500, 1500, 2200), BBox(152, 150, 1498, 600)


def _document(*pages: PageResult, include_running: bool = False) -> str:
    return "".join(document_markdown(pages, include_running=include_running))


def _bottom(*rows: str, header_rows: int = 0) -> Block:
    return table(*rows, header_rows=header_rows, bbox=_BOTTOM)


def _top(*rows: str, header_rows: int = 0) -> Block:
    return table(*rows, header_rows=header_rows, bbox=_TOP)


def _rows(markdown: str) -> list[list[str]]:
    """The rows of all tables, a list a table."""
    tables = re.findall(r"<table>(.*?)</table>", markdown, re.DOTALL)
    return [[re.sub(r"</t[dh]><t[dh]>", "|", row) for row in re.findall(r"<tr><t[dh]>(.*?)</t[dh]></tr>", each)] for each in tables]


def test_every_page_begins_with_its_number() -> None:
    assert _document(page(1, block("Раз.")), failed_page(2), page(3), page(7, block("Семь."))) == (
        "<!-- page: 1 -->\n\nРаз.\n\n<!-- page: 2, failed: page_timed_out -->\n\n<!-- page: 3 -->\n\n<!-- page: 7 -->\n\nСемь.\n"
    )


def test_a_paragraph_over_a_page_break_is_one_before_the_next_page_begins() -> None:
    pages = [
        page(1, block("Заголовок", LayoutLabel.DOC_TITLE), block("Поставщик обязуется передать орга-"), block("7", LayoutLabel.NUMBER)),
        page(2, block("Отчёт", LayoutLabel.HEADER), block("низации товар."), block("Дальше.")),
    ]
    assert _document(*pages) == (
        "<!-- page: 1 -->\n\n# Заголовок\n\nПоставщик обязуется передать организации товар.\n\n<!-- page: 2 -->\n\nДальше.\n"
    )


def test_a_paragraph_may_run_over_several_pages() -> None:
    pages = [page(1, block("начало")), page(2, block("середина")), page(3, block("конец."), block("Новый."))]
    assert _document(*pages) == "<!-- page: 1 -->\n\nначало середина конец.\n\n<!-- page: 2 -->\n\n<!-- page: 3 -->\n\nНовый.\n"


def test_footnotes_stay_on_their_page_behind_a_joined_paragraph() -> None:
    pages = [
        page(1, block("Цена* товара"), block("* с НДС", LayoutLabel.FOOTNOTE)),
        page(2, block("не меняется."), block("** без НДС", LayoutLabel.FOOTNOTE)),
    ]
    assert _document(*pages) == ("<!-- page: 1 -->\n\nЦена* товара не меняется.\n\n\\* с НДС\n\n<!-- page: 2 -->\n\n** без НДС\n")


def test_running_heads_and_feet_are_kept_where_they_are_asked_for() -> None:
    pages = [
        page(1, block("Шапка", LayoutLabel.HEADER), block("начало"), block("1", LayoutLabel.NUMBER)),
        page(2, block("Шапка", LayoutLabel.HEADER), block("конец."), block("2", LayoutLabel.NUMBER)),
    ]
    assert _document(*pages, include_running=True) == (
        "<!-- page: 1 -->\n\nШапка\n\nначало конец.\n\n1\n\n<!-- page: 2 -->\n\nШапка\n\n2\n"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (block("Конец."), block("начало")),
        (block("Конец.»"), block("начало")),
        (block("Перечень:"), block("начало")),
        (block("без точки"), block("Новый абзац")),
        (block("без точки"), block("2024 год")),
        (block("без точки"), item("а)", "пункт")),
        (block("Заголовок", LayoutLabel.PARAGRAPH_TITLE), block("текст")),
        (block("без точки"), block("подпись", LayoutLabel.FIGURE_TITLE)),
        (picture(), block("текст")),
        (block("合同编号", lines=()), block("日期")),
    ],
)
def test_what_may_be_two_paragraphs_stays_two(first: Block, second: Block) -> None:
    pages = [page(1, first), page(2, second)]
    expected = f"<!-- page: 1 -->\n\n{page_markdown([first])}\n\n<!-- page: 2 -->\n\n{page_markdown([second])}\n"
    assert _document(*pages) == expected


def test_a_page_between_keeps_a_paragraph_apart() -> None:
    for between in ([failed_page(2)], [page(2)], []):
        assert "начало конец" not in _document(page(1, block("начало")), *between, page(3, block("конец.")))


def test_a_list_item_over_a_page_break_is_one() -> None:
    assert "- чай и кофе\n" in _document(page(1, item("•", "чай и")), page(2, block("кофе"), block("Всё.")))


def test_chinese_paragraphs_are_joined_where_the_last_line_is_full() -> None:
    lines = (TextLine(BBox(200, 2000, 1400, 2040), "合同编号和"), TextLine(BBox(200, 2050, 1400, 2090), "日期以及"))
    assert "合同编号和日期以及其他。" in _document(page(1, block("合同编号和日期以及", lines=lines)), page(2, block("其他。")))
    short = (lines[0], TextLine(BBox(200, 2050, 600, 2090), "日期"))
    assert "合同编号和日期以及其他。" not in _document(page(1, block("合同编号和日期以及", lines=short)), page(2, block("其他。")))


def test_a_table_over_three_pages_is_one_with_one_head() -> None:
    pages = [
        page(1, block("Таблица 2", LayoutLabel.TABLE_TITLE), _bottom("№|Товар", "1|Чашка", header_rows=1), block("1", LayoutLabel.NUMBER)),
        page(2, table("№|Товар", "2|Блюдце", header_rows=1, bbox=BBox(150, 150, 1500, HEIGHT - 100))),
        page(3, _top("№|Товар", "3|Ложка", header_rows=1), block("Итого три.")),
    ]
    markdown = _document(*pages)
    assert _rows(markdown) == [["№|Товар", "1|Чашка", "2|Блюдце", "3|Ложка"]]
    assert markdown.endswith("</table>\n\n<!-- page: 2 -->\n\n<!-- page: 3 -->\n\nИтого три.\n")


@pytest.mark.parametrize(
    "caption", ["Продолжение таблицы 2", "Окончание табл. 2", "Таблица 2 (продолжение)", "Table 2 (continued)", "Table 2, cont.", "续表 2"]
)
def test_a_caption_that_says_continued_is_dropped(caption: str) -> None:
    pages = [page(1, _bottom("а|б")), page(2, block(caption, LayoutLabel.TABLE_TITLE), table("в|г", bbox=BBox(100, 1200, 900, 1300)))]
    assert _document(*pages) == (
        "<!-- page: 1 -->\n\n<table>\n<tr><td>а</td><td>б</td></tr>\n<tr><td>в</td><td>г</td></tr>\n</table>\n\n<!-- page: 2 -->\n"
    )


def test_a_continued_caption_before_no_such_table_is_kept() -> None:
    pages = [page(1, _bottom("а|б")), page(2, block("Продолжение таблицы 2", LayoutLabel.TABLE_TITLE), _top("в|г|д"))]
    assert "Продолжение таблицы 2" in _document(*pages)


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (_top("в|г|д"), "another number of columns"),
        (_top("Город|Индекс", "Москва|101000", header_rows=1), "a head of its own"),
        (table("в|г", bbox=BBox(150, 150, 700, 600)), "another width"),
        (table("в|г", bbox=BBox(150, 1400, 1500, 1900)), "not at the top of the page"),
    ],
)
def test_another_table_on_the_next_page_stays_another(second: Block, why: str) -> None:
    assert len(_rows(_document(page(1, _bottom("№|Товар", "1|Чашка", header_rows=1)), page(2, second)))) == 2, why


def test_a_table_that_ends_high_on_its_page_is_over() -> None:
    first = table("а|б", bbox=BBox(150, 200, 1500, 600))
    assert len(_rows(_document(page(1, first), page(2, _top("в|г"))))) == 2


def test_a_new_caption_begins_a_new_table() -> None:
    pages = [page(1, _bottom("а|б")), page(2, block("Таблица 3", LayoutLabel.TABLE_TITLE), _top("в|г"))]
    assert _rows(_document(*pages)) == [["а|б"], ["в|г"]]


def test_a_repeated_head_is_dropped_even_if_nothing_marks_it() -> None:
    pages = [page(1, _bottom("№|Товар", "1|Чашка", "2|Блюдце")), page(2, _top("№ |ТОВАР", "1|Чашка"))]
    assert _rows(_document(*pages)) == [["№|Товар", "1|Чашка", "2|Блюдце", "1|Чашка"]]


def test_a_marked_head_that_ocr_read_a_little_differently_is_the_same_head() -> None:
    pages = [
        page(1, _bottom("Объект|На начало, кВтч", "Цех|5", header_rows=1)),
        page(2, _top("Объект|На начало, кВт*ч", "Склад|7", header_rows=1)),
    ]
    assert _rows(_document(*pages)) == [["Объект|На начало, кВтч", "Цех|5", "Склад|7"]]


def test_rows_that_are_nearly_the_same_are_two_rows() -> None:
    pages = [page(1, _bottom("Иванова Мария|мастер", "Цех|брак")), page(2, _top("Иванов Мария|мастер", "Склад|брак"))]
    assert len(_rows(_document(*pages))[0]) == 4


def test_repeated_column_numbers_are_dropped() -> None:
    pages = [page(1, _bottom("№|Товар", "1|2", "1|Чашка", header_rows=1)), page(2, _top("1|2", "2|Блюдце"))]
    assert _rows(_document(*pages)) == [["№|Товар", "1|2", "1|Чашка", "2|Блюдце"]]


def test_data_that_repeats_is_no_head() -> None:
    pages = [page(1, _bottom("№|Товар", "1|Чашка", header_rows=1)), page(2, _top("№|Товар", "1|Чашка", "3|Ложка", header_rows=1))]
    assert _rows(_document(*pages)) == [["№|Товар", "1|Чашка", "1|Чашка", "3|Ложка"]]


def test_spans_stay_right_when_a_head_of_two_rows_is_dropped() -> None:
    cells = (
        TableCell(0, 0, "№", rowspan=2, is_header=True),
        TableCell(0, 1, "Цена", colspan=2, is_header=True),
        TableCell(1, 1, "с НДС", is_header=True),
        TableCell(1, 2, "без НДС", is_header=True),
        TableCell(2, 0, "1", rowspan=2),
        TableCell(2, 1, "12"),
        TableCell(2, 2, "10"),
        TableCell(3, 1, "24"),
        TableCell(3, 2, "20"),
    )
    first = replace(_bottom("x"), table=TableGrid(4, 3, cells))
    second = replace(_top("x"), table=TableGrid(4, 3, (*cells[:4], replace(cells[4], text="2"), *cells[5:])))
    markdown = _document(page(1, first), page(2, second))
    assert markdown.count('<th rowspan="2">') == 1
    assert markdown.count("<tr>") == 6
    assert '<tr><td rowspan="2">1</td><td>12</td><td>10</td></tr>\n<tr><td>24</td><td>20</td></tr>\n<tr><td rowspan="2">2</td>' in markdown


def test_a_page_that_only_repeats_the_head_adds_nothing() -> None:
    pages = [page(1, _bottom("№|Товар", "1|Чашка", header_rows=1)), page(2, _top("№|Товар", header_rows=1))]
    assert _document(*pages).count("<tr>") == 2


def test_html_of_a_model_is_joined_as_well() -> None:
    html_table = replace(_top("x"), table=None, format=ContentFormat.HTML, content="<table><tr><td>в</td><td>г</td></tr></table>")
    assert _rows(_document(page(1, _bottom("а|б")), page(2, html_table))) == [["а|б", "в|г"]]


_blocks: list[Callable[[], Block]] = [
    lambda: block("Абзац."),
    lambda: block("начало"),
    lambda: block("конец орга-"),
    lambda: block("Раздел", LayoutLabel.PARAGRAPH_TITLE),
    lambda: block("7", LayoutLabel.NUMBER),
    lambda: block("* сноска", LayoutLabel.FOOTNOTE),
    lambda: block("Продолжение таблицы 1", LayoutLabel.TABLE_TITLE),
    lambda: _bottom("№|Т", "1|2", header_rows=1),
    lambda: _top("№|Т", "3|4", header_rows=1),
    lambda: _top("5|6"),
    lambda: item("1.", "пункт"),
    picture,
]


@given(st.lists(st.one_of(st.none(), st.lists(st.sampled_from(_blocks), max_size=4)), max_size=6))
def test_joining_loses_and_invents_nothing(layout: list[list[Callable[[], Block]] | None]) -> None:
    pages = [failed_page(n + 1) if made is None else page(n + 1, *(make() for make in made)) for n, made in enumerate(layout)]
    markdown = _document(*pages, include_running=True)
    alone = "\n".join(page_markdown(each.analysis.blocks, include_running=True) for each in pages if each.analysis)
    assert re.findall(r"<!-- page: (\d+)", markdown) == [str(each.page) for each in pages]
    assert markdown.count("<table>") == markdown.count("</table>") <= alone.count("<table>")
    for data in ("<td>1</td>", "<td>3</td>", "<td>5</td>", "images/", "сноска", "Раздел", "Абзац", "начало", "пункт"):
        assert markdown.count(data) == alone.count(data), data
