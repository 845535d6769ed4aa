"""Text as the eye sees it: letters and digits only, without case, with the look-alikes of Cyrillic, Greek and Latin made one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_TWINS = (
    ("ABCEHIJKMOPSTXYaceijopsxy", "АВСЕНІЈКМОРЅТХУасеіјорѕху"),  # Latin, Cyrillic
    ("ABEHIKMNOPTXYZov", "ΑΒΕΗΙΚΜΝΟΡΤΧΥΖον"),  # Latin, Greek
    ("ФГПЛФф", "ΦΓΠΛΦφ"),  # Cyrillic, Greek
)
_CANONICAL = {ord(other): ours for plain, twins in _TWINS for ours, other in zip(plain, twins, strict=True)}
# Case goes first, so small letters need what their capitals have: «в» is no "b" to the eye, but «В» is a "B".
_FOLDED = str.maketrans({other.casefold(): ours.casefold() for other, ours in ((chr(code), plain) for code, plain in _CANONICAL.items())})
_FOLDED[ord("ё")] = "e"
# What OCR and models take for one another where the shape is all they see. Left: folded letters, right: the digit.
_DIGIT_SHAPES = str.maketrans(
    {"o": "0", "з": "3", "l": "1", "i": "1", "б": "6", "b": "8", "ч": "4", "s": "5", "z": "2", "g": "9", "q": "9", "э": "3", "ю": "10"}
)
_MARKUP = re.compile(r"\\[A-Za-z]+|[$^_{}]")
_NOT_COUNTED = re.compile(r"[№\u00ad\u200b-\u200f\ufeff]")


def words(text: str) -> Iterator[str]:
    """The folded words: runs of letters and digits. Commands of LaTeX, marks and "№" are no words."""
    plain = unicodedata.normalize("NFKC", _NOT_COUNTED.sub(" ", _MARKUP.sub(" ", text) if _MARKUP.search(text) else text))
    current: list[str] = []
    for char in plain.casefold():
        if char.isdecimal():
            current.append(str(unicodedata.decimal(char)))
        elif char.isalnum():
            current.append(char.translate(_FOLDED))
        elif current and not unicodedata.combining(char):
            yield "".join(current)
            current = []
    if current:
        yield "".join(current)


def folded(text: str) -> str:
    """All words of the text in one, without blanks."""
    return "".join(words(text))


def digits(text: str) -> str:
    """The digits of the text in order, as ASCII."""
    return "".join(char for char in folded(text) if char.isdecimal())


def by_shape(text: str) -> str:
    """Folded text with the letters that look like digits as digits."""
    return text.translate(_DIGIT_SHAPES)


def to_one_alphabet(text: str) -> str:
    """The text with every look-alike letter as one of its twins: equal for two texts that look the same. Length and case stay."""
    return text.translate(_CANONICAL)


def alphabets(word: str) -> set[str]:
    """Which alphabets the letters of a word belong to, told by the names of its characters."""
    return {unicodedata.name(char, "").split(" ", 1)[0] for char in word if char.isalpha()}


def is_mixed(word: str) -> bool:
    """Whether the word has letters of two alphabets, as no honest word has."""
    return len(alphabets(word) & {"LATIN", "CYRILLIC", "GREEK"}) > 1
