"""Which engine reads the pages, on what, and with how many workers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ocr_service.bootstrap import models_check
from ocr_service.engines.structure_v3.models import required_models
from ocr_service.models.catalogue import models_of
from ocr_service.placement import EMBEDDED, STRUCTURE_V3, Machine, Placement, place
from ocr_service.settings import Settings, SettingsError

TWO_GPUS = Machine(gpus=("0", "1"))
NO_CUDA_RUNTIME = Machine(gpus=("0",), lacks={"onnxruntime": "structure_v3 on a GPU needs the package onnxruntime-gpu"})
NO_PADDLE = Machine(gpus=("0",), lacks={"onnxruntime": "structure_v3 needs the package paddleocr, which is not installed"})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A PADDLEX_HOME with every model that Russian needs; only the files' names and sizes are looked at."""
    for name in required_models("ru"):
        folder = tmp_path / "official_models" / f"{name}_onnx"
        folder.mkdir(parents=True)
        for file in ("inference.onnx", "inference.yml"):
            (folder / file).write_text("not empty")
    return tmp_path


def settings(home: Path, **environment: str) -> Settings:
    return Settings.from_environment({"PADDLEX_HOME": str(home), **environment})


def error(home: Path, machine: Machine, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        place(settings(home, **environment), machine)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_with_a_gpu_and_its_models_auto_is_structure_v3_with_one_worker_per_gpu(home: Path) -> None:
    found = place(settings(home), TWO_GPUS)
    assert (found.engine, found.device, found.workers) == (STRUCTURE_V3, "gpu:0", 2)
    assert found.seats == ({"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"})


def test_without_a_gpu_auto_is_embedded(home: Path) -> None:
    found = place(settings(home), Machine())
    assert (found.engine, found.device, found.reason) == (EMBEDDED, "cpu", "no GPU to be used")


def test_a_gpu_without_its_models_makes_auto_embedded_and_the_log_says_what_is_missing(tmp_path: Path) -> None:
    found = place(settings(tmp_path), TWO_GPUS)
    assert found.engine == EMBEDDED
    assert "lacks 11 of 11 models" in found.reason
    assert "preload_models.py" in found.reason


@pytest.mark.parametrize("machine", [NO_CUDA_RUNTIME, NO_PADDLE], ids=["no CUDA runtime", "no paddleocr"])
def test_a_gpu_without_the_packages_makes_auto_embedded(home: Path, machine: Machine) -> None:
    found = place(settings(home), machine)
    assert found.engine == EMBEDDED
    assert "needs the package" in found.reason


def test_missing_models_stop_the_start_where_the_engine_was_asked_for(home: Path) -> None:
    (home / "official_models" / "SLANet_plus_onnx" / "inference.onnx").unlink()
    message = error(home, TWO_GPUS, OCR_ENGINE="structure_v3")
    assert message.startswith("OCR_ENGINE: structure_v3 lacks 1 of 11 models")
    assert "(SLANet_plus)" in message
    assert "preload_models.py" in message


def test_missing_packages_stop_the_start_where_the_engine_was_asked_for(home: Path) -> None:
    assert error(home, NO_PADDLE, OCR_ENGINE="structure_v3").startswith("OCR_ENGINE: structure_v3 needs the package paddleocr")
    assert "onnxruntime-gpu" in error(home, NO_CUDA_RUNTIME, OCR_ENGINE="structure_v3")


def test_on_the_cpu_structure_v3_needs_no_cuda_runtime_and_has_a_worker_per_core(home: Path) -> None:
    chosen = settings(home, OCR_ENGINE="structure_v3", OCR_DEVICE="cpu")
    found = place(chosen, NO_CUDA_RUNTIME)
    assert (found.device, found.workers, found.seats) == ("cpu", chosen.worker_count, ())
    assert found.environment["CUDA_VISIBLE_DEVICES"] == "-1"


def test_a_device_of_cpu_makes_auto_embedded_beside_a_gpu(home: Path) -> None:
    assert place(settings(home, OCR_DEVICE="cpu"), TWO_GPUS).engine == EMBEDDED


def test_only_the_named_gpus_are_used(home: Path) -> None:
    found = place(settings(home, OCR_DEVICE="gpu:1"), Machine(gpus=("GPU-aa", "GPU-bb")))
    assert found.seats == ({"CUDA_VISIBLE_DEVICES": "GPU-bb"},)
    assert "no GPU 2 here" in error(home, TWO_GPUS, OCR_DEVICE="gpu:0,2")


def test_a_gpu_that_is_asked_for_and_missing_stops_the_start(home: Path) -> None:
    assert error(home, Machine(), OCR_DEVICE="gpu").startswith("OCR_DEVICE: there is no NVIDIA GPU here")


def test_the_embedded_engine_stays_where_it_is_asked_for(home: Path) -> None:
    assert place(settings(home, OCR_ENGINE="embedded"), TWO_GPUS).engine == EMBEDDED


def memory(found: Placement) -> tuple[int, int]:
    return found.memory_mb, found.recycle_mb


def test_a_worker_s_memory_depends_on_the_engine_unless_it_is_set(home: Path) -> None:
    assert memory(place(settings(home), Machine())) == (3072, 1536)
    assert memory(place(settings(home), TWO_GPUS)) == (12288, 8192)
    assert memory(place(settings(home, OCR_WORKER_MEMORY_MB="4000", OCR_WORKER_RECYCLE_MB="2000"), TWO_GPUS)) == (4000, 2000)


def test_the_gpu_is_shared_with_a_vlm_server_on_the_same_machine_only(home: Path) -> None:
    assert settings(home).page_gpu_share == 0.9
    assert settings(home, USE_VLM_API="true").page_gpu_share == 0.4
    assert settings(home, USE_VLM_API="true", VLM_GPU_MEMORY="0.7").page_gpu_share == 0.2
    assert settings(home, USE_VLM_API="true", VLLM_URL="http://vlm.example.org/v1").page_gpu_share == 0.9


def test_paddle_s_own_runtime_is_kept_within_its_share(tmp_path: Path) -> None:
    for name in required_models("ru"):
        folder = tmp_path / "official_models" / name
        folder.mkdir(parents=True)
        for file in ("inference.json", "inference.pdiparams", "inference.yml"):
            (folder / file).write_text("not empty")
    found = place(settings(tmp_path, OCR_RUNTIME="paddle", USE_VLM_API="true", LD_LIBRARY_PATH="/cuda"), TWO_GPUS)
    assert found.engine == STRUCTURE_V3
    assert found.environment["FLAGS_fraction_of_gpu_memory_to_use"] == "0.400"
    assert found.environment["LD_LIBRARY_PATH"] == "/cuda"


@pytest.mark.parametrize(
    ("visible", "gpus"),
    [(None, ("0", "1")), ("1", ("1",)), ("GPU-aa, GPU-bb", ("GPU-aa", "GPU-bb")), ("-1", ()), ("0,-1,1", ("0",))],
)
def test_the_gpus_are_those_that_cuda_is_shown(tmp_path: Path, visible: str | None, gpus: tuple[str, ...]) -> None:
    for node in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / node).touch()
    assert Machine.look(Settings(cuda_visible_devices=visible), tmp_path).gpus == gpus


def test_a_name_of_a_gpu_does_not_make_one(tmp_path: Path) -> None:
    assert Machine.look(Settings(cuda_visible_devices="0"), tmp_path).gpus == ()


@pytest.mark.parametrize("lang", ["ru", "uk", "bg", "kk", "en", "zh", "de", "fr", "pl", "tr"])
def test_preloading_gets_every_model_that_the_engine_wants(lang: str) -> None:
    preloaded = {model.folder for model in models_of("gpu")}
    assert {f"{name}_onnx" for name in required_models(lang)} <= preloaded


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_health_misses_a_model_that_structure_v3_lost_after_the_start(home: Path, device: str) -> None:
    chosen = settings(home, OCR_ENGINE="structure_v3", OCR_DEVICE=device)
    present = models_check(chosen, place(chosen, TWO_GPUS))
    assert present()
    (home / "official_models" / "PP-OCRv5_server_det_onnx" / "inference.onnx").write_text("")
    assert not present()
    shutil.rmtree(home / "official_models" / "PP-OCRv5_server_det_onnx")
    assert not present()


def test_health_misses_no_model_where_the_engine_brings_its_own(tmp_path: Path) -> None:
    assert models_check(settings(tmp_path), place(settings(tmp_path), Machine()))()
