"""Whatever a document says, Markdown shows it as text."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ocr_service.domain.text import printable
from ocr_service.outputs.escaping import escape_alt, escape_heading, escape_line

_MARKUP = "#>-+*_~`|<>&![](){}$\\/:;.=\"'@0123456789 \tabя№«»xX\u00a0—"
_texts = st.one_of(st.text(alphabet=_MARKUP, max_size=30), st.text(max_size=30))


def _render(markdown: str) -> str:
    return str(MarkdownIt("gfm-like", {"linkify": False}).disable("linkify").render(markdown))


def _squeezed(text: str) -> str:
    # Markdown has no control characters, and one kind of white space at the ends of lines.
    return printable(text).replace("\x85", "").strip()


@given(_texts)
@example("# Заголовок")
@example("---|---")
@example("[x](javascript:alert(1))")
@example("<!-- скрыто -->")
@example("***\n")
@example("a\\")
@example("*a**b*")
@example("_(_")
@example("~~x~~ и ~y~")
@example("&lt; &amp;amp; &#x41;")
def test_any_text_is_shown_as_it_is_in_one_plain_paragraph(text: str) -> None:
    line = " ".join(text.splitlines()).replace("\t", " ")
    shown = _render(escape_line(line))
    if not _squeezed(line):
        assert re.sub(r"\s|</?p>", "", shown) == ""
        return
    assert shown.startswith("<p>")
    assert shown.endswith("</p>\n")
    inner = shown.removeprefix("<p>").removesuffix("</p>\n")
    assert "<" not in inner
    assert html.unescape(inner) == _squeezed(line)


@given(_texts)
@example("Итог #")
@example("##")
def test_any_heading_is_shown_as_it_is(text: str) -> None:
    line = " ".join(text.splitlines()).replace("\t", " ")
    escaped = escape_heading(line)
    if escaped:
        inner = _render(f"## {escaped}").removeprefix("<h2>").removesuffix("</h2>\n")
        assert "<" not in inner
        assert html.unescape(inner) == _squeezed(line)


@given(_texts)
def test_a_caption_never_breaks_out_of_a_picture(caption: str) -> None:
    line = " ".join(caption.splitlines())
    shown = _render(f"![{escape_alt(line)}](images/p0001-b01.png)")
    assert re.fullmatch(r'<p><img src="images/p0001-b01\.png" alt="[^"<>]*" /></p>\n', shown)


@pytest.mark.parametrize(
    "text",
    [
        "Договор № 5/2024 от 03.04.2024 г.",
        "1.1. Поставщик обязуется передать товар (далее — «Товар»)",
        "Почта: ivanov_petr@mail.example.ru, файл akt_sverki_2024_final.pdf",
        "Цена* указана с НДС, срок* — без",
        "5 < 6, A&B, C:\\Users\\Public, 20 % и 3 * 4",
        "«___»__________2024 г.",
        "Подпись ____________ /Иванов И. И./",
        "Сумма [прописью] | копейки",
        "+7 (495) 123-45-67, ~5 кг, $100",
        "-5 °C",
    ],
)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert escape_line(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. Пункт", "1\\. Пункт"),
        ("2) Пункт", "2\\) Пункт"),
        ("- пункт", "\\- пункт"),
        ("* - примечание", "\\* - примечание"),
        ("> цитата", "\\> цитата"),
        ("____________", "\\____________"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("[x](javascript:alert(1))", "[x]\\(javascript:alert(1))"),
        ("код `x`", "код \\`x\\`"),
    ],
)
def test_what_would_be_markup_is_escaped_with_as_little_as_possible(text: str, expected: str) -> None:
    assert escape_line(text) == expected


def test_the_number_of_a_heading_is_not_escaped() -> None:
    assert escape_heading("1. Предмет договора") == "1. Предмет договора"
