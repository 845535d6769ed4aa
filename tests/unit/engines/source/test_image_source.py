from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageDraw

from ocr_service.domain.documents import MediaType, SourceFile
from ocr_service.domain.errors import DocumentUnreadable, PageFailed, PageTooLarge, TooManyPages
from ocr_service.engines.source.source_file import OpenSource, open_source

_TYPES = {"PNG": MediaType.PNG, "JPEG": MediaType.JPEG, "WEBP": MediaType.WEBP, "TIFF": MediaType.TIFF}


def _source(folder: Path, data: bytes, kind: str = "PNG") -> SourceFile:
    path = folder / "upload.bin"
    path.write_bytes(data)
    return SourceFile(path, _TYPES[kind], "upload", "0" * 64, len(data))


def _open(folder: Path, data: bytes, kind: str = "PNG", *, max_pages: int = 10, max_megapixels: float = 40.0) -> OpenSource:
    return open_source(_source(folder, data, kind), max_pages=max_pages, max_megapixels=max_megapixels)


def _encode(picture: Pil.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _half_black(mode: str, size: tuple[int, int] = (300, 200)) -> Pil.Image:
    """White, the left half black."""
    picture = Pil.new("L", size, 255)
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill=0)
    if mode == "I;16":
        return Pil.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    if mode == "F":
        return Pil.fromarray(np.asarray(picture).astype(np.float32) / 255)
    return picture.convert(mode)


