"""Capitals and small letters of the same shape («НДС» and «ндс», «КГ» and «кг») are told apart by their height on the page.

Recognisers see a line at a height of its own, so where a word stands alone, as in a table's cell, they guess. What small letters and
figures around it measure says how high a small letter is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.ink import ink_threshold
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.page.words import Word

_SAME_SHAPE = set("вгджзиклмнопстхцчшщъыьэюя")
_WITH_TAILS = set("дцщ")
_WITHOUT_TAILS = 0.25
_SMALL = set("аеуёбрф")
_LONG, _FEWEST_LETTERS = 4, 3
# Of the height of figures and capitals; 0.68 to 0.75 in common typefaces.
_SMALL_SHARE = 0.72
# Of the height of the line's box: smaller pieces of ink are dots and dirt, larger ones are strokes through the line.
_LEAST, _MOST = 0.25, 0.95
# In heights of a small letter.
_IS_SMALL, _IS_CAPITAL = 1.12, 1.25
# How far above and below, in heights of the line, others may stand whose letters are taken for as large, and how many it takes.
_REACH, _FEWEST = 3.0, 3
_ALIKE = 0.12


@dataclass(frozen=True, slots=True)
class _Measure:
    """How high a small letter is, in pixels, as one word has it; `y`: the middle of its line."""

    line: int
    y: float
    height: float


def with_true_case(lines: Sequence[PageLine], gray: Image) -> tuple[PageLine, ...]:
    """The lines; words in letters whose case only their height tells get the case that it tells. `gray`: the page that was read."""
    doubtful = [(place, index) for place, line in enumerate(lines) for index in range(len(line.words)) if _needs_height(line, index)]
    if not doubtful:
        return tuple(lines)
    dark = np.asarray(gray < ink_threshold(gray), np.uint8)
    measures = _measures(lines, {place for place, _ in doubtful}, dark)
    result = list(lines)
    for place, index in doubtful:
        line = result[place]
        word = line.words[index]
        small, own = _small_letter(place, line.bbox, measures), _height(word, line, dark)
        if small is None or own is None:
            continue
        text = _in_case(word.text, own / small)
        if text != word.text:
            result[place] = replace(line, words=(*line.words[:index], replace(word, text=text), *line.words[index + 1 :]))
    return tuple(result)


def _needs_height(line: PageLine, index: int) -> bool:
    """Whether a word is one that the recogniser guesses. In a sentence that is none of few letters: those around it told their case."""
    text = line.words[index].text
    letters = [char for char in text if char.isalpha()]
    if not all(char.lower() in _SAME_SHAPE for char in letters) or not (text.islower() or text.isupper()):
        return False
    if 2 * sum(char.lower() in _WITH_TAILS for char in letters) > len(letters):
        return False
    alone = not any(any(map(str.isalpha, word.text)) for place, word in enumerate(line.words) if place != index)
    if alone:
        return text.strip(".,;:()%").isalpha()
    return text.isalpha() and len(letters) >= _FEWEST_LETTERS


def _in_case(text: str, height: float) -> str:
    """`height`: of the word's letters, in small letters."""
    if height < _IS_SMALL:
        return text.lower()
    # A letter by itself may have grown together with a raised figure: «м²».
    return text.upper() if height > _IS_CAPITAL and sum(map(str.isalpha, text)) > 1 else text


def _measures(lines: Sequence[PageLine], wanted: set[int], dark: Image) -> list[_Measure]:
    """Of the words that say how high letters are, in the wanted lines and near them."""
    near = [(lines[place].bbox.center.y, _REACH * lines[place].bbox.height) for place in wanted]
    found = []
    for place, line in enumerate(lines):
        y = line.bbox.center.y
        if not any(abs(y - other) <= reach for other, reach in near):
            continue
        for word in line.words:
            share = _share_of_small_letter(word.text)
            height = _height(word, line, dark) if share is not None else None
            if share is not None and height is not None:
                found.append(_Measure(place, y, height * share))
    return found


def _share_of_small_letter(text: str) -> float | None:
    """What a word's height is to be multiplied with for the height of a small letter, None if the word does not tell."""
    told = [char for char in text if char.isalnum()]
    if len(told) > 1 and all(char.isdigit() or (char.isupper() and char.lower() in _SMALL | _SAME_SHAPE) for char in told):
        certain = any(char.isdigit() or char.lower() in _SMALL for char in told)
        return _SMALL_SHARE if certain else None
    if len(told) >= _LONG and text.islower() and any(char in "ае" for char in told) and all(char.isalpha() for char in told):
        return 1.0
    return None


def _small_letter(place: int, box: BBox, measures: Sequence[_Measure]) -> float | None:
    """The height of a small letter in a line, by its own words or else by those near it; None where they do not agree."""
    own = [measure.height for measure in measures if measure.line == place]
    near = [measure.height for measure in measures if abs(measure.y - box.center.y) <= _REACH * box.height]
    heights = own or (near if len(near) >= _FEWEST else [])
    if not heights:
        return None
    usual = float(np.median(heights))
    return usual if float(np.median(np.abs(np.array(heights) - usual))) <= _ALIKE * usual else None


def _height(word: Word, line: PageLine, dark: Image) -> float | None:
    """The usual height of the word's letters in pixels, tails, dots and dirt left out; None if no letters are seen."""
    box = BBox(word.bbox.x0, line.bbox.y0, word.bbox.x1, line.bbox.y1).clipped(dark.shape[1], dark.shape[0])
    patch = dark[int(box.y0) : int(box.y1) + 1, int(box.x0) : int(box.x1) + 1]
    if min(patch.shape, default=0) < 4 or line.bbox.height > line.bbox.width * 2:
        return None
    _, _, stats, _ = cv2.connectedComponentsWithStats(patch, connectivity=8)
    heights = [height for height in stats[1:, cv2.CC_STAT_HEIGHT].tolist() if _LEAST < height / line.bbox.height < _MOST]
    if not any(char.lower() in _WITH_TAILS for char in word.text):
        return float(np.median(heights)) if heights else None
    # A tail must not make a small letter, or what has grown together with it, a capital.
    alone = len(heights) >= sum(map(str.isalpha, word.text))
    return float(np.quantile(heights, _WITHOUT_TAILS)) if heights and alone else None
