"""Two readers, one line: Tesseract knows the Cyrillic letters, PP-OCRv6 is far surer about digits, Latin and signs.

PP-OCRv6 leaves Cyrillic letters out (or writes look-alikes), so its answer counts only where it covers all the ink and is made of
characters that Cyrillic cannot be mistaken for. Measured in docs/performance.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ocr_service.engines.correction.look_alikes import told_apart
from ocr_service.engines.correction.script import (
    in_cyrillic,
    is_all_twins,
    is_latin,
    is_plainly_cyrillic,
    is_plainly_latin,
    is_roman_numeral,
    mend_twins,
)
from ocr_service.engines.ocr.decimal_comma import with_commas
from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.paddle_reader import PaddleReader, Reading, ink_columns, words_of
from ocr_service.engines.ocr.reading import LineReader, ReadWord

_NUMERIC = re.compile(r"[\d\s.,:;/%×±+\-–—−()\[\]*=<>≤≥°#½¼¾²³№$€~|]+")
_HAN_KANA = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_UNIT = re.compile(r"(?P<unit>[KCДДMМ]?[MМ]{1,2})[\s.]?(?P<power>[23²³])")
_EDGE_NOISE = re.compile(r"^[|`'‘’‚_~\\]+(?=\w)|^(?!«\d+»)[\[\]{}*«»\"”]+(?=[\d(])|(?<=[\d)])[|\[\]{}`'‘’_~\\*]+$")
_SURE = 0.9
_FAIRLY_SURE = 0.6
_VERY_SURE = 0.85
_ALMOST_SURE = 0.95
_QUITE_SURE = 0.8
_HARDLY = 0.5
_SHORT = 9.0
# Tesseract's Russian data reads «м²» as "м?".
_SQUARE = re.compile(r"(?:(?<=[\d/])|^)([ксдм]?м)[?*](?=\W*$)")
_BENEFIT_OF_DOUBT = 0.2
_MANY_LETTERS = 4
# A word that PP-OCRv6 cannot fill with letters of its own is not Latin: a much poorer Cyrillic reading will do.
_LEAST_CYRILLIC = 0.3
# Letters that no Cyrillic one is taken for.
_ONLY_LATIN = re.compile(r"[dfijlqstvzDFGLQSVZ]")
_LEAST_ONLY_LATIN = 0.07
# «П», «Л» and «ы» in two strokes each: "IIPOTOKOJI" is «ПРОТОКОЛ».
_DISGUISE = re.compile(r"II(?=[A-Za-z])|(?<=[A-Za-z])II|JI|bI")
# A word by itself that is no word: the digit 3.
_THREE = {"З", "з"}
_ZEROES = re.compile(r"0+")
# Signs that Tesseract knows better: PP-OCRv6 has no «№» and takes a lone slash for a one.
_TESSERACTS_SIGNS = set("№—–-/%")
_SURE_SIGN = 0.9
# Doubtful words of a page that are looked at one by one. Pages have ten to fifty, a fax of a table eighty; a listing of nonsense has a
# thousand, on which the looks would be wasted, and its worker's time with them.
_WORDS_LOOKED_AT = 200
# The first word of a short line, in heights of the line: where it may end, and how wide the gap after it is at least.
_FIRST_WORD, _GAP = 1.5, 0.15
# «Э.» behind a name or another initial. «З.» is none of these: it may be the third of a list (look_alikes).
_INITIAL, _BEHIND_NAME = re.compile(r"[А-ЖИ-ЯЁ]\.[,;:)]*"), re.compile(r"\W*[А-ЯЁ](?:[а-яё-]{2,}|\.)")
# Initials in letters of both alphabets, which Tesseract cannot make out where they are set close.
_TWIN_INITIALS = re.compile(r"(?:[ABCEHKMOPTXY]\.){2,}")
# What Tesseract has no sign for.
_SIGNS = {"•": "•", "●": "•", "□": "☐", "☐": "☐"}
_DEGREES = re.compile(r"[°º]C[.,;:)]*")
# A blank narrower than this, in heights of the line, is none between two numbers.
_BLANK = 0.2
_NUMERO = re.compile(r"^N[eoºо°]?\.?(?=\d|$)|^Ме(?=\d|$)")


class FusedReader:
    """Reads a line with `mixed` (Cyrillic and Latin), has `universal` (PP-OCRv6) check what it is better at, and `cyrillic`
    (Cyrillic alone) what `mixed` took for Latin and `universal` does not confirm: "HAC" for «НДС».
    """

    def __init__(self, mixed: LineReader, cyrillic: LineReader, universal: PaddleReader) -> None:
        self._mixed = mixed
        self._cyrillic = cyrillic
        self._universal = universal
        self.name = f"{universal.name}, {mixed.name}"

    def for_page(self, sample: Sequence[LinePicture]) -> LineReader:
        """The reader for a page with these lines: the universal reader goes first where most of them are not Cyrillic."""
        foreign = others = 0
        for line in sample:
            look = self._universal.look(line)
            # The sample's pictures may end in the middle of a letter.
            if is_foreign(Reading(look.chars[:-1], look.complete)):
                foreign += 1
            else:
                others += 1
            # The rest of the sample cannot change the answer.
            if max(2 * foreign - 1, 2 * others) >= len(sample):
                break
        lines = _FusedLines(self._mixed, self._cyrillic, self._universal)
        return _ForeignFirst(self._universal, lines) if foreign * 2 > len(sample) else lines


class _FusedLines:
    """The lines of one page."""

    def __init__(self, mixed: LineReader, cyrillic: LineReader, universal: PaddleReader) -> None:
        self._mixed = mixed
        self._cyrillic = cyrillic
        self._universal = universal
        self._looks_left = _WORDS_LOOKED_AT
        self.name = f"{universal.name}, {mixed.name}"

    def read(self, line: LinePicture) -> tuple[ReadWord, ...]:
        # A short line is a table cell, more often a number than not, and then one look is enough.
        glance = self._glance(line) if line.width < _SHORT * line.height else None
        if glance is not None and (is_numeric(glance) or is_foreign(glance)):
            return words_of(glance, line.width, line.height)
        words = self._checked(line, self._mixed.read(line))
        if not words and glance is not None and glance.complete and glance.weakest > _FAIRLY_SURE:
            words = list(words_of(glance, line.width, line.height))
        mended = told_apart(mend_twins([_SQUARE.sub(r"\g<1>²", _NUMERO.sub("№", _without_rule(word.text))) for word in words]))
        return tuple(ReadWord(text, word.confidence, word.x0, word.x1) for word, text in zip(words, mended, strict=True))

    def _glance(self, line: LinePicture) -> Reading | None:
        """The universal reader's look at a short line, None where it can do nothing with the first word: that line is no number."""
        end = _first_gap(line)
        if end is not None:
            first = self._look(line.part(0, end))
            if not first.complete or first.weakest <= _FAIRLY_SURE:
                return None
        return self._look(line)

    def _checked(self, line: LinePicture, words: Sequence[ReadWord]) -> list[ReadWord]:
        checked: list[ReadWord] = []
        run: list[ReadWord] = []
        for index, word in enumerate(words):
            is_doubtful = _is_doubtful(word.text, word.confidence) and not _is_initial(words, index)
            if is_doubtful and (word.confidence < _QUITE_SURE or not _is_a_cyrillic_word(word.text)):
                run.append(word)
                continue
            checked += self._second_look(line, run)
            run = []
            checked += _without_noise(word) if is_doubtful else [word]
        return checked + self._second_look(line, run)

    def _second_look(self, line: LinePicture, run: Sequence[ReadWord]) -> list[ReadWord]:
        if not run:
            return []
        better, glance = self._seen(line, run)
        if better is not None:
            return better
        looked: list[ReadWord] = []
        for word in run:
            if self._looks_left <= 0:
                looked += _without_noise(word)
                continue
            self._looks_left -= 1
            if len(run) > 1:
                better, glance = self._seen(line, [word])
            looked += better or self._in_cyrillic(line, word, glance)
        return looked

    def _in_cyrillic(self, line: LinePicture, word: ReadWord, glance: Reading) -> list[ReadWord]:
        """An unconfirmed Latin word is Cyrillic if the Cyrillic reader is about as sure; noise at a line's edge goes."""
        if is_latin(word.text) and not is_plainly_cyrillic(word.text) and not _is_one_letter(word.text, glance):
            margin = 0.25 * line.height
            part = line.part(word.x0 - margin, word.x1 + margin)
            words = [other for other in (self._cyrillic.read(part) if part.width > 3 else ()) if any(c.isalnum() for c in other.text)]
            least = word.confidence - _BENEFIT_OF_DOUBT
            if not glance.complete:
                least = min(least, _LEAST_CYRILLIC)
            if len(words) == 1 and words[0].confidence > least:
                text = _without_unseen_point(_in_both_alphabets(word.text, words[0].text, glance.text), glance)
                return [ReadWord(text, words[0].confidence, word.x0, word.x1)]
        return _without_noise(replace(word, text=_with_latin_tail(word.text, glance.text)))

    def _seen(self, line: LinePicture, run: Sequence[ReadWord]) -> tuple[list[ReadWord] | None, Reading]:
        """The universal reader's words for these columns, None where they are no better; and its look at them."""
        margin = 0.15 * line.height
        part = line.part(run[0].x0 - margin, run[-1].x1 + margin)
        if part.width < 3:
            return None, Reading((), complete=True)
        glance = self._look(part)
        unit = _unit(glance, run)
        sign = unit or _sign(glance, run) or _initials(glance, run)
        if sign is not None:
            return [ReadWord(sign, glance.score, run[0].x0, run[-1].x1)], glance
        if _is_better(glance, _joined(line, run)):
            offset = part.left - line.left
            return [ReadWord(w.text, w.confidence, w.x0 + offset, w.x1 + offset) for w in words_of(glance, part.width, part.height)], glance
        return None, glance

    def _look(self, line: LinePicture) -> Reading:
        """The universal reader's look, in which Russian amounts have their commas."""
        reading = self._universal.look(line)
        return replace(reading, chars=with_commas(reading.chars, line.pixels))


