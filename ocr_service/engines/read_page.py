"""What either way of reading a page returns."""

from __future__ import annotations

from dataclasses import dataclass

from ocr_service.domain.blocks import Block
from ocr_service.domain.documents import Picture
from ocr_service.domain.geometry import Upright
from ocr_service.domain.vlm import Question


@dataclass(frozen=True, slots=True)
class ReadPage:
    """The blocks of a page, its cut-out pictures and what to ask the VLM, in the pixels of `upright`."""

    upright: Upright
    blocks: tuple[Block, ...]
    pictures: tuple[Picture, ...]
    questions: tuple[Question, ...]
