from __future__ import annotations

import pytest

from ocr_service.engines.layout.headings import heading_level, is_name_of_paper, is_place_or_date


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("1. Предмет договора", 2),
        ("1 Предмет договора", 2),
        ("2.1 Права сторон", 3),
        ("2.1.3. Права заказчика", 4),
        ("1.2.3.4.5.6 Глубоко", 6),
        ("Раздел 3", 2),
        ("ГЛАВА II", 2),
        ("Appendix A", 2),
    ],
)
def test_numbering_says_the_level_whatever_the_size(text: str, level: int) -> None:
    assert heading_level(text, 30, 10) == level
    assert heading_level(text, 10, 10) == level


def test_without_a_number_only_clearly_larger_letters_make_the_first_level() -> None:
    assert heading_level("Отчёт о работе", 16, 10) == 1
    assert heading_level("Отчёт о работе", 11, 10) == 2


@pytest.mark.parametrize("text", ["2024", "15 000", "3.", "Часть́ "])
def test_a_bare_number_is_no_numbering(text: str) -> None:
    assert heading_level(text, 16, 10) in {1, 2}


def test_levels_stay_within_what_markdown_has() -> None:
    assert heading_level("1.1.1.1.1.1 Дно", 10, 10) == 6


@pytest.mark.parametrize("text", ["г. Заречье", "28 февраля 2025 г.", "«03» октября 2023 года", "г. Южно-Сахалинск 1 мая 2024 г."])
def test_a_place_and_a_date_under_a_title_are_no_heading(text: str) -> None:
    assert is_place_or_date(text)


@pytest.mark.parametrize("text", ["ПРОТОКОЛ № 7", "Отчёт за 28 февраля 2025 г.", "1 Общие положения", "г. Заречье: итоги года"])
def test_a_heading_may_name_a_place_or_a_date(text: str) -> None:
    assert not is_place_or_date(text)


@pytest.mark.parametrize(
    "text",
    [
        *("ПРИКАЗ", "СПРАВКА", "ШТАТНОЕ РАСПИСАНИЕ", "ПЛАТЕЖНОЕ ПОРУЧЕНИЕ № 417", "АКТ ПРИЕМА-ПЕРЕДАЧИ", "Акт № 58", "ДОВЕРЕННОСТЬ № 23"),
        *(
            "Счёт на оплату № 1107-Э/23 от 30 декабря 2023 г.",
            "АКТ о приёмке выполненных работ № 7/1",
            "SUPPLY AGREEMENT No. 24/017-EX",
            "КОММЕРЧЕСКОЕ ПРЕДЛОЖЕНИЕ",
        ),
        *("СЧЕТ-ФАКТУРА № 1842/3-а от 14 марта 2024 г.", "ДОГОВОР ПОСТАВКИ № 17-ПС/2023", "ДОПОЛНИТЕЛЬНОЕ СОГЛАШЕНИЕ № 2 к договору"),
    ],
)
def test_what_a_paper_calls_itself_is_its_title_in_letters_of_any_size(text: str) -> None:
    assert is_name_of_paper(text)
    assert heading_level(text, 11, 10) == 1


@pytest.mark.parametrize(
    "text",
    [
        "ПРИКАЗЫВАЮ:",
        "РЕШЕНИЕ:",
        "Решение",
        "Договор вступает в силу",
        "РЕШИЛИ",
        "АКТИВЫ",
        "2. ДОГОВОР",
        "Акт сверки",
        "ПРЕДМЕТ ДОГОВОРА",
        "CONTRACT with Nordholz",
    ],
)
def test_what_only_speaks_of_a_paper_is_no_title(text: str) -> None:
    assert not is_name_of_paper(text)
