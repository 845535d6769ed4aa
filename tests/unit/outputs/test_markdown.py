"""A page's Markdown."""

from __future__ import annotations

import html
import re

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ocr_service.domain.blocks import Block, ContentFormat, LayoutLabel
from ocr_service.outputs.markdown import page_markdown
from tests.unit.outputs.blocks import block, item, picture, table


def _markdown(*blocks: Block, include_running: bool = False) -> str:
    numbered = [Block(**{**{name: getattr(each, name) for name in each.__slots__}, "id": f"b{index}"}) for index, each in enumerate(blocks)]
    return page_markdown(numbered, include_running=include_running)


def _render(markdown: str) -> str:
    return str(MarkdownIt("gfm-like", {"linkify": False}).disable("linkify").render(markdown))


def test_a_page_of_everything() -> None:
    assert _markdown(
        block("ДОГОВОР № 5", LayoutLabel.DOC_TITLE, level=1),
        block("1. Предмет", LayoutLabel.PARAGRAPH_TITLE, level=2),
        block("Поставщик обязуется…"),
        block("Таблица 1 — Товары", LayoutLabel.TABLE_TITLE),
        table("Товар|Цена", "Чашка|10", header_rows=1),
        block("E = mc^2", LayoutLabel.FORMULA, format=ContentFormat.LATEX),
        picture("p0001-b07.png"),
        block("Рис. 1. Схема [общая]", LayoutLabel.FIGURE_TITLE),
    ) == (
        "# ДОГОВОР № 5\n\n## 1. Предмет\n\nПоставщик обязуется…\n\nТаблица 1 — Товары\n\n"
        "<table>\n<tr><th>Товар</th><th>Цена</th></tr>\n<tr><td>Чашка</td><td>10</td></tr>\n</table>\n\n"
        "$$E = mc^2$$\n\n![Рис. 1. Схема  общая](images/p0001-b07.png)\n\nРис. 1. Схема [общая]"
    )


def test_running_heads_are_left_out_unless_asked_for() -> None:
    blocks = [block("Отчёт", LayoutLabel.HEADER), block("Текст."), block("7", LayoutLabel.NUMBER), block("ООО", LayoutLabel.FOOTER)]
    assert _markdown(*blocks) == "Текст."
    assert _markdown(*blocks, include_running=True) == "Отчёт\n\nТекст.\n\n7\n\nООО"


def test_footnotes_come_last() -> None:
    assert _markdown(block("* без НДС", LayoutLabel.FOOTNOTE), block("Цена*.")) == "Цена*.\n\n\\* без НДС"


def test_headings_without_a_level_have_one_by_their_label() -> None:
    assert _markdown(block("А", LayoutLabel.DOC_TITLE), block("Б", LayoutLabel.PARAGRAPH_TITLE)) == "# А\n\n## Б"


def test_a_page_without_content_is_empty() -> None:
    assert _markdown() == ""
    assert _markdown(block("  "), block("\n", LayoutLabel.PARAGRAPH_TITLE)) == ""


def test_line_ends_inside_of_a_block_are_kept() -> None:
    assert _markdown(block("ООО «Ромашка»\n- ИНН 123\n\nг. Москва")) == "ООО «Ромашка»  \n\\- ИНН 123\n\nг. Москва"


def test_bullets_become_list_items() -> None:
    assert _markdown(item("•", "чай", y0=200), item("•", "кофе", y0=250), block("Итого.")) == "- чай\n- кофе\n\nИтого."


def test_lists_are_nested_by_their_indentation() -> None:
    blocks = [
        item("1.", "Напитки", 200, 200),
        item("–", "чай", 260, 250),
        item("–", "кофе", 262, 300),
        item("2.", "Посуда", 203, 350),
        item("а)", "чашки", 260, 400),
        item("б)", "блюдца", 260, 450),
    ]
    assert _markdown(*blocks) == "1. Напитки\n   - чай\n   - кофе\n2. Посуда\n\n   а) чашки\n\n   б) блюдца"


def test_numbers_that_markdown_would_change_are_written_as_text() -> None:
    markers = {"1.": "раз", "2.": "два", "5.": "пять", "2.1.": "два-один", "03.": "три"}
    markdown = _markdown(*(item(marker, text, y0=200 + 50 * index) for index, (marker, text) in enumerate(markers.items())))
    assert markdown == "1. раз\n2. два\n\n5\\. пять\n\n2.1. два-один\n\n03\\. три"


