"""Which models each profile needs, by the names under which PaddleX looks for them in `official_models/`.

ONNX packages have the ending `_onnx`: PaddleX's `engine="onnxruntime"` and the embedded engine take them, so no Paddle runtime is needed.
Paddle's own packages, without the ending, are for OCR_RUNTIME=paddle.
Models for formulas, charts and seals are not here: the VLM reads those.
"""

from __future__ import annotations

from dataclasses import dataclass

_OWNER = "PaddlePaddle"
_ONNX_FILES = ("inference.onnx", "inference.yml")
# The program beside them is called inference.json or inference.pdmodel.
_PADDLE_FILES = ("inference.pdiparams", "inference.yml")
_VLM_FILES = ("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True, slots=True)
class Model:
    """`folder` in `official_models/`; `repository` on a model hub; `required`: the files without which it cannot be loaded."""

    folder: str
    repository: str
    purpose: str
    required: tuple[str, ...]


def _onnx(name: str, purpose: str) -> Model:
    return Model(f"{name}_onnx", f"{_OWNER}/{name}_onnx", purpose, _ONNX_FILES)


def _paddle(onnx: Model) -> Model:
    name = onnx.folder.removesuffix("_onnx")
    return Model(name, f"{_OWNER}/{name}", onnx.purpose, _PADDLE_FILES)


def _vlm(version: str) -> Model:
    # PaddleX's folders carry no "-0.9B".
    name = f"PaddleOCR-VL{version}"
    return Model(name, f"{_OWNER}/{name}", "vision language model", _VLM_FILES)


_ESLAV = _onnx("eslav_PP-OCRv5_mobile_rec", "text recognition: Russian, Belarusian, Ukrainian, Latin")
_CYRILLIC = _onnx("cyrillic_PP-OCRv5_mobile_rec", "text recognition: other Cyrillic languages")
_LATIN = _onnx("latin_PP-OCRv5_mobile_rec", "text recognition: German, French and other Latin languages")

CPU: tuple[Model, ...] = (_ESLAV, _CYRILLIC)
STRUCTURE: tuple[Model, ...] = (
    _onnx("PP-DocLayout_plus-L", "layout"),
    _onnx("PP-DocBlockLayout", "regions of a page"),
    _onnx("PP-LCNet_x1_0_doc_ori", "page turned by 90, 180, 270 degrees"),
    _onnx("PP-LCNet_x1_0_textline_ori", "line upside down"),
    _onnx("PP-OCRv5_server_det", "text detection"),
    _onnx("PP-OCRv5_server_rec", "text recognition: Chinese, English, Japanese"),
    _ESLAV,
    _CYRILLIC,
    _LATIN,
    _onnx("PP-LCNet_x1_0_table_cls", "tables with or without rulings"),
    _onnx("SLANeXt_wired", "structure of ruled tables"),
    _onnx("SLANet_plus", "structure of tables without rulings"),
    _onnx("RT-DETR-L_wired_table_cell_det", "cells of ruled tables"),
    _onnx("RT-DETR-L_wireless_table_cell_det", "cells of tables without rulings"),
)
PADDLE_STRUCTURE = tuple(map(_paddle, STRUCTURE))
# 1.5 by default: 1.6 reads Russian worse (PaddleOCR issue 18088).
VLM = {"1.5": _vlm("-1.5"), "1.6": _vlm("-1.6"), "1.0": _vlm("")}
PROFILES = ("cpu", "gpu", "paddle")


def models_of(profile: str, vlm_version: str = "1.5") -> tuple[Model, ...]:
    """`profile`: one of PROFILES; `vlm_version`: one of VLM. Raises KeyError."""
    vlm = VLM[vlm_version]
    return {"cpu": CPU, "gpu": (*STRUCTURE, vlm), "paddle": (*PADDLE_STRUCTURE, vlm)}[profile]


def known_models() -> tuple[Model, ...]:
    return (*STRUCTURE, *PADDLE_STRUCTURE, *VLM.values())
