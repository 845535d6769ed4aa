"""Lines become paragraphs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.text import join_lines, printable


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Поставщик обязуется", "передать товар"], "Поставщик обязуется передать товар"),
        (["орга-", "низация"], "организация"),
        (["органи\u00ad", "зация"], "организация"),
        (["ор\u00adга\u00adни\u00adзация"], "организация"),
        (["the docu-", "ment"], "the document"),
        (["«орга-", "низация»"], "«организация»"),
        # Cannot be known: a compound broken at its own hyphen is closed as well.
        (["бизнес-", "план"], "бизнесплан"),
        (["стабильный/не-", "стабильный"], "стабильный/нестабильный"),
        (["http://mail-", "server"], "http://mail-server"),
        (["кто-", "нибудь"], "кто-нибудь"),
        (["из-", "за дождя"], "из-за дождя"),
        (["в 2024-", "го года"], "в 2024-го года"),
        (["SMS-", "рассылка"], "SMS-рассылка"),
        (["e-", "mail"], "e-mail"),
        (["Санкт-", "Петербург"], "Санкт-Петербург"),
        (["№ 12-", "34/Б"], "№ 12-34/Б"),
        (["ivanov@mail-", "server.ru"], "ivanov@mail-server.ru"),
        (["Москва -", "столица"], "Москва - столица"),
        (["Москва —", "столица"], "Москва — столица"),
        (["и/", "или"], "и/или"),
        (["合同编号和", "日期。"], "合同编号和日期。"),
        (["日期：", "2024"], "日期：2024"),
        (["使用", "Linux"], "使用 Linux"),
        (["대한민국", "정부"], "대한민국 정부"),
        (["  пробелы  ", "", " по краям "], "пробелы по краям"),
        ([], ""),
        (["-", "пункт"], "- пункт"),
    ],
)
def test_lines_are_joined_by_the_rules_of_their_script(lines: list[str], expected: str) -> None:
    assert join_lines(lines) == expected


@given(st.lists(st.text(alphabet="аbВ1-– \u00ad/中。", max_size=6), max_size=5))
def test_joining_loses_nothing_but_hyphens_and_white_space(lines: list[str]) -> None:
    kept = [character for line in lines for character in line if character not in "-\u00ad "]
    assert [character for character in join_lines(lines) if character not in "- "] == kept


@given(st.text())
def test_printable_text_can_always_be_encoded(text: str) -> None:
    assert "\x00" not in printable(text + "\ud800\x00")
    assert printable(text + "\ud800").encode()
