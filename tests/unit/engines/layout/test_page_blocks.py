from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel, Source, TableCell, TableGrid
from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.page_blocks import FoundTable, PageParts, assemble
from ocr_service.engines.layout.regions import Region
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.words import Word

WIDTH, HEIGHT = 1600, 2300
KINDS = ("text", "title", "section-header", "list-item", "caption", "table", "picture", "formula", "page-header", "page-footer", "footnote")


def line(
    text: str, y: float, *, x: float = 200, height: float = 30, width: float | None = None, confidence: float | None = None
) -> PageLine:
    """A line of words, each letter half as wide as the line is high unless `width` says otherwise."""
    words = text.split()
    step = (width or 0.5 * height * len(text)) / max(1, len(words))
    placed = tuple(Word(BBox(x + i * step, y, x + (i + 0.95) * step, y + height), word, confidence) for i, word in enumerate(words))
    return PageLine(BBox.around(word.bbox for word in placed), placed, 0.72 * height, confidence=confidence)


def region(kind: str, *lines: PageLine) -> Region:
    box = BBox.around(item.bbox for item in lines)
    return Region(kind, BBox(box.x0 - 5, box.y0 - 5, box.x1 + 5, box.y1 + 5))


def blocks(
    lines: list[PageLine], regions: list[Region] | None = None, tables: list[FoundTable] | None = None, source: Source = Source.OCR
) -> tuple[Block, ...]:
    return assemble(PageParts(WIDTH, HEIGHT, tuple(lines), tuple(regions or []), tuple(tables or []), source))


def table(y: float, *texts: str) -> FoundTable:
    lines = tuple(line(text, y + 50 * row) for row, text in enumerate(texts))
    cells = tuple(TableCell(row, 0, text) for row, text in enumerate(texts))
    return FoundTable(BBox(180, y - 10, 1400, y + 50 * len(texts)), TableGrid(len(texts), 1, cells), lines)


def test_the_lines_of_a_region_become_one_paragraph() -> None:
    lines = [line("Поставщик обязуется передать орга-", 100), line("низации товар в срок", 140)]
    [block] = blocks(lines, [region("text", *lines)])
    assert (block.label, block.content) == (LayoutLabel.TEXT, "Поставщик обязуется передать организации товар в срок")
    assert [item.text for item in block.lines] == [item.text for item in lines]


def test_lines_that_no_region_claims_are_kept_as_paragraphs() -> None:
    near = [line("первая строка абзаца", 100), line("вторая строка", 135)]
    far = line("другой абзац", 600)
    assert [block.content for block in blocks([*near, far])] == ["первая строка абзаца вторая строка", "другой абзац"]


def test_heading_levels_come_from_number_and_size() -> None:
    title, section, part = line("Отчёт", 100, height=60), line("2. Ход работ", 300), line("2.1 Первый этап", 400)
    body = [line("обычный текст страницы идёт дальше и дальше", y) for y in (500, 540, 580)]
    found = blocks(
        [title, section, part, *body],
        [region("section-header", title), region("section-header", section), region("section-header", part), region("text", *body)],
    )
    assert [(block.level, block.content) for block in found[:3]] == [(1, "Отчёт"), (2, "2. Ход работ"), (3, "2.1 Первый этап")]
    assert found[3].level is None


@pytest.mark.parametrize(
    ("text", "marker", "content"),
    [
        ("• первый пункт", "•", "первый пункт"),
        ("2.1. второй пункт", "2.1.", "второй пункт"),
        ("а) третий", "а)", "третий"),
        ("– тире", "–", "тире"),
    ],
)
def test_a_list_item_is_parted_from_its_marker(text: str, marker: str, content: str) -> None:
    item = line(text, 100)
    [block] = blocks([item], [region("list-item", item)])
    assert (block.label, block.marker, block.content) == (LayoutLabel.LIST_ITEM, marker, content)


def test_several_bullets_in_one_region_are_several_items() -> None:
    lines = [line("Нужно проверить:", 100), line("• пломбы", 140), line("• упаковку и", 180), line("маркировку", 220), line("• срок", 260)]
    found = blocks(lines, [region("text", *lines)])
    assert [(block.label, block.marker, block.content) for block in found] == [
        (LayoutLabel.TEXT, None, "Нужно проверить:"),
        (LayoutLabel.LIST_ITEM, "•", "пломбы"),
        (LayoutLabel.LIST_ITEM, "•", "упаковку и маркировку"),
        (LayoutLabel.LIST_ITEM, "•", "срок"),
    ]


