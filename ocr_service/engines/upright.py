"""How a scanned page has to be turned to stand upright: by quarters, and by the few degrees of a crooked scan.

The direction of the lines comes from projection profiles: ink summed along the lines falls into sharp peaks, across them it does not.
Whether the page stands on its head is asked of the line classifier in the `rapidocr` wheel (`ch_ppocr_mobile_v2.0_cls_mobile.onnx`,
Apache-2.0), which sees some lines and votes; it was trained on Chinese and knows Cyrillic as well. A page without text stays as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.openvino_model import load_model
from ocr_service.engines.page.page_size import Image

Points = NDArray[np.float32]

# The longer side of the picture that is looked at: at A4, letters of 8 points are 9 pixels high.
_WORKING_SIDE = 1400
_MOST_POINTS = 10_000
_FEWEST_GLYPHS = 20
_GLYPH_SIDES = (4, 60)
_GLYPH_ASPECT = 8

_LARGEST_SKEW = 10.0
# The peak of a page of small print is a third of a degree wide.
_COARSE_STEP = 0.25
_FINE_STEPS = (0.1, 0.02)
# The peak over the median of all angles; below it there are no lines: a photo, a drawing, dirt.
_CLEAR_PEAK = 1.5
# Columns of figures stand above each other nearly as well as in rows; below this ratio the gaps between letters decide.
_CLEAR_DIRECTION = 2.0
# Skew that a line of text over the page's width does not show; turning by it would only blur.
_SKEW_WORTH_IT = 0.15

# After so many lines, no more are asked if the votes (1: upright, −1: on its head) are that much of one mind.
_SURE_FROM = {6: 0.85, 16: 0.4}
_MOST_LINES = 40
# Pages mostly stand upright, so it takes more to turn one round than to leave it.
_ROUND_BELOW = -0.2
_CLASSIFIER_SHAPE = (48, 192)
# Of a longer line the beginning is shown; it is squeezed to half its width, which the classifier does not mind.
_LINE_ASPECT = 8


@dataclass(frozen=True, slots=True)
class Pose:
    """Clockwise turns in degrees that put a page upright: first `orientation` (0, 90, 180, 270), then `skew`. `confidence` is 0–1."""

    orientation: int
    skew: float
    confidence: float


@dataclass(frozen=True, slots=True)
class _Glyphs:
    """What looks like letters in the working picture: their pixels (255) and their boxes (n × left, top, width, height)."""

    mask: Image
    boxes: NDArray[np.int32]


class UprightFinder:
    """Finds the pose of scanned pages."""

    def __init__(self, classifier: Path) -> None:
        """`classifier`: the line classifier's ONNX file. Raises FileNotFoundError, RuntimeError."""
        self._classify = load_model(classifier)

    def __call__(self, gray: Image) -> Pose:
        """`gray`: the whole page, height × width, 100 dpi or more."""
        glyphs = _glyphs(gray)
        if len(glyphs.boxes) < _FEWEST_GLYPHS:
            return Pose(0, 0.0, 0.0)
        across, along = _Direction.of(glyphs.mask), _Direction.of(turn(glyphs.mask, 90))
        likelihood = across.strength / along.strength
        if 1 / _CLEAR_DIRECTION < likelihood < _CLEAR_DIRECTION:
            likelihood *= _runs(glyphs.mask) / _runs(glyphs.mask.T)
        orientation, direction = (0, across) if likelihood >= 1 else (90, along)
        if direction.clearness < _CLEAR_PEAK:
            return Pose(0, 0.0, 0.0)
        skew = direction.exact_skew()
        upright = put_upright(gray, orientation, skew)
        vote = self._vote(upright, glyphs if upright is gray else _glyphs(upright))
        if vote < (_ROUND_BELOW if orientation == 0 else 0.0):
            orientation += 180
        return Pose(orientation, skew, min(1.0, abs(vote)))

    def _vote(self, gray: Image, glyphs: _Glyphs) -> float:
        """From −1 (on its head) to 1 (upright); 0 if there is no line to ask. `glyphs`: those of this picture."""
        scale, lines = _scale(gray), _lines(glyphs)
        votes: list[float] = []
        for left, top, width, height in lines[:_MOST_LINES]:
            if len(votes) in _SURE_FROM and abs(sum(votes)) >= _SURE_FROM[len(votes)] * len(votes):
                break
            margin = 0.2 * height
            y0, x0 = (max(0, int((side - margin) / scale)) for side in (top, left))
            y1, x1 = int((top + height + margin) / scale) + 1, int((left + min(width, _LINE_ASPECT * height) + margin) / scale) + 1
            upright, turned = self._classify(_tensor(gray[y0:y1, x0:x1]))[0]
            votes.append(float(upright) - float(turned))
        return sum(votes) / len(votes) if votes else 0.0


