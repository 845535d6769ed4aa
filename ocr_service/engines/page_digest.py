"""What a page looks like and says, as one number: pages with the same one are read alike. Runs in page workers, as all that opens files."""

from __future__ import annotations

import hashlib

import msgspec
import pymupdf

from ocr_service.domain.documents import PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from ocr_service.engines.source.page_errors import page_errors
from ocr_service.engines.source.source_file import SourcePage, open_source
from ocr_service.engines.text_layer.layer_text import LAYER_FLAGS, MAX_CHARS


def page_digest(source: SourceFile, page: int, options: PageOptions, config: EngineConfig, *salts: str) -> str:
    """Hexadecimal. Over the picture at the dpi that it is read at, the page's own text with its places, and all that is asked; the page's
    number, the file and its name do not count. Raises DocumentUnreadable, PageFailed and their children.
    """
    digest = hashlib.sha256()
    for part in (*salts, repr(options)):
        digest.update(f"{len(part)}:{part}".encode())
    with open_source(source, max_pages=config.max_pages, max_megapixels=config.max_page_megapixels) as opened:
        found = opened.page(page)
        dpi = found.size.resolution(options.dpi).dpi
        picture = found.render(dpi)
        looks = (picture.shape, dpi, found.size.width_pt, found.size.height_pt, found.is_picture, found.page.rotation, found.warnings)
        digest.update(repr(looks).encode())
        digest.update(picture.data)
        if not found.is_picture:
            digest.update(_own_text(found))
    return digest.hexdigest()


def _own_text(page: SourcePage) -> bytes:
    """All that the page's text layer is judged and read by: letters, fonts, places, and what was painted over what."""
    with page_errors(f"Page {page.size.number} of the PDF"):
        textpage = page.page.get_textpage(flags=LAYER_FLAGS)
        # More than a page can hold is not read as text, only as a picture.
        is_readable = len(textpage.extractText()) <= MAX_CHARS
        text = textpage.extractRAWDICT()["blocks"] if is_readable else None
        return msgspec.msgpack.encode((text, page.page.get_bboxlog()), enc_hook=_plain)


def _plain(value: object) -> object:
    if isinstance(value, (pymupdf.Rect, pymupdf.Point)):
        return tuple(value)
    raise TypeError(f"{type(value).__name__} in the text of a page")
