"""`searchable.pdf`: the original with the recognised text laid invisibly over it. Runs inside a page worker.

The original's objects are written as they were; pages whose own text was used, and pages that were not read, stay untouched.
An encrypted file stays encrypted, with the same passwords. A digital signature does not survive: the file is not the signed one any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pymupdf

from ocr_service.domain.documents import MediaType, PageAnalysis, SourceFile
from ocr_service.domain.errors import DocumentUnreadable, ServiceError, StorageFailed
from ocr_service.outputs.atomic import whole_file
from ocr_service.outputs.glyphless_font import add_glyphless_font
from ocr_service.outputs.image_pdf import page_size, pdf_of_pictures
from ocr_service.outputs.page_json import read_page
from ocr_service.outputs.text_overlay import add_text

_UNREADABLE = "The searchable PDF could not be made: the file is damaged."


def write(source: SourceFile, pages: Sequence[Path], target: Path) -> None:
    """Write the searchable PDF of a document from its page files. Raises DocumentUnreadable, StorageFailed."""
    with whole_file(target) as temporary:
        try:
            _write(source, pages, temporary)
        except (ServiceError, OSError, MemoryError):
            raise
        except Exception as error:
            # MuPDF's and Pillow's errors have no common base below Exception.
            raise DocumentUnreadable(_UNREADABLE) from error


def _write(source: SourceFile, pages: Sequence[Path], temporary: Path) -> None:
    if source.media_type is MediaType.PDF:
        document = _open_pdf(source)
    else:
        read = (read_page(path).analysis for path in pages)
        document = pdf_of_pictures(source, {analysis.page: page_size(analysis) for analysis in read if analysis})
    with document:
        font = 0
        for path in pages:
            analysis = read_page(path).analysis
            if analysis is None or analysis.text_layer.used or not _has_text(analysis):
                continue
            font = font or add_glyphless_font(document)
            add_text(document[analysis.page - 1], analysis, font)
        _save(document, temporary)


def _save(document: pymupdf.Document, path: Path) -> None:
    try:
        document.save(path, garbage=0, encryption=pymupdf.PDF_ENCRYPT_KEEP)
    except pymupdf.mupdf.FzErrorSystem as error:
        # The system said no to a file; MuPDF does not pass on why.
        raise StorageFailed(
            "The searchable PDF could not be written: free space on the service's disk, and check that OUTPUT_DIR is writable."
        ) from error


def _open_pdf(source: SourceFile) -> pymupdf.Document:
    document = pymupdf.open(source.path, filetype="pdf")
    if document.needs_pass and not document.authenticate(source.password or ""):
        document.close()
        raise DocumentUnreadable("The searchable PDF could not be made: the password does not open the file.")
    return document


def _has_text(analysis: PageAnalysis) -> bool:
    return any(block.lines or block.content for block in analysis.blocks)
