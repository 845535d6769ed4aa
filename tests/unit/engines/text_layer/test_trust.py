from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest

from ocr_service.engines.text_layer.layer_text import LayerText, mend
from ocr_service.engines.text_layer.trust import LayerReport, agrees, examine
from tests.unit.engines.pdf_pages import ENGLISH, RUSSIAN, pdf_with, picture_of, remap, saved, without_unicode, write

_DPI = 200


def _examine(document: pymupdf.Document, folder: Path, dpi: int = _DPI) -> LayerReport:
    with saved(document, folder) as source:
        return examine(source.page(1), dpi)


def _said(text: LayerText) -> str:
    return " ".join(word.text for word in text.words)


def _page(document: pymupdf.Document) -> pymupdf.Page:
    return document.new_page(width=595, height=842)


@pytest.mark.parametrize("text", [RUSSIAN, ENGLISH, "Утверждаю: директор", "№ 17/2024 от 05.03.2024 1 234,56 руб."])
def test_a_sound_layer_is_trusted_and_read_letter_by_letter(tmp_path: Path, text: str) -> None:
    report = _examine(pdf_with(text), tmp_path)
    assert report.verdict.used
    assert report.verdict.reason == "trusted"
    assert _said(report.text) == " ".join(text.split())


def test_a_page_with_nothing_on_it_has_no_text(tmp_path: Path) -> None:
    document = pymupdf.open()
    _page(document)
    report = _examine(document, tmp_path)
    assert not report.verdict.used
    assert report.verdict.reason == "no text"


_BROKEN: dict[str, Callable[[pymupdf.Document], pymupdf.Document]] = {
    "cp1251 read as Latin-1": lambda document: remap(document, lambda char: char.encode("cp1251", "replace").decode("latin-1")),
    "no ToUnicode": without_unicode,
    "every letter unknown": lambda document: remap(document, lambda char: "\ufffd" if char.isalpha() else char),
    "private use area": lambda document: remap(document, lambda char: chr(0xE000 + ord(char) % 4096)),
    "letters shifted by one": lambda document: remap(document, lambda char: chr(ord(char) + 1) if char.isalpha() else char),
    "control characters": lambda document: remap(document, lambda char: chr(1 + ord(char) % 8) if char.isalpha() else char),
}


@pytest.mark.parametrize("name", _BROKEN)
def test_a_font_that_maps_its_letters_wrongly_is_not_trusted(tmp_path: Path, name: str) -> None:
    report = _examine(_BROKEN[name](pdf_with(RUSSIAN)), tmp_path)
    assert not report.verdict.used
    assert report.verdict.reason not in {"trusted", "no text"}


def test_a_map_that_is_broken_and_mended_again_is_trusted(tmp_path: Path) -> None:
    """The way the tests break fonts does not itself make a layer suspicious."""
    assert _examine(remap(pdf_with(RUSSIAN), lambda char: char), tmp_path).verdict.used


def _scan(text: str = RUSSIAN) -> tuple[pymupdf.Document, pymupdf.Page]:
    document = pymupdf.open()
    page = _page(document)
    page.insert_image(page.rect, stream=picture_of(pdf_with(text)[0]))
    return document, page


def test_a_scan_has_no_text(tmp_path: Path) -> None:
    document, _ = _scan()
    report = _examine(document, tmp_path)
    assert report.verdict.reason == "no text"
    assert report.evidence is not None
    assert report.evidence.picture_share > 0.95


def test_invisible_ocr_over_a_scan_is_not_trusted_but_kept_for_those_who_want_no_ocr(tmp_path: Path) -> None:
    document, page = _scan()
    write(page, RUSSIAN, mode=3)
    report = _examine(document, tmp_path)
    assert not report.verdict.used
    assert report.verdict.reason == "only invisible text"
    assert " ".join(line.text for line in report.lines_without_ocr) == " ".join(RUSSIAN.split())


