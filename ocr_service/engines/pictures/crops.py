"""What the VLM is shown of a page: cut-outs of the upright page's own pixels, encoded once and without loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from ocr_service.domain.blocks import Block
from ocr_service.domain.documents import MediaType, PageOptions
from ocr_service.domain.errors import PageFailed
from ocr_service.domain.geometry import BBox
from ocr_service.domain.questions import question_about
from ocr_service.domain.vlm import Crop, Question
from ocr_service.engines.page.page_size import Image

# Margin around a block for each attempt, in inches: the boxes are tight and cut off accents and tails of letters; a second look
# takes in as much as a line's height.
_MARGINS_IN = (0.03, 0.1)
# Grain does not compress: a photographed page as PNG would be tens of megabytes. JPEG of this quality, colours at full resolution, is
# a fifth of that and nothing of it can be seen.
_LARGEST_PNG = 2 * 1024 * 1024
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 3]
# The model's processor refuses what is 200 times as long as high, and looks at what is smaller than one of its tokens enlarged. Our own
# server pads such crops itself; others do not.
_SHORTEST_SIDE, _LARGEST_ASPECT = 28, 100
# What a page may send along: blocks whose crops do not fit are not asked about, instead of losing the page.
_ALL_CROPS = 32 * 1024 * 1024


def asks(blocks: Iterable[Block], options: PageOptions) -> bool:
    """Whether there is anything to ask about, so that the page has to be rendered for it."""
    return any(question_about(block, options.vlm_policy, options.lang) for block in blocks)


def cut_questions(blocks: Sequence[Block], rgb: Image, dpi: int, options: PageOptions) -> tuple[Question, ...]:
    """The questions that the policy of `options` asks about the blocks, in their order. `rgb`: the upright page, rendered at `dpi`."""
    questions: list[Question] = []
    left = _ALL_CROPS
    for block in blocks:
        task = question_about(block, options.vlm_policy, options.lang)
        if task is None:
            continue
        crops: list[Crop] = []
        for margin_in in _MARGINS_IN:
            crop = _cut(block, rgb, margin_in * dpi)
            if len(crop.data) > left:
                break
            left -= len(crop.data)
            crops.append(crop)
        if crops:
            questions.append(Question(block.id, task, tuple(crops)))
    return tuple(questions)


def _cut(block: Block, rgb: Image, margin: float) -> Crop:
    height, width = rgb.shape[:2]
    box = BBox(block.bbox.x0 - margin, block.bbox.y0 - margin, block.bbox.x1 + margin, block.bbox.y1 + margin).clipped(width, height)
    x0, y0 = min(int(box.x0), width - 1), min(int(box.y0), height - 1)
    x1, y1 = max(x0 + 1, int(np.ceil(box.x1))), max(y0 + 1, int(np.ceil(box.y1)))
    pixels = _padded(rgb[y0:y1, x0:x1])
    media_type, data = _encoded(pixels)
    return Crop(block.id, BBox(x0, y0, x1, y1), pixels.shape[1], pixels.shape[0], media_type, data)


def _padded(pixels: Image) -> Image:
    """In the middle of white, where a side is too short to be looked at."""
    height, width = pixels.shape[:2]
    more_height = max(_SHORTEST_SIDE, -(-width // _LARGEST_ASPECT)) - height
    more_width = max(_SHORTEST_SIDE, -(-height // _LARGEST_ASPECT)) - width
    if max(more_height, more_width) <= 0:
        return pixels
    above, left = max(0, more_height) // 2, max(0, more_width) // 2
    below, right = max(0, more_height) - above, max(0, more_width) - left
    return np.asarray(cv2.copyMakeBorder(pixels, above, below, left, right, cv2.BORDER_CONSTANT, value=(255, 255, 255)), np.uint8)


def _encoded(pixels: Image) -> tuple[MediaType, bytes]:
    """A scan without colours is written as grey: the same pixels in a third of the bytes."""
    is_grey = bool((pixels[:, :, 0] == pixels[:, :, 1]).all() and (pixels[:, :, 1] == pixels[:, :, 2]).all())
    picture = np.ascontiguousarray(pixels[:, :, 0]) if is_grey else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    data = _encode(".png", picture, _PNG)
    return (MediaType.PNG, data) if len(data) <= _LARGEST_PNG else (MediaType.JPEG, _encode(".jpg", picture, _JPEG))


def _encode(suffix: str, picture: Image, parameters: Sequence[int]) -> bytes:
    done, data = cv2.imencode(suffix, picture, parameters)
    if not done:
        raise PageFailed("A region of the page could not be cut out.")
    return bytes(data)