def test_counted_items_in_one_region_are_items_of_their_own() -> None:
    lines = [
        line("в) справку о регистрации;", 100),
        line("г) согласие на обработку", 140),
        line("персональных данных;", 180),
        line("д) СНИЛС.", 220),
    ]
    found = blocks(lines, [region("list-item", *lines)])
    assert [(block.marker, block.content) for block in found] == [
        ("в)", "справку о регистрации;"),
        ("г)", "согласие на обработку персональных данных;"),
        ("д)", "СНИЛС."),
    ]


def test_a_figure_that_begins_a_row_of_prose_is_no_item() -> None:
    lines = [line("1. Срок оплаты указан в пункте", 100), line("2. договора и не может", 140), line("быть продлён.", 180)]
    [block] = blocks(lines, [region("text", *lines)])
    assert block.content == "1. Срок оплаты указан в пункте 2. договора и не может быть продлён."


def test_a_papers_name_in_the_middle_is_its_title_though_the_model_calls_it_text() -> None:
    name, body = line("СПРАВКА", 100, x=740), line("Дана в том, что она действительно работает", 300)
    found = blocks([name, body], [region("text", name), region("text", body)])
    assert [(block.label, block.level) for block in found] == [(LayoutLabel.PARAGRAPH_TITLE, 1), (LayoutLabel.TEXT, None)]


@pytest.mark.parametrize(("place", "date"), [("Saint Petersburg", "September 5, 2024"), ("Нижний Новгород", "27.12.2023")])
def test_a_place_beside_a_date_is_no_heading(place: str, date: str) -> None:
    left, right, name = line(place, 100), line(date, 102, x=1200), line("АКТ", 100, x=780)
    found = blocks([left, right, name], [region("section-header", left), region("text", right), region("section-header", name)])
    assert {block.content: block.label for block in found} == {
        place: LayoutLabel.TEXT,
        date: LayoutLabel.TEXT,
        "АКТ": LayoutLabel.PARAGRAPH_TITLE,
    }


def test_a_table_brings_its_grid_and_its_lines_and_takes_no_others() -> None:
    found = table(400, "Цена", "100,00")
    text = line("текст над таблицей", 100)
    above, block = blocks([text], [region("text", text)], [found])
    assert above.content == "текст над таблицей"
    assert (block.label, block.format, block.content, block.table) == (LayoutLabel.TABLE, ContentFormat.HTML, "", found.grid)
    assert [item.text for item in block.lines] == ["Цена", "100,00"]


def test_a_caption_belongs_to_what_it_names_or_stands_nearest_to() -> None:
    named, by_table, by_picture = line("Таблица 1 — Цены", 340), line("Цены на май", 620), line("Вид с юга", 1420)
    picture = Region("picture", BBox(200, 1000, 900, 1400))
    found = blocks(
        [named, by_table, by_picture],
        [region("caption", named), region("caption", by_table), region("caption", by_picture), picture],
        [table(400, "Цена", "1", "2", "3")],
    )
    labels = {block.content: block.label for block in found}
    assert labels["Таблица 1 — Цены"] is LayoutLabel.TABLE_TITLE
    assert labels["Цены на май"] is LayoutLabel.TABLE_TITLE
    assert labels["Вид с юга"] is LayoutLabel.FIGURE_TITLE


def test_a_picture_is_an_image_block_in_its_place() -> None:
    above, below = line("над рисунком", 100), line("под рисунком", 1000)
    found = blocks([above, below], [region("text", above), region("text", below), Region("picture", BBox(200, 300, 900, 900))])
    assert [block.label for block in found] == [LayoutLabel.TEXT, LayoutLabel.IMAGE, LayoutLabel.TEXT]
    assert found[1].format is ContentFormat.IMAGE
    assert found[1].bbox == BBox(200, 300, 900, 900)


def test_a_picture_that_is_mostly_text_or_the_whole_page_is_text() -> None:
    lines = [line("строка за строкой занимает весь рисунок", 300 + 40 * i, width=680) for i in range(10)]
    whole = Region("picture", BBox(0, 0, WIDTH, HEIGHT))
    assert {block.label for block in blocks(lines, [Region("picture", BBox(190, 290, 900, 700))])} == {LayoutLabel.TEXT}
    assert {block.label for block in blocks(lines, [whole])} == {LayoutLabel.TEXT}


