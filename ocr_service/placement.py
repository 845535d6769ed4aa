"""Which engine reads the pages, on what, and with how many workers: decided once, at the start, and said in the log."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from ocr_service.engines.config import EngineSetupError
from ocr_service.engines.structure_v3.device import paddle_variables
from ocr_service.engines.structure_v3.models import find_models, needed_files
from ocr_service.models.catalogue import Model
from ocr_service.settings import Settings, SettingsError
from ocr_service.workers.confinement import MECHANISMS, available

EMBEDDED = "ocr_service.engines.embedded:build"
STRUCTURE_V3 = "ocr_service.engines.structure_v3.engine:build"

_MEMORY_MB = {EMBEDDED: (3072, 1536), STRUCTURE_V3: (12288, 8192)}
# What PaddleX reads when it is imported. Its folders go to the worker's own temporary home, so that the models may be read-only; every
# model is handed to it by its folder, so that it has nothing to look for; a GPU that is gone is an error and not a slow CPU.
_PADDLE_ENVIRONMENT = {
    "PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK": "True",
    "PADDLE_PDX_DISABLE_DEVICE_FALLBACK": "1",
    "ORT_DISABLE_TELEMETRY": "1",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What is here: the GPUs as CUDA_VISIBLE_DEVICES names them, and what is missing for PaddleOCR (by runtime; nothing if empty)."""

    gpus: tuple[str, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def look(cls, settings: Settings, dev: Path = Path("/dev")) -> Machine:
        """By the device files: asking the driver would start CUDA in a process that has no use for it."""
        count = sum(1 for node in dev.glob("nvidia[0-9]*") if node.name.removeprefix("nvidia").isdigit())
        visible = settings.cuda_visible_devices
        named = [str(index) for index in range(count)] if visible is None else [part.strip() for part in visible.split(",")]
        # CUDA itself stops at the first name that is none, "-1" above all.
        usable = named[: named.index("-1")] if "-1" in named else named
        return cls(tuple(usable) if count else (), {runtime: lack for runtime in ("onnxruntime", "paddle") if (lack := _lack(runtime))})


@dataclass(frozen=True, slots=True)
class Walls:
    """What would confine page workers on this machine, and what of it the kernel lacks; nothing where they are not to be confined."""

    standing: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @classmethod
    def look(cls, settings: Settings) -> Walls:
        """Raises SettingsError where all are required and one is missing."""
        if settings.ocr_worker_confinement == "off":
            return cls()
        standing = available()
        lacking = tuple(name for name in MECHANISMS if name not in standing)
        if lacking and settings.ocr_worker_confinement == "require":
            raise SettingsError(f"OCR_WORKER_CONFINEMENT: this machine lacks {' and '.join(lacking)}")
        return cls(standing, lacking)


@dataclass(frozen=True, slots=True)
class Placement:
    """`engine`: "package.module:factory"; `device` as the engine is told; `seats`: variables of each worker's place, one per GPU;
    `models`: those without which the engine cannot read."""

    engine: str
    device: str
    workers: int
    reason: str
    memory_mb: int
    recycle_mb: int
    environment: Mapping[str, str]
    seats: tuple[Mapping[str, str], ...] = ()
    models: tuple[Model, ...] = ()


def place_here(settings: Settings, engine: str | None = None) -> Placement:
    """On this machine. `engine`: "package.module:factory", instead of the one that the settings choose. Raises SettingsError."""
    return embedded(settings, "as told", engine) if engine else place(settings, Machine.look(settings))


def place(settings: Settings, machine: Machine) -> Placement:
    """Raises SettingsError with one line when what is asked for cannot be had."""
    if settings.ocr_engine == "embedded":
        return embedded(settings, "as set")
    gpus = _gpus(settings, machine)
    if settings.ocr_engine == "auto":
        if not gpus:
            return embedded(settings, "no GPU to be used")
        if obstacle := _obstacle(settings, machine, on_gpu=True):
            return embedded(settings, f"there is a GPU, but {obstacle}")
        return _structure_v3(settings, gpus, "a GPU and the models are here")
    if obstacle := _obstacle(settings, machine, on_gpu=bool(gpus)):
        raise SettingsError(f"OCR_ENGINE: {obstacle}")
    return _structure_v3(settings, gpus, "as set")


def embedded(settings: Settings, reason: str, engine: str = EMBEDDED) -> Placement:
    """An engine on the CPU, a worker per core. PaddleX's name for the folder of models is the only one that it reads."""
    environment = {"PADDLE_PDX_CACHE_HOME": str(settings.models_path.parent)}
    return Placement(engine, "cpu", settings.worker_count, reason, *_memory(settings, EMBEDDED), environment)


def _structure_v3(settings: Settings, gpus: Sequence[str], reason: str) -> Placement:
    environment = dict(_PADDLE_ENVIRONMENT)
    if settings.ld_library_path:
        environment["LD_LIBRARY_PATH"] = settings.ld_library_path
    if gpus and settings.ocr_runtime == "paddle":
        environment |= paddle_variables(settings.page_gpu_share)
    memory, models = _memory(settings, STRUCTURE_V3), _models(settings)
    if not gpus:
        without_gpu = {**environment, "CUDA_VISIBLE_DEVICES": "-1"}
        return Placement(STRUCTURE_V3, "cpu", settings.worker_count, reason, *memory, without_gpu, models=models)
    # Each worker sees one GPU and calls it the first.
    seats = tuple({"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus)
    return Placement(STRUCTURE_V3, "gpu:0", settings.ocr_workers or len(gpus), reason, *memory, environment, seats, models)


def _models(settings: Settings) -> tuple[Model, ...]:
    """As they were found: a model may lie there as an ONNX package or as Paddle's own."""
    found = find_models(settings.models_path, settings.ocr_lang, settings.ocr_runtime).values()
    return tuple(Model(folder.path.name, "", folder.name, needed_files(settings.ocr_runtime)) for folder in found)


def _memory(settings: Settings, engine: str) -> tuple[int, int]:
    memory_mb, recycle_mb = _MEMORY_MB[engine]
    return settings.ocr_worker_memory_mb or memory_mb, settings.ocr_worker_recycle_mb or recycle_mb


def _gpus(settings: Settings, machine: Machine) -> tuple[str, ...]:
    """The GPUs that the workers get. Raises SettingsError for one that is not here."""
    kind, _, numbers = settings.ocr_device.partition(":")
    if kind == "cpu":
        return ()
    if kind == "gpu" and not machine.gpus:
        raise SettingsError("OCR_DEVICE: there is no NVIDIA GPU here (no /dev/nvidia0); give the container a GPU, or set it to cpu")
    if not numbers:
        return machine.gpus
    wanted = [int(number) for number in numbers.split(",")]
    if beyond := [number for number in wanted if number >= len(machine.gpus)]:
        raise SettingsError(f"OCR_DEVICE: there is no GPU {beyond[0]} here, only {len(machine.gpus)}")
    return tuple(machine.gpus[number] for number in wanted)


def _obstacle(settings: Settings, machine: Machine, *, on_gpu: bool) -> str | None:
    """What keeps structure_v3 from running, None for nothing."""
    lack = machine.lacks.get(settings.ocr_runtime)
    if lack and (on_gpu or "paddleocr" in lack):
        return lack
    try:
        find_models(settings.models_path, settings.ocr_lang, settings.ocr_runtime)
    except EngineSetupError as error:
        return str(error)
    return None


def _lack(runtime: str) -> str | None:
    if find_spec("paddleocr") is None:
        return "structure_v3 needs the package paddleocr, which is not installed"
    if runtime == "paddle":
        return None if find_spec("paddle") else "structure_v3 with OCR_RUNTIME=paddle needs the package paddlepaddle-gpu"
    try:
        importlib.metadata.version("onnxruntime-gpu")
    except importlib.metadata.PackageNotFoundError:
        return "structure_v3 on a GPU needs the package onnxruntime-gpu instead of onnxruntime"
    return None
