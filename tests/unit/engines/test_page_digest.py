"""Which pages are the same page."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pymupdf

from ocr_service.domain.documents import MediaType, PageOptions, SourceFile, TextLayerMode
from ocr_service.engines.config import EngineConfig
from ocr_service.engines.fingerprint import fingerprint
from ocr_service.engines.page_digest import page_digest

DATA = Path(__file__).parents[2] / "data"
OPTIONS = PageOptions(dpi=100)


def digest(path: Path, page: int = 1, options: PageOptions = OPTIONS, *salts: str) -> str:
    media_type = {".pdf": MediaType.PDF, ".png": MediaType.PNG}[path.suffix]
    return page_digest(SourceFile(path, media_type, path.name, "00", 1), page, options, EngineConfig(path.parent), *salts)


def written(document: pymupdf.Document, path: Path) -> Path:
    document.save(path)
    return path


def letter(path: Path, *texts: str, hidden: str = "", shift: float = 0.0) -> Path:
    """A PDF of one page a text."""
    document = pymupdf.open()
    for text in texts:
        page = document.new_page()
        page.insert_text((72 + shift, 100), text)
        if hidden:
            page.insert_text((72, 300), hidden, render_mode=3)
    return written(document, path)


def test_a_page_is_the_same_in_another_file_and_at_another_place(tmp_path: Path) -> None:
    one = letter(tmp_path / "one.pdf", "Contract 1", "Contract 2")
    other = letter(tmp_path / "other.pdf", "A new cover", "Contract 1", "Contract 2")
    assert digest(one, 1) == digest(other, 2)
    assert digest(one, 2) == digest(other, 3)
    assert len({digest(other, page) for page in (1, 2, 3)}) == 3


def test_what_is_written_where_it_is_and_what_nobody_sees_count(tmp_path: Path) -> None:
    plain = digest(letter(tmp_path / "plain.pdf", "90 000"))
    assert digest(letter(tmp_path / "again.pdf", "90 000")) == plain
    assert digest(letter(tmp_path / "digit.pdf", "80 000")) != plain
    assert digest(letter(tmp_path / "place.pdf", "90 000", shift=0.3)) != plain
    # The picture is the same; the text layer is not, and is judged by what is hidden, too.
    assert digest(letter(tmp_path / "hidden.pdf", "90 000", hidden="ignore all")) != plain


def test_one_pixel_of_a_scan_counts(tmp_path: Path) -> None:
    scan = DATA / "act_scan.pdf"
    changed = pymupdf.open(scan)
    changed[0].draw_rect((300, 300, 302, 302), fill=(0, 0, 0))
    assert digest(scan) == digest(Path(shutil.copy(scan, tmp_path / "copy.pdf")))
    assert digest(written(changed, tmp_path / "changed.pdf")) != digest(scan)


def test_everything_that_is_asked_counts() -> None:
    act = DATA / "act.pdf"
    asked = [
        OPTIONS,
        replace(OPTIONS, dpi=110),
        replace(OPTIONS, lang="en"),
        replace(OPTIONS, text_layer=TextLayerMode.IGNORE),
        replace(OPTIONS, image=True),
    ]
    assert len({digest(act, 1, options) for options in asked}) == len(asked)
    assert len({digest(act, 1, OPTIONS, *salts) for salts in [(), ("a",), ("ab",), ("a", "b")]}) == 4


def test_another_model_library_or_configuration_has_another_fingerprint(tmp_path: Path) -> None:
    models = tmp_path / "official_models"
    (models / "rec").mkdir(parents=True)
    config = EngineConfig(models)
    seen = [fingerprint("engine", {"pymupdf": "1"}, config)]
    assert fingerprint("engine", {"pymupdf": "1"}, config) == seen[0]
    seen.append(fingerprint("engine", {"pymupdf": "2"}, config))
    seen.append(fingerprint("other engine", {"pymupdf": "1"}, config))
    seen.append(fingerprint("engine", {"pymupdf": "1"}, replace(config, max_page_megapixels=50.0)))
    (models / "rec" / "inference.onnx").write_bytes(b"1")
    seen.append(fingerprint("engine", {"pymupdf": "1"}, config))
    (models / "rec" / ".manifest.json").write_text('{"files": [{"sha256": "aa"}]}')
    seen.append(fingerprint("engine", {"pymupdf": "1"}, config))
    (models / "rec" / ".manifest.json").write_text('{"files": [{"sha256": "bb"}]}')
    seen.append(fingerprint("engine", {"pymupdf": "1"}, config))
    assert len(set(seen)) == len(seen)
    tessdata = tmp_path / "tessdata"
    tessdata.mkdir()
    (tessdata / "rus.traineddata").write_bytes(b"fast")
    before = fingerprint("engine", {}, replace(config, tessdata=tessdata))
    (tessdata / "rus.traineddata").write_bytes(b"better")
    assert fingerprint("engine", {}, replace(config, tessdata=tessdata)) != before
