"""The type of a file from its first bytes. Names and declared types are never trusted."""

from __future__ import annotations

from ocr_service.domain.documents import MediaType

SNIFF_BYTES = 1024
"""How many of the first bytes decide. PDF readers accept the `%PDF-` mark anywhere in the first kilobyte."""


def media_type_of(head: bytes) -> MediaType | None:
    """`head`: the file's first SNIFF_BYTES bytes, or all of it. None: none of the types that are read."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return MediaType.WEBP
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return MediaType.TIFF
    if b"%PDF-" in head[:SNIFF_BYTES]:
        return MediaType.PDF
    return None
