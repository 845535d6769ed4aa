"""A picture file as a source of pages, through Pillow: PNG, JPEG, WebP, and TIFF with a page a frame.

Pillow and not MuPDF: MuPDF ignores EXIF turns and WebP, and gives no say before it decodes. The header's size is checked before
a pixel is decoded.
"""

from __future__ import annotations

import warnings
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
import pymupdf
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageFile, ImageOps

from ocr_service.domain.documents import DocumentInfo, MediaType, SourceFile
from ocr_service.domain.errors import DocumentUnreadable, PageFailed, PageTooLarge
from ocr_service.engines.page.page_size import Image, Limits, PageSize
from ocr_service.engines.source.page_errors import page_errors

# The sizes are checked here, against a limit that is a setting; Pillow's own guard would only add a second, lower one.
Pil.MAX_IMAGE_PIXELS = None

_FORMATS = {
    MediaType.PNG: ("PNG",),
    MediaType.JPEG: ("JPEG", "MPO"),
    MediaType.WEBP: ("WEBP",),
    MediaType.TIFF: ("TIFF",),
}
# A scan may be finer than the page image that is made of it: A4 at 600 dpi is 35 megapixels, A3 is 70.
_DECODED_PER_RENDERED = 4
_A4_LONG_IN = 11.69
_SCREEN_DPI = 96.0
_PLAUSIBLE_DPI = (50.0, 2400.0)
# Fax: 204 × 98 dpi. More than that between the axes is nonsense.
_LARGEST_ASPECT = 2.2
_LONGEST_PAGE_IN = 50.0
_LONGEST_SCREEN_PAGE_IN = 17.0


def _page_dpi(picture: Pil.Image) -> tuple[float, float]:
    """Dots per inch of both axes: those the file names where they make sense, else what makes the picture a page of paper."""
    width, height = picture.size
    longest = max(width, height)
    named = picture.info.get("dpi")
    if isinstance(named, tuple) and len(named) == 2:
        try:
            x, y = float(named[0]), float(named[1])
        except (TypeError, ValueError, ZeroDivisionError):
            x = y = 0.0
        plausible = all(_PLAUSIBLE_DPI[0] <= dpi <= _PLAUSIBLE_DPI[1] for dpi in (x, y)) and max(x, y) <= _LARGEST_ASPECT * min(x, y)
        if plausible:
            inches = max(width / x, height / y)
            # Cameras and editors write 72 or 96 without meaning it: a picture of 4000 pixels is no sheet of 1.4 m.
            if inches <= (_LONGEST_SCREEN_PAGE_IN if max(x, y) <= _SCREEN_DPI else _LONGEST_PAGE_IN):
                return x, y
    guess = max(_SCREEN_DPI, longest / _A4_LONG_IN)
    return guess, guess


