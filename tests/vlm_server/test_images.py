"""Crops are padded rather than refused, and what cannot be an image is refused."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vlm_server.images import MAX_ASPECT, MIN_SIDE, padded_size, prepare
from vlm_server.problems import Problem


def png(width: int, height: int, mode: str = "RGB", colour: int | tuple[int, ...] = 0) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height), colour).save(out, "PNG")
    return out.getvalue()


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_any_size_becomes_one_that_the_model_takes_and_nothing_is_cut(width: int, height: int) -> None:
    wide, high = padded_size(width, height)

    assert wide >= max(width, MIN_SIDE)
    assert high >= max(height, MIN_SIDE)
    assert max(wide, high) <= MAX_ASPECT * min(wide, high)


def test_an_image_that_needs_nothing_is_passed_on_byte_for_byte() -> None:
    crop = png(200, 60)

    assert prepare(crop) == crop


def test_a_tiny_crop_lies_in_the_middle_of_white() -> None:
    with Image.open(io.BytesIO(prepare(png(4, 4)))) as padded:
        assert padded.size == (28, 28)
        assert padded.getpixel((0, 0)) == (255, 255, 255)
        assert padded.getpixel((14, 14)) == (0, 0, 0)


def test_transparency_becomes_paper() -> None:
    with Image.open(io.BytesIO(prepare(png(40, 40, "RGBA", (0, 0, 0, 0))))) as opaque:
        assert opaque.getpixel((20, 20)) == (255, 255, 255)


@pytest.mark.parametrize("data", [b"", b"not an image", png(100, 100)[:60]])
def test_what_is_no_image_is_refused_with_400(data: bytes) -> None:
    with pytest.raises(Problem) as refused:
        prepare(data)

    assert refused.value.status == 400


def test_too_many_pixels_are_refused_with_413_before_they_are_decoded() -> None:
    with pytest.raises(Problem) as refused:
        prepare(png(20_000, 20_000, "1"))

    assert refused.value.status == 413
