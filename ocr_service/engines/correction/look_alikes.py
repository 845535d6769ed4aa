"""What looks the same in print is told apart by the words around it, in a line of Russian: «ООО» before a company's name is not 000.

Only readings whose letters have the shape of what is put in their place are touched: nothing that can be seen changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ocr_service.engines.correction.script import is_cyrillic

_COMPANY = re.compile(r"(?P<before>[(\"«„“]?)[0OОoо]{3}(?P<after>,?)", re.ASCII | re.IGNORECASE)
_NAME = re.compile(r"[«„“\"‹<]?[А-ЯЁA-Z«„“\"]")
_ROMAN = re.compile(r"(?P<number>[IlІ|]{2,3})(?P<after>[.,;:)]?)")
_PER_ITEM = re.compile(r"[nпⁿ]/[nпⁿ](?P<after>[.,;:]?)")
_NUMERO = re.compile(r"N[tesgо]|Me")
# The same strokes in the other alphabet; no Latin word is written so in a Russian paper.
_STROKES = {"wt": "шт", "ut": "шт", "kr": "кг", "yn": "ул", "whh": "ИНН", "uhh": "ИНН", "kiiii": "КПП"}
_UNITS = {"ВТ": "Вт", "КВТ": "кВт", "ГЦ": "Гц", "КГ": "кг", "ММ": "мм"}
# Nobody writes these small; a recogniser that sees one alone does not know its height.
_ALWAYS_CAPITALS = {"ндс", "инн", "кпп", "огрн", "огрнип", "окпо", "окпд2", "оквэд"}
_RUNNING_METRE = re.compile(r"II\.\s?[MМmм]\.?")
_FLOW = re.compile(r"[mMмМ][°³3?*’'²]/[4чuqЧ](?P<after>\W*)")
# A raised figure is read as one on the line, or as «з»; in Latin letters the number before has to say that it is a measure.
_POWER = re.compile(r"(?P<unit>[ксдм]?м)(?P<power>[23з])(?P<after>[.,;:)]*)")
_LATIN_POWER = re.compile(r"(?P<unit>[kKcCdDmM]?[mMМ])(?P<power>[23з])(?P<after>[.,;:)]*)")
_TO_RUSSIAN_UNIT = str.maketrans("kcdm", "ксдм")
_POWERS = {"2": "²", "3": "³", "з": "³"}
_INITIAL = re.compile(r"[А-ЯЁ]\.,?")
# «Ю.» in two strokes and a ring.
_YU = re.compile(r"[tIl1|][OОoо]\.(?P<after>,?)")
_SURNAME = re.compile(r"[А-ЯЁ][а-яё]{2,}\W*")
# «обл..»: the beginning of a rule behind an abbreviation.
_TWO_POINTS = re.compile(r"(?<=[а-яё])\.\.(?=[,;:)]*$)")
_CITED = re.compile(r"(?:\(?п{1,2}|ст|ч)\.")
_LATIN = re.compile(r"(?P<word>[A-Za-z]{2,5})(?P<after>[.,;:]{0,2})")


def told_apart(words: Sequence[str]) -> list[str]:
    """The words of one line of mainly Cyrillic text; what was read as one may come back as two with a space between."""
    told = []
    for before, word, *after in zip(["", *words], words, [*words[1:], ""], [*words[2:], "", ""], strict=False):
        for rule in (_company, _abbreviation, _acronym, _numeral, _unit):
            word = rule(word, before, after[0])  # noqa: PLW2901  each rule sees what the one before made of it
        told.append(_citation(_initial(word, before, after), before, after[0]))
    return told


def _company(word: str, before: str, after: str) -> str:
    company = _COMPANY.fullmatch(word)
    return f"{company['before']}ООО{company['after']}" if company and _NAME.match(after) and not before[-1:].isdigit() else word


def _abbreviation(word: str, before: str, after: str) -> str:
    if (per_item := _PER_ITEM.fullmatch(word)) is not None:
        return f"п/п{per_item['after']}"
    if word == "n/" and before == "№":
        return "п/"
    return "№" if _NUMERO.fullmatch(word) and (after[:1].isdigit() or _PER_ITEM.fullmatch(after)) else word


def _acronym(word: str, before: str, after: str) -> str:  # noqa: ARG001  a rule like the others
    return word.upper() if word.strip(".,;:()%") in _ALWAYS_CAPITALS else word


def _numeral(word: str, before: str, after: str) -> str:
    roman = _ROMAN.fullmatch(word)
    return "I" * len(roman["number"]) + roman["after"] if roman and (is_cyrillic(after) or is_cyrillic(before)) else word


def _unit(word: str, before: str, after: str) -> str:  # noqa: ARG001  a rule like the others
    if (latin := _LATIN.fullmatch(word)) and latin["word"].lower() in _STROKES:
        return _STROKES[latin["word"].lower()] + latin["after"]
    if (flow := _FLOW.fullmatch(word)) is not None:
        return f"м³/ч{flow['after']}"
    if (power := _POWER.fullmatch(word) or (_LATIN_POWER.fullmatch(word) if before[-1:].isdigit() else None)) is not None:
        unit = power["unit"].lower().translate(_TO_RUSSIAN_UNIT)
        return unit + _POWERS[power["power"]] + power["after"]
    if _RUNNING_METRE.fullmatch(word):
        return "п.м" + "." * word.endswith(".")
    sign = word.rstrip(".,;:)")
    return _UNITS[sign] + word[len(sign) :] if before[-1:].isdigit() and sign in _UNITS else word


def _initial(word: str, before: str, after: Sequence[str]) -> str:
    """«З. И. Ильина», «Щукин Э. З.»: no figure stands among initials. «3. И. И. Ильина» is the third of a list."""
    yu = _YU.fullmatch(word)
    if word.rstrip(",") != "3." and not yu:
        return word
    follows = bool(_INITIAL.fullmatch(before)) and bool(_SURNAME.fullmatch(after[0]) or not after[0])
    leads = bool(_INITIAL.fullmatch(after[0]) and _SURNAME.fullmatch(after[1]))
    if not (follows or leads or (_SURNAME.fullmatch(before) and _INITIAL.fullmatch(after[0]))):
        return word
    return f"Ю.{yu['after']}" if yu else word.replace("3", "З")


def _citation(word: str, before: str, after: str) -> str:
    """«п. 3 ч. 5 ст. 49», «в т. ч.»: the abbreviations of law and trade, whose letters look like figures or lost their spaces."""
    if before[-1:].isdigit() and after == "ст." and (part := re.fullmatch(r"4\.(\d{1,2})", word)):
        return f"ч. {part[1]}"
    if _CITED.fullmatch(before) and re.match(r"З[а-яё]", word):
        return f"3 {word[1:]}"
    if word == "вт." and after.startswith("ч."):
        return "в т."
    return "в т.ч." + word[5:] if word.startswith("вт.ч.") else _TWO_POINTS.sub(".", word)
