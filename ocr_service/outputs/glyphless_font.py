"""The font of invisible text: every character of Unicode's basic plane, each half as wide as high, none with ink.

A font with shapes would have to be chosen by script and cut down to the letters in use, which rewrites the fonts of the original as well.
This one takes about a kilobyte in any document. Its codes are UTF-16 code units (as in Tesseract's PDFs).
"""

from __future__ import annotations

import struct

import pymupdf

# Advance of every character in em.
ADVANCE = 0.5
# Share of the height that is below the baseline.
DESCENT = 0.2
_UNITS_PER_EM = 1000
_WIDTH, _BOTTOM = int(ADVANCE * _UNITS_PER_EM), -int(DESCENT * _UNITS_PER_EM)
_TOP = _UNITS_PER_EM + _BOTTOM
_NAME = "Glyphless"
# One glyph for all; glyph 0 is the "missing" one, which some viewers treat in their own way.
_GLYPH = 1
_SIZE_OF_MAP = 0x10000


def encode(text: str) -> str:
    """The text as a PDF hexadecimal string; what is beyond the basic plane becomes U+FFFD."""
    return "".join(f"{ord(character) if ord(character) < 0x10000 else 0xFFFD:04X}" for character in text)


def add_glyphless_font(document: pymupdf.Document) -> int:
    """Add the font to the document; the number of its object."""
    file = _add_stream(document, _true_type(), f"<</Length1 {len(_true_type())}>>")
    glyphs = _add_stream(document, struct.pack(">H", _GLYPH) * _SIZE_OF_MAP)
    to_unicode = _add_stream(document, _to_unicode())
    descriptor = _add_object(
        document,
        f"<</Type/FontDescriptor/FontName/{_NAME}/Flags 5/FontBBox[0 {_BOTTOM} {_WIDTH} {_TOP}]/ItalicAngle 0"
        f"/Ascent {_TOP}/Descent {_BOTTOM}/CapHeight {_TOP}/StemV 80/FontFile2 {file} 0 R>>",
    )
    descendant = _add_object(
        document,
        f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{_NAME}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/FontDescriptor {descriptor} 0 R/DW {_WIDTH}/CIDToGIDMap {glyphs} 0 R>>",
    )
    return _add_object(
        document,
        f"<</Type/Font/Subtype/Type0/BaseFont/{_NAME}/Encoding/Identity-H/DescendantFonts[{descendant} 0 R]/ToUnicode {to_unicode} 0 R>>",
    )


def _add_object(document: pymupdf.Document, source: str) -> int:
    xref = int(document.get_new_xref())
    document.update_object(xref, source)
    return xref


def _add_stream(document: pymupdf.Document, data: bytes, dictionary: str = "<<>>") -> int:
    xref = _add_object(document, dictionary)
    document.update_stream(xref, data, new=True, compress=True)
    return xref


def _to_unicode() -> bytes:
    """Every code is its own character. A range may vary in its last byte only, and a section may hold a hundred ranges."""
    rows = [f"<{high:02X}00> <{high:02X}FF> <{high:02X}00>" for high in range(0x100)]
    sections = (rows[start : start + 100] for start in range(0, len(rows), 100))
    ranges = "\n".join(f"{len(section)} beginbfrange\n" + "\n".join(section) + "\nendbfrange" for section in sections)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <FFFF> endcodespacerange\n{ranges}\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end\n"
    ).encode("ascii")


def _true_type() -> bytes:
    """A TrueType file of two glyphs, with the tables that PDF asks for in an embedded font.

    The glyph is a line from one corner of its box to the other and back: it has no area, so nothing is drawn in any mode, but it has
    a size, without which PDFium (Chrome, Edge) leaves out single letters and all text that runs up or down the page.
    """
    box = struct.pack(">hhhh", 0, _BOTTOM, _WIDTH, _TOP)
    # One contour that ends with point 1, no instructions, two points on the curve, their x and y as differences.
    glyph = struct.pack(">h", 1) + box + struct.pack(">HHBBhhhh", 1, 0, 1, 1, 0, _WIDTH, _BOTTOM, _UNITS_PER_EM)
    head = struct.pack(">IIIIHHqq", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, _UNITS_PER_EM, 0, 0)
    tables = {
        b"glyf": glyph,
        b"head": head + box + struct.pack(">HHhhh", 0, 8, 2, 0, 0),
        b"hhea": struct.pack(">IhhhH11hH", 0x10000, _TOP, _BOTTOM, 0, _WIDTH, 0, 0, _WIDTH, 1, *[0] * 7, 2),
        b"hmtx": struct.pack(">HhHh", _WIDTH, 0, _WIDTH, 0),
        b"loca": struct.pack(">HHH", 0, 0, len(glyph) // 2),
        b"maxp": struct.pack(">I14H", 0x10000, 2, 2, 1, 0, 0, 2, *[0] * 8),
    }
    header = struct.pack(">IHHHH", 0x10000, len(tables), 64, 2, len(tables) * 16 - 64)
    directory, body = b"", b""
    offset = len(header) + 16 * len(tables)
    for tag, data in tables.items():
        padded = data + b"\0" * (-len(data) % 4)
        directory += tag + struct.pack(">III", _checksum(padded), offset + len(body), len(data))
        body += padded
    return header + directory + body


def _checksum(data: bytes) -> int:
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    return sum(words) & 0xFFFFFFFF
