"""What an engine is built from. Travels to the worker process, so it holds plain values only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


class EngineSetupError(Exception):
    """The engine cannot work on this machine; the message is for the operator and says what to install or set."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """`models_path`: folder of preloaded models (`official_models`); `tessdata`: folder of `*.traineddata`, None to look for it.

    `lang`: the language to be ready for at start. `device` ("cpu" or "gpu:0"), `runtime` ("onnxruntime" or "paddle") and `gpu_share`, the
    share of the GPU's memory that this engine may use, are for engines that can use a GPU.
    """

    models_path: Path
    tessdata: Path | None = None
    max_pages: int = 1000
    max_page_megapixels: float = 40.0
    lang: str = "ru"
    device: str = "cpu"
    runtime: Literal["onnxruntime", "paddle"] = "onnxruntime"
    gpu_share: float = 0.4