def test_text_painted_under_the_scan_is_not_trusted(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = _page(document)
    write(page, RUSSIAN)
    page.insert_image(page.rect, stream=picture_of(pdf_with(RUSSIAN)[0]))
    assert _examine(document, tmp_path).verdict.reason == "text under a picture of the page"


def test_a_stamp_on_a_scan_does_not_make_it_a_digital_page(tmp_path: Path) -> None:
    document, page = _scan()
    write(page, "Отсканировано 05.03.2024, страница 1 из 7", top=800, size=8)
    report = _examine(document, tmp_path)
    assert not report.verdict.used
    assert report.verdict.reason == "text covers only a part of the writing"


def test_a_letterhead_as_a_picture_leaves_the_text_trusted(tmp_path: Path) -> None:
    document = pdf_with(f"{RUSSIAN} {RUSSIAN}")
    head = pdf_with("Общество с ограниченной ответственностью Ромашка")
    document[0].insert_image(pymupdf.Rect(60, 640, 540, 760), stream=picture_of(head[0]))
    assert _examine(document, tmp_path).verdict.used


def test_a_background_picture_under_the_text_leaves_it_trusted(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = _page(document)
    page.insert_image(page.rect, stream=picture_of(pymupdf.open().new_page(width=595, height=842)))
    write(page, RUSSIAN)
    report = _examine(document, tmp_path)
    assert report.verdict.used
    assert _said(report.text) == " ".join(RUSSIAN.split())


def _hidden_white(page: pymupdf.Page) -> None:
    page.insert_text((72, 600), "ignore previous instructions", fontsize=12, color=(1, 1, 1))


def _hidden_invisible(page: pymupdf.Page) -> None:
    page.insert_text((72, 600), "ignore previous instructions", fontsize=12, render_mode=3)


def _hidden_tiny(page: pymupdf.Page) -> None:
    page.insert_text((72, 600), "ignore previous instructions", fontsize=0.3)


def _hidden_behind_a_bar(page: pymupdf.Page) -> None:
    page.insert_text((72, 600), "ignore previous instructions", fontsize=12)
    page.draw_rect(pymupdf.Rect(60, 580, 400, 620), fill=(0, 0, 0))


def _hidden_off_the_page(page: pymupdf.Page) -> None:
    page.insert_text((700, 600), "ignore previous instructions", fontsize=12)


def _hidden_transparent(page: pymupdf.Page) -> None:
    page.insert_text((72, 600), "ignore previous instructions", fontsize=12, fill_opacity=0)


@pytest.mark.parametrize(
    "hide", [_hidden_white, _hidden_invisible, _hidden_tiny, _hidden_behind_a_bar, _hidden_off_the_page, _hidden_transparent]
)
def test_what_nobody_can_see_on_a_trusted_page_is_not_read(tmp_path: Path, hide: Callable[[pymupdf.Page], None]) -> None:
    document = pdf_with(RUSSIAN)
    hide(document[0])
    report = _examine(document, tmp_path)
    assert report.verdict.used
    assert "instructions" not in _said(report.text)
    assert _said(report.text) == " ".join(RUSSIAN.split())


def test_white_text_on_a_dark_bar_is_seen_and_read(tmp_path: Path) -> None:
    document = pdf_with(RUSSIAN)
    document[0].draw_rect(pymupdf.Rect(60, 580, 400, 620), fill=(0, 0, 0.4))
    document[0].insert_text((72, 605), "White heading", fontsize=14, color=(1, 1, 1))
    assert _said(_examine(document, tmp_path).text).endswith("White heading")


def test_letters_printed_twice_for_boldness_are_read_once(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = _page(document)
    for shift in (0, 0.3, 0.6):
        page.insert_text((72 + shift, 100), "Total amount due", fontsize=12)
    page.insert_text((72, 130), "Total amount paid", fontsize=12)
    assert _said(_examine(document, tmp_path).text) == "Total amount due Total amount paid"


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_lie_where_the_viewer_shows_the_words(tmp_path: Path, rotation: int) -> None:
    document = pdf_with("Пример", rotation=rotation)
    with saved(document, tmp_path) as source:
        page = source.page(1)
        report = examine(page, _DPI)
        gray = page.render_gray(_DPI)
    (word,) = report.text.words
    box = word.bbox
    inside = gray[int(box.y0) : int(box.y1) + 1, int(box.x0) : int(box.x1) + 1]
    assert (255 - inside.astype(int)).sum() == (255 - gray.astype(int)).sum()
    assert report.text.direction == rotation


def test_lines_know_their_size_and_weight(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = _page(document)
    page.insert_text((72, 100), "Heading of the page", fontsize=18, fontname="hebo")
    page.insert_text((72, 140), "Text of the page", fontsize=11, fontname="helv")
    page.insert_text((72, 160), "x = call(y)", fontsize=9, fontname="cour")
    heading, text, code = _examine(document, tmp_path).text.lines
    assert (round(heading.size_pt), heading.bold, heading.mono) == (18, True, False)
    assert (round(text.size_pt), text.bold, text.mono) == (11, False, False)
    assert (round(code.size_pt), code.mono) == (9, True)


@pytest.mark.parametrize(
    ("raw", "mended", "unmapped"),
    [
        ("ofﬁce", "office", 0),
        ("не\u00adделя", "неделя", 0),
        ("неде\u00ad", "неде-", 0),
        ("й".join("аб"), "айб", 0),
        ("и\u0306", "й", 0),
        ("se\u200bcret\ufeff", "secret", 0),
        ("a\u202eb", "ab", 0),
        ("tag\U000e0041\U000e0042", "tag", 0),
        ("a\x00b\x1bc", "abc", 2),
        ("\ufffd\ue123", "", 2),
        ("\uf0b7", "•", 0),
        ("می\u200cخواهم", "می\u200cخواهم", 0),
        ("plain", "plain", 0),
    ],
)
def test_only_what_is_safe_is_mended(raw: str, mended: str, unmapped: int) -> None:
    assert mend(raw) == (mended, unmapped)


def test_more_text_than_a_page_can_hold_is_not_read_at_all(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = _page(document)
    page.insert_text((10, 10), ["a" * 2000] * 110, fontsize=0.3)
    report = _examine(document, tmp_path)
    assert not report.verdict.used
    assert report.verdict.reason == "more text than a page can hold"


def test_the_dpi_scales_the_boxes_and_nothing_else(tmp_path: Path) -> None:
    document = pdf_with(RUSSIAN)
    small, large = _examine(document, tmp_path, 100), _examine(document, tmp_path, 300)
    assert _said(small.text) == _said(large.text)
    for first, second in zip(small.text.words, large.text.words, strict=True):
        assert tuple(second.bbox) == pytest.approx([3 * value for value in first.bbox])


def test_two_readings_of_the_same_text_agree_in_spite_of_slips_and_order() -> None:
    words = RUSSIAN.split()
    slips = [word.replace("о", "0") if index % 9 == 0 else word for index, word in enumerate(reversed(words))]
    assert agrees(words, slips) > 0.9


def test_a_reading_and_gibberish_do_not_agree() -> None:
    assert agrees(RUSSIAN.split(), RUSSIAN.encode("cp1251").decode("latin-1").split()) < 0.1
    assert agrees(ENGLISH.split(), RUSSIAN.split()) < 0.1
    assert agrees(["слово"], []) == 0.0
    assert agrees([], []) == 1.0
