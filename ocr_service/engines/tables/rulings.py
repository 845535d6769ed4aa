"""Ruling lines of a page: long, thin, dark, nearly straight, however faint, dashed, noisy or drifting.

A ruling is found by what text is not: averaged along its direction it is darker than what lies a few pixels to both sides.
Darkness is capped first, so that a grey hairline weighs about as much as a stroke of black text would if it were as long.
Everything is measured in a picture of `WORK_DPI`; callers scale to and from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

WORK_DPI = 200
_CAP = 60  # grey levels; darker than this counts as fully dark
GAIN = 4  # averages are kept as bytes: a quarter of a grey level a step
_STEP = 4  # px along the line that are one pixel of the shrunk picture
_WINDOW = 11  # shrunk px along the line that are averaged: longer than a letter, shorter than a cell
_THIN, _THICK = 4, 11  # px to either side where a thin or a thick line must be over
_SOLID = 0.85  # mean darkness of a thick line, as a share of the cap: a row of bold letters stays below
_CROWD = 27  # px across that are looked at to tell a line from a row of letters
_WEAK = 5.0  # grey levels above both sides; less is noise even on a clean page
SOLID_INK = 0.85  # inked share of an unbroken line; letters in a row reach about 0.7
_LONG = 300.0  # px; no row of letters is taken for so long a line
STRONG = 40.0  # grey levels above both sides; letters in a row have about 20
_MIN_LENGTH = 56  # px of a piece; two rows of small print
_JOIN_GAP = 90  # px between two pieces of one line
_JOIN_DRIFT = 4.0  # px across between the ends of two pieces of one line
_NODE_STEP = 48  # px between two nodes of a polyline

Gray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """One line as a polyline along its own axis: `along` ascending, `across` beside it, in pixels.

    `strength` is its darkness above its sides, 0–60 grey levels; `inked` the share of its length where there is ink.
    """

    along: NDArray[np.float32]
    across: NDArray[np.float32]
    thickness: float
    strength: float
    inked: float

    @property
    def start(self) -> float:
        return float(self.along[0])

    @property
    def end(self) -> float:
        return float(self.along[-1])

    @property
    def length(self) -> float:
        return self.end - self.start

    @property
    def slope(self) -> float:
        """Pixels across per pixel along."""
        return float((self.across[-1] - self.across[0]) / max(1.0, self.length))

    def at(self, along: float) -> float:
        """The position across at that place; beyond the ends the line goes on with its mean slope."""
        if along < self.start:
            return float(self.across[0] + (along - self.start) * self.slope)
        if along > self.end:
            return float(self.across[-1] + (along - self.end) * self.slope)
        return float(np.interp(along, self.along, self.across))


@dataclass(frozen=True, slots=True, eq=False)
class Rulings:
    """All rulings of a picture of `WORK_DPI`; `darkness` is the capped darkness (0–240) that they were found in."""

    horizontal: tuple[Ruling, ...]
    vertical: tuple[Ruling, ...]
    darkness: Gray


def find_rulings(work: Gray) -> Rulings:
    """Rulings of an upright page picture (uint8 gray, `WORK_DPI`, remaining skew up to half a degree)."""
    darkness = _darkness(work)
    turned = np.ascontiguousarray(darkness.T)
    horizontal, vertical = _horizontal(darkness), _horizontal(turned)
    solid = _are_solid([*horizontal, *vertical])
    return Rulings(_without_letters(horizontal, solid=solid), _without_letters(vertical, solid=solid), darkness)


def _are_solid(lines: list[Ruling]) -> bool:
    """Whether the page's long lines are unbroken."""
    shares = [line.inked for line in lines if line.length >= _LONG]
    return bool(shares) and float(np.percentile(shares, 75)) > SOLID_INK


def _without_letters(lines: list[Ruling], *, solid: bool) -> tuple[Ruling, ...]:
    """Where lines are unbroken, a short broken one is a row of letters; a long one may be dashed."""
    return tuple(line for line in lines if not solid or line.inked > SOLID_INK or line.length >= _LONG or line.strength > STRONG)


