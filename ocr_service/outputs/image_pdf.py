"""A picture file as a PDF with a page a picture, so that text can be laid over it. PNG and JPEG data goes in as it is."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import pymupdf
from PIL import Image, ImageOps

from ocr_service.domain.documents import MediaType, PageAnalysis, SourceFile

_FORMATS = {MediaType.PNG: "PNG", MediaType.JPEG: "JPEG", MediaType.WEBP: "WEBP", MediaType.TIFF: "TIFF"}
_EXIF_ORIENTATION = 0x0112
# Modes that MuPDF shows as they are. Transparent pictures are laid on white, as they were for reading.
_PLAIN_MODES = {"1", "L", "RGB", "CMYK"}
_POINTS_PER_INCH = 72.0

Size = tuple[float, float]


def page_size(analysis: PageAnalysis) -> Size:
    """Width and height in points of the page as it is displayed."""
    upright = analysis.upright
    sides = (upright.height, upright.width) if upright.orientation % 180 == 90 else (upright.width, upright.height)
    return sides[0] / analysis.dpi * _POINTS_PER_INCH, sides[1] / analysis.dpi * _POINTS_PER_INCH


def pdf_of_pictures(source: SourceFile, sizes: Mapping[int, Size]) -> pymupdf.Document:
    """A PDF with the pictures that were read, on pages of these sizes by number; a picture that was not read has an empty page.

    Raises OSError, ValueError and what else Pillow and MuPDF raise on broken files.
    """
    document = pymupdf.open()
    with warnings.catch_warnings():
        # Pillow warns of odd metadata; the pixels decide.
        warnings.simplefilter("ignore")
        with Image.open(source.path, formats=[_FORMATS[source.media_type]]) as picture:
            for number in range(1, max(sizes, default=1) + 1):
                _add_page(document, source, picture, number, sizes.get(number))
    return document


def _add_page(document: pymupdf.Document, source: SourceFile, picture: Image.Image, number: int, size: Size | None) -> None:
    if size is None:
        document.new_page()
        return
    page = document.new_page(width=size[0], height=size[1])
    picture.seek(number - 1)
    page.insert_image(page.rect, stream=_picture_data(source, picture), keep_proportion=False)


def _picture_data(source: SourceFile, picture: Image.Image) -> bytes:
    """The file itself where a PDF can hold and show it, else its pixels without loss."""
    is_turned = picture.getexif().get(_EXIF_ORIENTATION, 1) not in {0, 1}
    is_plain = picture.mode in _PLAIN_MODES and not picture.has_transparency_data
    if source.media_type in {MediaType.PNG, MediaType.JPEG} and is_plain and not is_turned:
        return source.path.read_bytes()
    shown = ImageOps.exif_transpose(picture)
    if shown.has_transparency_data:
        rgba = shown.convert("RGBA")
        shown = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    if shown.mode not in {"1", "L", "RGB"}:
        shown = shown.convert("RGB")
    buffer = io.BytesIO()
    shown.save(buffer, "PNG")
    return buffer.getvalue()
