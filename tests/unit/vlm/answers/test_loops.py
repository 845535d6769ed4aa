"""Answers that run in circles, recognised afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.vlm.answers.loops import without_loop

PREFIX = "Договор поставки № 17. Стороны договорились: "


@pytest.mark.parametrize(
    "unit", ["и так далее, ", "<ecel>", "0.00 ", "строка номер один\n", "я", "<fcel>1<fcel>2<nl>", "a" * 30 + "b" * 170 + " "]
)
def test_a_cut_answer_that_ends_in_circles_keeps_the_first_time_round(unit: str) -> None:
    looping = PREFIX + unit * (3000 // len(unit)) + unit[: len(unit) // 2]
    kept = without_loop(looping, was_cut=True)
    assert kept is not None
    assert kept.startswith(PREFIX)
    assert len(PREFIX) < len(kept) <= len(PREFIX) + 2 * len(unit)


@pytest.mark.parametrize("leader", [".", "_", ". ", "-", "…", " . . "])
@pytest.mark.parametrize("was_cut", [True, False])
def test_leaders_and_rules_to_write_on_are_no_loops(leader: str, *, was_cut: bool) -> None:
    assert without_loop("Подпись " + leader * 3000, was_cut=was_cut) is None


@pytest.mark.parametrize(
    "text",
    ["", "a", PREFIX, "ха-ха-ха-ха", "0.00 " * 30, "<ecel>" * 200 + "<nl>", "<fcel>нет<fcel>0,00<nl>" * 40],
)
def test_an_answer_that_ended_by_itself_may_repeat_itself_as_a_page_does(text: str) -> None:
    assert without_loop(PREFIX + text, was_cut=False) is None


def test_an_answer_that_repeats_itself_more_than_a_page_can_is_a_loop_though_it_ended() -> None:
    kept = without_loop(PREFIX + "и так далее, " * 400, was_cut=False)
    assert kept is not None
    assert kept.strip() == PREFIX + "и так далее,"


def test_a_long_text_that_was_cut_without_circles_is_no_loop() -> None:
    assert without_loop(" ".join(str(number) for number in range(4000)), was_cut=True) is None


@given(st.text(max_size=60), st.text(min_size=1, max_size=20), st.integers(0, 300), st.booleans())
def test_what_is_kept_is_a_beginning_of_what_was_said(prefix: str, unit: str, times: int, was_cut: bool) -> None:
    text = prefix + unit * times
    kept = without_loop(text, was_cut=was_cut)
    assert kept is None or (text.startswith(kept) and len(kept) < len(text))