def _darkness(work: Gray) -> Gray:
    """How much darker than the paper around it each pixel is, capped, times `GAIN`: shadows and grey paper do not count."""
    height, width = work.shape
    small = cv2.resize(work, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.medianBlur(small, 21), (width, height), interpolation=cv2.INTER_LINEAR)
    dark = np.minimum(cv2.subtract(paper, work), _CAP)
    return np.asarray(dark * GAIN, np.uint8)


def _horizontal(darkness: Gray) -> list[Ruling]:
    """Lines along the rows. The picture is first shrunk along them: they are averaged anyway, and it costs a quarter."""
    height, width = darkness.shape
    shrunk = cv2.resize(darkness, (max(1, width // _STEP), height), interpolation=cv2.INTER_AREA)
    ridge = _ridge(shrunk)
    threshold = max(_WEAK * GAIN, 4.5 * float(np.median(ridge[::7, ::3])))
    crowd = cv2.blur(shrunk, (_WINDOW, _CROWD))
    mask = np.asarray((ridge > threshold) & (ridge > crowd), np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    lengths, drifts = stats[:, cv2.CC_STAT_WIDTH] * _STEP, stats[:, cv2.CC_STAT_HEIGHT]
    long_and_level = (lengths >= _MIN_LENGTH) & (drifts <= 8 + lengths // 12)
    long_and_level[0] = False  # the paper
    pieces = []
    for label in np.flatnonzero(long_and_level):
        left, top, length, drift, _area = (int(value) for value in stats[label])
        box = np.s_[top : top + drift, left : left + length]
        sides = _side_darkness(shrunk, left, top, left + length, top + drift)
        piece = _trace(np.where(labels[box] == label, ridge[box], 0), left * _STEP, top, darkness, sides)
        if piece is not None:
            pieces.append(piece)
    return _join(pieces)


def _ridge(shrunk: Gray) -> Gray:
    """How much darker the mean along each pixel's row is than that a few pixels above and below, whichever is darker."""
    mean = cv2.blur(shrunk, (_WINDOW, 1))
    thick = _above_sides(mean, _THICK)
    thick[mean < _SOLID * _CAP * GAIN] = 0
    return np.maximum(_above_sides(mean, _THIN), thick)


def _above_sides(mean: Gray, distance: int) -> Gray:
    sides = np.zeros_like(mean)
    sides[distance:] = mean[:-distance]
    sides[:-distance] = np.maximum(sides[:-distance], mean[distance:])
    return np.asarray(cv2.subtract(mean, sides), np.uint8)


def _trace(ridge: Gray, left: int, top: int, darkness: Gray, sides: float) -> Ruling | None:
    """The polyline of one connected piece of the (shrunk) ridge; None if it is a row of letters."""
    peaks = ridge.max(axis=0)
    if 1.5 * _median(peaks) / GAIN < sides:
        return None
    weights = ridge.astype(np.float32)
    total = np.maximum(weights.sum(axis=0), 1e-3)
    across = (weights * np.arange(ridge.shape[0], dtype=np.float32)[:, None]).sum(axis=0) / total + top
    smooth = cv2.blur(across.astype(np.float32).reshape(1, -1), (5, 1), borderType=cv2.BORDER_REPLICATE).ravel()
    along = np.arange(left, min(left + ridge.shape[1] * _STEP, darkness.shape[1]))
    course = np.interp(along, left + (np.arange(ridge.shape[1]) + 0.5) * _STEP, smooth).astype(np.float32)
    ink = profile(darkness, along, course)
    first, last = _ink_extent(ink)
    if last - first < _MIN_LENGTH * 0.6:
        return None
    peak = _median(peaks[first // _STEP : last // _STEP + 1]) / GAIN
    inked = float((ink[first : last + 1] > 0.5 * max(peak * GAIN, _median(ink[first : last + 1]))).mean())
    if peak < sides and not (inked > 0.9 and peak > 0.7 * _median(ink) / GAIN):
        return None  # a row of letters is no darker than what lies beside it, and interrupted
    nodes = np.linspace(first, last, max(2, (last - first) // _NODE_STEP + 1)).round().astype(int)
    thickness = _median((ridge > 0.5 * peaks).sum(axis=0))
    return Ruling(along[nodes].astype(np.float32), course[nodes], thickness, peak, inked)


def profile(darkness: Gray, along: NDArray[np.int_], across: NDArray[np.float32], reach: int = 1) -> Gray:
    """The greatest darkness within `reach` px of the line, for each pixel along it."""
    rows = np.rint(across).astype(int).clip(reach, darkness.shape[0] - 1 - reach)
    columns = along.clip(0, darkness.shape[1] - 1)
    offsets = np.arange(-reach, reach + 1)[:, None]
    return np.asarray(darkness[rows[None, :] + offsets, columns[None, :]].max(axis=0), np.uint8)


def _side_darkness(shrunk: Gray, left: int, top: int, right: int, bottom: int) -> float:
    """Mean darkness of the darker side, 7–13 px beside the line: rows of letters have letters there."""
    above, below = shrunk[max(0, top - 13) : max(1, top - 6), left:right], shrunk[bottom + 6 : bottom + 13, left:right]
    return float(max(above.mean(), below.mean() if below.size else 0.0)) / GAIN


def _median(values: NDArray[np.generic]) -> float:
    """NumPy's own takes five times as long over so few values, and a page of text has a thousand pieces that are measured by it."""
    ordered = np.sort(values)
    return (float(ordered[(len(ordered) - 1) // 2]) + float(ordered[len(ordered) // 2])) / 2


def _ink_extent(ink: Gray) -> tuple[int, int]:
    """First and last index where there is ink as in the piece's middle: the averaging made the piece longer than the line."""
    local = cv2.blur(ink.reshape(1, -1), (15, 1), borderType=cv2.BORDER_REPLICATE).ravel()
    inked = np.flatnonzero(local > 0.4 * _median(local))
    return (int(inked[0]), int(inked[-1])) if inked.size else (0, 0)


def _join(pieces: list[Ruling]) -> list[Ruling]:
    """Pieces that continue each other become one line."""
    lines: list[Ruling] = []
    within_reach: dict[int, _Reach] = {}
    for piece in sorted(pieces, key=lambda item: item.start):
        start, place = piece.start, float(piece.across[0])
        # Pieces come by their start: a line that ends too far before this one is out of reach of all that follow.
        within_reach = {n: reach for n, reach in within_reach.items() if start - reach.end <= _JOIN_GAP}
        near = (n for n, reach in within_reach.items() if reach.low <= place <= reach.high)
        best = min(
            (n for n in near if _continues(lines[n], piece)),
            key=lambda n: abs(lines[n].at(start) - place) + max(0.0, start - lines[n].end) / 30,
            default=None,
        )
        if best is None:
            best = len(lines)
            lines.append(piece)
        else:
            lines[best] = _joined(lines[best], piece)
        within_reach[best] = _Reach.of(lines[best])
    return lines


class _Reach(NamedTuple):
    """Where a line ends, and between which places across a piece that continues it can begin. A page of text has thousands of pairs of
    a line and a piece, of which these three numbers leave a handful."""

    end: float
    low: float
    high: float

    @staticmethod
    def of(line: Ruling) -> _Reach:
        return _Reach(line.end, float(line.across.min()) - _JOIN_DRIFT, float(line.across.max()) + _JOIN_DRIFT)


def _continues(line: Ruling, piece: Ruling) -> bool:
    """Whether the piece, which starts within reach of the line's end, goes on where the line stops."""
    gap = piece.start - line.end
    if piece.end <= line.end:
        return False
    drift = abs(float(line.across[-1] - piece.across[0]))
    return drift <= _JOIN_DRIFT if gap >= 0 else abs(line.at(piece.start) - float(piece.across[0])) <= 2.0


def _joined(line: Ruling, piece: Ruling) -> Ruling:
    later = piece.along > line.end
    along, across = np.concatenate([line.along, piece.along[later]]), np.concatenate([line.across, piece.across[later]])
    share = piece.length / max(1.0, line.length + piece.length)
    return Ruling(
        along,
        across,
        line.thickness * (1 - share) + piece.thickness * share,
        line.strength * (1 - share) + piece.strength * share,
        line.inked * (1 - share) + piece.inked * share,
    )
