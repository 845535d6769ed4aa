"""Which model packages PP-StructureV3 needs for a language, and where they lie under `official_models/`.

Every folder is handed to PaddleX by name. It would find them by itself, but what it does not find it tries to download (from four
hosters, half a minute, some of it only at the first page), and an empty folder passes for a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ocr_service.engines.config import EngineSetupError

Runtime = Literal["onnxruntime", "paddle"]

LAYOUT, REGIONS = "PP-DocLayout_plus-L", "PP-DocBlockLayout"
PAGE_ORIENTATION, LINE_ORIENTATION = "PP-LCNet_x1_0_doc_ori", "PP-LCNet_x1_0_textline_ori"
DETECTION = "PP-OCRv5_server_det"
TABLE_KIND = "PP-LCNet_x1_0_table_cls"
WIRED_STRUCTURE, WIRELESS_STRUCTURE = "SLANeXt_wired", "SLANet_plus"
WIRED_CELLS, WIRELESS_CELLS = "RT-DETR-L_wired_table_cell_det", "RT-DETR-L_wireless_table_cell_det"
# For every language; a recogniser for the language comes on top.
COMMON = (
    *(LAYOUT, REGIONS, PAGE_ORIENTATION, LINE_ORIENTATION, DETECTION),
    *(TABLE_KIND, WIRED_STRUCTURE, WIRELESS_STRUCTURE, WIRED_CELLS, WIRELESS_CELLS),
)

_RECOGNISERS = {
    "eslav_PP-OCRv5_mobile_rec": "ru be uk",
    "cyrillic_PP-OCRv5_mobile_rec": "bg mk sr kk ky tg tt mn ba cv ce av os ab kv uz tk",
    "PP-OCRv5_server_rec": "zh ja en",
    "latin_PP-OCRv5_mobile_rec": (
        "af az bs ca cs cy da de es et eu fi fr ga gl hr hu id is it la lb lt lv mi ms mt nl no oc pl pt qu rm ro sk sl sq sv sw tl tr vi"
    ),
    "korean_PP-OCRv5_mobile_rec": "ko",
    "arabic_PP-OCRv5_mobile_rec": "ar fa ug ur ps ku sd",
    "devanagari_PP-OCRv5_mobile_rec": "hi mr ne sa",
    "el_PP-OCRv5_mobile_rec": "el",
    "th_PP-OCRv5_mobile_rec": "th",
    "ta_PP-OCRv5_mobile_rec": "ta",
    "te_PP-OCRv5_mobile_rec": "te",
}
_RECOGNISER_OF = {lang: model for model, languages in _RECOGNISERS.items() for lang in languages.split()}

_DESCRIPTION = "inference.yml"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """One model package: PaddleX's name of the model, and the folder that holds it."""

    name: str
    path: Path


def recogniser(lang: str) -> str:
    """The text recogniser for an ISO 639-1 code. Raises EngineSetupError for a language that no model of PP-OCRv5 reads."""
    try:
        return _RECOGNISER_OF[lang]
    except KeyError:
        raise EngineSetupError(f"no PP-OCRv5 model reads the language {lang!r}") from None


def required_models(lang: str) -> tuple[str, ...]:
    """The names of all models that a page in this language may need; what `preload_models.py` has to fetch. Raises EngineSetupError."""
    return (*COMMON, recogniser(lang))


def find_model(models_path: Path, name: str, runtime: Runtime) -> ModelFolder | None:
    """The package of a model that is whole for this runtime, None where there is none."""
    for folder in (models_path / f"{name}_onnx", models_path / name) if runtime == "onnxruntime" else (models_path / name,):
        if _is_whole(folder, runtime):
            return ModelFolder(name, folder)
    return None


def find_models(models_path: Path, lang: str, runtime: Runtime) -> dict[str, ModelFolder]:
    """The packages of all required models by name. Raises EngineSetupError with one line that names what is missing."""
    found = {name: find_model(models_path, name, runtime) for name in required_models(lang)}
    missing = [name for name, folder in found.items() if folder is None]
    if missing:
        raise EngineSetupError(
            f"structure_v3 lacks {len(missing)} of {len(found)} models in {models_path} ({', '.join(missing)}); "
            f"fetch them with: python preload_models.py --profile {'gpu' if runtime == 'onnxruntime' else 'paddle'}"
        )
    return {name: folder for name, folder in found.items() if folder is not None}


def needed_files(runtime: Runtime) -> tuple[str, ...]:
    """What every whole package holds, whatever its program is called."""
    return (_DESCRIPTION, "inference.onnx" if runtime == "onnxruntime" else "inference.pdiparams")


def _is_whole(folder: Path, runtime: Runtime) -> bool:
    """Whether no file is missing. An interrupted download leaves an empty folder or an empty file."""
    if not all(_has_content(folder / name) for name in needed_files(runtime)):
        return False
    return runtime == "onnxruntime" or any(_has_content(folder / name) for name in ("inference.json", "inference.pdmodel"))


def _has_content(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
