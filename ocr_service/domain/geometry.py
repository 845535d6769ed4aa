"""Boxes and the way between the upright page image and the page as it lies in the file.

All boxes in the service are pixels of the *upright* page image (turned and deskewed, at the page's dpi), origin top left,
x to the right, y down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Point(NamedTuple):
    """A point in page pixels."""

    x: float
    y: float


class BBox(NamedTuple):
    """An axis-parallel box in page pixels: left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return max(0.0, self.x1 - self.x0)

    @property
    def height(self) -> float:
        return max(0.0, self.y1 - self.y0)

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center(self) -> Point:
        return Point((self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2)

    def intersection(self, other: BBox) -> float:
        """Area in pixels² that both boxes cover."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return width * height if width > 0 and height > 0 else 0.0

    def contains(self, point: Point) -> bool:
        return self.x0 <= point.x <= self.x1 and self.y0 <= point.y <= self.y1

    def clipped(self, width: float, height: float) -> BBox:
        """The part of the box that lies on a page of that size."""
        x0, x1 = (min(max(x, 0.0), width) for x in (self.x0, self.x1))
        y0, y1 = (min(max(y, 0.0), height) for y in (self.y0, self.y1))
        return BBox(x0, y0, x1, y1)

    @staticmethod
    def around(boxes: Iterable[BBox]) -> BBox:
        """The smallest box that holds all boxes; ValueError when there is none."""
        x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
        return BBox(min(x0s), min(y0s), max(x1s), max(y1s))


@dataclass(frozen=True, slots=True)
class Upright:
    """How the page image was put upright: first turned, then deskewed about its centre.

    `orientation` is the clockwise turn in degrees (0, 90, 180, 270) that was applied to the page as a viewer shows it;
    `skew` the further clockwise turn in degrees, about the image centre, without a change of size. `width` and `height` are those
    of the upright image in pixels.
    """

    width: int
    height: int
    orientation: int = 0
    skew: float = 0.0

    def to_displayed(self, point: Point) -> Point:
        """A point of the upright image → the same point of the page as a viewer shows it, both in pixels."""
        angle = math.radians(-self.skew)
        cx, cy = self.width / 2, self.height / 2
        dx, dy = point.x - cx, point.y - cy
        x = cx + dx * math.cos(angle) - dy * math.sin(angle)
        y = cy + dx * math.sin(angle) + dy * math.cos(angle)
        if self.orientation == 90:
            return Point(y, self.width - x)
        if self.orientation == 180:
            return Point(self.width - x, self.height - y)
        if self.orientation == 270:
            return Point(self.height - y, x)
        return Point(x, y)