class _ForeignFirst:
    """The order for a page that is mostly Latin or Chinese: what the universal reader cannot fill goes to the other."""

    def __init__(self, universal: PaddleReader, otherwise: LineReader) -> None:
        self._universal = universal
        self._otherwise = otherwise
        self.name = universal.name

    def read(self, line: LinePicture) -> tuple[ReadWord, ...]:
        reading = self._universal.look(line)
        if reading.complete and reading.score > _FAIRLY_SURE:
            return words_of(reading, line.width, line.height)
        words = self._otherwise.read(line)
        # Blurred Latin is still Latin on such a page; only letters that are surely Cyrillic speak for the other reader. Numbers have no
        # say: «Документ № 304 / 2024» has one word.
        sure = [word for word in words if is_plainly_cyrillic(word.text) and len(word.text) > 2 and word.confidence > _VERY_SURE]
        with_letters = [word for word in words if any(c.isalpha() for c in word.text)]
        if len(sure) * 2 > len(with_letters):
            return words
        # Without letters it has no script: the surer reading counts.
        surer_number = bool(words) and not with_letters and min(word.confidence for word in words) > reading.score
        return words if surer_number else words_of(reading, line.width, line.height)


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


def _without_noise(word: ReadWord) -> list[ReadWord]:
    """What is left of a doubtful word without specks that were read as signs, and nothing of one that they make up."""
    text = _EDGE_NOISE.sub("", word.text)
    if not any(c.isalnum() for c in text) and word.confidence < 0.8 and text.strip("|_~`'‘’‚^=\"“”«»{}[]\\-—. ") == "":
        return []
    return [ReadWord(text or word.text, word.confidence, word.x0, word.x1)]


