"""The lines above and below are kept out of a line's picture.

Where lines stand close, a detected line takes the feet of the letters above and the heads of those below with it. A few pixels of them are
enough for Tesseract to lose whole words of a clean line: «4.2. Договор составлен» became «4.2. eels eh) peas al».
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from ocr_service.engines.ocr.line_crop import LinePicture
from ocr_service.engines.page.ink import grey_level, ink_of_line

# Neighbours reach into the picture by this share of its height at most; what reaches further is a letter of the line itself.
_REACH = 0.22
# In heights of the line: what is longer is no piece of a letter but a rule.
_LONGEST = 2.0
# How far from the paper to the darkest ink a pixel is that belongs to a letter; a neighbour's own blur lies beyond it.
_INK, _BLUR = 0.25, np.ones((3, 3), np.uint8)


def without_neighbours(line: LinePicture) -> LinePicture:
    """The picture, with paper in the place of ink that comes in from above or below and ends soon. Same size, new pixels."""
    pixels = line.pixels
    ink = ink_of_line(pixels, _INK).astype(np.uint8)
    if not ink[0].any() and not ink[-1].any():
        return line
    reach = _REACH * line.height
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    top, bottom = stats[:, cv2.CC_STAT_TOP], stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT]
    comes_in = ((top == 0) & (bottom <= reach)) | ((bottom == line.height) & (top >= line.height - reach))
    strangers = comes_in & (stats[:, cv2.CC_STAT_WIDTH] < _LONGEST * line.height)
    # Label 0 is the paper.
    strangers[0] = False
    if not strangers.any():
        return line
    theirs = cv2.dilate(strangers[labels].astype(np.uint8), _BLUR) & ~np.where(strangers[labels], 0, ink)
    return replace(line, pixels=np.where(theirs.astype(bool), np.uint8(round(grey_level(pixels, 90))), pixels))
