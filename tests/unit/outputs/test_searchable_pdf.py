"""The searchable PDF: the text is found, where it is seen, and the original is as it was."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from PIL import Image, ImageDraw

from ocr_service.domain.blocks import TextLine
from ocr_service.domain.documents import MediaType, PageAnalysis, PageResult, SourceFile, TextLayerVerdict
from ocr_service.domain.errors import DocumentUnreadable, StorageFailed
from ocr_service.domain.geometry import BBox, Point, Upright
from ocr_service.outputs import searchable_pdf
from ocr_service.outputs.page_json import encode_page
from tests.unit.outputs.blocks import block, failed_page, page

_DPI = 200
_SCALE = _DPI / 72
_LINES = {
    "Договор поставки № 5": BBox(300, 400, 900, 440),
    "Invoice total": BBox(300, 800, 700, 840),
    "合同编号": BBox(300, 1200, 500, 1240),
}


def _source(path: Path, media_type: MediaType = MediaType.PDF, password: str | None = None) -> SourceFile:
    return SourceFile(path, media_type, path.name, "0" * 64, path.stat().st_size, password)


def _save(document: pymupdf.Document, path: Path, **options: object) -> Path:
    document.save(path, **options)
    document.close()
    return path


def _page_file(folder: Path, result: PageResult) -> Path:
    path = folder / f"{result.page:04d}.json"
    path.write_bytes(encode_page(result))
    return path


def _analysed(folder: Path, upright: Upright, lines: Iterable[tuple[str, BBox]] = tuple(_LINES.items()), number: int = 1) -> Path:
    blocks = tuple(block(text, id=text, bbox=box, lines=(TextLine(box, text, 0.9),)) for text, box in lines)
    verdict = TextLayerVerdict(used=False, reason="no text")
    return _page_file(folder, PageResult(number, PageAnalysis(number, _DPI, upright, verdict, blocks)))


def _upright_of(page: pymupdf.Page, orientation: int, skew: float = 0.0) -> Upright:
    width, height = round(page.rect.width * _SCALE), round(page.rect.height * _SCALE)
    return Upright(*((height, width) if orientation % 180 else (width, height)), orientation, skew)


def _displayed_center(upright: Upright, box: BBox) -> pymupdf.Point:
    point = upright.to_displayed(Point(*box.center))
    return pymupdf.Point(point.x / _SCALE, point.y / _SCALE)


@pytest.mark.parametrize("skew", [0.0, 3.0])
@pytest.mark.parametrize("orientation", [0, 90, 180, 270])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_text_is_found_where_it_is_seen_however_the_page_is_turned(tmp_path: Path, rotation: int, orientation: int, skew: float) -> None:
    document = pymupdf.open()
    original = document.new_page(width=595, height=842)
    document.xref_set_key(original.xref, "MediaBox", "[-10 15 585 857]")
    document.xref_set_key(original.xref, "CropBox", "[10 40 575 827]")
    original = document.reload_page(original)
    original.set_rotation(rotation)
    upright = _upright_of(original, orientation, skew)
    source = _source(_save(document, tmp_path / "scan.pdf"))

    searchable_pdf.write(source, [_analysed(tmp_path, upright)], tmp_path / "searchable.pdf")

    with pymupdf.open(tmp_path / "searchable.pdf") as result:
        found = result[0]
        assert found.rotation == rotation
        for text, box in _LINES.items():
            quads = found.search_for(text, quads=True)
            assert len(quads) == 1, text
            # search_for answers in the coordinates of the page as it is not turned.
            corners = [pymupdf.Point(corner) * found.rotation_matrix for corner in quads[0]]
            center = pymupdf.Point(sum(c.x for c in corners) / 4, sum(c.y for c in corners) / 4)
            assert abs(center - _displayed_center(upright, box)) < 4
            assert abs(corners[1] - corners[0]) == pytest.approx(box.width / _SCALE, rel=0.1)


def test_words_are_found_inside_of_their_line(tmp_path: Path) -> None:
    document = pymupdf.open()
    upright = _upright_of(document.new_page(), 0)
    source = _source(_save(document, tmp_path / "scan.pdf"))
    searchable_pdf.write(source, [_analysed(tmp_path, upright)], tmp_path / "searchable.pdf")
    with pymupdf.open(tmp_path / "searchable.pdf") as result:
        words = {word[4]: pymupdf.Rect(word[:4]) for word in result[0].get_text("words")}
    assert list(words) == ["Договор", "поставки", "№", "5", "Invoice", "total", "合同编号"]
    assert words["Договор"].x1 < words["поставки"].x0 < words["поставки"].x1 < words["№"].x0
    assert words["Договор"].x0 == pytest.approx(300 / _SCALE, abs=1)
    assert words["5"].x1 == pytest.approx(900 / _SCALE, abs=1)


def test_the_page_looks_as_before_even_if_it_leaves_its_graphics_state_in_disorder(tmp_path: Path) -> None:
    document = pymupdf.open()
    original = document.new_page(width=300, height=300)
    original.draw_rect(pymupdf.Rect(50, 50, 100, 100), fill=(1, 0, 0))
    xref = original.get_contents()[0]
    document.update_stream(xref, document.xref_stream(xref) + b"\nq 0.5 0 0 0.5 10 10 cm\nq\n")
    before = original.get_pixmap().samples
    upright = _upright_of(original, 0)
    source = _source(_save(document, tmp_path / "scan.pdf"))
    lines = [("слово", BBox(100, 100, 300, 140))]
    searchable_pdf.write(source, [_analysed(tmp_path, upright, lines)], tmp_path / "searchable.pdf")
    with pymupdf.open(tmp_path / "searchable.pdf") as result:
        assert result[0].get_pixmap().samples == before
        (found,) = result[0].search_for("слово")
        assert found.x0 == pytest.approx(100 / _SCALE, abs=1)


def test_fonts_that_a_page_inherits_stay_usable(tmp_path: Path) -> None:
    document = pymupdf.open()
    original = document.new_page()
    original.insert_text((72, 72), "Inherited")
    kind, resources = document.xref_get_key(original.xref, "Resources")
    parent = int(document.xref_get_key(original.xref, "Parent")[1].split()[0])
    assert kind in {"dict", "xref"}
    document.xref_set_key(parent, "Resources", resources)
    document.xref_set_key(original.xref, "Resources", "null")
    upright = _upright_of(original, 0)
    source = _source(_save(document, tmp_path / "scan.pdf"))
    searchable_pdf.write(source, [_analysed(tmp_path, upright)], tmp_path / "searchable.pdf")
    with pymupdf.open(tmp_path / "searchable.pdf") as result:
        assert result[0].search_for("Inherited")
        assert result[0].search_for("Договор")


def test_pages_that_were_not_ocred_are_left_alone(tmp_path: Path) -> None:
    document = pymupdf.open()
    uprights = [_upright_of(document.new_page(), 0) for _ in range(4)]
    document[1].insert_text((72, 72), "own text")
    source = _source(_save(document, tmp_path / "mixed.pdf"))
    line = block("own text", lines=(TextLine(BBox(200, 170, 400, 210), "own text"),))
    files = [
        _analysed(tmp_path, uprights[0], number=1),
        _page_file(tmp_path, page(2, line, text_layer=True)),
        _page_file(tmp_path, failed_page(3)),
    ]
    searchable_pdf.write(source, files, tmp_path / "searchable.pdf")
    with pymupdf.open(tmp_path / "searchable.pdf") as result, pymupdf.open(source.path) as original:
        assert result.page_count == 4
        assert result[0].search_for("Invoice")
        assert len(result[1].search_for("own text")) == 1
        for number in (1, 2, 3):
            assert result[number].read_contents() == original[number].read_contents()


def test_text_adds_little_to_the_file(tmp_path: Path) -> None:
    document = pymupdf.open()
    upright = _upright_of(document.new_page(), 0)
    source = _source(_save(document, tmp_path / "scan.pdf"))
    searchable_pdf.write(source, [_analysed(tmp_path, upright)], tmp_path / "searchable.pdf")
    assert (tmp_path / "searchable.pdf").stat().st_size < source.size_bytes + 6000


def test_an_encrypted_file_keeps_its_password(tmp_path: Path) -> None:
    document = pymupdf.open()
    upright = _upright_of(document.new_page(), 0)
    path = _save(document, tmp_path / "a.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="секрет", owner_pw="owner")
    source = _source(path, password="секрет")
    searchable_pdf.write(source, [_analysed(tmp_path, upright)], tmp_path / "searchable.pdf")
    with pymupdf.open(tmp_path / "searchable.pdf") as result:
        assert result.needs_pass
        assert result.authenticate("секрет")
        assert result[0].search_for("Invoice total")


def test_a_file_made_searchable_once_can_be_made_so_again(tmp_path: Path) -> None:
    document = pymupdf.open()
    upright = _upright_of(document.new_page(), 0)
    source = _source(_save(document, tmp_path / "scan.pdf"))
    files = [_analysed(tmp_path, upright)]
    searchable_pdf.write(source, files, tmp_path / "once.pdf")
    searchable_pdf.write(_source(tmp_path / "once.pdf"), files, tmp_path / "twice.pdf")
    with pymupdf.open(tmp_path / "twice.pdf") as result:
        assert result[0].search_for("Invoice total")


@pytest.mark.parametrize(
    ("media_type", "kind", "options"),
    [
        (MediaType.PNG, "PNG", {}),
        (MediaType.JPEG, "JPEG", {}),
        (MediaType.JPEG, "JPEG", {"exif": 6}),
        (MediaType.WEBP, "WEBP", {"lossless": True}),
        (MediaType.TIFF, "TIFF", {}),
    ],
)
def test_a_picture_becomes_a_pdf_that_shows_it_with_its_text(
    tmp_path: Path, media_type: MediaType, kind: str, options: dict[str, Any]
) -> None:
    seen = Image.new("RGB", (600, 900), "white")
    ImageDraw.Draw(seen).rectangle((0, 0, 300, 450), fill="black")
    stored, extra = seen, dict(options)
    if "exif" in options:
        # The camera was held sideways: stored turned, with the note to turn it back (clockwise by 90°).
        stored, exif = seen.transpose(Image.Transpose.ROTATE_90), Image.Exif()
        exif[0x0112] = extra.pop("exif")
        extra |= {"exif": exif.tobytes()}
    path = tmp_path / f"picture{media_type.suffix}"
    stored.save(path, kind, **extra)
    lines = [("Печать", BBox(350, 100, 550, 140))]
    searchable_pdf.write(_source(path, media_type), [_analysed(tmp_path, Upright(600, 900), lines)], tmp_path / "searchable.pdf")
    with pymupdf.open(tmp_path / "searchable.pdf") as result:
        assert result[0].rect.width == pytest.approx(600 / _SCALE)
        (found,) = result[0].search_for("Печать")
        assert found.x0 == pytest.approx(350 / _SCALE, abs=1)
        shown = result[0].get_pixmap(dpi=_DPI)
        assert shown.pixel(100, 100)[0] < 40
        assert all(shown.pixel(*far)[0] > 215 for far in ((500, 100), (100, 800), (500, 800)))


def test_the_data_of_a_jpeg_goes_into_the_pdf_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "scan.jpg"
    Image.effect_noise((300, 400), 60).convert("RGB").save(path, "JPEG", quality=70)
    searchable_pdf.write(_source(path, MediaType.JPEG), [_analysed(tmp_path, Upright(300, 400), ())], tmp_path / "searchable.pdf")
    with pymupdf.open(tmp_path / "searchable.pdf") as result:
        assert result.xref_stream_raw(result[0].get_images()[0][0]) == path.read_bytes()


def test_every_frame_of_a_tiff_is_a_page(tmp_path: Path) -> None:
    path = tmp_path / "fax.tiff"
    frames = [Image.new("1", (300, 400), 1) for _ in range(3)]
    frames[0].save(path, "TIFF", save_all=True, append_images=frames[1:], compression="group4")
    files = [_analysed(tmp_path, Upright(300, 400), [(f"страница{number}", BBox(20, 20, 280, 50))], number) for number in (1, 3)]
    searchable_pdf.write(_source(path, MediaType.TIFF), files, tmp_path / "searchable.pdf")
    with pymupdf.open(tmp_path / "searchable.pdf") as result:
        assert [page.get_text().strip() for page in result] == ["страница1", "", "страница3"]


def test_a_damaged_file_is_named_as_such_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing of a PDF")
    with pytest.raises(DocumentUnreadable):
        searchable_pdf.write(_source(path), [_analysed(tmp_path, Upright(600, 900))], tmp_path / "searchable.pdf")
    assert {each.name for each in tmp_path.iterdir()} == {"broken.pdf", "0001.json"}


def test_a_folder_that_cannot_be_written_is_a_storage_failure(tmp_path: Path) -> None:
    document = pymupdf.open()
    upright = _upright_of(document.new_page(), 0)
    source = _source(_save(document, tmp_path / "scan.pdf"))
    with pytest.raises(StorageFailed):
        searchable_pdf.write(source, [_analysed(tmp_path, upright)], tmp_path / "missing" / "searchable.pdf")
