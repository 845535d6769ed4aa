"""What looks the same in print is told apart by the words around it, in a line of Russian: «ООО» before a company's name is not 000.

Only readings whose letters have the shape of what is put in their place are touched: nothing that can be seen changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ocr_service.engines.script import is_cyrillic

_COMPANY = re.compile(r"(?P<before>[(\"«„“]?)[0OОoо]{3}(?P<after>,?)", re.ASCII | re.IGNORECASE)
_NAME = re.compile(r"[«„“\"‹<]?[А-ЯЁA-Z«„“\"]")
_ROMAN = re.compile(r"(?P<number>[IlІ|]{2,3})(?P<after>[.,;:)]?)")
_PER_ITEM = re.compile(r"[nпⁿ]/[nпⁿ](?P<after>[.,;:]?)")
_NUMERO = re.compile(r"N[tesgо]|Ng|Me")
# The same strokes in the other alphabet; no Latin word is written so in a Russian paper.
_UNITS = {"wt": "шт", "ut": "шт", "kr": "кг"}
_UNIT = re.compile(r"(?P<unit>[A-Za-z]{2})(?P<after>[.,;]{0,2})")


def told_apart(words: Sequence[str]) -> list[str]:
    """The words of one line of mainly Cyrillic text."""
    return [_told_apart(word, words[index - 1] if index else "", "".join(words[index + 1 : index + 2])) for index, word in enumerate(words)]


def _told_apart(word: str, before: str, after: str) -> str:
    if (company := _COMPANY.fullmatch(word)) and _NAME.match(after) and not before[-1:].isdigit():
        return f"{company['before']}ООО{company['after']}"
    if (per_item := _PER_ITEM.fullmatch(word)) is not None:
        return f"п/п{per_item['after']}"
    if (roman := _ROMAN.fullmatch(word)) and (is_cyrillic(after) or is_cyrillic(before)):
        return "I" * len(roman["number"]) + roman["after"]
    if _NUMERO.fullmatch(word) and (after[:1].isdigit() or _PER_ITEM.fullmatch(after)):
        return "№"
    if (unit := _UNIT.fullmatch(word)) and unit["unit"].lower() in _UNITS:
        return _UNITS[unit["unit"].lower()] + unit["after"]
    return word
