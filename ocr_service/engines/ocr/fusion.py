"""Two readers, one line: Tesseract knows the Cyrillic letters, PP-OCRv6 is far surer about digits, Latin and signs.

Which words are checked is in `doubt.py`, what the check is worth in `glance.py`. Measured in docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocr_service.engines.correction.look_alikes import told_apart
from ocr_service.engines.correction.script import is_latin, is_plainly_cyrillic, mend_twins
from ocr_service.engines.ocr.blanks import first_gap, numbers_joined
from ocr_service.engines.ocr.decimal_comma import with_commas
from ocr_service.engines.ocr.doubt import is_a_cyrillic_word, is_doubtful, is_initial
from ocr_service.engines.ocr.glance import initials_seen, is_better, is_foreign, is_numeric, is_one_letter, sign_seen, unit_seen
from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.mending import in_both_alphabets, with_its_signs, with_latin_tail, without_noise, without_unseen_point
from ocr_service.engines.ocr.neighbours import without_neighbours
from ocr_service.engines.ocr.paddle_reader import PaddleReader, Reading, words_of
from ocr_service.engines.ocr.reading import LineReader, ReadWord, confidence

_FAIRLY_SURE = 0.6
_VERY_SURE = 0.85
_QUITE_SURE = 0.8
_SHORT = 9.0
# What counts as a gain, of two readings of the same line; less is chance.
_CLEARLY_SURER = 0.05
_BENEFIT_OF_DOUBT = 0.2
# A word that PP-OCRv6 cannot fill with letters of its own is not Latin: a much poorer Cyrillic reading will do.
_LEAST_CYRILLIC = 0.3
# Doubtful words of a page that are looked at one by one. Pages have ten to fifty, a fax of a table eighty; a listing of nonsense has a
# thousand, on which the looks would be wasted, and its worker's time with them.
_WORDS_LOOKED_AT = 200


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
        line, mixed = self._read(line)
        words = self._checked(line, mixed)
        if not words and glance is not None and glance.complete and glance.weakest > _FAIRLY_SURE:
            words = list(words_of(glance, line.width, line.height))
        mended = told_apart(mend_twins([with_its_signs(word.text) for word in words]))
        return tuple(ReadWord(text, word.confidence, word.x0, word.x1) for word, text in zip(words, mended, strict=True))

    def _read(self, line: LinePicture) -> tuple[LinePicture, Sequence[ReadWord]]:
        """The picture and what `mixed` reads in it; a long line with a doubtful word without its neighbours' ink, if it is surer so."""
        words = self._mixed.read(line)
        if line.width < _SHORT * line.height or all(word.confidence > _QUITE_SURE for word in words):
            return line, words
        alone = without_neighbours(line)
        others = self._mixed.read(alone) if alone is not line else ()
        return (alone, others) if confidence(others) > confidence(words) + _CLEARLY_SURER else (line, words)

    def _glance(self, line: LinePicture) -> Reading | None:
        """The universal reader's look at a short line, None where it can do nothing with the first word: that line is no number."""
        end = first_gap(line)
        if end is not None:
            first = self._look(line.part(0, end))
            if not first.complete or first.weakest <= _FAIRLY_SURE:
                return None
        return self._look(line)

    def _checked(self, line: LinePicture, words: Sequence[ReadWord]) -> list[ReadWord]:
        checked: list[ReadWord] = []
        run: list[ReadWord] = []
        for index, word in enumerate(words):
            doubtful = is_doubtful(word.text, word.confidence) and not is_initial(words, index)
            if doubtful and (word.confidence < _QUITE_SURE or not is_a_cyrillic_word(word.text)):
                run.append(word)
                continue
            checked += self._second_look(line, run)
            run = []
            checked += without_noise(word) if doubtful else [word]
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
                looked += without_noise(word)
                continue
            self._looks_left -= 1
            if len(run) > 1:
                better, glance = self._seen(line, [word])
            looked += better or self._in_cyrillic(line, word, glance)
        return looked

    def _in_cyrillic(self, line: LinePicture, word: ReadWord, glance: Reading) -> list[ReadWord]:
        """An unconfirmed Latin word is Cyrillic if the Cyrillic reader is about as sure; noise at a line's edge goes."""
        if is_latin(word.text) and not is_plainly_cyrillic(word.text) and not is_one_letter(word.text, glance):
            margin = 0.25 * line.height
            part = line.part(word.x0 - margin, word.x1 + margin)
            words = [other for other in (self._cyrillic.read(part) if part.width > 3 else ()) if any(c.isalnum() for c in other.text)]
            least = word.confidence - _BENEFIT_OF_DOUBT
            if not glance.complete:
                least = min(least, _LEAST_CYRILLIC)
            if len(words) == 1 and words[0].confidence > least:
                text = without_unseen_point(in_both_alphabets(word.text, words[0].text, glance.text), glance)
                return [ReadWord(text, words[0].confidence, word.x0, word.x1)]
        return without_noise(replace(word, text=with_latin_tail(word.text, glance.text)))

    def _seen(self, line: LinePicture, run: Sequence[ReadWord]) -> tuple[list[ReadWord] | None, Reading]:
        """The universal reader's words for these columns, None where they are no better; and its look at them."""
        margin = 0.15 * line.height
        part = line.part(run[0].x0 - margin, run[-1].x1 + margin)
        if part.width < 3:
            return None, Reading((), complete=True)
        glance = self._look(part)
        sign = unit_seen(glance, run) or sign_seen(glance, run) or initials_seen(glance, run)
        if sign is not None:
            return [ReadWord(sign, glance.score, run[0].x0, run[-1].x1)], glance
        if is_better(glance, numbers_joined(line, run)):
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
        # «г. Калининград, 03 октября 2024 г.» has two abbreviations, which say as little.
        long = [word for word in with_letters if sum(map(str.isalpha, word.text)) > 2]
        if sure and len(sure) * 2 > len(long):
            return words
        # Without letters it has no script: the surer reading counts.
        surer_number = bool(words) and not with_letters and min(word.confidence for word in words) > reading.score
        return words if surer_number else words_of(reading, line.width, line.height)
