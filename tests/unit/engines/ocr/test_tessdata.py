"""Finding Tesseract's language data."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from ocr_service.engines.config import EngineSetupError
from ocr_service.engines.ocr import tessdata


def folder_with(path: Path, *names: str) -> Path:
    path.mkdir(parents=True)
    for name in names:
        (path / f"{name}.traineddata").touch()
    return path


@pytest.fixture(autouse=True)
def project_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test may depend on what this machine has installed."""
    folder = tmp_path / "project" / ".tools" / "tessdata"
    monkeypatch.setattr(tessdata, "PROJECT_FOLDER", folder)
    monkeypatch.setattr(tessdata, "_SYSTEM_FOLDERS", ())
    return folder


def test_russian_is_read_together_with_english() -> None:
    assert tessdata.languages("ru") == ("rus", "eng")


def test_three_letters_are_taken_as_tesseracts_own_name() -> None:
    assert tessdata.languages("bel") == ("bel", "eng")
    assert tessdata.languages("eng") == ("eng",)


def test_a_language_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(EngineSetupError, match=r"'xx'.*\bru\b"):
        tessdata.languages("xx")


def test_packages_are_named_as_debian_spells_them() -> None:
    assert tessdata.packages(["rus", "uzb_cyrl"]) == ["tesseract-ocr-rus", "tesseract-ocr-uzb-cyrl"]


def test_the_configured_folder_comes_first(tmp_path: Path, project_folder: Path) -> None:
    folder_with(project_folder, "rus", "eng")
    configured = folder_with(tmp_path / "mine", "rus", "eng")
    assert tessdata.find(configured, "ru") == configured


def test_a_folder_with_all_languages_beats_an_earlier_one_that_lacks_some(tmp_path: Path, project_folder: Path) -> None:
    folder_with(project_folder, "rus", "eng")
    configured = folder_with(tmp_path / "mine", "rus")
    assert tessdata.find(configured, "ru") == project_folder


def test_the_language_itself_is_enough_and_the_rest_is_warned_about(project_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder_with(project_folder, "bel")
    assert tessdata.find(None, "be") == project_folder
    with caplog.at_level(logging.WARNING):
        assert tessdata.language_string(project_folder, "be") == "bel"
    assert "tesseract-ocr-rus tesseract-ocr-eng" in caplog.text


def test_english_alone_does_not_pass_for_russian(project_folder: Path) -> None:
    folder_with(project_folder, "eng")
    with pytest.raises(EngineSetupError, match=r"tesseract-ocr-rus.*OCR_TESSDATA"):
        tessdata.find(None, "ru")


def test_a_configured_folder_without_data_is_a_mistake_and_not_passed_over(tmp_path: Path, project_folder: Path) -> None:
    folder_with(project_folder, "rus", "eng")
    with pytest.raises(EngineSetupError, match=r"OCR_TESSDATA names .*empty"):
        tessdata.find(folder_with(tmp_path / "empty"), "ru")


def test_the_newest_tesseract_of_the_system_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tessdata, "_SYSTEM_FOLDERS", ("usr/share/tesseract-ocr/*/tessdata",))
    old = folder_with(tmp_path / "usr/share/tesseract-ocr/4.00/tessdata", "rus")
    new = folder_with(tmp_path / "usr/share/tesseract-ocr/5/tessdata", "rus")
    assert tessdata.candidates(None, root=tmp_path) == [new, old]
