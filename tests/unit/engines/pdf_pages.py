"""PDF pages made for the tests of the text layer: sound ones, and those that are broken as real files are."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf
from PIL import Image as Pil

from ocr_service.domain.documents import MediaType, SourceFile
from ocr_service.engines.source.source_file import OpenSource, open_source

RUSSIAN = """Заказчик обязуется принять и оплатить выполненные работы в сроки, указанные в настоящем договоре. Подрядчик несёт
ответственность за качество материалов и оборудования, а также за соблюдение требований пожарной безопасности на объекте. Приёмка
работ оформляется актом, который подписывают обе стороны. При обнаружении недостатков составляется перечень замечаний с указанием
срока их устранения. Гарантийный срок составляет двадцать четыре месяца со дня подписания акта."""

ENGLISH = """The contractor shall deliver the equipment within thirty days after the advance payment has been received. Every delivery
is accompanied by a certificate of quality and by the technical description of the product. The customer inspects the goods at the place
of delivery and signs the record of acceptance, unless visible damage has been found. Any dispute between the parties is settled by
negotiation; otherwise the court at the place of the defendant decides."""


def write(page: pymupdf.Page, text: str, top: float = 72, size: float = 11, *, font: str = "tiro", mode: int = 0) -> None:
    """The text, wrapped, from `top` points downwards; `mode` 3 is invisible."""
    writer = pymupdf.TextWriter(page.rect)
    shape = pymupdf.Font(font)
    y = top
    line = ""
    for word in text.split():
        if shape.text_length(f"{line} {word}", size) > page.rect.width - 144:
            writer.append((72, y), line, font=shape, fontsize=size)
            y += 1.4 * size
            line = word
        else:
            line = f"{line} {word}".strip()
    if line:
        writer.append((72, y), line, font=shape, fontsize=size)
    writer.write_text(page, render_mode=mode)


def picture_of(page: pymupdf.Page, dpi: int = 150) -> bytes:
    """The page as a PNG, as a scanner would see it."""
    pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    buffer = io.BytesIO()
    Pil.fromarray(np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)).save(buffer, "PNG")
    return buffer.getvalue()


def pdf_with(text: str, *, rotation: int = 0, font: str = "tiro") -> pymupdf.Document:
    document = pymupdf.open()
    page = document.new_page(width=595, height=842)
    write(page, text, font=font)
    page.set_rotation(rotation)
    return document


def remap(document: pymupdf.Document, change: Callable[[str], str | None]) -> pymupdf.Document:
    """Break the fonts: every letter of their ToUnicode becomes what `change` makes of it; None leaves the letter out."""
    document = pymupdf.open("pdf", document.tobytes())
    for xref in range(1, document.xref_length()):
        kind, value = document.xref_get_key(xref, "ToUnicode")
        if kind == "xref":
            stream = int(value.split()[0])
            document.update_stream(stream, _cmap(_entries(document.xref_stream(stream).decode("latin-1")), change))
    return pymupdf.open("pdf", document.tobytes())


def _entries(cmap: str) -> dict[int, int]:
    entries: dict[int, int] = {}
    for line in cmap[cmap.index("endcodespacerange") :].splitlines():
        codes = [int(code, 16) for code in re.findall(r"<([0-9a-fA-F]{4})>", line)]
        if len(codes) == 2:
            entries[codes[0]] = codes[1]
        if len(codes) == 3:
            entries.update((code, codes[2] + code - codes[0]) for code in range(codes[0], codes[1] + 1))
    return entries


def _cmap(entries: dict[int, int], change: Callable[[str], str | None]) -> bytes:
    changed = {code: change(chr(letter)) for code, letter in entries.items()}
    lines = [f"<{code:04x}> <{text.encode('utf-16-be').hex()}>" for code, text in changed.items() if text is not None]
    blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /Test def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{body}\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    ).encode()


def without_unicode(document: pymupdf.Document) -> pymupdf.Document:
    """The fonts lose their ToUnicode."""
    document = pymupdf.open("pdf", document.tobytes())
    for xref in range(1, document.xref_length()):
        if document.xref_get_key(xref, "ToUnicode")[0] == "xref":
            document.xref_set_key(xref, "ToUnicode", "null")
    return pymupdf.open("pdf", document.tobytes())


def saved(document: pymupdf.Document, folder: Path) -> OpenSource:
    path = folder / "made.pdf"
    document.save(path)
    source = SourceFile(path, MediaType.PDF, "made.pdf", "0" * 64, path.stat().st_size)
    return open_source(source, max_pages=100, max_megapixels=40.0)