def _sides(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    """Brightness in the middle of the left and of the right half."""
    height, width = pixels.shape[:2]
    return int(pixels[height // 2, width // 4].mean()), int(pixels[height // 2, 3 * width // 4].mean())


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *[(mode, "PNG") for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "I;16")],
        *[(mode, "TIFF") for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "LAB")],
        *[(mode, "JPEG") for mode in ("L", "RGB", "CMYK")],
        *[(mode, "WEBP") for mode in ("RGB", "RGBA")],
    ],
)
def test_every_kind_of_pixel_becomes_eight_bit_rgb_with_black_left_and_white_right(tmp_path: Path, mode: str, kind: str) -> None:
    picture = _half_black("RGB").convert("L").convert("RGB") if mode == "LAB" else _half_black(mode)
    if mode == "LAB":
        from PIL import ImageCms

        picture = ImageCms.profileToProfile(  # type: ignore[assignment]
            picture, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    with _open(tmp_path, _encode(picture, kind, dpi=(100, 100)) if kind != "WEBP" else _encode(picture, kind), kind) as source:
        page = source.page(1)
        rgb = page.render(100)
        assert rgb.dtype == np.uint8
        assert rgb.shape[2] == 3
        dark, light = _sides(rgb)
        assert dark < 12
        assert light > 243
        assert page.render_gray(100).shape == rgb.shape[:2]
        assert page.warnings == ()


def test_what_is_transparent_is_white_like_paper(tmp_path: Path) -> None:
    picture = Pil.new("RGBA", (100, 100), (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((0, 0, 49, 99), fill=(0, 0, 0, 255))
    with _open(tmp_path, _encode(picture)) as source:
        assert _sides(source.page(1).render(96)) == (0, 255)


def test_a_palette_with_a_transparent_colour_is_laid_over_white(tmp_path: Path) -> None:
    picture = _half_black("P")
    with _open(tmp_path, _encode(picture, transparency=0)) as source:
        assert _sides(source.page(1).render(96)) == (255, 255)


@pytest.mark.parametrize(("kind", "orientation"), [(kind, turn) for kind in ("JPEG", "TIFF", "PNG", "WEBP") for turn in (3, 6, 8)])
def test_the_turn_in_the_exif_of_a_photo_is_applied(tmp_path: Path, kind: str, orientation: int) -> None:
    upright = _half_black("RGB")
    back = {3: Pil.Transpose.ROTATE_180, 6: Pil.Transpose.ROTATE_90, 8: Pil.Transpose.ROTATE_270}[orientation]
    exif = Pil.Exif()
    exif[0x0112] = orientation
    with _open(tmp_path, _encode(upright.transpose(back), kind, exif=exif, dpi=(96, 96)), kind) as source:
        page = source.page(1)
        assert page.size.width_pt > page.size.height_pt
        pixels = page.render(96)
        assert pixels.shape == (200, 300, 3)
        dark, light = _sides(pixels)
        assert dark < 12
        assert light > 243


def test_the_dpi_of_the_file_gives_the_size_of_the_page(tmp_path: Path) -> None:
    with _open(tmp_path, _encode(_half_black("L", (1654, 2339)), dpi=(200, 200))) as source:
        page = source.page(1)
        assert page.size.width_pt == pytest.approx(595.4, abs=0.5)
        assert page.size.height_pt == pytest.approx(842.0, abs=0.5)
        assert page.image_dpi == pytest.approx(200, abs=0.1)
        assert page.render(100).shape == (1170, 827, 3)


def test_the_lying_72_dpi_of_a_camera_is_not_believed(tmp_path: Path) -> None:
    with _open(tmp_path, _encode(_half_black("RGB", (4000, 3000)), "JPEG", dpi=(72, 72)), "JPEG") as source:
        size = source.page(1).size
        assert size.width_pt == pytest.approx(842, abs=1)


def test_the_unequal_axes_of_a_fax_are_made_equal(tmp_path: Path) -> None:
    with _open(tmp_path, _encode(_half_black("1", (1728, 1078)), "TIFF", dpi=(204, 98)), "TIFF") as source:
        size = source.page(1).size
        assert size.height_pt / size.width_pt == pytest.approx((1078 / 98) / (1728 / 204), rel=0.01)


@pytest.mark.parametrize("dpi", [(0, 0), (1, 1), (1e9, 1e9), (300, 3)])
def test_an_impossible_dpi_is_ignored(tmp_path: Path, dpi: tuple[float, float]) -> None:
    with _open(tmp_path, _encode(_half_black("L"), "TIFF", dpi=dpi), "TIFF") as source:
        assert source.page(1).size.width_pt == pytest.approx(300 / 96 * 72)


def test_each_frame_of_a_tiff_is_a_page(tmp_path: Path) -> None:
    frames = [Pil.new("L", (100 + 10 * index, 80), 40 * index) for index in range(4)]
    data = _encode(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    with _open(tmp_path, data, "TIFF") as source:
        assert source.info().page_count == 4
        for number in (3, 1, 4, 2):
            pixels = source.page(number).render(96)
            assert pixels.shape[1] == 100 + 10 * (number - 1)
            assert int(pixels[0, 0, 0]) == 40 * (number - 1)
        with pytest.raises(PageFailed, match="no page 5"):
            source.page(5)


def test_a_tiff_with_more_frames_than_allowed_is_refused_by_the_name_of_the_setting(tmp_path: Path) -> None:
    frames = [Pil.new("1", (8, 8)) for _ in range(6)]
    data = _encode(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    with pytest.raises(TooManyPages, match="OCR_MAX_PAGES"):
        _open(tmp_path, data, "TIFF", max_pages=5)
    with _open(tmp_path, data, "TIFF", max_pages=6) as source:
        assert source.info().page_count == 6


def test_a_tiff_whose_frames_run_in_a_circle_ends(tmp_path: Path) -> None:
    frames = [Pil.new("1", (8, 8)) for _ in range(3)]
    data = bytearray(_encode(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    first = int.from_bytes(data[4:8], "little")
    # The last directory's link to the next one, which is 0, now leads to the first.
    offset = first
    while True:
        end = offset + 2 + 12 * int.from_bytes(data[offset : offset + 2], "little")
        following = int.from_bytes(data[end : end + 4], "little")
        if following == 0:
            break
        offset = following
    data[end : end + 4] = first.to_bytes(4, "little")
    with _open(tmp_path, bytes(data), "TIFF", max_pages=100) as source:
        assert source.info().page_count == 3


def test_an_animation_is_read_by_its_first_frame(tmp_path: Path) -> None:
    frames = [Pil.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    with _open(tmp_path, _encode(frames[0], "PNG", save_all=True, append_images=frames[1:])) as source:
        assert source.info().page_count == 1
        assert tuple(source.page(1).render(96)[0, 0]) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_of_a_picture_that_is_cut_off_the_part_that_is_there_is_read_with_a_warning(tmp_path: Path, kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    data = _encode(Pil.fromarray(noise), kind)
    with _open(tmp_path, data[: len(data) * 2 // 3], kind) as source:
        page = source.page(1)
        pixels = page.render(96)
        assert pixels[:50].std() > 10
        assert any("cut off" in warning for warning in page.warnings)


def test_a_picture_that_is_only_a_header_fails_as_a_page(tmp_path: Path) -> None:
    data = _encode(_half_black("L"))
    with _open(tmp_path, data[:45]) as source, pytest.raises(PageFailed, match="damaged"):
        source.page(1).render(96)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + bytes(100), b"no picture at all"])
def test_what_is_no_picture_is_an_unreadable_document(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DocumentUnreadable):
        _open(tmp_path, data)


def test_a_file_is_opened_as_its_media_type_only(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable):
        _open(tmp_path, _encode(_half_black("RGB"), "JPEG"), "PNG")


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    data = _encode(Pil.new("1", (30000, 30000)))
    assert len(data) < 200_000
    with _open(tmp_path, data) as source, pytest.raises(PageTooLarge, match="OCR_MAX_PAGE_MEGAPIXELS"):
        source.page(1)


def test_the_page_for_mupdf_shows_the_picture(tmp_path: Path) -> None:
    with _open(tmp_path, _encode(_half_black("RGB"), dpi=(100, 100))) as source:
        page = source.page(1).page
        pixmap = page.get_pixmap(dpi=100)
        assert (pixmap.width, pixmap.height) == (300, 200)
        assert pixmap.pixel(75, 100) == (0, 0, 0)
        assert pixmap.pixel(225, 100) == (255, 255, 255)
