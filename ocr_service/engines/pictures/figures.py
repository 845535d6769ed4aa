"""Figures, cut out of the upright page as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2

from ocr_service.domain.blocks import Block, LayoutLabel
from ocr_service.domain.documents import MediaType, Picture
from ocr_service.domain.errors import PageFailed
from ocr_service.engines.page.page_size import Image

# Blocks whose content is a picture.
CUT_OUT = {LayoutLabel.IMAGE, LayoutLabel.CHART, LayoutLabel.SEAL}


def needs_picture(blocks: Sequence[Block]) -> bool:
    return any(block.label in CUT_OUT for block in blocks)


def cut_pictures(blocks: Sequence[Block], page: int, rgb: Image) -> tuple[tuple[Block, ...], tuple[Picture, ...]]:
    """The blocks with their picture's name as content, and the pictures as PNG. `rgb`: the upright page."""
    named: list[Block] = []
    pictures: list[Picture] = []
    for block in blocks:
        if block.label not in CUT_OUT:
            named.append(block)
            continue
        name = f"p{page:04d}-{block.id}.png"
        pictures.append(Picture(name, MediaType.PNG, _png(block, rgb)))
        named.append(replace(block, content=name))
    return tuple(named), tuple(pictures)


def _png(block: Block, rgb: Image) -> bytes:
    x0, y0, x1, y1 = (round(value) for value in block.bbox)
    patch = rgb[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    done, data = cv2.imencode(".png", cv2.cvtColor(patch, cv2.COLOR_RGB2BGR))
    if not done:
        raise PageFailed("A picture on the page could not be cut out.")
    return bytes(data)
