from __future__ import annotations

from pathlib import Path

import numpy as np
import pymupdf
import pytest

from ocr_service.domain.documents import MediaType, SourceFile
from ocr_service.domain.errors import DocumentUnreadable, PageFailed, PageTooLarge, PasswordRequired, TooManyPages
from ocr_service.engines.source.source_file import OpenSource, open_source
from tests.unit.engines.pdf_pages import ENGLISH, pdf_with, picture_of


def _open(folder: Path, data: bytes, *, password: str | None = None, max_pages: int = 10, max_megapixels: float = 40.0) -> OpenSource:
    path = folder / "upload.pdf"
    path.write_bytes(data)
    source = SourceFile(path, MediaType.PDF, "upload.pdf", "0" * 64, len(data), password)
    return open_source(source, max_pages=max_pages, max_megapixels=max_megapixels)


def _pdf(pages: int = 1, width: float = 595, height: float = 842) -> pymupdf.Document:
    document = pymupdf.open()
    for number in range(1, pages + 1):
        document.new_page(width=width, height=height).insert_text((20, 40), f"Page {number}")
    return document


def _bare(media_box: str, extra: str = "") -> bytes:
    """A PDF written by hand, with any page box."""
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[{media_box}]{extra}>>"
    body = f"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj{page}endobj\n"
    return (body + "trailer<</Root 1 0 R/Size 4>>\n%%EOF\n").encode()


def test_pages_are_counted_and_rendered_at_the_dpi_that_was_asked(tmp_path: Path) -> None:
    with _open(tmp_path, _pdf(3).tobytes()) as source:
        assert source.info().page_count == 3
        assert source.info().warnings == ()
        page = source.page(2)
        assert page.size.resolution(200).dpi == 200
        assert page.size.resolution(200).warning is None
        rgb, gray = page.render(100), page.render_gray(100)
        assert rgb.shape == (1170, 827, 3)
        assert gray.shape == (1170, 827)
        assert rgb.dtype == gray.dtype == np.uint8
        assert int(gray.min()) < 50


@pytest.mark.parametrize("number", [0, -1, 4])
def test_a_page_that_is_not_there_fails(tmp_path: Path, number: int) -> None:
    with _open(tmp_path, _pdf(3).tobytes()) as source, pytest.raises(PageFailed, match="There is no page"):
        source.page(number)


_ENCRYPTIONS = [pymupdf.PDF_ENCRYPT_RC4_40, pymupdf.PDF_ENCRYPT_RC4_128, pymupdf.PDF_ENCRYPT_AES_128, pymupdf.PDF_ENCRYPT_AES_256]


@pytest.mark.parametrize("encryption", _ENCRYPTIONS)
def test_an_encrypted_file_opens_with_its_password_only(tmp_path: Path, encryption: int) -> None:
    data = _pdf().tobytes(encryption=encryption, user_pw="secret", owner_pw="owner")
    with pytest.raises(PasswordRequired, match="Send its password in the form field `password`"):
        _open(tmp_path, data)
    with pytest.raises(PasswordRequired, match="does not open this PDF") as wrong:
        _open(tmp_path, data, password="s3cret-guess")
    assert "s3cret-guess" not in wrong.value.detail
    with _open(tmp_path, data, password="secret") as source:
        assert source.page(1).render_gray(72).min() < 50
    with _open(tmp_path, data, password="owner") as source:
        assert source.info().page_count == 1


def test_a_password_may_be_written_in_any_script(tmp_path: Path) -> None:
    data = _pdf().tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="секрет", owner_pw="owner")
    with _open(tmp_path, data, password="секрет") as source:
        assert source.info().page_count == 1


def test_a_file_with_an_owner_password_alone_opens_as_it_is(tmp_path: Path) -> None:
    data = _pdf().tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", permissions=0)
    with _open(tmp_path, data) as source:
        assert source.page(1).render_gray(72).min() < 50


