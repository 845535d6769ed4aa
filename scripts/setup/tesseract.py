"""Tesseract's language data for the service's languages: used where it lies, else installed, else unpacked into the project."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ocr_service.engines.config import EngineSetupError
from ocr_service.engines.ocr import tessdata
from scripts.setup import debian
from scripts.setup.progress import say


def prepare(environ: Mapping[str, str]) -> None:
    """Get what OCR_LANG needs. A failure is told and not fatal: the service starts and says itself what it cannot read."""
    try:
        wanted = tessdata.languages(environ.get("OCR_LANG") or "ru")
    except EngineSetupError as error:
        say(str(error))
        return
    configured = Path(environ["OCR_TESSDATA"]) if environ.get("OCR_TESSDATA") else None
    if _complete(configured, wanted):
        return
    packages = tessdata.packages(wanted)
    say(f"Fetching Tesseract's data: {' '.join(packages)}")
    if debian.install(packages) and _complete(configured, wanted):
        return
    if _unpack(packages) and _complete(configured, wanted):
        say(f"Tesseract's data was unpacked into {tessdata.PROJECT_FOLDER}")
        return
    say(
        f"Tesseract's data could not be fetched, so {wanted[0]} cannot be read by it. Install {' '.join(packages)}, or put "
        f"{', '.join(f'{name}.traineddata' for name in wanted)} into a folder and name it in OCR_TESSDATA"
    )


def _complete(configured: Path | None, wanted: Sequence[str]) -> bool:
    return any(not tessdata.missing(folder, wanted) for folder in tessdata.candidates(configured))


def _unpack(packages: Sequence[str]) -> bool:
    with tempfile.TemporaryDirectory(prefix="ocr-setup-") as scratch:
        if not debian.unpack(packages, Path(scratch)):
            return False
        tessdata.PROJECT_FOLDER.mkdir(parents=True, exist_ok=True)
        for data in Path(scratch).rglob("*.traineddata"):
            # Renamed into place: an interrupted run must not leave half a file that looks complete.
            part = tessdata.PROJECT_FOLDER / f"{data.name}.part"
            shutil.copyfile(data, part)
            part.replace(tessdata.PROJECT_FOLDER / data.name)
    return True
