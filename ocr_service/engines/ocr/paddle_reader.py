"""PP-OCR recognisers as line readers: characters along a line become words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.reading import ReadWord
from ocr_service.engines.ocr.recognition import ReadChar, TextRecognizer
from ocr_service.engines.page.ink import ink_of_line

# An average character is about half as wide as the line picture is high; a gap wider than this many line heights between two
# characters means that there was something the dictionary does not know.
_CHAR_WIDTH = 0.3
_WIDEST_GAP = 0.6
# Below this mean score a line that was read small is read again as large as the model takes it.
_DOUBTFUL = 0.9


@dataclass(frozen=True, slots=True)
class Reading:
    """One line as PP-OCR read it. `complete`: the characters cover all the ink, so nothing was left out."""

    chars: tuple[ReadChar, ...]
    complete: bool

    @property
    def text(self) -> str:
        return "".join(char.text for char in self.chars).strip()

    @property
    def score(self) -> float:
        """Mean score of the characters, 0 without any."""
        return float(np.mean([char.score for char in self.chars])) if self.chars else 0.0

    @property
    def weakest(self) -> float:
        return min((char.score for char in self.chars if char.text != " "), default=0.0)


class PaddleReader:
    """A recogniser and its name; `ideographic` for Chinese and Japanese, `margin` as in TextRecognizer.

    With a margin, doubtful lines are read twice: blurred letters need every pixel, and the surer reading is taken.
    """

    def __init__(self, recognizer: TextRecognizer, name: str, *, ideographic: bool = False, margin: float = 0.0) -> None:
        self.name = name
        self._recognizer = recognizer
        self._ideographic = ideographic
        self._margin = margin

    def look(self, line: LinePicture) -> Reading:
        """The characters of the line, and whether they cover it."""
        reading = self._reading(line, self._margin)
        if not self._margin or (reading.complete and reading.score >= _DOUBTFUL):
            return reading
        return max(self._reading(line, 0.0), reading, key=lambda one: (one.complete, one.score))

    def _reading(self, line: LinePicture, margin: float) -> Reading:
        chars = self._recognizer(line.pixels, ideographic=self._ideographic, margin=margin)
        return Reading(chars, _is_complete(line, chars))

    def read(self, line: LinePicture) -> tuple[ReadWord, ...]:
        return words_of(self.look(line), line.width, line.height)


def words_of(reading: Reading, width: int, height: int) -> tuple[ReadWord, ...]:
    """The reading cut at its spaces."""
    words: list[ReadWord] = []
    current: list[ReadChar] = []
    for char in (*reading.chars, ReadChar(" ", 1.0, 1.0)):
        if not char.text.isspace():
            current.append(char)
        elif current:
            words.append(_word(current, width, height))
            current = []
    return tuple(words)


def _word(chars: Sequence[ReadChar], width: int, height: int) -> ReadWord:
    half = _CHAR_WIDTH * height
    text = "".join(char.text for char in chars)
    confidence = float(np.mean([char.score for char in chars]))
    return ReadWord(text, confidence, max(0.0, chars[0].at * width - half), min(float(width), chars[-1].at * width + half))


def ink_columns(line: LinePicture) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which columns of the picture hold ink."""
    return np.asarray(ink_of_line(line.pixels).any(axis=0))


def _is_complete(line: LinePicture, chars: tuple[ReadChar, ...]) -> bool:
    """Whether characters lie wherever there is ink. Wide blanks on the paper are no gaps."""
    ink = np.flatnonzero(ink_columns(line))
    seen = [char.at * line.width for char in chars if not char.text.isspace()]
    if not len(ink):
        return True
    if not seen:
        return False
    reach = _WIDEST_GAP * line.height
    nearest = np.abs(ink[:, None] - np.asarray(seen)[None, :]).min(axis=1)
    return bool((nearest <= reach).all())
