"""What a scanner, a camera or a fax machine makes of a page."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
import pymupdf
from numpy.typing import NDArray
from PIL import Image as Pil

Gray = NDArray[np.uint8]


def gray(pdf: bytes, page: int = 0, dpi: int = 200) -> Gray:
    """The page in grey at that resolution."""
    with pymupdf.open(stream=pdf) as document:
        pixmap = document[page].get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy()


def aged(page: Gray, seed: int) -> Gray:
    """Greyish paper, a little blur, a little grain; 16 shades, so that it stays small."""
    blurred = cv2.GaussianBlur(page, (3, 3), 0.6).astype(np.float32)
    grain = np.random.default_rng(seed).normal(0, 1.2, page.shape)
    toned = 28 + blurred * (236 - 28) / 255 + grain
    return (np.clip(np.round(toned / 16), 0, 15) * 17).astype(np.uint8)


def skewed(page: Gray, degrees: float) -> Gray:
    """Laid crookedly on the glass: turned clockwise about its centre, white where nothing lies."""
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=255.0), np.uint8)


def black_and_white(page: Gray) -> Pil.Image:
    """One bit a pixel."""
    return Pil.fromarray(np.where(page > 150, 255, 0).astype(np.uint8)).convert("1")


def encoded(page: Gray, kind: str, dpi: int = 200) -> bytes:
    """As a PNG, JPEG or WebP file that names its resolution where its format can."""
    options = {"PNG": {"optimize": True}, "JPEG": {"quality": 45, "optimize": True}, "WEBP": {"quality": 40}}[kind]
    picture = Pil.fromarray(page)
    if kind == "PNG":
        picture = picture.quantize(16)
    buffer = io.BytesIO()
    picture.save(buffer, kind, dpi=(dpi, dpi), **options)
    return buffer.getvalue()


def fax(pages: Sequence[Gray]) -> bytes:
    """One TIFF, a frame a page, CCITT group 4: what fax gateways send."""
    frames = [black_and_white(page) for page in pages]
    buffer = io.BytesIO()
    frames[0].save(buffer, "TIFF", compression="group4", dpi=(200, 200), save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def append_scan(document: pymupdf.Document, picture: bytes) -> None:
    """A page of A4 that shows nothing but the picture."""
    page = document.new_page(width=595, height=842)
    page.insert_image(page.rect, stream=picture)
