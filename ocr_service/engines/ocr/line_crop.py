"""Cutting one text line out of the page picture, level and at its own size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.domain.geometry import BBox
from ocr_service.engines.ocr.detection import DetectedLine


@dataclass(frozen=True, slots=True)
class LinePicture:
    """A levelled cut-out. `pixels`: h×w (grey); its left edge and its text's box lie in page pixels."""

    pixels: NDArray[np.uint8]
    left: float
    top: float

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    def part(self, x0: float, x1: float) -> LinePicture:
        """The columns from x0 to x1 (pixels of this picture), clipped to it."""
        first, last = max(0, math.floor(x0)), min(self.width, math.ceil(x1))
        return LinePicture(self.pixels[:, first:last], self.left + first, self.top)

    def bbox(self, x0: float, x1: float) -> BBox:
        """Columns of this picture → a box in page pixels. The line's small tilt is not in it."""
        return BBox(self.left + x0, self.top, self.left + x1, self.top + self.height)


def cut(gray: NDArray[np.uint8], line: DetectedLine) -> LinePicture:
    """The detected line, with its tilt taken out; what lies outside the page repeats the page's edge."""
    width, height = max(2, round(line.length)), max(2, round(line.height))
    left, top = line.cx - width / 2, line.cy - height / 2
    if abs(line.tilt) < 0.2 or abs(math.sin(math.radians(line.tilt))) * width < 2:
        x, y = round(left), round(top)
        inside = gray[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)]
        if inside.shape == (height, width):
            return LinePicture(inside, float(x), float(y))
    level = cv2.getRotationMatrix2D((line.cx, line.cy), line.tilt, 1.0)
    level[:, 2] -= (left, top)
    pixels = cv2.warpAffine(gray, level, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return LinePicture(pixels, left, top)
