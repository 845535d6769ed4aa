"""Look-alike letters of the wrong alphabet are put right, and nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.pipeline.refinement.folding import folded, is_mixed, to_one_alphabet
from ocr_service.pipeline.refinement.script import mended

CYRILLIC, LATIN = "АВЕКМНОРСТУХаеорсух", "ABEKMHOPCTYXaeopcyx"
SWAPPED = str.maketrans(CYRILLIC, LATIN)
TRUTH = "ООО «Восход-Снаб» поставляет насос марки КС-2 по договору PO-17 для ОАО «Север»"


def test_latin_letters_in_cyrillic_words_become_cyrillic() -> None:
    assert mended(TRUTH.translate(SWAPPED), [TRUTH]) == TRUTH


def test_a_word_that_ocr_misread_is_mended_by_itself() -> None:
    assert mended("нacoc мapки", ["иасос марки"]) == "насос марки"


def test_latin_words_of_the_evidence_stay_latin() -> None:
    assert mended("Ноутбук ACEA с ОЕМ", ["Ноутбук ACEA с OEM"]) == "Ноутбук ACEA с OEM"


def test_a_word_that_the_evidence_mixes_is_taken_from_the_answer() -> None:
    assert mended("договор поставки", ["дoговop поставки"]) == "договор поставки"


def test_greek_capitals_in_russian_words_become_cyrillic() -> None:
    assert mended("ΦΓУП завод", ["ФГУП завод"]) == "ФГУП завод"


@given(st.lists(st.sampled_from(TRUTH.split()), min_size=1, max_size=8).map(" ".join), st.data())
def test_whatever_letters_are_swapped_the_evidences_come_back(text: str, data: st.DataObject) -> None:
    swap = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    lie = "".join(char.translate(SWAPPED) if swapped else char for char, swapped in zip(text, swap, strict=True))
    assert mended(lie, [TRUTH]) == text


@given(st.text(max_size=60), st.text(max_size=60))
def test_mending_changes_neither_length_nor_looks(answer: str, evidence: str) -> None:
    done = mended(answer, [evidence])
    assert len(done) == len(answer)
    assert folded(done) == folded(answer)


@pytest.mark.parametrize(("word", "mixed"), [("договор", False), ("дoгoвop", True), ("model", False), ("КС2", False), ("ΦГУП", True)])
def test_a_word_of_two_alphabets_is_mixed(word: str, mixed: bool) -> None:
    assert is_mixed(word) is mixed


def test_twins_look_the_same_in_one_alphabet() -> None:
    assert to_one_alphabet(CYRILLIC) == to_one_alphabet(LATIN)
