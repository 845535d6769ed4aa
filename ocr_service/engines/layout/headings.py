"""Heading levels on one page, from numbering and size."""

from __future__ import annotations

import re

_NUMBERED = re.compile(r"^(?P<number>\d{1,2}(?:\.\d{1,3}){0,5})\.?\s+\S")
_PART = re.compile(r"^(?:раздел|глава|часть|приложение|chapter|part|appendix)\b", re.IGNORECASE)
# What a paper calls itself, in capitals or with its number: «ДОГОВОР ПОСТАВКИ», «Акт № 58».
_KIND = (
    r"(?:[А-ЯЁ-]+(?:ОЕ|ИЕ|АЯ|ЫЙ|ИЙ) )?(?:АКТ|ВЕДОМОСТЬ|ДОВЕРЕННОСТЬ|ДОГОВОР|ЗАКЛЮЧЕНИЕ|ЗАПИСКА|ЗАЯВЛЕНИЕ|КОНТРАКТ|НАКЛАДНАЯ|ОПРЕДЕЛЕНИЕ"
    r"|ПОРУЧЕНИЕ|ПОСТАНОВЛЕНИЕ|ПРЕДЛОЖЕНИЕ|ПРЕТЕНЗИЯ|ПРИКАЗ|ПРОТОКОЛ|РАСПИСАНИЕ|РАСПИСКА|РАСПОРЯЖЕНИЕ|РЕШЕНИЕ|СОГЛАШЕНИЕ|СПРАВКА"
    r"|СЧ[ЕЁ]Т(?:-ФАКТУРА)?|УВЕДОМЛЕНИЕ|(?:[A-Z]+ )?(?:AGREEMENT|CONTRACT|INVOICE))"
)
_ITS_NUMBER = r"\s(?:№\s?\S|N[oо]?\.?\s?\d).*"
_NAMES_OF_PAPERS = (
    re.compile(rf"{_KIND}\b[^a-zа-яё:№]*"),
    re.compile(rf"{_KIND}\b[^:№]*{_ITS_NUMBER}"),
    re.compile(rf"(?i:{_KIND}(?: на оплату)?){_ITS_NUMBER}"),
)
_LONGEST_NAME = 120
_LARGE = 1.25
_DEEPEST = 6


_PLACE = r"г\.\s?[А-ЯЁ][\w-]+"
_DATE = r"[«\"]?\d{1,2}[»\"]?\s+[а-яё]{3,8}\s+\d{4}\s*(?:г\.?|года)?"
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_ANY_DATE = re.compile(
    rf"{_DATE}|\d{{1,2}}\.\d{{2}}\.\d{{4}}\s*(?:г\.?)?|(?:{_MONTHS})\s+\d{{1,2}},?\s+\d{{4}}|\d{{1,2}}\s+(?:{_MONTHS}),?\s+\d{{4}}"
)
_PLACE_OR_DATE = re.compile(rf"(?:{_PLACE}|{_DATE}|{_PLACE}\s+{_DATE})")


def is_place_or_date(text: str) -> bool:
    """Whether it is what stands under a paper's title: «г. Заречье», «28 февраля 2025 г.». The layout model takes them for headings."""
    return _PLACE_OR_DATE.fullmatch(text.strip()) is not None


def is_date(text: str) -> bool:
    """Whether it is a date and nothing else, in Russian, English or figures."""
    return _ANY_DATE.fullmatch(text.strip()) is not None


def is_name_of_paper(text: str) -> bool:
    """Whether it says what kind of paper this is, as its title does: «ПРИКАЗ», «ШТАТНОЕ РАСПИСАНИЕ», «Протокол № 3 от 22.06.2024»."""
    text = text.strip()
    return len(text) <= _LONGEST_NAME and any(name.fullmatch(text) for name in _NAMES_OF_PAPERS)


def heading_level(text: str, size: float, body_size: float) -> int:
    """1–6 for a section heading: "2.1 …" is 3, "2 …" and «Раздел …» are 2; a paper's name or clearly larger letters make it 1, else 2.

    `size` and `body_size` are letter heights in the same unit; `body_size` is the page's usual one.
    """
    numbered = _NUMBERED.match(text)
    if numbered:
        return min(_DEEPEST, numbered["number"].count(".") + 2)
    if _PART.match(text):
        return 2
    return 1 if size > _LARGE * body_size or is_name_of_paper(text) else 2
