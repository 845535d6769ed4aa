"""Whether a text layer's letters make sense: tells writing from the noise of a broken font map or a wrong encoding.

No dictionary and no language model: only how often one letter follows another, over a whole page. Only positive evidence condemns a
layer; part numbers, digits, code, scripts without statistics and pages of three words give none.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ocr_service.engines.text_layer import letter_statistics as statistics

# Mean log2 probability of a pair of letters on a page. Running text: −3.3 to −4.5; word lists of languages that are not in the statistics
# (Polish, Kazakh, Belarusian): down to −4.9; shifted and shuffled alphabets: −5.4 to −7.5. Few words scatter more, by the root of their
# number, so the bound falls; a sound page that is condemned wrongly is only read by OCR.
_GIBBERISH_BELOW = -5.1
_SCATTER = 1.4
_LETTERS_PER_WORD = 4
_WORDS_TO_JUDGE = 4

_UNMAPPED_SHARE = 0.10
_MOJIBAKE_SHARE = 0.10
_SYMBOL_SHARE = 0.40
_MIXED_SHARE = 0.30
_FOREIGN_SHARE = 0.05
_GLUED_SHARE = 0.50
_SPACED_SHARE = 0.70
_LONGEST_WORD = 35
_CHARS_TO_JUDGE = 30
_CHARS_FOR_RATES = 12

_CID = re.compile(r"\(cid:\d+\)")
# Accented letters are a tenth of a European word; a word of four that has hardly any other is Cyrillic read as Latin-1, or, further
# up, the numbers of glyphs taken for letters.
_ACCENTED = re.compile(r"[À-ÖØ-öø-ɏ¨¸]")
# What is left of UTF-8 when its bytes are read one by one: every Russian letter begins with Р or С (cp1251), Ð or Ñ (Latin-1).
_UTF8_LEADS = {"Р": "С", "Ð": "Ñ"}
_ALPHABETS = {
    "Latin": ("A", "ʯ"),
    "Greek": ("Ͱ", "Ͽ"),
    "Cyrillic": ("Ѐ", "ԯ"),
    "Armenian": ("԰", "֏"),
    "Hebrew": ("֐", "׿"),
    "Arabic": ("؀", "ۿ"),
}
_LEADERS = frozenset(".-_=*|+~#/")
_FOREIGN_SYMBOLS = frozenset("¡¢£¤¥¦§¨©ª¬®¯´µ¶¸¹º¼½¾¿†‡‰‹›™€ˆ˜")
_WORD = re.compile(rf"[^\W\d_]{{{_LETTERS_PER_WORD},}}")
_CODE = re.compile(r"[\d_@\\=<>{}$]|[a-zа-яё][A-ZА-ЯЁ]|://")
_SPACELESS_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "HANGUL")


@dataclass(frozen=True, slots=True)
class Letters:
    """What the letters of a page look like. Shares are 0–1; `plausibility` is the mean log2 probability of a pair, None if unknown."""

    chars: int
    unmapped: float
    latin1: float
    plausibility: float | None
    words_judged: int
    damage: str | None
    """Why the letters cannot be trusted, None if nothing speaks against them."""


def look_at(words: Sequence[str], unmapped_chars: int) -> Letters:
    """Judge the words of a page. `unmapped_chars`: characters without a meaning that were dropped when the words were made."""
    chars = sum(map(len, words))
    unmapped = (unmapped_chars + sum(5 for word in words for _ in _CID.findall(word))) / max(1, chars + unmapped_chars)
    latin1 = _share(_is_latin1(word) for word in words if len(word) >= _LETTERS_PER_WORD)
    plausibility, judged, excess = _plausibility(words)
    damage: str | None = None
    if unmapped > _UNMAPPED_SHARE:
        damage = "letters unmapped"
    elif latin1 > _MOJIBAKE_SHARE:
        damage = "Cyrillic read as Latin-1"
    elif _has_mixed_scripts(words):
        damage = "letters of several scripts in one word"
    elif _is_utf8_read_by_bytes(words) or _has_foreign_symbols(words, chars):
        damage = "wrong character encoding"
    elif excess < 0:
        damage = "letters make no words"
    elif _is_glyph_numbers(words, chars):
        damage = "symbols instead of letters"
    elif _is_glued(words):
        damage = "no spaces between words"
    elif _is_spaced_out(words):
        damage = "words torn into letters"
    return Letters(chars, unmapped, latin1, plausibility, judged, damage)


def _share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return sum(values) / len(values) if values else 0.0


def _is_latin1(word: str) -> bool:
    letters = [char for char in word if char.isalpha() or char in "¨¸"]
    return len(letters) >= _LETTERS_PER_WORD and len(_ACCENTED.findall(word)) >= 0.75 * len(letters)


def _has_mixed_scripts(words: Sequence[str]) -> bool:
    runs = [run for word in words for run in _WORD.findall(word)]
    return len(runs) >= 5 and _share(len({_script(char) for char in run} - {None}) > 1 for run in runs) > _MIXED_SHARE


def _script(char: str) -> str | None:
    """The alphabet of a letter; None for scripts that do stand together (Chinese with kana, Latin letters among them)."""
    for name, (first, last) in _ALPHABETS.items():
        if first <= char <= last:
            return name
    return None


def _is_utf8_read_by_bytes(words: Sequence[str]) -> bool:
    text = "".join(words)
    letters = sum(char.isalpha() for char in text)
    if letters < _CHARS_FOR_RATES:
        return False
    return any((text.count(a) + text.count(b)) > 0.35 * letters for a, b in _UTF8_LEADS.items())


def _has_foreign_symbols(words: Sequence[str], chars: int) -> bool:
    """Signs like ® ¬ ¤ in the place of letters: the upper half of another code page."""
    symbols = sum(char in _FOREIGN_SYMBOLS for word in words if any(map(str.isalpha, word)) for char in word)
    return chars >= _CHARS_FOR_RATES and symbols > _FOREIGN_SHARE * chars


def _is_glyph_numbers(words: Sequence[str], chars: int) -> bool:
    if chars < _CHARS_TO_JUDGE:
        return False
    symbols = sum(char.isascii() and not char.isalnum() and char not in _LEADERS for word in words for char in word)
    return symbols > _SYMBOL_SHARE * chars


def _is_glued(words: Sequence[str]) -> bool:
    """Most letters stand in words longer than any language has. Addresses and leaders are no letters, Chinese has no spaces."""
    letters = [sum(char.isalpha() and not _is_spaceless(char) for char in word) for word in words]
    total = sum(letters)
    return total >= 2 * _LONGEST_WORD and sum(count for count in letters if count > _LONGEST_WORD) > _GLUED_SHARE * total


def _is_spaced_out(words: Sequence[str]) -> bool:
    letters = [word for word in words if word.isalpha() and not _is_spaceless(word[0])]
    return len(letters) >= _CHARS_TO_JUDGE and _share(len(word) == 1 for word in letters) > _SPACED_SHARE


def _is_spaceless(char: str) -> bool:
    return ord(char) > 0x0E00 and unicodedata.name(char, "").startswith(_SPACELESS_SCRIPTS)


class _Pairs:
    """The probabilities of one script."""

    def __init__(self, letters: str, table: str) -> None:
        self.places = {char: index + 1 for index, char in enumerate(letters)}
        size = len(letters) + 1
        step = -statistics.FLOOR / 35
        values = [statistics.FLOOR + int(digit, 36) * step for digit in table]
        self._rows = [values[start : start + size] for start in range(0, len(values), size)]

    def of(self, word: str) -> list[float]:
        """log2 of each pair's probability; pairs with a letter that the statistics do not know are left out."""
        path = [0, *(self.places.get(char, -1) for char in word), 0]
        return [self._rows[first][second] for first, second in itertools.pairwise(path) if first >= 0 and second >= 0]


