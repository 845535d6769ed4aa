"""A crop becomes an image that the model can take: decoded within limits, on white, padded where it is too small or too elongated."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

from vlm_server.problems import bad_image, too_large

MAX_PIXELS = 40_000_000
MIN_SIDE = 28  # pixels: the model's smallest token
MAX_ASPECT = 100  # its processor refuses 200 : 1
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")


def prepare(data: bytes) -> bytes:
    """PNG of the crop. An image that needs no change is passed on as it came. Raises Problem 400 or 413."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise too_large(f"The image has more than {MAX_PIXELS} pixels.")
            image.load()
    except Image.DecompressionBombError:
        raise too_large(f"The image has more than {MAX_PIXELS} pixels.") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise bad_image("The image cannot be read; PNG, JPEG, WebP, TIFF and BMP are known.") from None
    width, height = padded_size(image.width, image.height)
    if (width, height) == image.size and image.mode in {"RGB", "L"} and image.format in {"PNG", "JPEG"}:
        return data
    out = io.BytesIO()
    _on_white(image, width, height).save(out, "PNG", compress_level=1)
    return out.getvalue()


def padded_size(width: int, height: int) -> tuple[int, int]:
    """The smallest size, no side below 28 pixels and none over 100 times the other, that holds the image."""
    width, height = max(width, MIN_SIDE), max(height, MIN_SIDE)
    return max(width, -(-height // MAX_ASPECT)), max(height, -(-width // MAX_ASPECT))


def _on_white(image: Image.Image, width: int, height: int) -> Image.Image:
    """Centred, as the margins of a page are; transparency becomes paper."""
    canvas = Image.new("RGB", (width, height), "white")
    visible = image.convert("RGBA")
    canvas.paste(visible, ((width - image.width) // 2, (height - image.height) // 2), visible)
    return canvas