def _first_gap(line: LinePicture) -> int | None:
    """Where in the line the first word ends that is not too short to tell a script by; None where nothing much would follow it."""
    blank = ~ink_columns(line)
    least = max(2, round(_GAP * line.height))
    begin = round(_FIRST_WORD * line.height)
    # From here on all the columns of a gap are blank.
    gaps = np.flatnonzero(sliding_window_view(blank[begin:], least).all(axis=1)) if len(blank) - begin > least else np.array([])
    end = begin + int(gaps[0]) + least // 2 if len(gaps) else line.width
    return end if end < line.width - begin and not blank[:end].all() else None


def _is_doubtful(text: str, confidence: float) -> bool:
    """Whether the word is to be checked, by whoever may know better."""
    if text in _TESSERACTS_SIGNS and confidence >= _SURE_SIGN:
        return False
    if _is_a_cyrillic_word(text) and text.isalpha():
        return confidence < _HARDLY
    if text in _THREE or (confidence < _ALMOST_SURE and is_all_twins(text)):
        return True
    return confidence < _QUITE_SURE or any(c.isdigit() or is_latin(c) for c in text) or not any(c.isalpha() for c in text)


def _is_a_cyrillic_word(text: str) -> bool:
    """Whether the universal reader cannot know better, unless the word was poorly read: it knows no Cyrillic, and nobody takes a number
    for so many letters."""
    letters = [c for c in text if c.isalpha()]
    return len(letters) >= _MANY_LETTERS and is_plainly_cyrillic(text) and not any(map(is_latin, letters))