def test_running_heads_come_first_and_page_numbers_last() -> None:
    head, number = line("Отчёт за май", 60, height=20), line("— 3 —", 2230, x=780, height=20)
    body = [line("обычный текст страницы идёт дальше", 400 + 40 * i) for i in range(4)]
    found = blocks([*body, number, head], [region("page-footer", number), region("text", *body), region("page-header", head)])
    assert [block.label for block in found] == [LayoutLabel.HEADER, LayoutLabel.TEXT, LayoutLabel.NUMBER]


def test_a_small_line_at_the_very_edge_is_a_running_head_even_if_the_model_calls_it_text() -> None:
    head, body = line("Отчёт за май", 60, height=20), [line("обычный текст страницы идёт дальше", 400 + 40 * i) for i in range(4)]
    assert blocks([head, *body], [region("text", head), region("text", *body)])[0].label is LayoutLabel.HEADER
    large = line("Отчёт за май", 60, height=34)
    assert blocks([large, *body], [region("text", large), region("text", *body)])[0].label is LayoutLabel.TEXT


def test_blocks_are_numbered_in_reading_order_and_stay_on_the_page() -> None:
    lines = [line("нижний", 900), line("верхний", 100), line("за краем страницы", 2280, x=1500)]
    found = blocks(lines)
    assert [block.order for block in found] == [0, 1, 2]
    assert [block.id for block in found] == ["b01", "b02", "b03"]
    assert found[0].content == "верхний"
    assert all(0 <= block.bbox.x0 <= block.bbox.x1 <= WIDTH and 0 <= block.bbox.y0 <= block.bbox.y1 <= HEIGHT for block in found)


def test_confidence_is_the_mean_over_letters_and_none_for_the_files_own_text() -> None:
    sure, unsure = line("аааа", 100, confidence=1.0), line("бб", 140, confidence=0.4)
    [block] = blocks([sure, unsure], [region("text", sure, unsure)])
    assert block.confidence == pytest.approx(0.8)
    assert blocks([line("текст", 100)], source=Source.TEXT_LAYER)[0].confidence is None


def test_an_empty_page_has_no_blocks() -> None:
    assert blocks([]) == ()


_WORDS = st.text(alphabet="абвгд123•-", min_size=1, max_size=6)
_LINES = st.lists(
    st.builds(
        lambda words, x, y, height: line(" ".join(words), y, x=x, height=height),
        st.lists(_WORDS, min_size=1, max_size=4),
        st.integers(0, 1300),
        st.integers(0, 2200),
        st.integers(12, 70),
    ),
    max_size=15,
)
_REGIONS = st.lists(
    st.builds(
        lambda kind, x, y, width, height: Region(kind, BBox(x, y, x + width, y + height)),
        st.sampled_from(KINDS),
        st.integers(0, 1500),
        st.integers(0, 2200),
        st.integers(1, 1600),
        st.integers(1, 2300),
    ),
    max_size=8,
)
_TABLES = st.lists(st.builds(lambda y, texts: table(y, *texts), st.integers(0, 2000), st.lists(_WORDS, min_size=1, max_size=3)), max_size=2)


@given(_LINES, _REGIONS, _TABLES)
def test_no_line_that_was_read_is_lost_or_doubled(lines: list[PageLine], regions: list[Region], tables: list[FoundTable]) -> None:
    found = blocks(lines, regions, tables)
    read = Counter(item.text for item in lines) + Counter(item.text for each in tables for item in each.lines)
    assert Counter(item.text for block in found for item in block.lines) == read


@given(_LINES, _REGIONS)
def test_no_letter_of_a_text_block_is_lost_on_the_way_into_its_content(lines: list[PageLine], regions: list[Region]) -> None:
    for block in blocks(lines, regions):
        if block.format is ContentFormat.TEXT:
            written = Counter((block.marker or "") + block.content)
            read = Counter("".join(item.text for item in block.lines))
            missing = read - written
            # A hyphen at a line's end is a word break and goes; how words are parted is the joining's matter.
            assert set(missing) <= {"-", " "}