@dataclass(frozen=True, slots=True)
class _Direction:
    """How well the ink falls into horizontal lines: the clockwise turn that does it best, how strongly, and how much better than others."""

    points: Points
    rough_skew: float
    strength: float
    clearness: float

    @staticmethod
    def of(mask: Image) -> _Direction:
        points = _points(mask)
        angles = np.arange(-_LARGEST_SKEW - 2, _LARGEST_SKEW + 2 + _COARSE_STEP / 2, _COARSE_STEP)
        strengths = [_strength(points, float(angle)) for angle in angles]
        peak = max(strengths)
        best = float(angles[int(np.argmax(strengths))])
        return _Direction(points, best, peak, peak / max(1e-9, float(np.median(strengths))))

    def exact_skew(self) -> float:
        """The clockwise turn to a few hundredths of a degree; 0 where it is too small to matter or too large to be believed."""
        best = self.rough_skew
        for step in _FINE_STEPS:
            near = best + step * np.arange(-5, 6)
            best = float(near[int(np.argmax([_strength(self.points, float(angle)) for angle in near]))])
        return round(best, 2) if _SKEW_WORTH_IT <= abs(best) <= _LARGEST_SKEW + _COARSE_STEP else 0.0


def _points(mask: Image) -> Points:
    """The ink's places as n × (x, y), a sample of them where there are many."""
    points = cv2.findNonZero(mask).reshape(-1, 2)
    if len(points) > _MOST_POINTS:
        points = points[np.random.default_rng(0).integers(0, len(points), _MOST_POINTS)]
    return np.asarray(points, dtype=np.float32)


def _strength(points: Points, turn_by: float) -> float:
    """Sharpness of the edges in the profile of rows after a clockwise turn by so many degrees, per point."""
    angle = math.radians(turn_by)
    rows = points[:, 1] * math.cos(angle) + points[:, 0] * math.sin(angle)
    profile = np.bincount((rows - rows.min()).astype(np.int64)).astype(np.float64)
    return float(np.square(np.diff(profile)).sum() / len(points))


def _scale(gray: Image) -> float:
    """The working picture's size as a share of the page picture's."""
    return float(min(1.0, _WORKING_SIDE / max(gray.shape)))


def _glyphs(gray: Image) -> _Glyphs:
    """The letters of a page picture, in pixels of the working picture."""
    scale = _scale(gray)
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else gray
    ink = cv2.adaptiveThreshold(np.asarray(small, np.uint8), 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 12)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    long, short = np.maximum(width, height), np.minimum(width, height)
    good = (long >= _GLYPH_SIDES[0]) & (long <= _GLYPH_SIDES[1]) & (long <= _GLYPH_ASPECT * short) & (stats[:, cv2.CC_STAT_AREA] >= 8)
    good[0] = False
    return _Glyphs(np.where(good, 255, 0).astype(np.uint8)[labels], stats[good, :4])


def _runs(mask: NDArray[np.uint8]) -> float:
    """How many letters join into a word when gaps along the rows are closed: letters stand closer than lines. Pieces before / after."""
    mask = np.ascontiguousarray(mask)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 7), np.uint8))
    before, after = (cv2.connectedComponents(picture, connectivity=8)[0] for picture in (mask, closed))
    return float(before / after)


def _lines(glyphs: _Glyphs) -> list[tuple[int, int, int, int]]:
    """Boxes (left, top, width, height) of pieces of horizontal lines, the most telling ones first."""
    heights = glyphs.boxes[:, 3][glyphs.boxes[:, 3] >= 5]
    if not len(heights):
        return []
    usual = float(np.median(heights))
    closed = cv2.morphologyEx(glyphs.mask, cv2.MORPH_CLOSE, np.ones((1, max(3, int(1.2 * usual))), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    boxes = [(int(x), int(y), int(w), int(h)) for x, y, w, h, _ in stats[1:] if 0.6 * usual <= h <= 2.6 * usual and w >= 3 * h]
    return sorted(boxes, key=lambda box: (min(box[2], 8 * box[3]), box[2]), reverse=True)


def _tensor(line: Image) -> NDArray[np.float32]:
    height, width = _CLASSIFIER_SHAPE
    used = min(width, max(1, math.ceil(height * line.shape[1] / line.shape[0])))
    tensor = np.zeros((1, 3, height, width), np.float32)
    tensor[0, :, :, :used] = cv2.resize(line, (used, height)).astype(np.float32) / 127.5 - 1
    return tensor


def turn(image: Image, orientation: int) -> Image:
    """The image turned clockwise by 0, 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(image, -orientation // 90))


def put_upright(image: Image, orientation: int, skew: float) -> Image:
    """The image (grey or RGB) turned clockwise by `orientation`, then by `skew` degrees about its centre on a canvas of the same size.

    What the skew left empty is white. The same way as `domain.geometry.Upright` describes it.
    """
    turned = turn(image, orientation) if orientation else image
    if not skew:
        return turned
    height, width = turned.shape[:2]
    # OpenCV counts angles counter-clockwise, and the centres of pixels where this service counts their edges.
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -skew, 1.0)
    white = (255, 255, 255) if turned.ndim == 3 else 255
    straight = cv2.warpAffine(turned, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=white)
    return np.asarray(straight, dtype=np.uint8)
