"""Which words of two readings have no partner in the other."""

from __future__ import annotations

import pytest

from ocr_service.pipeline.refinement.pairing import without_partner


@pytest.mark.parametrize(
    ("left", "right", "alone"),
    [
        (["оредсте"], ["средств", "не"], (set(), {1})),
        (["оредсте"], ["не", "средств"], (set(), {0})),
        (["оредсте", "матерналовых"], ["средств", "не", "материальных"], (set(), {1})),
        (["не", "тозар"], ["товар"], ({0}, set())),
        (["не"], [], ({0}, set())),
    ],
)
def test_a_word_beside_a_misread_one_is_alone(left: list[str], right: list[str], alone: tuple[set[int], set[int]]) -> None:
    assert without_partner(left, right) == alone


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (["тозар"], ["товар"]),
        (["поставщик"], ["покупатель"]),
        (["обще", "ства"], ["общества"]),
        (["обшество"], ["обще", "ство"]),
        (["12500000"], ["12", "500", "000"]),
        (["12", "500", "товаз"], ["12500", "товар"]),
    ],
)
def test_words_read_otherwise_or_with_other_blanks_have_a_partner(left: list[str], right: list[str]) -> None:
    assert without_partner(left, right) == (set(), set())


def test_readings_too_long_to_weigh_are_left_to_other_rules() -> None:
    assert without_partner(["слово"] * 200, ["другое"] * 201) == (set(), set())
