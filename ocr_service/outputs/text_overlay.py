"""Invisible text over a page, without a touch to what is on it: one stream and one font are added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pymupdf

from ocr_service.domain.blocks import Block, ContentFormat, TextLine
from ocr_service.domain.documents import PageAnalysis
from ocr_service.domain.geometry import Point, Upright
from ocr_service.domain.text import printable
from ocr_service.outputs.glyphless_font import ADVANCE, DESCENT, encode

# /Rotate of a page → the unit square as it is shown, turned back.
_TURNED_BACK = {0: (1, 0, 0, 1, 0, 0), 90: (0, -1, 1, 0, 0, 1), 180: (-1, 0, 0, -1, 1, 1), 270: (0, 1, -1, 0, 1, 0)}


class _Word(NamedTuple):
    """A word with the space after it, and the share of its line where it begins and ends."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class PageMapping:
    """Upright page pixels → the coordinates of the page's content stream, through the page as a viewer shows it.

    From the boxes themselves: PyMuPDF's matrices forget the crop box or the user unit of a turned page. Sizes are compared and the dpi is
    not asked, for it is rounded.
    """

    upright: Upright
    to_content: pymupdf.Matrix

    @classmethod
    def of(cls, page: pymupdf.Page, upright: Upright) -> PageMapping:
        """For a page of a PDF as it is: turned by /Rotate, cut by its crop box."""
        box = _shown_box(page)
        is_sideways = upright.orientation % 180 == 90
        width, height = (upright.height, upright.width) if is_sideways else (upright.width, upright.height)
        to_unit_square = pymupdf.Matrix(1 / max(1, width), 0, 0, 1 / max(1, height), 0, 0)
        to_crop_box = pymupdf.Matrix(box.width, 0, 0, -box.height, box.x0, box.y1)
        return cls(upright, to_unit_square * pymupdf.Matrix(*_TURNED_BACK[page.rotation]) * to_crop_box)

    def __call__(self, x: float, y: float) -> pymupdf.Point:
        displayed = self.upright.to_displayed(Point(x, y))
        return pymupdf.Point(displayed.x, displayed.y) * self.to_content


def _shown_box(page: pymupdf.Page) -> pymupdf.Rect:
    """The part of the content's coordinates that is shown."""
    media, crop = page.mediabox, page.cropbox
    # PyMuPDF counts the crop box's y down from the top of the media box.
    return pymupdf.Rect(crop.x0, media.y1 - crop.y1, crop.x1, media.y1 - crop.y0) & media


def add_text(page: pymupdf.Page, analysis: PageAnalysis, font: int) -> None:
    """Lay the text of the analysis over the page."""
    commands = "\n".join(_text_commands(analysis, PageMapping.of(page, analysis.upright), f"OcrText{font}"))
    if not commands:
        return
    document = page.parent
    _add_resource(document, page.xref, font)
    # The page's own commands may leave the graphics state changed or unbalanced.
    page.wrap_contents()
    page = document[page.number]
    before = _add_stream(document, "q\n")
    after = _add_stream(document, f"\nQ\nq\nBT\n3 Tr\n{commands}\nET\nQ\n")
    contents = [before, *page.get_contents(), after]
    document.xref_set_key(page.xref, "Contents", f"[{' '.join(f'{xref} 0 R' for xref in contents)}]")


def _add_stream(document: pymupdf.Document, commands: str) -> int:
    xref = int(document.get_new_xref())
    document.update_object(xref, "<<>>")
    document.update_stream(xref, commands.encode("ascii"), new=True, compress=True)
    return xref


def _text_commands(analysis: PageAnalysis, mapping: PageMapping, font_name: str) -> Iterator[str]:
    for block in analysis.blocks:
        for line in _lines(block):
            yield from _line_commands(line, mapping, font_name)


def _lines(block: Block) -> Iterable[TextLine]:
    """The lines as read; of a block that a model read as a whole, its text stretched over its box."""
    if block.lines or block.format is not ContentFormat.TEXT:
        return block.lines
    return (TextLine(block.bbox, " ".join(block.content.split())),)


def _line_commands(line: TextLine, mapping: PageMapping, font_name: str) -> Iterator[str]:
    box = line.bbox
    baseline = box.y1 - DESCENT * box.height
    start, end, top, bottom = mapping(box.x0, baseline), mapping(box.x1, baseline), mapping(box.x0, box.y0), mapping(box.x0, box.y1)
    width, height = abs(end - start), abs(top - bottom)
    if width <= 0 or height <= 0:
        return
    right, up = (end - start) / width, (top - bottom) / height
    for word in _words(printable(line.text)):
        origin = start + right * (width * word.start)
        stretch = 100 * width * (word.end - word.start) / (len(word.text) * ADVANCE * height)
        yield (
            f"/{font_name} {height:.3f} Tf {stretch:.3f} Tz "
            f"{right.x:.5f} {right.y:.5f} {up.x:.5f} {up.y:.5f} {origin.x:.3f} {origin.y:.3f} Tm <{encode(word.text)}> Tj"
        )


def _words(text: str) -> Iterator[_Word]:
    """The words of a line, placed by the width that letters have on average in a proportional font."""
    words = text.split()
    widths = [sum(_width(character) for character in f"{word} ") for word in words]
    if not words:
        return
    widths[-1] -= _width(" ")
    total, begin = sum(widths), 0.0
    for index, (word, width) in enumerate(zip(words, widths, strict=True)):
        is_last = index == len(words) - 1
        yield _Word(word if is_last else f"{word} ", begin / total, (begin + width) / total)
        begin += width


def _width(character: str) -> float:
    """Rough advance in em."""
    if ord(character) >= 0x2E80:
        return 1.0
    if character in " .,:;!'|iIjlіїІ()[]-/\"":
        return 0.3
    if character in "mwMWшщжюыфмШЩЖЮЫФМ№@%—":
        return 0.8
    return 0.65 if character.isupper() else 0.53


def _add_resource(document: pymupdf.Document, page_xref: int, font: int) -> None:
    """Name the font in the page's resources, wherever they are: its own, shared with other pages, or inherited."""
    holder, path = _resources(document, page_xref)
    holder, path = _dictionary(document, holder, path, "Font")
    document.xref_set_key(holder, f"{path}OcrText{font}", f"{font} 0 R")


def _resources(document: pymupdf.Document, page_xref: int) -> tuple[int, str]:
    """The object that holds the page's resources, and the path to them in it ("" or "Resources/")."""
    node, seen = page_xref, {0}
    while node not in seen:
        seen.add(node)
        if document.xref_get_key(node, "Resources")[0] in {"xref", "dict"}:
            return _dictionary(document, node, "", "Resources")
        kind, parent = document.xref_get_key(node, "Parent")
        node = int(parent.split()[0]) if kind == "xref" else 0
    return page_xref, "Resources/"


def _dictionary(document: pymupdf.Document, holder: int, path: str, key: str) -> tuple[int, str]:
    """Where the dictionary under that key is: in an object of its own, or right here, where it is made if it is missing."""
    kind, value = document.xref_get_key(holder, f"{path}{key}")
    return (int(value.split()[0]), "") if kind == "xref" else (holder, f"{path}{key}/")
