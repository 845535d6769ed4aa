"""The page's picture without its ruling lines, so that OCR does not read them as characters."""

from __future__ import annotations

import cv2
import numpy as np

from ocr_service.engines.tables.rulings import WORK_DPI, Gray, Ruling, Rulings


def remove_rulings(gray: Gray, rulings: Rulings, dpi: int) -> Gray:
    """A copy of the page (at the same dpi as the rulings were found in) with the rulings painted over; strokes that cross them stay."""
    scale = dpi / WORK_DPI if rulings.darkness.shape != gray.shape else 1.0
    clean = gray.copy()
    for ruling in rulings.horizontal:
        _paint(clean, ruling, scale)
    turned = np.ascontiguousarray(clean.T)
    for ruling in rulings.vertical:
        _paint(turned, ruling, scale)
    return np.ascontiguousarray(turned.T)


def _paint(image: Gray, ruling: Ruling, scale: float) -> None:
    """Each pixel of the line takes the lighter of the two pixels just beside the line, unless both are as dark as it is."""
    along = np.arange(max(0, round(ruling.start * scale)), min(image.shape[1], round(ruling.end * scale) + 1))
    course = np.interp(along / scale, ruling.along, ruling.across) * scale
    reach = round(ruling.thickness * scale / 2) + 1
    rows = np.round(course).astype(int)
    top, bottom = (np.clip(rows + sign * (reach + 1), 0, image.shape[0] - 1) for sign in (-1, 1))
    beside = np.maximum(image[top, along], image[bottom, along])
    darker = np.minimum(image[top, along], image[bottom, along])
    paper = cv2.blur(beside.reshape(1, -1), (61, 1), borderType=cv2.BORDER_REPLICATE).ravel()
    stroke = darker.astype(int) < paper.astype(int) - 60
    stroke &= beside.astype(int) < paper.astype(int) - 60
    for offset in range(-reach, reach + 1):
        at = np.clip(rows + offset, 0, image.shape[0] - 1)
        image[at, along] = np.where(stroke, image[at, along], np.maximum(image[at, along], beside))