class ImagePage:
    """A picture, or a frame of a TIFF, as a page; a SourcePage. It is decoded at once: only then are its EXIF turn and faults known."""

    is_picture = True

    def __init__(self, number: int, picture: Pil.Image, limits: Limits) -> None:
        """Raises PageFailed, PageTooLarge."""
        width, height = picture.size
        most = limits.max_megapixels * _DECODED_PER_RENDERED
        if width * height > most * 1e6:
            raise PageTooLarge(
                f"Picture {number} has {width} × {height} pixels; at most {most:g} megapixels are decoded "
                f"({_DECODED_PER_RENDERED} × OCR_MAX_PAGE_MEGAPIXELS)."
            )
        dpi_x, dpi_y = _page_dpi(picture)
        self.warnings: tuple[str, ...] = ()
        if not _load(picture):
            self.warnings = ("The picture is cut off or damaged; what could be decoded was used.",)
        turned = ImageOps.exif_transpose(picture)
        if picture.size != turned.size:
            dpi_x, dpi_y = dpi_y, dpi_x
        self._rgb = _to_rgb(turned)
        if self.warnings and int(self._rgb.max()) == int(self._rgb.min()):
            raise PageFailed(f"Picture {number} is damaged: nothing of it could be decoded.")
        self.size = PageSize(number, turned.width / dpi_x * 72, turned.height / dpi_y * 72, limits)
        self.image_dpi = min(dpi_x, dpi_y)

    @cached_property
    def page(self) -> pymupdf.Page:
        rgb = self._rgb
        height, width = rgb.shape[:2]
        # The page keeps its document alive.
        page = pymupdf.open().new_page(width=self.size.width_pt, height=self.size.height_pt)
        page.insert_image(page.rect, pixmap=pymupdf.Pixmap(pymupdf.csRGB, width, height, rgb.tobytes(), 0), keep_proportion=False)
        return page

    def render(self, dpi: int) -> Image:
        self.size.check(dpi)
        rgb = self._rgb
        size = tuple(max(1, round(side * dpi / 72)) for side in (self.size.width_pt, self.size.height_pt))
        shrinks = size[0] < rgb.shape[1]
        if size == (rgb.shape[1], rgb.shape[0]):
            return rgb.copy()
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC), dtype=np.uint8)

    def render_gray(self, dpi: int) -> Image:
        return np.asarray(cv2.cvtColor(self.render(dpi), cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _load(picture: Pil.Image) -> bool:
    """Decode; False if the picture is cut off or damaged and was decoded as far as it goes."""
    try:
        picture.load()
    except OSError:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            picture.load()
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        return False
    return True


def _to_rgb(picture: Pil.Image) -> Image:
    """Any mode of Pillow as 8-bit RGB; what is transparent becomes white, as paper."""
    if picture.mode.startswith(("I", "F")):
        return _wide_to_rgb(np.asarray(picture))
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        paper = Pil.new("RGBA", rgba.size, "white")
        picture = Pil.alpha_composite(paper, rgba)
    return np.asarray(picture.convert("RGB"), dtype=np.uint8)


def _wide_to_rgb(values: NDArray[Any]) -> Image:
    """16 and 32 bits or floats per pixel: the range is taken from the type for 16 bits, else from the values."""
    values = np.nan_to_num(values.astype(np.float32))
    low = min(0.0, float(values.min()))
    high = 65535.0 if 255 < values.max() <= 65535 else max(float(values.max()), 1.0)
    gray = ((values - low) * (255.0 / (high - low))).astype(np.uint8)
    return np.repeat(gray[:, :, np.newaxis], 3, axis=2)


class ImageSource:
    """An open picture file; an OpenSource."""

    def __init__(self, source: SourceFile, limits: Limits) -> None:
        """Raises DocumentUnreadable, TooManyPages."""
        self._limits = limits
        self._picture = _open(source)
        try:
            self._page_count = self._count_frames(source.media_type)
        except BaseException:
            self._picture.close()
            raise

    def _count_frames(self, media_type: MediaType) -> int:
        if media_type is not MediaType.TIFF:
            # An animation is read by its first frame.
            return 1
        # Frame by frame, because counting them all first takes forever on a file that claims millions.
        for count in range(1, self._limits.max_pages + 1):
            try:
                self._picture.seek(count)
            except EOFError:
                return count
            except MemoryError:
                raise
            except Exception as error:
                raise DocumentUnreadable("The TIFF is damaged: its list of pages cannot be read.") from error
        raise self._limits.too_many_pages(f"more than {self._limits.max_pages}")

    def info(self) -> DocumentInfo:
        return DocumentInfo(self._page_count)

    def page(self, number: int) -> ImagePage:
        """The page of the call before must not be used any more: the file holds one frame at a time."""
        if not 1 <= number <= self._page_count:
            raise PageFailed(f"There is no page {number}: the document has {self._page_count}.")
        with page_errors(f"Picture {number}"):
            self._picture.seek(number - 1)
            return ImagePage(number, self._picture, self._limits)

    def close(self) -> None:
        self._picture.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _open(source: SourceFile) -> Pil.Image:
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata; the pixels decide.
            warnings.simplefilter("ignore")
            return Pil.open(source.path, formats=_FORMATS[source.media_type])
    except MemoryError:
        raise DocumentUnreadable("Opening the picture needs more memory than a file may use.") from None
    except Exception as error:
        raise DocumentUnreadable("The picture could not be opened: it is empty, cut off or damaged.") from error
