"""What `check` finds out about the service that is installed here, running or not."""

from __future__ import annotations

from ocr_service.cli.table import Row, State
from ocr_service.engines.config import EngineSetupError
from ocr_service.engines.ocr import tessdata
from ocr_service.models import manifest
from ocr_service.models.catalogue import Model, known_models
from ocr_service.placement import Placement, Walls, place_here
from ocr_service.settings import Settings, SettingsError


def rows(*, full: bool) -> list[Row]:
    """`full`: every byte of the models is compared with its manifest."""
    try:
        settings = Settings.from_environment()
        placement = place_here(settings)
        walls = Walls.look(settings)
    except SettingsError as error:
        return [Row("settings", State.BROKEN, str(error))]
    chosen = f"engine {placement.engine.partition(':')[0].rpartition('.')[2]} on {placement.device}: {placement.reason}"
    return [
        Row("settings", State.OK, chosen),
        *_models(settings, placement, full=full),
        _tesseract(settings, placement),
        _page_workers(walls),
        _s3(settings),
    ]


def _models(settings: Settings, placement: Placement, *, full: bool) -> list[Row]:
    """Those that the engine cannot do without, and whatever else was preloaded."""
    needed = {model.folder for model in placement.models}
    wanted = [*placement.models, *(model for model in known_models() if model.folder not in needed)]
    found = [manifest.check(settings.models_path, model, hashes=full) for model in wanted]
    present = [finding for finding in found if finding.state is not manifest.State.MISSING or _is_needed(finding.model, needed)]
    if not present:
        return [Row("models", State.OK, f"none preloaded in {settings.models_path}, and none needed")]
    return [
        Row(f"model {finding.model.folder}", _MODEL_STATES[finding.state], f"{finding.problem or finding.model.purpose}")
        for finding in present
    ]


def _is_needed(model: Model, needed: set[str]) -> bool:
    return model.folder in needed


_MODEL_STATES = {
    manifest.State.OK: State.OK,
    manifest.State.UNVERIFIED: State.WARNING,
    manifest.State.MISSING: State.BROKEN,
    manifest.State.DAMAGED: State.BROKEN,
}


def _tesseract(settings: Settings, placement: Placement) -> Row:
    name = "Tesseract's data"
    if "structure_v3" in placement.engine:
        return Row(name, State.OFF, "structure_v3 does not use it")
    try:
        folder = tessdata.find(settings.ocr_tessdata, settings.ocr_lang)
    except EngineSetupError as error:
        return Row(name, State.BROKEN, str(error))
    absent = tessdata.missing(folder, tessdata.languages(settings.ocr_lang))
    if absent:
        return Row(name, State.WARNING, f"{folder} lacks {', '.join(absent)}: install {' '.join(tessdata.packages(absent))}")
    return Row(name, State.OK, f"{'+'.join(tessdata.languages(settings.ocr_lang))} in {folder}")


def _page_workers(walls: Walls) -> Row:
    """docs/security.md says what each wall refuses."""
    name = "page workers"
    if not walls.standing:
        return Row(name, State.WARNING, "not confined (OCR_WORKER_CONFINEMENT)")
    confined = f"confined by {', '.join(walls.standing)}"
    if walls.lacking:
        return Row(name, State.WARNING, f"{confined}; this machine lacks {', '.join(walls.lacking)}")
    return Row(name, State.OK, confined)


def _s3(settings: Settings) -> Row:
    if not settings.s3_configured:
        return Row("S3 settings", State.OFF, "not configured")
    return Row("S3 settings", State.OK, f"bucket {settings.cloudru_s3_bucket} at {settings.cloudru_s3_endpoint}")
