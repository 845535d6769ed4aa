"""Pictures that the layout model did not name: a large patch of ink that is neither text nor table is a figure, not nothing."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ocr_service.domain.geometry import BBox
from ocr_service.engines.layout.page_blocks import FoundTable
from ocr_service.engines.layout.regions import Region
from ocr_service.engines.page.page_lines import PageLine
from ocr_service.engines.page.page_size import Image

_WORK_DPI = 50
_LEAST_SIDE_IN = 0.8
# Of the patch's box: photographs and drawings with shades fill theirs; frames, dust and crooked lines do not.
_LEAST_FILL = 0.5
_LARGEST_SHARE = 0.5
_FAINTEST = 24
_EDGE_IN = 0.1


def taken(lines: Sequence[PageLine], tables: Sequence[FoundTable], regions: Sequence[Region]) -> list[BBox]:
    """The boxes of a page that are known to be something."""
    return [line.bbox for line in lines] + [table.bbox for table in tables] + [region.bbox for region in regions]


def overlooked_pictures(gray: Image, size: tuple[int, int], dpi: int, known: Sequence[BBox]) -> list[Region]:
    """Picture regions of an upright page outside of the `known` boxes; boxes are pixels of a page of that size (width, height) at `dpi`.

    `gray`: the page at any resolution. What touches the page's edge is the scanner's shadow.
    """
    scale = _WORK_DPI / dpi
    small = cv2.resize(gray, (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))), interpolation=cv2.INTER_AREA)
    ink = (small < np.percentile(small, 90) - _FAINTEST).astype(np.uint8)
    for box in known:
        x0, y0, x1, y1 = (round(value * scale) for value in box)
        ink[max(0, y0 - 1) : y1 + 2, max(0, x0 - 1) : x1 + 2] = 0
    ink = np.asarray(cv2.morphologyEx(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3))), cv2.MORPH_OPEN, np.ones((3, 3))), np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    height, width = ink.shape
    found = []
    for x, y, w, h, area in stats[1:]:
        if _is_picture(int(w), int(h), int(area), width * height) and _is_inside(int(x), int(y), int(x + w), int(y + h), width, height):
            found.append(Region("picture", BBox(x / scale, y / scale, (x + w) / scale, (y + h) / scale)))
    return found


def _is_picture(width: int, height: int, area: int, page_area: int) -> bool:
    return (
        min(width, height) >= _LEAST_SIDE_IN * _WORK_DPI
        and area >= _LEAST_FILL * width * height
        and width * height < _LARGEST_SHARE * page_area
    )


def _is_inside(x0: int, y0: int, x1: int, y1: int, width: int, height: int) -> bool:
    edge = _EDGE_IN * _WORK_DPI
    return x0 > edge and y0 > edge and x1 < width - edge and y1 < height - edge
