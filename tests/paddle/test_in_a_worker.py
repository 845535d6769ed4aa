"""The engine where it lives: in a confined page worker that the settings placed, with the real library."""

from __future__ import annotations

import asyncio
from pathlib import Path

import onnxruntime
import pytest
from paddlex.inference.models.runners.onnxruntime_runner import ONNXRuntimeRunnerConfig

from ocr_service import bootstrap
from ocr_service.domain.documents import PageAnalysis
from ocr_service.engines.config import EngineConfig, EngineSetupError
from ocr_service.engines.structure_v3 import device
from ocr_service.placement import Machine, place
from ocr_service.settings import Settings
from ocr_service.workers.pool import WorkerPool
from tests.fakes.observer import RecordingObserver
from tests.paddle.pages import CASES
from tests.paddle.stub_models import build
from tests.paddle.test_engine import OPTIONS, scan


def test_a_page_is_read_in_a_worker_and_nothing_is_written_beside_the_models(tmp_path: Path) -> None:
    home = tmp_path / "paddlex"
    build(home / "official_models", CASES["stamped"].script)
    before = sorted(home.rglob("*"))
    environment = {"PADDLEX_HOME": str(home), "OCR_ENGINE": "structure_v3", "OCR_DEVICE": "cpu", "OCR_WORKERS": "1"}
    environment |= {"OUTPUT_DIR": str(tmp_path), "OCR_WORKER_CONFINEMENT": "auto"}
    settings = Settings.from_environment(environment)
    placement = place(settings, Machine.look(settings))

    async def scenario() -> tuple[PageAnalysis, str]:
        async with WorkerPool(bootstrap.pool_config(settings, placement), RecordingObserver()) as pool:
            analysis, attempts = await pool.analyse(scan(CASES["stamped"], tmp_path), 1, OPTIONS)
            assert attempts == 1
            assert pool.stats().versions["paddleocr"] == "3.7.0"
            return analysis, pool.engine

    analysis, name = asyncio.run(scenario())
    assert name == "structure_v3 (PP-StructureV3; eslav_PP-OCRv5_mobile_rec; onnxruntime on cpu)"
    assert [block.label.value for block in analysis.blocks] == ["text", "seal", "text"]
    assert [picture.name for picture in analysis.pictures] == ["p0001-b02.png"]
    assert sorted(home.rglob("*")) == before


def test_the_library_accepts_how_the_gpu_s_memory_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as that can be seen without a GPU: every name is one that PaddleX hands on."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(device, "gpu_memory_bytes", lambda _index: 80 * 2**30)
    options = device.engine_options(EngineConfig(Path("/models"), device="gpu:0", gpu_share=0.4))
    config = ONNXRuntimeRunnerConfig.model_validate(options["engine_config"])
    assert config.providers is not None
    assert config.providers[0] == "CUDAExecutionProvider"
    assert isinstance(config.provider_options, list)
    assert config.provider_options[0]["gpu_mem_limit"] == 32 * 2**30


def test_a_gpu_without_the_right_onnxruntime_stops_the_start_with_what_to_install() -> None:
    with pytest.raises(EngineSetupError, match="install onnxruntime-gpu instead of onnxruntime"):
        device.engine_options(EngineConfig(Path("/models"), device="gpu:0"))