def test_a_password_for_a_file_that_needs_none_does_no_harm(tmp_path: Path) -> None:
    with _open(tmp_path, _pdf().tobytes(), password="whatever") as source:
        assert source.info().page_count == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7\n",
        b"%PDF-1.7\n%%EOF",
        b"%PDF-1.4\n" + bytes(range(256)) * 40,
        b"plain text",
        b"<html><body>%PDF-1.7 is only mentioned here</body></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><!-- %PDF-1.7 --></svg>",
        _bare("0 0 100 100").replace(b"/Kids[3 0 R]/Count 1", b"/Kids[]/Count 0"),
    ],
    ids=["empty", "header only", "header and end", "junk", "text", "html", "svg", "no pages"],
)
def test_what_is_no_pdf_or_has_no_pages_is_an_unreadable_document(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DocumentUnreadable):
        _open(tmp_path, data)


def test_more_pages_than_allowed_are_refused_by_the_name_of_the_setting(tmp_path: Path) -> None:
    data = _pdf(6).tobytes()
    with pytest.raises(TooManyPages, match=r"6 pages.*OCR_MAX_PAGES"):
        _open(tmp_path, data, max_pages=5)
    with _open(tmp_path, data, max_pages=6) as source:
        assert source.info().page_count == 6


def test_a_damaged_file_that_could_be_repaired_is_read_with_a_warning(tmp_path: Path) -> None:
    data = _pdf(2).tobytes()
    broken = data[: data.rindex(b"startxref")] + b"startxref\n99999999\n%%EOF"
    with _open(tmp_path, broken) as source:
        assert source.info().page_count == 2
        assert any("repaired" in warning for warning in source.info().warnings)


def test_a_poster_is_read_at_a_lower_dpi_with_a_warning(tmp_path: Path) -> None:
    with _open(tmp_path, _pdf(width=7200, height=7200).tobytes(), max_megapixels=16) as source:
        page = source.page(1)
        resolution = page.size.resolution(200)
        assert resolution.dpi == 40
        assert resolution.warning is not None
        assert "40 dpi instead of 200" in resolution.warning
        assert page.render_gray(resolution.dpi).size <= 16.1e6
        with pytest.raises(PageTooLarge):
            page.render(200)


def test_a_page_of_fifty_metres_is_refused_by_the_name_of_the_setting(tmp_path: Path) -> None:
    with _open(tmp_path, _bare("0 0 14400 14400", "/UserUnit 10")) as source, pytest.raises(PageTooLarge, match="OCR_MAX_PAGE_MEGAPIXELS"):
        source.page(1)


@pytest.mark.parametrize(
    "box", ["0 0 0 0", "0 0 1 1", "0 0 0.01 14400", "100 100 0 0", "0 0 1e38 1e38", "-1e38 0 1e38 10", "a b c d", "1 2", "nan nan nan nan"]
)
def test_a_senseless_page_box_gives_a_page_or_a_clear_error(tmp_path: Path, box: str) -> None:
    with _open(tmp_path, _bare(box)) as source:
        try:
            page = source.page(1)
            pixels = page.render(page.size.resolution(200).dpi)
        except PageFailed as failure:
            outcome = failure.detail
        else:
            outcome = "a page" if 0 < pixels.shape[0] * pixels.shape[1] <= 41e6 else "a picture of no or too many pixels"
    assert outcome == "a page" or outcome.startswith("Page 1 ")


def test_the_resolution_of_a_scan_is_told(tmp_path: Path) -> None:
    for rotation in (0, 90):
        document = pymupdf.open()
        page = document.new_page(width=595, height=842)
        page.insert_image(page.rect, stream=picture_of(pdf_with(ENGLISH)[0], dpi=120))
        page.set_rotation(rotation)
        with _open(tmp_path, document.tobytes()) as source:
            assert source.page(1).image_dpi == pytest.approx(120, rel=0.01)


def test_a_page_without_a_picture_has_no_resolution_of_its_own(tmp_path: Path) -> None:
    with _open(tmp_path, _pdf().tobytes()) as source:
        assert source.page(1).image_dpi is None
