"""What PP-OCRv6's look at a piece of a line is worth beside what Tesseract read there.

It leaves Cyrillic letters out (or writes look-alikes), so it counts only where it covers all the ink and is made of characters that
Cyrillic cannot be mistaken for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ocr_service.engines.correction.script import in_cyrillic, is_latin, is_plainly_cyrillic, is_plainly_latin, is_roman_numeral
from ocr_service.engines.ocr.paddle_reader import Reading
from ocr_service.engines.ocr.reading import ReadWord

_NUMERIC = re.compile(r"[\d\s.,:;/%×±+\-–—−()\[\]*=<>≤≥°#½¼¾²³№$€~|]+")
_HAN_KANA = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_UNIT = re.compile(r"(?P<unit>[KCДДMМ]?[MМ]{1,2})[\s.]?(?P<power>[23²³])")
_SURE = 0.9
_FAIRLY_SURE = 0.6
_VERY_SURE = 0.85
_QUITE_SURE = 0.8
# Letters that no Cyrillic one is taken for.
_ONLY_LATIN = re.compile(r"[dfijlqstvzDFGLQSVZ]")
_LEAST_ONLY_LATIN = 0.07
# «П», «Л» and «ы» in two strokes each: "IIPOTOKOJI" is «ПРОТОКОЛ».
_DISGUISE = re.compile(r"II(?=[A-Za-z])|(?<=[A-Za-z])II|JI|bI")
# A word by itself that is no word: the digit 3.
_THREE = {"З", "з"}
_ZEROES = re.compile(r"0+")
# Initials in letters of both alphabets, which Tesseract cannot make out where they are set close.
_TWIN_INITIALS = re.compile(r"(?:[ABCEHKMOPTXY]\.){2,}")
# What Tesseract has no sign for.
_SIGNS = {"•": "•", "●": "•", "□": "☐", "☐": "☐"}
_DEGREES = re.compile(r"[°º]C[.,;:)]*")


def is_numeric(reading: Reading) -> bool:
    """Digits and signs, all of the ink, and surely."""
    text = reading.text
    is_written_in_digits = any(c.isdigit() for c in text) and _NUMERIC.fullmatch(text) is not None
    return is_written_in_digits and reading.complete and reading.weakest > _FAIRLY_SURE


def is_foreign(reading: Reading) -> bool:
    """Chinese, Japanese, or Latin that cannot be Cyrillic in disguise; all of the ink, and surely."""
    if not reading.complete or reading.score < _SURE:
        return False
    if len(_HAN_KANA.findall(reading.text)) >= 2:
        return True
    latin = [c for c in reading.text if is_latin(c)]
    if len(latin) < 4 or reading.weakest <= 0.8 or _DISGUISE.search(reading.text):
        return False
    only_latin = len(_ONLY_LATIN.findall(reading.text))
    return sum(is_plainly_latin(c) for c in latin) > 0.4 * len(latin) and only_latin >= _LEAST_ONLY_LATIN * len(latin)


def is_one_letter(text: str, glance: Reading) -> bool:
    """Whether two readers see the same single letter, as the X of an empty cell; the Cyrillic reader would make another of it."""
    return glance.complete and glance.text == text and sum(map(str.isalpha, text)) == 1 and not any(map(str.isdigit, text))


def sign_seen(glance: Reading, run: Sequence[ReadWord]) -> str | None:
    """A bullet, an empty box or degrees, which Tesseract takes for letters."""
    if len(run) > 1 or not glance.complete:
        return None
    is_sure = glance.weakest > (_SURE if any(map(str.isalnum, run[0].text)) else _FAIRLY_SURE)
    if is_sure and glance.text in _SIGNS:
        return _SIGNS[glance.text]
    return glance.text if glance.weakest > _VERY_SURE and _DEGREES.fullmatch(glance.text) else None


def initials_seen(glance: Reading, run: Sequence[ReadWord]) -> str | None:
    """«Н.Х.», which Tesseract makes nothing of where the letters stand close, and the universal reader reads as Latin ones."""
    is_sure = glance.complete and glance.weakest > _SURE and all(word.confidence < _QUITE_SURE for word in run)
    return in_cyrillic(glance.text) if is_sure and _TWIN_INITIALS.fullmatch(glance.text) else None


def is_better(glance: Reading, run: Sequence[ReadWord]) -> bool:
    """Whether what was seen takes the place of these words."""
    return _is_better_number(glance, run) if is_numeric(glance) else _is_better_latin(glance, run)


def _is_better_number(glance: Reading, run: Sequence[ReadWord]) -> bool:
    before = "".join(word.text for word in run).strip("|`'‘’‚_~[]{}")
    is_shorter = any(is_plainly_cyrillic(word.text) for word in run) and len(glance.text.replace(" ", "")) < len(before)
    # It loses the blank after a comma: «100, 500×600».
    if is_shorter or len(glance.text.split()) < len(run):
        return False
    # A slash by itself is seen as a one.
    if any(word.text == "/" for word in run) and "/" not in glance.text:
        return False
    # «ООО», a company's form, is seen as 000 by who knows digits best.
    if _ZEROES.fullmatch(glance.text) and not any(c.isdigit() for c in before):
        return False
    # Letters that Tesseract is sure of are not digits that it mistook: «Об» is not 06, «за» is not 3a.
    sure_words = [word.text for word in run if word.confidence > 0.85 and is_plainly_cyrillic(word.text) and word.text not in _THREE]
    return all(any(c.isdigit() for c in text) for text in sure_words)


def _is_better_latin(glance: Reading, run: Sequence[ReadWord]) -> bool:
    if not glance.complete or not is_plainly_latin(glance.text) or glance.weakest < 0.7:
        return False
    if is_roman_numeral(glance.text):
        return all(word.confidence < 0.8 for word in run)
    if glance.score < _SURE or _DISGUISE.search(glance.text) or any("№" in word.text and word.confidence > _VERY_SURE for word in run):
        return False
    # «лит. Б» is seen as a small b: of single letters, only those that Cyrillic has nothing like are surely Latin.
    if sum(map(str.isalpha, glance.text)) == 1 and not any(map(str.isdigit, glance.text)) and not _ONLY_LATIN.search(glance.text):
        return False
    cyrillic = [word for word in run if is_plainly_cyrillic(word.text)]
    # "Ratio" in a table of figures, which Tesseract takes for «Вано», and is not sure of.
    unmistakable = glance.weakest > _SURE and _ONLY_LATIN.search(glance.text) is not None
    return not cyrillic or (unmistakable and all(word.confidence < 0.8 for word in cyrillic))


def unit_seen(glance: Reading, run: Sequence[ReadWord]) -> str | None:
    """«м²», «мм³»: Tesseract's Russian data has no superscript; PP-OCRv6 reads M2."""
    match = _UNIT.fullmatch(glance.text)
    if match is None or len(run) > 1 or not glance.complete or run[0].text[:1].lower() not in {"м", "m", "к", "k", "c", "с", "д"}:
        return None
    letters = match["unit"].lower().translate(str.maketrans("kcm", "ксм"))
    return letters + {"2": "²", "3": "³"}.get(match["power"], match["power"])
