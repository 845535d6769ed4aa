"""`scripts/setup`: getting Tesseract's data, on machines that have it and on machines where nothing can be fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_service.engines.ocr import tessdata
from scripts.setup import debian, tesseract


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data anywhere, and no apt-get on the PATH."""
    monkeypatch.setattr(tessdata, "PROJECT_FOLDER", tmp_path / ".tools" / "tessdata")
    monkeypatch.setattr(tessdata, "_SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))


def test_data_that_is_there_already_is_used_without_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("rus", "eng"):
        (tmp_path / f"{name}.traineddata").touch()
    tesseract.prepare({"OCR_TESSDATA": str(tmp_path)})
    assert capsys.readouterr().err == ""


def test_where_nothing_can_be_fetched_the_packages_and_the_setting_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    tesseract.prepare({"OCR_LANG": "be"})
    told = capsys.readouterr().err
    assert "tesseract-ocr-bel tesseract-ocr-rus tesseract-ocr-eng" in told
    assert "bel.traineddata" in told
    assert "OCR_TESSDATA" in told


def test_a_language_that_nobody_knows_does_not_stop_the_setup(capsys: pytest.CaptureFixture[str]) -> None:
    tesseract.prepare({"OCR_LANG": "xx"})
    assert "'xx'" in capsys.readouterr().err


def test_a_machine_without_apt_is_told_apart_from_one_with_it(tmp_path: Path) -> None:
    assert not debian.install(["anything"])
    assert not debian.unpack(["anything"], tmp_path)
