"""PP-OCRv6 small as folders that PaddleOCR accepts, made from the ONNX files inside the rapidocr wheel: no model hub is asked."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from bench.service import OUT

DETECTION, RECOGNITION = "PP-OCRv6_small_det", "PP-OCRv6_small_rec"
_DECODE = {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}}


def prepare() -> Path:
    """The folder that holds both model folders. Safe to call from several processes at once."""
    folder = OUT / "paddle_models"
    if not folder.exists():
        part = OUT / f"paddle_models.{os.getpid()}"
        _write(part)
        try:
            part.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(part)
    return folder


def _write(folder: Path) -> None:
    import onnxruntime
    import yaml

    package = find_spec("rapidocr")
    assert package is not None
    assert package.origin is not None
    weights = Path(package.origin).parent / "models"
    recognition = weights / "PP-OCRv6_rec_small.onnx"
    session = onnxruntime.InferenceSession(str(recognition), providers=["CPUExecutionProvider"])
    characters = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    settings = {
        DETECTION: (
            weights / "PP-OCRv6_det_small.onnx",
            [
                _DECODE,
                {"DetResizeForTest": {"limit_side_len": 736, "limit_type": "min"}},
                {"NormalizeImage": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "scale": 1 / 255, "order": "hwc"}},
                {"ToCHWImage": None},
            ],
            {"name": "DBPostProcess", "thresh": 0.3, "box_thresh": 0.6, "max_candidates": 1000, "unclip_ratio": 1.5},
        ),
        RECOGNITION: (
            recognition,
            [_DECODE, {"RecResizeImg": {"image_shape": [3, 48, 320]}}],
            {"name": "CTCLabelDecode", "character_dict": characters},
        ),
    }
    for name, (model, steps, decoding) in settings.items():
        (folder / name).mkdir(parents=True)
        shutil.copyfile(model, folder / name / "inference.onnx")
        content = {"Global": {"model_name": name}, "PreProcess": {"transform_ops": steps}, "PostProcess": decoding}
        (folder / name / "inference.yml").write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
