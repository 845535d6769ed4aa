"""PaddleOCR-VL's own words for each task. They end with a colon, without a space or a line end: it was trained on exactly these."""

from __future__ import annotations

import re

from ocr_service.domain.vlm import VlmTask

_PROMPTS = {
    VlmTask.OCR: "OCR:",
    VlmTask.TABLE: "Table Recognition:",
    VlmTask.FORMULA: "Formula Recognition:",
    VlmTask.CHART: "Chart Recognition:",
    VlmTask.SEAL: "Seal Recognition:",
}
# PaddleOCR-VL, PaddleOCR-VL-0.9B: the first version, whose size stands where later ones have their number (PaddleOCR-VL-1.5-0.9B).
_FIRST_VERSION = re.compile(r"PaddleOCR-VL(?:-0\.9B)?", re.IGNORECASE)


def prompt_for(task: VlmTask, model: str) -> str:
    """The prompt for a model by its served name or path; a name that says nothing is taken for version 1.5 or later.

    The first version was not taught to read seals as such; it reads them as text.
    """
    is_first = _FIRST_VERSION.fullmatch(model.rstrip("/").rpartition("/")[2]) is not None
    return _PROMPTS[VlmTask.OCR if is_first and task is VlmTask.SEAL else task]
