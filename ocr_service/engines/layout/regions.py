"""What the regions of a page are: PyMuPDF's layout model (AGPL, in its wheel), in two sizes.

For a born-digital page the small model, which looks at the file's own text and drawings; for a scan the larger one, which also looks
at the picture, on a page made for it: the upright picture with the OCR's lines laid invisibly over it. docs/performance.md has
what each costs and gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pymupdf
from numpy.typing import NDArray
from pymupdf.layout import DocumentLayoutAnalyzer

from ocr_service.domain.geometry import BBox
from ocr_service.engines.openvino_model import ExactSession
from ocr_service.engines.page.page_lines import PageLine

_PICTURE_DPI = 72
_EMPTY_LINE_PT = 0.5


@dataclass(frozen=True, slots=True)
class Region:
    """One region: `kind` is the model's word (text, title, section-header, list-item, caption, table, picture, formula, page-header,
    page-footer, footnote); `bbox` in upright page pixels."""

    kind: str
    bbox: BBox


class LayoutModel:
    """Both sizes of the model, each on one thread. Not thread-safe."""

    def __init__(self) -> None:
        self._by_drawing = _single_threaded("rf")
        self._by_picture = _single_threaded("imf+rf")
        # Knows every letter that OCR can return, and is made once: it is 20 MB.
        self._font = pymupdf.Font("cjk")
        self._advances: dict[str, float] = {}

    def of_digital(self, page: pymupdf.Page, dpi: int) -> list[Region]:
        """Regions of a page that is displayed as it is stored (no /Rotate, upright text)."""
        return _regions(self._by_drawing.predict(page), dpi)

    def of_picture(self, gray: NDArray[np.uint8], lines: Sequence[PageLine], dpi: int) -> list[Region]:
        """Regions of an upright page picture (at `dpi`) with these lines on it."""
        height, width = gray.shape
        with pymupdf.open() as document:
            page = document.new_page(width=width * 72 / dpi, height=height * 72 / dpi)
            scale = _PICTURE_DPI / dpi
            small = cv2.resize(gray, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
            pixmap = pymupdf.Pixmap(pymupdf.csGRAY, small.shape[1], small.shape[0], small.tobytes(), 0)
            page.insert_image(page.rect, pixmap=pixmap)
            for line in lines:
                self._write(page, line, dpi)
            return _regions(self._by_picture.predict(document.reload_page(page)), dpi)

    def _write(self, page: pymupdf.Page, line: PageLine, dpi: int) -> None:
        x0, y0, x1, y1 = (value * 72 / dpi for value in line.bbox)
        size = (y1 - y0) * 0.8
        length = size * sum(map(self._advance, line.text))
        if length <= _EMPTY_LINE_PT or size <= _EMPTY_LINE_PT or x1 - x0 <= _EMPTY_LINE_PT:
            return
        origin = pymupdf.Point(x0, y1 - 0.2 * (y1 - y0))
        writer = pymupdf.TextWriter(page.rect)
        writer.append(origin, line.text, font=self._font, fontsize=size)
        writer.write_text(page, render_mode=3, morph=(origin, pymupdf.Matrix((x1 - x0) / length, 1)))

    def _advance(self, char: str) -> float:
        """Its width at a size of one. The library's own `text_length` looks every character up again: a third of writing a page."""
        if char not in self._advances:
            self._advances[char] = self._font.glyph_advance(ord(char))
        return self._advances[char]


def _single_threaded(features: str) -> Any:  # noqa: ANN401  the library has no types
    """The library starts a thread a core, which costs more than it gives when each core has a worker of its own. OpenVINO looks at the
    picture in half of ONNX Runtime's time; the network of boxes, whose size changes with every page, gains nothing."""
    model = DocumentLayoutAnalyzer.get_model(feature_set_name=features)._model  # noqa: SLF001  no public way to its sessions
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    model.session = onnxruntime.InferenceSession(model.model_path, options, providers=["CPUExecutionProvider"])
    if "imf" in features:
        extractor = model.feature_extractor
        model.feature_extractor = type(extractor)(ExactSession(Path(model.imf_model_path)))
    # Tables' cells are found by engines/tables.
    model.table_grid_extractor = None
    return model


def _regions(found: Sequence[Sequence[Any]], dpi: int) -> list[Region]:
    scale = dpi / 72
    return [Region(str(kind), BBox(x0 * scale, y0 * scale, x1 * scale, y1 * scale)) for x0, y0, x1, y1, kind in found]
