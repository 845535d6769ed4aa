"""What is mended in a word, by itself or by what another reader saw of it."""

from __future__ import annotations

import re

from ocr_service.engines.correction.script import is_plainly_latin
from ocr_service.engines.ocr.paddle_reader import Reading
from ocr_service.engines.ocr.reading import ReadWord

_EDGE_NOISE = re.compile(r"^[|`'‘’‚_~\\]+(?=\w)|^(?!«\d+»)[\[\]{}*«»\"”]+(?=[\d(])|(?<=[\d)])[|\[\]{}`'‘’_~\\*]+$")
_SURE = 0.9
# Tesseract's Russian data reads «м²» as "м?".
_SQUARE = re.compile(r"(?:(?<=[\d/])|^)([ксдм]?м)[?*](?=\W*$)")
_NUMERO = re.compile(r"^N[eoºо°]?\.?(?=\d|$)|^Ме(?=\d|$)")


def without_noise(word: ReadWord) -> list[ReadWord]:
    """What is left of a doubtful word without specks that were read as signs, and nothing of one that they make up."""
    text = _EDGE_NOISE.sub("", word.text)
    if not any(c.isalnum() for c in text) and word.confidence < 0.8 and text.strip("|_~`'‘’‚^=\"“”«»{}[]\\-—. ") == "":
        return []
    return [ReadWord(text or word.text, word.confidence, word.x0, word.x1)]


def in_both_alphabets(mixed: str, cyrillic: str, universal: str) -> str:
    """«ВВГнг(А)-FRLS»: the Cyrillic reading, but for what two readers saw in Latin behind a hyphen."""
    parts = [reading.split("-") for reading in (mixed, cyrillic, universal)]
    if len({len(one) for one in parts}) > 1:
        return cyrillic
    return "-".join(a if a == c and is_plainly_latin(a) else b for a, b, c in zip(*parts, strict=True))


def without_unseen_point(text: str, glance: Reading) -> str:
    """«от» before a line to write on, whose beginning is read as a point; the universal reader sees the letters and no point."""
    is_seen = not glance.complete or glance.weakest <= _SURE or len(glance.text) != len(text) - 1 or not glance.text.isalpha()
    return text if is_seen or not text.endswith(".") else text[:-1]


def with_its_signs(text: str) -> str:
    """The word without the end of the line to sign on that runs into a name, and with the signs that Tesseract misreads."""
    text = text.lstrip("_") if any(c.isalpha() for c in text) else text
    return _SQUARE.sub(r"\g<1>²", _NUMERO.sub("№", text))


def with_latin_tail(text: str, universal: str) -> str:
    """«ВВГнг(А)-LS»: what Tesseract takes for figures and a dollar is Latin behind the hyphen, as the universal reader sees."""
    head, hyphen, tail = text.rpartition("-")
    seen = universal.rpartition("-")[2]
    return head + hyphen + seen.upper() if "$" in tail and head and re.fullmatch(r"[A-Za-z]{2,6}", seen) else text
