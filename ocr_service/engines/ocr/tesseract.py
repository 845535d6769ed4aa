"""Tesseract as a line reader: for scripts that PP-OCRv6 does not know.

libtesseract comes with the `tesserocr` wheel (Apache-2.0); the language data with the system. Lines are handed over one by one,
enlarged to the height its network was trained for, because Tesseract's own page segmentation loses table cells and skewed lines.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import tesserocr
from numpy.typing import NDArray

from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.ocr.reading import ReadWord, confidence
from ocr_service.engines.page.ink import grey_level

_HEIGHT = 48
_MARGIN = 12
_SURE = 0.75
_WHITE = 255
# Grey levels between paper and ink. On blank paper "raw line" makes letters up.
_LEAST_CONTRAST = 24


class TesseractReader:
    """Reads lines with `languages` ("rus+eng"). One instance a process; close it when done."""

    def __init__(self, tessdata: Path, languages: str) -> None:
        """Raises RuntimeError when the data of a language cannot be loaded."""
        self.name = f"Tesseract {tesserocr.tesseract_version().split()[1]} {languages}"
        self._line = _api(tessdata, languages, tesserocr.PSM.SINGLE_LINE)
        self._raw = _api(tessdata, languages, tesserocr.PSM.RAW_LINE)

    def read(self, line: LinePicture) -> tuple[ReadWord, ...]:
        """The words; where "single line" is not sure, "raw line" (no segmentation at all) is tried and the surer one taken."""
        if int(np.ptp(line.pixels)) < _LEAST_CONTRAST:
            return ()
        scale = _HEIGHT / line.height
        pixels = cv2.resize(line.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
        pixels = cv2.copyMakeBorder(pixels, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_CONSTANT, value=_paper(pixels))
        words = _recognise(self._line, pixels, scale)
        if confidence(words) < _SURE:
            words = max(words, _recognise(self._raw, pixels, scale), key=confidence)
        return words

    def close(self) -> None:
        self._line.End()
        self._raw.End()


def _api(tessdata: Path, languages: str, mode: int) -> tesserocr.PyTessBaseAPI:
    api = tesserocr.PyTessBaseAPI(path=f"{tessdata}/", lang=languages, psm=mode)
    # Each line stands for itself: what was learnt on one page must not change how another is read.
    api.SetVariable("classify_enable_learning", "0")
    api.SetVariable("debug_file", "/dev/null")
    return api


def _recognise(api: tesserocr.PyTessBaseAPI, pixels: NDArray[np.uint8], scale: float) -> tuple[ReadWord, ...]:
    height, width = pixels.shape
    api.SetImageBytes(pixels.tobytes(), width, height, 1, width)
    api.SetSourceResolution(300)
    api.Recognize()
    iterator = api.GetIterator()
    words: list[ReadWord] = []
    if iterator is None:
        return ()
    for item in tesserocr.iterate_level(iterator, tesserocr.RIL.WORD):
        box = item.BoundingBox(tesserocr.RIL.WORD)
        text = _text(item)
        if box is None or not text:
            continue
        x0, x1 = ((x - _MARGIN) / scale for x in (box[0], box[2]))
        words.append(ReadWord(text, item.Confidence(tesserocr.RIL.WORD) / 100, x0, x1))
    return tuple(words)


def _text(item: tesserocr.PyResultIterator) -> str:
    try:
        return str(item.GetUTF8Text(tesserocr.RIL.WORD)).strip()
    except RuntimeError:  # tesserocr's word for "there is no text here"
        return ""


def _paper(pixels: NDArray[np.uint8]) -> int:
    """The colour of the paper around the text, so that the margin has no edge."""
    return int(grey_level(pixels, 90)) if pixels.size else _WHITE
