"""What `check` says about this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocr_service.cli import this_machine
from ocr_service.cli.table import State
from ocr_service.models.catalogue import CPU


def states(*, full: bool = False) -> dict[str, State]:
    return {row.part: row.state for row in this_machine.rows(full=full)}


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The suite's own switches (OCR_TEST_VLLM, OCR_CI_IMAGE) would be taken for misspelt settings.
    for name in [name for name in os.environ if name.startswith(("OCR_", "CLOUDRU_S3_"))]:
        monkeypatch.delenv(name)
    for name, value in {"PADDLEX_HOME": str(tmp_path / "models"), "OCR_ENGINE": "embedded", "OCR_TESSDATA": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    for name in ("rus", "eng"):
        (tmp_path / f"{name}.traineddata").touch()


def test_a_sound_machine() -> None:
    assert states() == {"settings": State.OK, "models": State.OK, "Tesseract's data": State.OK, "S3 settings": State.OFF}


def test_a_misspelt_setting_is_the_only_thing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_PROT", "1")
    [row] = this_machine.rows(full=False)
    assert (row.state, "did you mean OCR_PORT?" in row.detail) == (State.BROKEN, True)


def test_a_damaged_model_is_broken(tmp_path: Path) -> None:
    (tmp_path / "models" / "official_models" / CPU[0].folder).mkdir(parents=True)
    assert states()[f"model {CPU[0].folder}"] is State.BROKEN


def test_language_data_that_is_not_there_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_LANG", "xyz")
    [row] = [row for row in this_machine.rows(full=False) if row.part == "Tesseract's data"]
    assert row.state is State.BROKEN
    assert "tesseract-ocr-xyz" in row.detail
