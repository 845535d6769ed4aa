"""The file types that are known."""

from __future__ import annotations

from enum import StrEnum


class MediaType(StrEnum):
    """The file types that are read, known by their first bytes and never by their name."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    TIFF = "image/tiff"

    @property
    def suffix(self) -> str:
        """File name ending, with its dot."""
        return {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}.get(self.value, ".tiff")
