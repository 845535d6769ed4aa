"""The loop guard stops loops while they are written, and nothing that a document may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_server.loop_guard import LoopGuard


def feed(text: str, step: int = 3) -> tuple[bool, str, int]:
    """Whether it was stopped, what is useful, how many characters were written until then."""
    guard = LoopGuard()
    for start in range(0, len(text), step):
        if guard.feed(text[start : start + step]):
            return True, guard.useful, start + step
    return False, guard.text, len(text)


@pytest.mark.parametrize(
    ("prefix", "loop"),
    [
        ("Начало текста. ", "0.00 "),
        ("Сумма: ", "12"),
        ("Title\n", "a"),
        ("Акт\n", "и так далее, и тому подобное, "),
        ("Протокол\n", "одна и та же строка\n"),
        ("", "x" * 350 + "Y"),
    ],
)
def test_a_passage_without_end_is_stopped_early_and_what_stood_before_it_is_kept(prefix: str, loop: str) -> None:
    stopped, useful, written = feed(prefix + loop * 2000)

    assert stopped
    assert useful.startswith(prefix.strip())
    assert len(useful) <= len(prefix) + 2 * len(loop)
    assert written <= len(prefix) + 60 * len(loop) + 3000


def test_empty_table_cells_without_end_are_stopped_and_the_table_before_them_is_kept() -> None:
    stopped, useful, _ = feed("<fcel>Товар<fcel>Цена<nl>" + "<ecel><ecel><nl>" * 500)

    assert stopped
    assert useful.startswith("<fcel>Товар<fcel>Цена")


@pytest.mark.parametrize(
    "text",
    [
        "Глава 1 " + "." * 150 + " 5\nГлава 2 " + "." * 150 + " 7\n",
        "Подпись: " + "_" * 300 + " Дата: " + "_" * 80,
        "Раздел " + ". " * 100 + "12",
        "<fcel>Итого<fcel>0,00<fcel>0,00<nl>" * 6 + "<fcel>Всего<nl>",
        "да\n" * 8 + "нет\n",
        "<fcel>A<nl>" + "<ecel>" * 60 + "<nl><fcel>B<nl>",
        "1 000 000 000 000 000 000",
    ],
)
def test_leaders_forms_and_rows_that_a_document_repeats_are_not_loops(text: str) -> None:
    assert feed(text) == (False, text, len(text))


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=300, unique=True), st.integers(1, 40))
def test_rows_that_differ_are_never_a_loop_however_they_arrive(numbers: list[int], step: int) -> None:
    text = "".join(f"<fcel>Позиция {number}<fcel>{number * 7}<nl>" for number in numbers)

    assert feed(text, step) == (False, text, len(text))


@given(st.text(alphabet="абвxyz 0123", min_size=1, max_size=40).filter(lambda text: text.strip()), st.integers(1, 9))
def test_any_passage_with_words_in_it_is_stopped_when_it_does_not_end(passage: str, step: int) -> None:
    stopped, _, _ = feed(passage * 2000, step)

    assert stopped
