"""Row lines that only show once the table's whole width is averaged, and row lines that ends of column lines betray."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.tables.rulings import Gray

_SIDE = 5  # px above and below, where paper must be
_QUIET = 32.0  # darkness (of 240) beside the line; more is text
_PALE = 64  # darkness that counts at most: a few letters must not look like a faint line
_LEAST = 3.0  # darkness of a line above its sides
_SIGMAS = 2.6  # of the noise, itself overrated because letters near the line count as noise
_WIDTH = 0.3  # of the table that a line must be seen over
_APART = 14  # px between two row lines
_LIKE = 0.35  # of the darkness of the table's other faint lines
_AGREE = 0.6  # of the width without text that must show the line
_SHARE = 0.4  # of the line's darkness on the whole that it must have in a column
_SHARE_SHARP = 0.45  # the same on smooth paper
_BROAD = 120  # px; in a narrower column a third is mostly grain
_LOPSIDED = 0.75  # of a line's darkness in a column that one third of the column may hold, on grainy paper
_NARROW = 10  # px; narrower columns have no say
_MARGIN = 7  # px beside a column line that are left out


@dataclass(frozen=True, slots=True, eq=False)
class FaintLine:
    """A row line at height `y` of the straightened table; `drawn` for each column."""

    y: int
    drawn: NDArray[np.bool_]


def straighten(darkness: Gray, corners: NDArray[np.float32]) -> Gray:
    """The table as an upright rectangle; `corners` top left, top right, bottom right, bottom left, in pixels."""
    width = round(float(np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2)
    height = round(float(np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])) / 2)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return np.asarray(cv2.warpPerspective(darkness, cv2.getPerspectiveTransform(corners, target), (width, height)), np.uint8)


def faint_lines(table: Gray, columns: list[int], grain: float) -> list[FaintLine]:
    """Row lines of a straightened table between its column lines (x, ascending, borders included); `grain`: darkness of bare paper."""
    spans = [(a + _MARGIN, b - _MARGIN) for a, b in itertools.pairwise(columns)]
    if max(b - a for a, b in spans) < _NARROW or table.shape[0] < 4 * _APART:
        return []
    dark = np.full(table.shape[0], 255.0)
    mean = np.stack([_row_means(table[:, a:b]) if b - a >= _NARROW else dark for a, b in spans])
    widths = np.array([b - a if b - a >= _NARROW else 0 for a, b in spans], float)
    quiet = _sides(mean) < _QUIET
    pale = np.minimum(table, _PALE)
    mean = np.stack([_row_means(pale[:, a:b]) if b - a >= _NARROW else dark for a, b in spans])
    ridge = mean - _sides(mean)
    ridge -= np.array([[float(np.median(row[calm])) if calm.any() else 0.0] for row, calm in zip(ridge, quiet, strict=True)])
    noise = np.array([_noise(row[calm]) for row, calm in zip(ridge, quiet, strict=True)])
    weight = widths[:, None] * quiet
    total = weight.sum(axis=0)
    level = (ridge * weight).sum(axis=0) / np.maximum(total, 1)
    sigma = np.sqrt(((weight * noise[:, None]) ** 2).sum(axis=0)) / np.maximum(total, 1)
    good = (level > np.maximum(_LEAST, _SIGMAS * sigma)) & (total > _WIDTH * widths.sum())
    peaks = _peaks(np.where(good, level, 0.0))
    typical = float(np.median([level[y] for y in peaks])) if peaks else 0.0
    found = [_line(y, ridge, quiet, grain, float(level[y]), table, spans) for y in peaks if level[y] > _LIKE * typical]
    return [line for line in found if widths[line.drawn].sum() > max(_WIDTH * widths.sum(), _AGREE * widths[quiet[:, line.y]].sum())]


def _noise(ridge: NDArray[np.float64]) -> float:
    return max(0.6, 1.48 * float(np.median(np.abs(ridge)))) if ridge.size else 99.0


def _row_means(part: Gray) -> NDArray[np.float64]:
    return np.asarray(cv2.reduce(part, 1, cv2.REDUCE_AVG, dtype=cv2.CV_64F).ravel(), np.float64)


def _sides(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(mean, ((0, 0), (_SIDE + 2, _SIDE + 2)), mode="edge")
    size = mean.shape[1]
    shifted = [padded[:, _SIDE + 2 + offset : _SIDE + 2 + offset + size] for offset in (-_SIDE - 2, -_SIDE, _SIDE, _SIDE + 2)]
    return np.asarray(np.max(shifted, axis=0), np.float64)


def _peaks(level: NDArray[np.float64]) -> list[int]:
    peaks: list[int] = []
    for y in np.argsort(-level):
        if level[y] <= 0:
            break
        if all(abs(int(y) - other) >= _APART for other in peaks) and _APART <= y < level.size - _APART:
            peaks.append(int(y))
    return sorted(peaks)


def _line(
    y: int,
    ridge: NDArray[np.float64],
    quiet: NDArray[np.bool_],
    grain: float,
    level: float,
    table: Gray,
    spans: list[tuple[int, int]],
) -> FaintLine:
    sharp = level > 2 * grain
    strong = (ridge[:, y - 1 : y + 2].max(axis=1) > (_SHARE_SHARP if sharp else _SHARE) * level) & quiet[:, y]
    even = [_is_even(table[:, a:b], y, level, sharp=sharp) if b - a >= _NARROW else True for a, b in spans]
    return FaintLine(y, strong & np.array(even))


def _is_even(unit: Gray, y: int, level: float, *, sharp: bool) -> bool:
    """Whether the line runs from side to side: a word, a blank to be filled in, or dots, do not."""
    thirds = np.array_split(unit[y - _SIDE : y + _SIDE + 1].astype(float), 3, axis=1)
    middle = slice(_SIDE - 1, _SIDE + 2)
    shown = [float(part[middle].mean(axis=1).max() - max(part[0].mean(), part[-1].mean())) for part in thirds]
    if sharp:
        return min(shown) > 0.2 * level
    return unit.shape[1] < _BROAD or max(shown) < _LOPSIDED * sum(max(value, 0.0) for value in shown)
