"""What a text line says: PP-OCR's CTC recogniser, run by OpenVINO on one thread, one line at its own width.

Weights: `PP-OCRv6_rec_small.onnx` of the `rapidocr` wheel (Apache-2.0), or any PP-OCRv4–v6 recogniser with its dictionary. The small v6
dictionary holds no Cyrillic letter: Russian comes back as Latin look-alikes with a high score. See `fusion.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.ocr.ctc_head import BLANK, Classes, CtcHead
from ocr_service.engines.openvino_model import load_model, load_without_classifier
from ocr_service.engines.page.ink import grey_level

_HEIGHT = 48
# OpenVINO keeps a plan of 4 to 6 MB for every shape it has seen: widths in steps, coarser for long lines, keep its memory flat, and
# are faster than a plan a line.
_WIDTH_STEP = 32
_STEPS = 24
_WIDEST = 3200
# Ideographs are six steps of the network wide, of which five tell as much. Squeezed further, Latin words between them lose double letters.
_IDEOGRAPHIC_SQUEEZE = 0.85
# The percentile of a line's pixels that is taken for its paper.
_PAPER = 85


@dataclass(frozen=True, slots=True)
class ReadChar:
    """One character, its score 0–1, and its centre along the line as a fraction 0–1 of the line picture's width."""

    text: str
    score: float
    at: float


class TextRecognizer:
    """Reads one line. `characters`: the dictionary in class order, without the CTC blank (class 0)."""

    def __init__(self, model: Path, characters: tuple[str, ...]) -> None:
        self._characters = characters
        split = load_without_classifier(model)
        self._head = CtcHead(split[1], characters) if split else None
        self._model = split[0] if split else load_model(model)

    def __call__(self, line: NDArray[np.uint8], *, ideographic: bool = False, margin: float = 0.0) -> tuple[ReadChar, ...]:
        """`line`: h×w uint8 (grey), upright, cut close to the text; `ideographic`: a line that is probably Chinese or Japanese.

        `margin`: blank paper to be added above and below, as a share of the line's height. It makes the letters, and so the picture and
        the work, smaller; ideographs are then squeezed sideways as well. Spaces are characters too.
        """
        if min(line.shape) < 2:
            return ()
        paper = grey_level(line, _PAPER)
        if rows := round(margin * line.shape[0]):
            line = np.asarray(cv2.copyMakeBorder(line, rows, rows, 0, 0, cv2.BORDER_CONSTANT, value=paper), np.uint8)
        height, width = line.shape
        squeeze = _IDEOGRAPHIC_SQUEEZE if ideographic and margin else 1.0
        scaled_w = min(max(_WIDTH_STEP // 4, round(squeeze * width * _HEIGHT / height)), _WIDEST)
        scaled = cv2.resize(line, (scaled_w, _HEIGHT), interpolation=cv2.INTER_AREA if height > _HEIGHT else cv2.INTER_CUBIC)
        padding = -scaled_w % max(_WIDTH_STEP, 1 << (scaled_w // _STEPS).bit_length())
        padded = cv2.copyMakeBorder(scaled, 0, 0, 0, padding, cv2.BORDER_CONSTANT, value=paper)
        # The model was made for colours.
        tensor = np.broadcast_to(padded.astype(np.float32) / 127.5 - 1.0, (1, 3, *padded.shape))
        return self._decode(self._classes(self._model(tensor)[0], ideographic=ideographic), (scaled_w + padding) / scaled_w)

    def _classes(self, output: NDArray[np.float32], *, ideographic: bool) -> Classes:
        if self._head is None:
            return Classes(output.argmax(axis=1), output.max(axis=1))
        return self._head.whole_but_blanks(output) if ideographic else self._head.alphabetic_first(output)

    def _decode(self, classes: Classes, stretch: float) -> tuple[ReadChar, ...]:
        steps = len(classes.best)
        begins = (classes.best != BLANK) & (classes.best != np.concatenate(([BLANK], classes.best[:-1])))
        chars = []
        for step in np.flatnonzero(begins):
            index = classes.best[step]
            text = self._characters[index - 1] if index <= len(self._characters) else " "
            chars.append(ReadChar(text, float(classes.scores[step]), min(1.0, (step + 0.5) / steps * stretch)))
        return tuple(chars)
