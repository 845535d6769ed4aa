"""Which script a word is written in, and the repair of look-alike letters: Latin "KC-2" in a Russian text is «КС-2».

Tesseract with Russian and English, and every VLM, mix the two alphabets where the letters look the same. The repair is safe for the
eye (nothing visible changes) and is what makes the text searchable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LATIN_TWINS = "ABCEHKMOPTXYaceopxyë"
_CYRILLIC_TWINS = "АВСЕНКМОРТХУасеорхуё"
_TO_CYRILLIC = str.maketrans(_LATIN_TWINS, _CYRILLIC_TWINS)
_TO_LATIN = str.maketrans(_CYRILLIC_TWINS, _LATIN_TWINS)
_TWINS = set(_LATIN_TWINS + _CYRILLIC_TWINS)
_LETTERS = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
# Numerals, which are no company that makes a word Latin.
_ROMAN = re.compile(r"[IVXLC]+\W*")
# Words of the Latin alphabet that consist of twins only and are common in Russian papers.
_KEPT = {"PC", "CAE", "PET", "HP", "BMX", "CO", "XX", "XXX", "X", "C", "OEM", "OEE", "CEO", "ATM", "ACEA", "PE", "MAC", "PP", "TX", "CMYK"}


def is_cyrillic(text: str) -> bool:
    return _CYRILLIC.search(text) is not None


def is_latin(text: str) -> bool:
    return _LATIN.search(text) is not None


def is_plainly_cyrillic(text: str) -> bool:
    """Whether a letter is in it that only Cyrillic has."""
    return any(is_cyrillic(char) and char not in _TWINS for char in text)


def is_plainly_latin(text: str) -> bool:
    """Whether a letter is in it that only Latin has."""
    return any(is_latin(char) and char not in _TWINS for char in text)


def is_all_twins(text: str) -> bool:
    """Whether it is an abbreviation in letters that both alphabets have: two capitals or more, and nothing else but signs."""
    letters = [char for char in text if char.isalpha()]
    return len(letters) > 1 and all(char in _TWINS and char.isupper() for char in letters) and not any(char.isdigit() for char in text)


def is_roman_numeral(text: str) -> bool:
    """Whether it is written in the Latin letters of numerals, and signs behind them."""
    return _ROMAN.fullmatch(text) is not None


def in_cyrillic(text: str) -> str:
    """The text with every letter that both alphabets have as the Cyrillic one."""
    return text.translate(_TO_CYRILLIC)


def mend_twins(words: Sequence[str]) -> list[str]:
    """One line of a mainly Cyrillic text: letters that look alike are put into the alphabet of their run of letters.

    A run with a letter that only one alphabet has goes to that alphabet. A run of twins alone goes to Cyrillic, unless it
    touches a plainly Latin run, is written in lower-case between plainly Latin words, or is a known Latin abbreviation.
    """
    mended = []
    for index, word in enumerate(words):
        company = [other for other in words[max(0, index - 1) : index + 2] if not is_roman_numeral(other)]
        latin_company = any(is_plainly_latin(other) and not is_plainly_cyrillic(other) for other in company)
        mended.append(_LETTERS.sub(lambda run, company=latin_company: _mend_run(run.group(), latin_company=company), word))  # type: ignore[misc]
    return mended


def _mend_run(run: str, *, latin_company: bool) -> str:
    plainly_latin = sum(is_latin(char) and char not in _TWINS for char in run)
    plainly_cyrillic = sum(is_cyrillic(char) and char not in _TWINS for char in run)
    if plainly_latin > plainly_cyrillic:
        return run.translate(_TO_LATIN) if not plainly_cyrillic else run
    if plainly_cyrillic:
        return run.translate(_TO_CYRILLIC) if not plainly_latin else run
    if latin_company or run in _KEPT:
        return run
    return run.translate(_TO_CYRILLIC)
