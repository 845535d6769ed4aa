"""What `check` says about this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocr_service import placement
from ocr_service.cli import this_machine
from ocr_service.cli.table import Row, State
from ocr_service.models.catalogue import CPU
from ocr_service.workers.confinement import MECHANISMS, available


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
    confined = State.OK if available() == MECHANISMS else State.WARNING
    assert states() == {
        "settings": State.OK,
        "models": State.OK,
        "Tesseract's data": State.OK,
        "page workers": confined,
        "S3 settings": State.OFF,
    }


def page_workers() -> Row:
    [row] = [row for row in this_machine.rows(full=False) if row.part == "page workers"]
    return row


def test_workers_that_nothing_or_not_all_confines_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "available", lambda: MECHANISMS)
    assert page_workers() == Row("page workers", State.OK, "confined by no_new_privileges, seccomp, landlock")
    monkeypatch.setattr(placement, "available", lambda: MECHANISMS[:2])
    assert page_workers() == Row("page workers", State.WARNING, "confined by no_new_privileges, seccomp; this machine lacks landlock")
    monkeypatch.setenv("OCR_WORKER_CONFINEMENT", "require")
    [row] = this_machine.rows(full=False)
    assert (row.state, row.detail) == (State.BROKEN, "OCR_WORKER_CONFINEMENT: this machine lacks landlock")
    monkeypatch.setenv("OCR_WORKER_CONFINEMENT", "off")
    assert page_workers().state is State.WARNING


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
