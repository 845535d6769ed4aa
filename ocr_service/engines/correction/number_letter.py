"""The small letter of a paper's number: «№ 412-о», «118-з». Recognisers read it as a figure; on the page it is lower than those are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.ink import ink_threshold
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.page.words import Word

_NUMBER = re.compile(r"№?(?P<figures>\d[\d/]*)-(?P<last>[03])[.,;:)]*")
_LETTERS = {"0": "о", "3": "з"}
# Small letters have 0.66 to 0.75 of the height of figures.
_LOW = 0.82
# Of the line's box: lower pieces of ink are points, hyphens and dirt.
_LEAST = 0.25
_FEWEST = 2


def with_number_letters(lines: Sequence[PageLine], gray: Image) -> tuple[PageLine, ...]:
    """The lines; a low figure at the end of a number becomes the letter that it is. `gray`: the page that was read."""
    doubtful = [line for line in lines if any(_NUMBER.fullmatch(word.text) for word in line.words)]
    if not doubtful:
        return tuple(lines)
    dark = np.asarray(gray < ink_threshold(gray), np.uint8)
    return tuple(replace(line, words=tuple(_told(word, line, dark) for word in line.words)) if line in doubtful else line for line in lines)


def _told(word: Word, line: PageLine, dark: Image) -> Word:
    number = _NUMBER.fullmatch(word.text)
    if number is None:
        return word
    heights = _heights(BBox(word.bbox.x0, line.bbox.y0, word.bbox.x1, line.bbox.y1), dark)
    figures = sum(map(str.isdigit, number["figures"]))
    strokes = number["figures"].count("/")
    # Each character has to be a piece of ink of its own.
    if figures < _FEWEST or len(heights) != figures + strokes + 1 or heights[-1] > _LOW * float(np.median(heights[:-1])):
        return word
    place = number.start("last")
    return replace(word, text=word.text[:place] + _LETTERS[number["last"]] + word.text[place + 1 :])


def _heights(box: BBox, dark: Image) -> list[int]:
    """The heights of the pieces of ink in a box, from left to right, without low ones."""
    inside = box.clipped(dark.shape[1], dark.shape[0])
    patch = dark[int(inside.y0) : int(inside.y1) + 1, int(inside.x0) : int(inside.x1) + 1]
    if min(patch.shape, default=0) < 2:
        return []
    _, _, stats, _ = cv2.connectedComponentsWithStats(patch, connectivity=8)
    pieces = sorted(stats[1:].tolist(), key=lambda piece: piece[cv2.CC_STAT_LEFT])
    return [piece[cv2.CC_STAT_HEIGHT] for piece in pieces if piece[cv2.CC_STAT_HEIGHT] > _LEAST * box.height]
