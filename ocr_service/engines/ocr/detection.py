"""Where the text lines are: PP-OCR's DB detector, run by OpenVINO on one thread.

Weights: `PP-OCRv6_det_small.onnx` of the `rapidocr` wheel (Apache-2.0). DB (Liao et al., arXiv:1911.08947) paints a map of shrunk
text lines; each connected patch becomes a rectangle and is grown back ("unclipped") by area/perimeter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.openvino_model import load_model

_STRIDE = 32
_MAP_THRESHOLD = 0.3
_BOX_THRESHOLD = 0.5
_UNCLIP_RATIO = 1.6
_SMALLEST_SIDE = 3.0
_MOST_BOXES = 3000


@dataclass(frozen=True, slots=True)
class DetectedLine:
    """A text line: its centre in pixels, its length along the text and height across it, and its tilt in degrees (clockwise)."""

    cx: float
    cy: float
    length: float
    height: float
    tilt: float
    score: float


class TextDetector:
    """Finds text lines. The picture is shrunk until its shorter side has `short_side` pixels or its longer one `long_side`."""

    def __init__(self, model: Path, *, short_side: int = 960, long_side: int = 1920) -> None:
        self._model = load_model(model)
        self._short_side = short_side
        self._long_side = long_side

    def __call__(self, gray: NDArray[np.uint8]) -> list[DetectedLine]:
        """`gray`: H×W uint8. Lines in no particular order, pixels of that picture."""
        height, width = gray.shape
        if min(height, width) < _STRIDE // 2:
            return []
        scale = min(1.0, self._short_side / min(height, width), self._long_side / max(height, width))
        scaled_w, scaled_h = (max(_STRIDE, round(side * scale / _STRIDE) * _STRIDE) for side in (width, height))
        scaled = cv2.resize(gray, (scaled_w, scaled_h), interpolation=cv2.INTER_AREA)
        # The model was made for colours.
        tensor = np.broadcast_to(scaled.astype(np.float32) / 127.5 - 1.0, (1, 3, scaled_h, scaled_w))
        probability = self._model(tensor)[0, 0]
        return _lines(probability, width / scaled_w, height / scaled_h)


def _lines(probability: NDArray[np.float32], scale_x: float, scale_y: float) -> list[DetectedLine]:
    mask = cv2.dilate((probability > _MAP_THRESHOLD).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for contour in contours[:_MOST_BOXES]:
        (cx, cy), (length, height), tilt = _horizontal(cv2.minAreaRect(contour))
        if min(length, height) < _SMALLEST_SIDE:
            continue
        score = _score(probability, contour)
        if score < _BOX_THRESHOLD:
            continue
        grown = length * height * _UNCLIP_RATIO / (length + height)
        lines.append(DetectedLine(cx * scale_x, cy * scale_y, (length + grown) * scale_x, (height + grown) * scale_y, tilt, score))
    return lines


def _horizontal(rect: tuple[tuple[float, float], tuple[float, float], float]) -> tuple[tuple[float, float], tuple[float, float], float]:
    """OpenCV's rotated rectangle → the same with its first side along x as nearly as can be (tilt within ±45°)."""
    center, (first, second), angle = rect
    while angle > 45:
        angle, first, second = angle - 90, second, first
    while angle < -45:
        angle, first, second = angle + 90, second, first
    return center, (first, second), angle


def _score(probability: NDArray[np.float32], contour: NDArray[np.int32]) -> float:
    x, y, w, h = cv2.boundingRect(contour)
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [contour - (x, y)], 1)
    return float(cv2.mean(probability[y : y + h, x : x + w], mask)[0])
