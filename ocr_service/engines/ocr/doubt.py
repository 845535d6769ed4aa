"""Which of Tesseract's words are looked at again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ocr_service.engines.correction.script import is_all_twins, is_latin, is_plainly_cyrillic
from ocr_service.engines.ocr.reading import ReadWord

_ALMOST_SURE = 0.95
_QUITE_SURE = 0.8
_HARDLY = 0.5
_MANY_LETTERS = 4
# A word by itself that is no word: the digit 3.
_THREE = {"З", "з"}
# Signs that Tesseract knows better: PP-OCRv6 has no «№» and takes a lone slash for a one.
_TESSERACTS_SIGNS = set("№—–-/%")
_SURE_SIGN = 0.9
# «Э.» behind a name or another initial. «З.» is none of these: it may be the third of a list (look_alikes).
_INITIAL, _BEHIND_NAME = re.compile(r"[А-ЖИ-ЯЁ]\.[,;:)]*"), re.compile(r"\W*[А-ЯЁ](?:[а-яё-]{2,}|\.)")


def is_doubtful(text: str, confidence: float) -> bool:
    """Whether the word is to be checked, by whoever may know better."""
    if text in _TESSERACTS_SIGNS and confidence >= _SURE_SIGN:
        return False
    if is_a_cyrillic_word(text) and text.isalpha():
        return confidence < _HARDLY
    if text in _THREE or (confidence < _ALMOST_SURE and is_all_twins(text)):
        return True
    return confidence < _QUITE_SURE or any(c.isdigit() or is_latin(c) for c in text) or not any(c.isalpha() for c in text)


def is_a_cyrillic_word(text: str) -> bool:
    """Whether the universal reader cannot know better, unless the word was poorly read: it knows no Cyrillic, and nobody takes a number
    for so many letters."""
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= _MANY_LETTERS and is_plainly_cyrillic(text) and not any(map(is_latin, letters))


def is_initial(words: Sequence[ReadWord], index: int) -> bool:
    """Whether the word is an initial by its place: there the universal reader, which has no «Э», sees a figure."""
    is_one = index > 0 and words[index].confidence > _HARDLY and _INITIAL.fullmatch(words[index].text) is not None
    return is_one and _BEHIND_NAME.match(words[index - 1].text) is not None