def test_a_list_that_begins_in_the_middle_keeps_its_numbers() -> None:
    rendered = _render(_markdown(item("7)", "семь", y0=200), item("8)", "восемь", y0=250)))
    assert rendered == '<ol start="7">\n<li>семь</li>\n<li>восемь</li>\n</ol>\n'


def test_an_item_without_text_keeps_its_marker() -> None:
    assert _markdown(item("1.", "раз", y0=200), item("2.", "", y0=250), item("-", "", 260, 300)) == "1. раз\n\n2\\.\n\n\\-"


def test_the_next_column_does_not_nest_a_list() -> None:
    blocks = [item("1.", "раз", 200, 900), item("2.", "два", 900, 200), item("3.", "три", 900, 250)]
    assert _markdown(*blocks) == "1. раз\n2. два\n3. три"


def test_html_of_a_model_is_rebuilt_and_not_passed_on() -> None:
    content = '<table onclick="x()"><tr><td><script>alert(1)</script>1</td></tr></table>'
    assert _markdown(block(content, LayoutLabel.TABLE, format=ContentFormat.HTML)) == "<table>\n<tr><td>alert(1)1</td></tr>\n</table>"
    assert _markdown(block("<script>x</script>", LayoutLabel.TABLE, format=ContentFormat.HTML)) == "&lt;script>x&lt;/script>"


def test_a_formula_is_one_line_that_holds_no_markup() -> None:
    shown = _markdown(block("$$a <b\n\n# $$ c$", LayoutLabel.FORMULA, format=ContentFormat.LATEX))
    assert shown == "$$a < b # $ $ c$$"


def test_the_name_of_a_picture_cannot_break_out_of_its_place() -> None:
    assert _markdown(picture("a) <b>.png")) == "![](images/a%29%20%3Cb%3E.png)"


_contents = st.text(alphabet="#>-+*_~`|<>&![](){}$\\:.=12 \nабx", max_size=40)


@given(st.lists(st.tuples(st.sampled_from([LayoutLabel.TEXT, LayoutLabel.FIGURE_TITLE, LayoutLabel.FOOTNOTE]), _contents), max_size=4))
def test_text_of_any_blocks_is_shown_as_it_is_and_as_paragraphs(parts: list[tuple[LayoutLabel, str]]) -> None:
    parts.sort(key=lambda part: part[0] is LayoutLabel.FOOTNOTE)
    rendered = _render(_markdown(*(block(content, label) for label, content in parts)))
    assert not re.search(r"<(?!/?p>|br />)", rendered)
    shown = html.unescape(re.sub(r"</?p>|<br />", "", rendered))
    assert shown.split() == " ".join(content for _, content in parts).split()


_markers = st.sampled_from(["•", "1.", "2.", "3)", "а)", "2.1.", "-", "(1)", "#"])


@given(st.lists(st.tuples(_markers, _contents.filter(str.strip), st.integers(0, 3)), min_size=1, max_size=6))
@example([("•", "*1", 0), ("2.", "1*", 1)])
@example([("•", "*1\n1*", 0)])
def test_list_items_show_their_text_and_their_numbers(parts: list[tuple[str, str, int]]) -> None:
    blocks = [item(marker, content, 200 + 60 * depth, 200 + 50 * index) for index, (marker, content, depth) in enumerate(parts)]
    tokens = MarkdownIt("gfm-like", {"linkify": False}).disable("linkify").parse(_markdown(*blocks))
    assert {token.type for token in tokens} <= {
        "inline", "paragraph_open", "paragraph_close", "list_item_open", "list_item_close",
        "bullet_list_open", "bullet_list_close", "ordered_list_open", "ordered_list_close",
    }  # fmt: skip
    shown = []
    for token in tokens:
        if token.type == "list_item_open" and token.info:
            shown.append(f"{token.info}{token.markup}")
        for child in token.children or ():
            assert child.type in {"text", "text_special", "softbreak", "hardbreak"}
            shown += [child.content] if child.content else [" "]
        if token.type == "paragraph_close":
            shown.append(" ")
    expected = "".join(f"{'' if marker in '•-' else marker}{content}" for marker, content, _ in parts)
    assert "".join("".join(shown).split()) == "".join(expected.split())
