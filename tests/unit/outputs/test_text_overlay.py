"""From the upright picture to the page's own coordinates, checked by drawing there and looking at the page."""

from __future__ import annotations

import numpy as np
import pymupdf
import pytest

from ocr_service.domain.geometry import BBox, Point, Upright
from ocr_service.outputs.text_overlay import PageMapping

_BOX = BBox(120, 60, 200, 100)


@pytest.mark.parametrize("orientation", [0, 90, 180, 270])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(
    ("boxes", "unit"),
    [
        ({}, 1),
        ({"MediaBox": "[-50 100 250 500]"}, 1),
        ({"CropBox": "[30 70 230 360]"}, 1),
        ({"MediaBox": "[-50 100 250 500]", "CropBox": "[0 120 220 450]"}, 1),
        ({"CropBox": "[30 70 230 360]"}, 2),
        # A crop box that reaches out of the page counts as far as the page goes.
        ({"CropBox": "[-100 70 230 900]"}, 1),
    ],
)
def test_a_box_is_mapped_to_where_it_is_seen(boxes: dict[str, str], unit: int, rotation: int, orientation: int) -> None:
    document = pymupdf.open()
    xref = document.new_page(width=300, height=400).xref
    for key, value in {**boxes, "UserUnit": str(unit), "Rotate": str(rotation)}.items():
        document.xref_set_key(xref, key, value)
    document = pymupdf.open("pdf", document.tobytes())
    page = document[0]
    pixmap = page.get_pixmap()
    sides = (pixmap.height, pixmap.width) if orientation % 180 else (pixmap.width, pixmap.height)
    upright = Upright(*sides, orientation)

    mapping = PageMapping.of(page, upright)
    corners = [mapping(x, y) for x, y in ((_BOX.x0, _BOX.y0), (_BOX.x1, _BOX.y0), (_BOX.x1, _BOX.y1), (_BOX.x0, _BOX.y1))]
    drawn = " l ".join(f"{corner.x:.2f} {corner.y:.2f}" for corner in corners).replace(" l ", " m ", 1) + " l h f"
    contents = document.get_new_xref()
    document.update_object(contents, "<<>>")
    document.update_stream(contents, drawn.encode(), new=True)
    document.xref_set_key(page.xref, "Contents", f"{contents} 0 R")

    pixmap = document[0].get_pixmap(colorspace=pymupdf.csGRAY)
    ink = np.argwhere(np.frombuffer(pixmap.samples, dtype=np.uint8).reshape(pixmap.height, pixmap.width) < 128)
    seen_y, seen_x = ink.mean(axis=0) + 0.5
    expected = upright.to_displayed(Point(*_BOX.center))
    assert (seen_x, seen_y) == pytest.approx(expected, abs=1.5)
    assert len(ink) == pytest.approx(_BOX.area, rel=0.05)