_SCRIPTS = (
    _Pairs(statistics.CYRILLIC_LETTERS, statistics.CYRILLIC),
    _Pairs(statistics.LATIN_LETTERS, statistics.LATIN),
)


def _plausibility(words: Sequence[str]) -> tuple[float | None, int, float]:
    """Of the less plausible script: the mean, how many different words it rests on, and how far it lies above the bound."""
    # Part numbers and names of variables are no words of a language.
    plain = {_plain(match) for word in words if not _CODE.search(word) for match in _WORD.findall(word)}
    worst: tuple[float | None, int, float] = (None, 0, 0.0)
    for pairs in _SCRIPTS:
        of_script = [word for word in plain if sum(char in pairs.places for char in word) >= 0.6 * len(word)]
        means = [sum(found) / len(found) for found in map(pairs.of, of_script) if found]
        if len(means) >= _WORDS_TO_JUDGE:
            mean = sum(means) / len(means)
            excess = mean - (_GIBBERISH_BELOW - _SCATTER / math.sqrt(len(means)))
            if worst[0] is None or excess < worst[2]:
                worst = mean, len(means), excess
    return worst


def _plain(word: str) -> str:
    """Lower case without accents; й stays a letter of its own. Made as scripts/letter_statistics.py makes it."""
    word = word.lower().replace("й", "\0")
    return "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char)).replace("\0", "й")
