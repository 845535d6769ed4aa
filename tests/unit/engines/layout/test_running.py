from __future__ import annotations

import pytest

from ocr_service.domain.blocks import LayoutLabel
from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.running import running_label

HEIGHT = 2000
TOP, BOTTOM, MIDDLE = BBox(100, 60, 900, 90), BBox(100, 1920, 900, 1950), BBox(100, 900, 900, 930)


def label(kind: str, text: str, bbox: BBox, *, size: float = 0.8, gap: float = 0.02) -> LayoutLabel | None:
    return running_label(kind, text, bbox, HEIGHT, relative_size=size, widest_gap=gap)


@pytest.mark.parametrize("text", ["12", "— 12 —", "- 3 -", "Стр. 4", "Страница 4 из 12", "page 7 of 9", "4/12", "xiv", "Лист 2"])
def test_a_page_number_is_one_however_it_is_written(text: str) -> None:
    assert label("page-footer", text, BOTTOM) is LayoutLabel.NUMBER
    assert label("page-header", text, TOP) is LayoutLabel.NUMBER


@pytest.mark.parametrize(
    "text", ["1 Срок действия договоров — до 31.12.2026.", "¹ См. приложение 2.", "* Без учёта НДС, руб.", "2) Там же, с. 14."]
)
def test_a_note_at_the_foot_is_no_running_foot(text: str) -> None:
    assert label("page-footer", text, BOTTOM) is LayoutLabel.FOOTNOTE


@pytest.mark.parametrize("text", ["12 Годовой отчёт за 2023 г.", "4 ООО «Северный свет»", "2.1 Общие сведения о заводе."])
def test_a_foot_with_a_page_number_is_no_note(text: str) -> None:
    assert label("page-footer", text, BOTTOM) is LayoutLabel.FOOTER


@pytest.mark.parametrize(
    "text", ["Исп.: Тадыева Ч. Ю. тел. 8 (38845) 21-4-56", "Исполнитель Ким О. Н.", "Петрова А. И., 21-44-56", "Исп. Ли Ю."]
)
def test_who_wrote_a_letter_is_not_left_out(text: str) -> None:
    assert label("page-footer", text, BOTTOM, gap=0.2) is None


def test_small_letters_at_the_edge_are_running() -> None:
    assert label("page-header", "Отчёт за май", TOP) is LayoutLabel.HEADER
    assert label("page-footer", "ООО «Северный свет»", BOTTOM) is LayoutLabel.FOOTER


def test_a_line_beside_a_page_number_or_in_two_pieces_is_running_in_letters_of_any_size() -> None:
    assert label("page-header", "Отчёт за май 12", TOP, size=1) is LayoutLabel.HEADER
    assert label("page-header", "Отчёт Северный свет", TOP, size=1, gap=0.4) is LayoutLabel.HEADER


@pytest.mark.parametrize("text", ["ЖУРНАЛ учёта параметров, узел ввода № 4", "Протокол №  12"])
def test_a_paper_with_a_number_in_its_name_is_not_beside_a_page_number(text: str) -> None:
    assert label("page-header", text, TOP, size=1) is None


def test_a_letterhead_in_ordinary_letters_is_not_left_out() -> None:
    assert label("page-header", "Общество с ограниченной ответственностью", TOP, size=1) is None
    assert label("page-header", "АКТ", TOP, size=1.6) is None


def test_what_stands_away_from_the_edge_is_not_running() -> None:
    assert label("page-header", "Отчёт за май", MIDDLE) is None
    assert label("page-footer", "Отчёт за май", MIDDLE) is None
    assert label("page-footer", "Отчёт за май", TOP) is None


def test_a_number_after_a_numero_sign_is_no_page_number() -> None:
    assert label("page-header", "Журнал учёта, узел ввода № 4", TOP, size=1.1) is None
    assert label("page-header", "Журнал учёта, узел ввода 4", TOP, size=1.1) is LayoutLabel.HEADER
