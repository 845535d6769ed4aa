from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.engines.correction.script import is_cyrillic, is_latin, is_plainly_cyrillic, is_plainly_latin, mend_twins

# Latin letters on the left are drawn exactly as the Cyrillic ones on the right.
_LOOK_ALIKES = str.maketrans("ABCEHKMOPTXYaceopxyë", "АВСЕНКМОРТХУасеорхуё")


def look(text: str) -> str:
    """What the eye sees: letters that look the same are the same."""
    return text.translate(_LOOK_ALIKES)


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("KC-2", "КС-2"),
        ("AO", "АО"),
        ("Mocквa", "Москва"),
        ("HДC", "НДС"),
        ("№", "№"),
        ("LED-36", "LED-36"),
        ("Riсhtеr", "Richter"),
        ("ISO", "ISO"),
        ("2024", "2024"),
        ("PP", "PP"),
    ],
)
def test_letters_that_look_alike_are_put_into_the_alphabet_of_their_word(read: str, meant: str) -> None:
    assert mend_twins([read]) == [meant]


def test_a_word_that_could_be_either_follows_its_latin_neighbours() -> None:
    assert mend_twins(["Windows", "XP", "Home"]) == ["Windows", "XP", "Home"]
    assert mend_twins(["форма", "KC"]) == ["форма", "КС"]


def test_the_parts_of_a_compound_are_judged_one_by_one() -> None:
    assert mend_twins(["USB-кaбeль"]) == ["USB-кабель"]


def test_a_word_with_letters_of_both_alphabets_is_left_as_it_was_read() -> None:
    assert mend_twins(["Wяt"]) == ["Wяt"]


@given(st.lists(st.text(alphabet="ABCEHKMOPTXYaceopxyëАВСЕНКМОРТХУасеорхуёДЖяйLRWqz №-.,/()0123456789", max_size=12), max_size=6))
def test_mending_never_changes_what_the_eye_sees(words: list[str]) -> None:
    assert [look(word) for word in mend_twins(words)] == [look(word) for word in words]


@given(st.lists(st.text(max_size=8), max_size=5))
def test_mending_twice_is_mending_once_and_keeps_every_word(words: list[str]) -> None:
    mended = mend_twins(words)
    assert len(mended) == len(words)
    assert mend_twins(mended) == mended


def test_letters_tell_their_alphabet_only_where_no_other_has_them() -> None:
    assert is_cyrillic("СОР")
    assert not is_plainly_cyrillic("СОР")
    assert is_plainly_cyrillic("СПОР")
    assert is_latin("COP")
    assert not is_plainly_latin("COP")
    assert is_plainly_latin("CORD")
    assert not is_latin("12 №")
