from __future__ import annotations

import numpy as np
import pytest

from ocr_service.engines.ocr.detection import DetectedLine, TextDetector
from ocr_service.engines.ocr.readers import WHEEL_MODELS
from ocr_service.engines.upright import put_upright
from tests.unit.engines.drawn import gray
from tests.unit.engines.pdf_pages import RUSSIAN, pdf_with


@pytest.fixture(scope="module")
def detector() -> TextDetector:
    return TextDetector(WHEEL_MODELS / "PP-OCRv6_det_small.onnx")


@pytest.fixture(scope="module")
def lines_on_paper() -> list[tuple[float, float, float, float]]:
    """Left, right, middle and height of each line, in pixels at 200 dpi."""
    words = pdf_with(RUSSIAN)[0].get_text("dict")["blocks"]
    boxes = [line["bbox"] for block in words for line in block["lines"]]
    return [(x0 * 200 / 72, x1 * 200 / 72, (y0 + y1) / 2 * 200 / 72, (y1 - y0) * 200 / 72) for x0, y0, x1, y1 in boxes]


def by_height(lines: list[DetectedLine]) -> list[DetectedLine]:
    return sorted(lines, key=lambda line: line.cy)


def test_every_line_of_a_page_is_found_where_it_stands(
    detector: TextDetector, lines_on_paper: list[tuple[float, float, float, float]]
) -> None:
    found = by_height(detector(gray(pdf_with(RUSSIAN)[0])))
    assert len(found) == len(lines_on_paper)
    for line, (left, right, middle, height) in zip(found, lines_on_paper, strict=True):
        assert line.cy == pytest.approx(middle, abs=0.25 * height)
        assert (line.cx - line.length / 2, line.cx + line.length / 2) == pytest.approx((left, right), abs=0.8 * height)
        assert 0.6 * height < line.height < 1.6 * height
        assert abs(line.tilt) < 1
        assert 0.5 <= line.score <= 1


def test_a_tilt_is_measured_clockwise(detector: TextDetector) -> None:
    crooked = put_upright(gray(pdf_with(RUSSIAN)[0]), 0, 2.0)
    tilts = [line.tilt for line in detector(crooked) if line.length > 800]
    assert tilts
    assert tilts == pytest.approx([2.0] * len(tilts), abs=0.7)


@pytest.mark.parametrize("size", [(5, 5), (16, 2000), (300, 200)])
def test_paper_without_text_has_no_lines(detector: TextDetector, size: tuple[int, int]) -> None:
    assert detector(np.full(size, 240, np.uint8)) == []


def test_a_missing_model_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    absent = tmp_path_factory.mktemp("models") / "det.onnx"
    with pytest.raises(FileNotFoundError, match=r"det\.onnx"):
        TextDetector(absent)
