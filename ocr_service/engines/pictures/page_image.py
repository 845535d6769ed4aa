"""A small picture of the whole upright page, for people: what the boxes are drawn on."""

from __future__ import annotations

import cv2

from ocr_service.domain.documents import MediaType, Picture, page_image_name
from ocr_service.domain.errors import PageFailed
from ocr_service.engines.page.page_size import Image

# The longer side. A4 is then legible on a screen down to its footnotes; a page takes 100 to 400 kB.
LONGEST_SIDE = 1600
_JPEG_QUALITY = 80


def page_image_dpi(width: int, height: int, dpi: int) -> int:
    """At which dpi to render a page for its picture, that has so many pixels at `dpi`: never finer than that."""
    return max(1, min(dpi, round(dpi * LONGEST_SIDE / max(width, height))))


def page_image(page: int, rgb: Image) -> Picture:
    """The picture of the upright page, as JPEG; it shows the same as the boxes' frame, only smaller."""
    height, width = rgb.shape[:2]
    scale = LONGEST_SIDE / max(width, height)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise PageFailed("The picture of the page could not be made.")
    return Picture(page_image_name(page), MediaType.JPEG, bytes(data))
