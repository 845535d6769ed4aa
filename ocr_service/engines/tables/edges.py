"""Which edges of a lattice are really drawn: evidence from the pixels along each of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_service.engines.tables.lattice import LatticeLine
from ocr_service.engines.tables.rulings import GAIN, SOLID_INK, STRONG, Gray

_SHARE = 0.4  # of the line's own darkness that an edge must have
_COVERED = 0.8  # of an edge that a ruling covers: nothing more is asked for where lines are broken
_SHARE_BROKEN = 0.2  # but this share of the line's own darkness
_EVEN = 0.6  # of the inked share of the long lines that every quarter of an edge must have
_EVEN_CLEAN = 0.8  # the same where lines are unbroken, so that a row of letters from side to side is none
_REACH = 9  # px to both sides of a line that are looked at
_OFFSETS = np.arange(-_REACH, _REACH + 1)[:, None]


def drawn_edges(lines: Sequence[LatticeLine], across: Sequence[LatticeLine], darkness: Gray) -> NDArray[np.bool_]:
    """For each line and each pair of neighbouring crossing lines: is the line drawn between them?"""
    drawn = np.zeros((len(lines), len(across) - 1), bool)
    solidity = line_solidity(lines)
    for index, line in enumerate(lines):
        ends = [other.at(line.position) for other in across]
        spans = list(itertools.pairwise(ends))
        strips = [_strip(line, start, end, darkness) for start, end in spans]
        covered = [_coverage(line, start, end) for start, end in spans]
        typical = [place for place, cover in enumerate(covered) if cover > 0.7]
        if not typical:
            continue
        ridges, inks = [_ridge(strip) for strip in strips], [_ink(strip) for strip in strips]
        strength = float(np.median([ridges[place] for place in typical]))
        ink = float(np.median(np.concatenate([inks[place] for place in typical])))
        # Dashed lines are as dark as unbroken ones, and letters are not: the darker a line, the more gaps it may have.
        even = _EVEN * float(np.mean([ruling.inked for ruling in line.rulings])) if strength > STRONG * GAIN else _EVEN_CLEAN
        for place, cover in enumerate(covered):
            share = ridges[place] / max(strength, 1.0)
            if solidity > SOLID_INK:
                drawn[index, place] = share > (_SHARE if cover > 0.5 else 1.5 * _SHARE) and _evenness(inks[place], ink) > even
            elif cover > _COVERED:
                drawn[index, place] = share > _SHARE_BROKEN
            else:
                drawn[index, place] = share > 1.5 * _SHARE and _evenness(inks[place], ink) > _EVEN * solidity
    return drawn


def line_solidity(lines: Sequence[LatticeLine]) -> float:
    """Share of their length that the long lines are inked: 1 on a clean page, about 0.3 after a fax machine."""
    rulings = [ruling for line in lines for ruling in line.rulings]
    longest = max(ruling.length for ruling in rulings)
    return float(np.percentile([ruling.inked for ruling in rulings if ruling.length >= 0.5 * longest], 75))


def _coverage(line: LatticeLine, start: float, end: float) -> float:
    inside = sum(max(0.0, min(ruling.end, end) - max(ruling.start, start)) for ruling in line.rulings)
    return inside / max(1.0, end - start)


def _strip(line: LatticeLine, start: float, end: float, darkness: Gray) -> Gray:
    """The pixels within `_REACH` of the line between two places, straightened; the ends, where lines cross, are left out."""
    margin = min(5.0, (end - start) / 6)
    along = np.arange(round(start + margin), max(round(start + margin) + 1, round(end - margin)))
    knots = np.linspace(along[0], along[-1], 2 + along.size // 60)
    course = np.interp(along, knots, [line.at(float(knot)) for knot in knots])
    rows = np.rint(course).astype(int)[None, :] + _OFFSETS
    return np.asarray(darkness[rows.clip(0, darkness.shape[0] - 1), along.clip(0, darkness.shape[1] - 1)[None, :]], np.uint8)


def _ridge(strip: Gray) -> float:
    """Mean darkness of the line above that of its darker side, 5 px away."""
    mean = cv2.reduce(strip, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
    first, last = _REACH - 3, _REACH + 4
    pooled = np.maximum(mean[first:last], (mean[first:last] + mean[first - 1 : last - 1]) * 0.7)
    return float((pooled - np.maximum(mean[first - 5 : last - 5], mean[first + 5 : last + 5])).max())


def _ink(strip: Gray) -> Gray:
    """The greatest darkness at each place along the line, within a pixel of where it is darkest on the whole."""
    middle = _REACH - 3 + int(cv2.reduce(strip[_REACH - 3 : _REACH + 4], 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).argmax())
    return np.asarray(strip[middle - 1 : middle + 2].max(axis=0), np.uint8)


def _evenness(darkest: Gray, ink: float) -> float:
    """Share of inked places in the emptiest quarter: letters leave the ends of a cell free, a line does not."""
    inked = np.concatenate([[0], np.cumsum(darkest > 0.5 * ink)])
    ends = np.linspace(0, darkest.size, min(4, darkest.size) + 1).round().astype(int)
    return float((np.diff(inked[ends]) / np.diff(ends)).min())
