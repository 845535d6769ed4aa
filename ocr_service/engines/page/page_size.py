"""How large a page is, at which dpi it may be rendered, and the limits that decide it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr_service.domain.errors import PageTooLarge, TooManyPages

# Height × width × 3 for RGB, height × width for grey.
Image = NDArray[np.uint8]

# Below this even a poster's headline is unreadable: such a page is refused instead of being read as a grey smear.
MIN_DPI = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_pages` (OCR_MAX_PAGES) and `max_megapixels` (OCR_MAX_PAGE_MEGAPIXELS)."""

    max_pages: int
    max_megapixels: float

    def too_many_pages(self, count: str) -> TooManyPages:
        """The error for a file with more pages than allowed; `count` is how many, in words."""
        return TooManyPages(f"The document has {count} pages; this service reads at most {self.max_pages} (OCR_MAX_PAGES).")


@dataclass(frozen=True, slots=True)
class Resolution:
    """The dpi at which a page is rendered; `warning` says so when it is lower than asked."""

    dpi: int
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class PageSize:
    """A page's size in points (1/72 inch), as a viewer shows it. Making one raises PageTooLarge for a size that cannot be rendered."""

    number: int
    width_pt: float
    height_pt: float
    limits: Limits

    def __post_init__(self) -> None:
        sides = (self.width_pt, self.height_pt)
        if not all(math.isfinite(side) and side > 0 for side in sides):
            raise PageTooLarge(f"Page {self.number} has no usable size.")
        if self._largest_dpi() < MIN_DPI:
            width_m, height_m = (side / 72 * 0.0254 for side in sides)
            raise PageTooLarge(
                f"Page {self.number} measures {width_m:.3g} × {height_m:.3g} m. That does not fit into "
                f"{self.limits.max_megapixels:g} megapixels (OCR_MAX_PAGE_MEGAPIXELS)."
            )

    def _largest_dpi(self) -> int:
        # Two roots instead of one, because the product of two sides of 1e200 is infinite.
        inches = math.sqrt(self.width_pt / 72) * math.sqrt(self.height_pt / 72)
        return int(min(1e6, math.sqrt(self.limits.max_megapixels * 1e6) / inches))

    def resolution(self, dpi: int) -> Resolution:
        """The dpi to use when `dpi` is asked: lower where the picture would have more pixels than allowed."""
        largest = self._largest_dpi()
        if dpi <= largest:
            return Resolution(dpi)
        return Resolution(largest, f"The page is very large: it was read at {largest} dpi instead of {dpi}.")

    def check(self, dpi: int) -> None:
        """Raises PageTooLarge where `resolution` would have lowered the dpi."""
        if dpi > self._largest_dpi():
            raise PageTooLarge(f"Page {self.number} has too many pixels at {dpi} dpi (OCR_MAX_PAGE_MEGAPIXELS).")
