from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_service.domain.blocks import Block, LayoutLabel, Source
from ocr_service.domain.documents import MediaType
from ocr_service.domain.geometry import BBox
from ocr_service.engines.pictures.figures import cut_pictures, needs_picture


def decoded(data: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def block(label: LayoutLabel, bbox: BBox, name: str = "b02") -> Block:
    return Block(name, label, bbox, 0, "", Source.OCR)


def test_a_figure_is_cut_out_in_its_own_colours_and_named_by_page_and_block() -> None:
    page = np.full((200, 300, 3), 255, np.uint8)
    page[50:100, 60:160] = (200, 30, 10)
    [figure], [picture] = cut_pictures([block(LayoutLabel.IMAGE, BBox(60, 50, 160, 100))], 3, page)
    assert figure.content == picture.name == "p0003-b02.png"
    assert picture.media_type is MediaType.PNG
    cut = decoded(picture.data)
    assert cut.shape == (50, 100, 3)
    assert bool(np.all(cut == (10, 30, 200)))


@pytest.mark.parametrize("label", [LayoutLabel.IMAGE, LayoutLabel.CHART, LayoutLabel.SEAL])
def test_figures_charts_and_seals_need_the_page_and_text_does_not(label: LayoutLabel) -> None:
    box = BBox(0, 0, 10, 10)
    assert needs_picture([block(LayoutLabel.TEXT, box), block(label, box)])
    assert not needs_picture([block(LayoutLabel.TEXT, box), block(LayoutLabel.TABLE, box)])


def test_text_is_left_as_it_is() -> None:
    text = block(LayoutLabel.TEXT, BBox(0, 0, 10, 10))
    assert cut_pictures([text], 1, np.zeros((20, 20, 3), np.uint8)) == ((text,), ())


def test_a_figure_without_extent_is_still_a_picture() -> None:
    _, [picture] = cut_pictures([block(LayoutLabel.IMAGE, BBox(10.2, 10.2, 10.3, 10.3))], 1, np.zeros((20, 20, 3), np.uint8))
    assert decoded(picture.data).shape == (1, 1, 3)
