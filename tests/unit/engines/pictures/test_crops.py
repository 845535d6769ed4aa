"""What the VLM is shown: the page's own pixels, with two margins."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_service.domain.blocks import Block, LayoutLabel, Source
from ocr_service.domain.documents import MediaType, PageOptions, VlmPolicy
from ocr_service.domain.geometry import BBox
from ocr_service.domain.vlm import Crop, VlmTask
from ocr_service.engines.pictures.crops import asks, cut_questions

DPI = 200
ALL = PageOptions(dpi=DPI, vlm_policy=VlmPolicy.ALL)


def coloured(height: int = 400, width: int = 600) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=-1).astype(np.uint8)


def grainy(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def block(box: BBox, label: LayoutLabel = LayoutLabel.TEXT, name: str = "b01") -> Block:
    return Block(name, label, box, 0, "Текст", Source.OCR, confidence=0.7)


def decoded(crop: Crop) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(crop.data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def same_place(crop: Crop, page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = (int(value) for value in crop.bbox)
    return page[y0:y1, x0:x1]


@pytest.mark.parametrize("page", [coloured(), np.repeat(coloured()[:, :, :1], 3, axis=2)], ids=["colour", "grey"])
def test_a_crop_is_the_pages_own_pixels(page: NDArray[np.uint8]) -> None:
    (question,) = cut_questions([block(BBox(100.3, 120.7, 300.2, 180.9))], page, DPI, ALL)
    for crop in question.crops:
        assert crop.media_type is MediaType.PNG
        assert (decoded(crop) == same_place(crop, page)).all()
        assert (crop.width, crop.height) == (crop.bbox.width, crop.bbox.height)


def test_the_second_look_shows_more_around_the_block_and_neither_leaves_the_page() -> None:
    (question,) = cut_questions([block(BBox(1, 120, 599, 180))], coloured(), DPI, ALL)
    first, second = question.crops
    assert first.bbox.y0 < 120
    assert first.bbox.y1 > 180
    assert second.bbox.y0 < first.bbox.y0 < first.bbox.y1 < second.bbox.y1
    assert (first.bbox.x0, second.bbox.x1) == (0, 600)


@pytest.mark.parametrize("box", [BBox(100, 100, 102, 101), BBox(50, 200, 5950, 203), BBox(300, 20, 303, 5980)], ids=["dot", "wide", "high"])
def test_a_crop_that_models_refuse_lies_in_the_middle_of_white(box: BBox) -> None:
    page = coloured(6000, 6000)
    (question,) = cut_questions([block(box)], page, 100, ALL)
    crop = question.crops[0]
    shown, own = decoded(crop), same_place(crop, page)
    assert (crop.height, crop.width) == shown.shape[:2]
    assert min(shown.shape[:2]) >= 28
    assert max(shown.shape[:2]) <= 100 * min(shown.shape[:2])
    top, left = ((whole - part) // 2 for whole, part in zip(shown.shape[:2], own.shape[:2], strict=True))
    inside = np.zeros(shown.shape[:2], bool)
    inside[top : top + own.shape[0], left : left + own.shape[1]] = True
    assert (shown[inside] == own.reshape(-1, 3)).all()
    assert (shown[~inside] == 255).all()


def test_grey_pages_take_less_than_half_the_bytes_of_coloured_ones() -> None:
    grey = np.repeat(grainy(300, 300)[:, :, :1], 3, axis=2)
    sizes = [len(cut_questions([block(BBox(0, 0, 300, 300))], page, DPI, ALL)[0].crops[0].data) for page in (grey, grainy(300, 300))]
    assert sizes[0] < sizes[1] / 2


def test_grain_that_does_not_compress_goes_as_fine_jpeg_with_all_its_colours() -> None:
    page = cv2.GaussianBlur(grainy(1200, 1200), (0, 0), 2)
    page = np.asarray(cv2.normalize(page, None, 0, 255, cv2.NORM_MINMAX), np.uint8)
    page = np.asarray(np.clip(page.astype(int) + grainy(1200, 1200) // 32, 0, 255), np.uint8)
    (question,) = cut_questions([block(BBox(0, 0, 1200, 1200))], page, DPI, ALL)
    crop = question.crops[0]
    assert crop.media_type is MediaType.JPEG
    # The first byte of each component in the frame header: all three sampled 1 × 1, no colour is shared by neighbours.
    frame = crop.data.index(b"\xff\xc0")
    assert [crop.data[frame + 11 + 3 * component] for component in range(3)] == [0x11] * 3
    assert np.abs(decoded(crop).astype(int) - same_place(crop, page)).mean() < 4


def test_only_what_the_policy_asks_about_is_cut() -> None:
    blocks = [
        block(BBox(10, 10, 50, 30), LayoutLabel.IMAGE, "b01"),
        block(BBox(10, 40, 50, 60), LayoutLabel.TABLE, "b02"),
        block(BBox(10, 70, 50, 90), name="b03"),
    ]
    questions = cut_questions(blocks, coloured(), DPI, ALL)
    assert [(question.block_id, question.task) for question in questions] == [("b02", VlmTask.TABLE), ("b03", VlmTask.OCR)]
    none = PageOptions(dpi=DPI, vlm_policy=VlmPolicy.NONE)
    assert cut_questions(blocks, coloured(), DPI, none) == ()
    assert (asks(blocks, ALL), asks(blocks, none)) == (True, False)


def test_a_block_without_width_still_has_a_picture() -> None:
    (question,) = cut_questions([block(BBox(600, 400, 600, 400))], coloured(), 10, ALL)
    assert all(crop.width >= 1 and crop.height >= 1 for crop in question.crops)


def test_crops_that_would_not_fit_are_left_out_instead_of_losing_the_page() -> None:
    page = grainy(2000, 2000)
    blocks = [block(BBox(0, 0, 2000, 2000), name=f"b{number:02d}") for number in range(12)]
    questions = cut_questions(blocks, page, DPI, ALL)
    assert 1 <= len(questions) < 12
    assert sum(len(crop.data) for question in questions for crop in question.crops) <= 32 * 1024 * 1024
