"""Whether a page's own text can be trusted. Its characters are exact and cost nothing, or they are worse than none.

A layer is believed unless something speaks against it: it is empty, nobody sees it, its letters stand for nothing or make no words,
it covers only a part of what is written on the page, or it lies under a picture of the page, which makes it somebody's OCR.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pymupdf

from ocr_service.domain.documents import TextLayerVerdict
from ocr_service.domain.errors import PageFailed
from ocr_service.engines.page import ink
from ocr_service.engines.page.page_size import Image
from ocr_service.engines.source.source_file import SourcePage
from ocr_service.engines.text_layer.layer_text import LayerLine, LayerText, read_layer, scaled
from ocr_service.engines.text_layer.mojibake import Letters, look_at

# A scan fills its page, but for a margin.
_SCAN_SHARE = 0.7
# More than half of what is written is not in the layer: a stamp on a scan, a page of outlines with a live header.
_UNCOVERED_SHARE = 0.5
# About two short words at 100 dpi: less is a logo.
_UNCOVERED_PIXELS = 400


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the verdict rests on. Shares are 0–1 of the page or of the writing on it (which is not looked at where there is no layer)."""

    words: int
    hidden_words: int
    outside_words: int
    picture_share: float
    uncovered_share: float
    under_picture: bool
    letters: Letters


@dataclass(frozen=True, slots=True)
class LayerReport:
    """The text layer of a page and what is thought of it. Boxes are pixels of the page as displayed, not turned nor deskewed."""

    text: LayerText
    verdict: TextLayerVerdict
    evidence: Evidence | None

    @property
    def lines_without_ocr(self) -> tuple[LayerLine, ...]:
        """For `text_layer=only`: what is seen; where nothing is and a picture fills the page, the hidden text, most likely OCR."""
        if not self.text.lines and self.evidence is not None and self.evidence.picture_share >= _SCAN_SHARE:
            return self.text.hidden
        return self.text.lines


def examine(page: SourcePage, dpi: int) -> LayerReport:
    """Read and judge the text layer; boxes are pixels at `dpi`. Raises PageFailed and its children."""
    nothing = LayerText((), (), 0, 0)
    if page.is_picture:
        return LayerReport(nothing, TextLayerVerdict(used=False, reason="no text"), None)

    # A scan without a layer needs none.
    @cache
    def gray() -> Image:
        return page.render_gray(page.size.resolution(ink.INK_DPI).dpi)

    text = read_layer(page.page, page.size.number, ink.INK_DPI, gray)
    if text.too_much:
        return LayerReport(nothing, TextLayerVerdict(used=False, reason="more text than a page can hold"), None)
    letters = look_at([word.text for word in text.words], text.unmapped)
    share, under = _picture(page.page, page.size.number)
    uncovered_share, uncovered_pixels = 0.0, 0
    # On too large a page the writing is too small to be seen at this size.
    if text.words and gray().shape[1] >= page.size.width_pt * ink.INK_DPI / 72 - 2:
        uncovered_share, uncovered_pixels = ink.uncovered(gray(), (word.bbox for word in text.words))
    evidence = Evidence(
        words=len(text.words),
        hidden_words=sum(len(line.words) for line in text.hidden),
        outside_words=text.outside,
        picture_share=share,
        uncovered_share=uncovered_share,
        under_picture=under,
        letters=letters,
    )
    fault = _fault(evidence, text, uncovered_pixels)
    return LayerReport(scaled(text, dpi / ink.INK_DPI), TextLayerVerdict(fault is None, fault or "trusted"), evidence)


def _fault(evidence: Evidence, text: LayerText, uncovered_pixels: int) -> str | None:
    if evidence.words == 0:
        if text.unmapped:
            return "letters unmapped"
        return "only invisible text" if evidence.hidden_words else "no text"
    if evidence.letters.damage is not None:
        return evidence.letters.damage
    if evidence.under_picture:
        return "text under a picture of the page"
    if evidence.uncovered_share > _UNCOVERED_SHARE and uncovered_pixels > _UNCOVERED_PIXELS:
        return "text covers only a part of the writing"
    return None


def _picture(page: pymupdf.Page, number: int) -> tuple[float, bool]:
    """Share of the page under its largest picture, and whether most text was painted before that picture and lies under it."""
    try:
        log = page.get_bboxlog()
    except MemoryError:
        raise
    except Exception as error:
        raise PageFailed(f"Page {number} of the PDF is damaged and could not be read.") from error
    whole = page.rect * page.derotation_matrix
    largest, position, box = 0.0, -1, pymupdf.Rect()
    for index, (kind, bounds) in enumerate(log):
        if kind == "fill-image" and (area := abs(pymupdf.Rect(bounds) & whole)) > largest:
            largest, position, box = area, index, pymupdf.Rect(bounds)
    share = min(1.0, largest / abs(whole))
    texts = [index for index, (kind, bounds) in enumerate(log) if kind in {"fill-text", "stroke-text"} and box.intersects(bounds)]
    under = share >= _SCAN_SHARE and 2 * sum(index < position for index in texts) > len(texts)
    return share, under


def agrees(layer_words: Iterable[str], ocr_words: Iterable[str]) -> float:
    """How well two readings of the same region match, 0–1, whatever their order: pairs of neighbouring letters and digits in common.

    Above 0.7 they say the same, below 0.4 one of them is wrong. 1 if neither says anything.
    """
    left, right = letter_pairs(layer_words), letter_pairs(ocr_words)
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 1.0


def letter_pairs(words: Iterable[str]) -> Counter[str]:
    """How often each pair of neighbouring letters or digits occurs, words' beginnings and ends included; case does not matter."""
    pairs: Counter[str] = Counter()
    for word in words:
        plain = "".join(char for char in word.casefold() if char.isalnum())
        padded = f" {plain} " if plain else ""
        pairs.update(padded[index : index + 2] for index in range(len(padded) - 1))
    return pairs
