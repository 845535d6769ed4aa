"""Columns of a table without column lines, from the white between its words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from statistics import median

import numpy as np

from ocr_service.domain.geometry import BBox
from ocr_service.engines.page.words import Word
from ocr_service.engines.tables.lines import into_lines
from ocr_service.engines.tables.rulings import Gray

PHRASE_GAP = 0.8  # of a word's height: words further apart belong to different phrases
_GAP = 0.3  # of a word's height: the least white between two columns
_GAP_FEW = 0.9  # the same where only few lines tell
_FEW = 4
_WIDE = 0.65  # of a word's height: what most lines must leave white between two columns; a space between words is narrower
_LETTER_GAP = 0.12  # of a word's height: less white is none
_TELLING = 0.6  # of the phrases of the fullest lines that a line must have to tell anything about columns
_CROSSING = 0.08  # of the telling lines that may cross the white between two columns

Run = tuple[float, float]


def phrases(line: Sequence[Word], height: float) -> list[list[Word]]:
    """The line's words, parted where the white between them is wide."""
    parts: list[list[Word]] = []
    for word in line:
        if parts and word.bbox.x0 - parts[-1][-1].bbox.x1 <= PHRASE_GAP * height:
            parts[-1].append(word)
        else:
            parts.append([word])
    return parts


def column_bounds(bbox: BBox, words: Sequence[Word], gray: Gray, drawn: Sequence[float] = ()) -> list[float]:
    """The columns' left and right bounds, one more than columns; `drawn` are column lines that are there anyway.

    White is measured in the picture, as the boxes of OCR words are too rough for it.
    """
    height = median(word.bbox.height for word in words)
    lines = into_lines(words)
    counts = [len(phrases(line, height)) for line in lines]
    fullest = sorted(counts)[int(0.9 * (len(counts) - 1))]
    telling = [line for line, count in zip(lines, counts, strict=True) if count >= max(2, _TELLING * fullest)]
    runs = [_ink_runs(line, gray, height) for line in telling]
    gaps = _without_lone(_gaps(bbox, runs, height), lines)
    inner = [*drawn, *(gap for gap in gaps if all(abs(gap - line) > height for line in drawn))]
    bounds = [bbox.x0, *sorted(x for x in inner if bbox.x0 + 2 < x < bbox.x1 - 2), bbox.x1]
    return _without_empty(bounds, words)


def _ink_runs(line: Sequence[Word], gray: Gray, height: float) -> list[Run]:
    """Left and right of each stretch of ink in the line, letters that nearly touch together."""
    box = BBox.around(word.bbox for word in line).clipped(gray.shape[1], gray.shape[0])
    left, inset = int(box.x0), 0.1 * box.height
    strip = gray[int(box.y0 + inset) : max(int(box.y1 - inset), int(box.y0 + inset) + 1), left : int(box.x1) + 1]
    if not strip.size:
        return []
    dark, light = np.percentile(strip, [2, 80])
    ink = (strip < (dark + light) / 2).any(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ink.astype(np.int8), [0]]))).reshape(-1, 2)
    runs: list[Run] = []
    for first, last in edges:
        if runs and left + first - runs[-1][1] < _LETTER_GAP * height:
            runs[-1] = (runs[-1][0], float(left + last))
        else:
            runs.append((float(left + first), float(left + last)))
    return runs


def _gaps(bbox: BBox, lines: Sequence[Sequence[Run]], height: float) -> list[float]:
    """Middles of the white strips that (nearly) no line crosses."""
    if not lines:
        return []
    cover = np.zeros(max(1, round(bbox.width)) + 2, np.int32)
    for line in lines:
        here = np.zeros_like(cover)
        for left, right in line:
            here[max(0, round(left - bbox.x0)) : max(0, round(right - bbox.x0))] = 1
        cover += here
    white = cover <= _CROSSING * len(lines)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], white.astype(np.int8), [0]]))).reshape(-1, 2)
    least = (_GAP if len(lines) >= _FEW else _GAP_FEW) * height
    strips = [bbox.x0 + float(a + b) / 2 for a, b in changes if b - a >= least and a > 0 and b < cover.size]
    kept: list[float] = []
    for middle in strips:
        since = kept[-1] if kept else -np.inf
        widths = [width for line in lines if (width := _white_at(line, middle, since)) is not None]
        if not widths or median(widths) > _WIDE * height:
            kept.append(middle)
    return kept


def _white_at(line: Sequence[Run], x: float, since: float) -> float | None:
    """How much white the line leaves at x, None if it has no ink on both sides (to the left: after `since`)."""
    before = [right for left, right in line if since < (left + right) / 2 < x]
    after = [left for left, right in line if (left + right) / 2 > x]
    return min(after) - max(before) if before and after else None


def _without_lone(gaps: list[float], lines: Sequence[Sequence[Word]]) -> list[float]:
    """Text of a single line that stands free between two columns is a head over both, and no column."""
    kept: list[float] = []
    for gap in gaps:
        holders = sum(any(kept[-1] < word.bbox.center.x < gap for word in line) for line in lines) if kept else len(lines)
        if holders <= 1 and len(lines) >= _FEW:
            kept[-1] = (kept[-1] + gap) / 2
        else:
            kept.append(gap)
    return kept


def _without_empty(bounds: list[float], words: Sequence[Word]) -> list[float]:
    """Without columns that hold no word."""
    kept = [bounds[0]]
    for left, right in itertools.pairwise(bounds):
        if any(left <= word.bbox.center.x < right for word in words):
            kept.append(right)
    kept[-1] = bounds[-1]
    return kept
