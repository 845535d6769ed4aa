"""Whether a page is read from its own text or from its picture: one decision for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ocr_service.domain.documents import TextLayerMode, TextLayerVerdict
from ocr_service.engines.text_layer.layer_text import LayerLine
from ocr_service.engines.text_layer.trust import LayerReport


@dataclass(frozen=True, slots=True)
class LayerChoice:
    """The decision as it is recorded, and the lines of the page's own text; None where the page has to be OCRed."""

    verdict: TextLayerVerdict
    lines: Sequence[LayerLine] | None


def choose(report: LayerReport, mode: TextLayerMode) -> LayerChoice:
    """What the request asks for, and where it leaves the choice, what the text layer deserves."""
    if mode is TextLayerMode.ONLY and not report.verdict.used:
        return LayerChoice(TextLayerVerdict(used=True, reason=f"asked for, though {report.verdict.reason}"), report.lines_without_ocr)
    if mode is TextLayerMode.IGNORE:
        return LayerChoice(TextLayerVerdict(used=False, reason="ignored as asked"), None)
    return LayerChoice(report.verdict, report.text.lines if report.verdict.used else None)