def _is_initial(words: Sequence[ReadWord], index: int) -> bool:
    """Whether the word is an initial by its place: there the universal reader, which has no «Э», sees a figure."""
    is_one = index > 0 and words[index].confidence > _HARDLY and _INITIAL.fullmatch(words[index].text) is not None
    return is_one and _BEHIND_NAME.match(words[index - 1].text) is not None


def _is_one_letter(text: str, glance: Reading) -> bool:
    """Whether two readers see the same single letter, as the X of an empty cell; the Cyrillic reader would make another of it."""
    return glance.complete and glance.text == text and sum(map(str.isalpha, text)) == 1 and not any(map(str.isdigit, text))


def _sign(glance: Reading, run: Sequence[ReadWord]) -> str | None:
    """A bullet, an empty box or degrees, which Tesseract takes for letters."""
    if len(run) > 1 or not glance.complete:
        return None
    is_sure = glance.weakest > (_SURE if any(map(str.isalnum, run[0].text)) else _FAIRLY_SURE)
    if is_sure and glance.text in _SIGNS:
        return _SIGNS[glance.text]
    return glance.text if glance.weakest > _VERY_SURE and _DEGREES.fullmatch(glance.text) else None


def _initials(glance: Reading, run: Sequence[ReadWord]) -> str | None:
    """«Н.Х.», which Tesseract makes nothing of where the letters stand close, and the universal reader reads as Latin ones."""
    is_sure = glance.complete and glance.weakest > _SURE and all(word.confidence < _QUITE_SURE for word in run)
    return in_cyrillic(glance.text) if is_sure and _TWIN_INITIALS.fullmatch(glance.text) else None


def _joined(line: LinePicture, run: Sequence[ReadWord]) -> list[ReadWord]:
    """The run; words that are one number, which Tesseract cut though there is no blank in it, made one."""
    joined: list[ReadWord] = []
    for word in run:
        if joined and joined[-1].text.isdigit() and word.text[:1].isdigit() and not _blank_between(line, joined[-1], word):
            before = joined.pop()
            joined.append(ReadWord(before.text + word.text, min(before.confidence, word.confidence), before.x0, word.x1))
        else:
            joined.append(word)
    return joined


def _blank_between(line: LinePicture, left: ReadWord, right: ReadWord) -> bool:
    blank = ~ink_columns(line)[max(0, int(left.x1 - _BLANK * line.height)) : int(right.x0 + _BLANK * line.height) + 1]
    least = max(2, round(_BLANK * line.height))
    return len(blank) >= least and bool(sliding_window_view(blank, least).all(axis=1).any())


def _is_better(glance: Reading, run: Sequence[ReadWord]) -> bool:
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


def _in_both_alphabets(mixed: str, cyrillic: str, universal: str) -> str:
    """«ВВГнг(А)-FRLS»: the Cyrillic reading, but for what two readers saw in Latin behind a hyphen."""
    parts = [reading.split("-") for reading in (mixed, cyrillic, universal)]
    if len({len(one) for one in parts}) > 1:
        return cyrillic
    return "-".join(a if a == c and is_plainly_latin(a) else b for a, b, c in zip(*parts, strict=True))


def _without_unseen_point(text: str, glance: Reading) -> str:
    """«от» before a line to write on, whose beginning is read as a point; the universal reader sees the letters and no point."""
    is_seen = not glance.complete or glance.weakest <= _SURE or len(glance.text) != len(text) - 1 or not glance.text.isalpha()
    return text if is_seen or not text.endswith(".") else text[:-1]


def _without_rule(text: str) -> str:
    """Without the end of the line to sign on that runs into a name."""
    return text.lstrip("_") if any(c.isalpha() for c in text) else text


def _with_latin_tail(text: str, universal: str) -> str:
    """«ВВГнг(А)-LS»: what Tesseract takes for figures and a dollar is Latin behind the hyphen, as the universal reader sees."""
    head, hyphen, tail = text.rpartition("-")
    seen = universal.rpartition("-")[2]
    return head + hyphen + seen.upper() if "$" in tail and head and re.fullmatch(r"[A-Za-z]{2,6}", seen) else text


def _unit(glance: Reading, run: Sequence[ReadWord]) -> str | None:
    """«м²», «мм³»: Tesseract's Russian data has no superscript; PP-OCRv6 reads M2."""
    match = _UNIT.fullmatch(glance.text)
    if match is None or len(run) > 1 or not glance.complete or run[0].text[:1].lower() not in {"м", "m", "к", "k", "c", "с", "д"}:
        return None
    letters = match["unit"].lower().translate(str.maketrans("kcm", "ксм"))
    return letters + {"2": "²", "3": "³"}.get(match["power"], match["power"])
