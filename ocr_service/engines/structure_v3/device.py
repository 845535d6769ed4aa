"""On what the models run, and how much of a GPU's memory they may take."""

from __future__ import annotations

import ctypes
from typing import Any

from ocr_service.engines.config import EngineConfig, EngineSetupError

_CUDA = "libcuda.so.1"
# What ONNX Runtime's arena, CUDA, cuDNN and cuBLAS, and Paddle say, in exceptions of whatever class.
_NO_MEMORY = ("is smaller than requested bytes", "failed to allocate memory", "out of memory", "_alloc_failed")


def engine_options(config: EngineConfig) -> dict[str, Any]:
    """The arguments of `PPStructureV3` that choose the runtime. Raises EngineSetupError where a GPU is asked for and there is none."""
    if config.runtime == "paddle":
        # Its memory is limited by variables that Paddle reads when it is imported, see `paddle_variables`.
        return {"engine": "paddle_static"}
    if config.device == "cpu":
        # One thread a worker: the pool has as many workers as there are cores.
        return {"engine": "onnxruntime", "engine_config": {"intra_op_num_threads": 1, "inter_op_num_threads": 1}}
    _require_cuda_provider()
    index = int(config.device.partition(":")[2] or 0)
    options = {
        "device_id": index,
        # Every model has an arena of its own; none may outgrow the share, and none grows by doubling.
        "gpu_mem_limit": int(gpu_memory_bytes(index) * config.gpu_share),
        "arena_extend_strategy": "kSameAsRequested",
        # The default tries every convolution anew for every new size of page, which takes seconds and much memory.
        "cudnn_conv_algo_search": "HEURISTIC",
    }
    # What the GPU has no kernel for runs on the CPU, as it does without being told.
    providers = {"providers": ["CUDAExecutionProvider", "CPUExecutionProvider"], "provider_options": [options, {}]}
    return {"engine": "onnxruntime", "engine_config": providers}


def paddle_variables(gpu_share: float) -> dict[str, str]:
    """The environment that keeps Paddle's own runtime within its share of the GPU."""
    return {"FLAGS_allocator_strategy": "naive_best_fit", "FLAGS_fraction_of_gpu_memory_to_use": f"{gpu_share:.3f}"}


def is_out_of_memory(error: Exception) -> bool:
    """Whether a runtime had no memory left. Limits are each model's: together they can fill the GPU; a new worker starts empty."""
    text = str(error).lower()
    return any(said in text for said in _NO_MEMORY)


def gpu_memory_bytes(index: int) -> int:
    """The GPU's whole memory, from its driver. Raises EngineSetupError."""
    try:
        cuda = ctypes.CDLL(_CUDA)
    except OSError:
        raise EngineSetupError(f"no NVIDIA driver here ({_CUDA} is missing); set OCR_DEVICE=cpu or run with GPU access") from None
    device, total = ctypes.c_int(), ctypes.c_size_t()
    done = cuda.cuInit(0) == 0 and cuda.cuDeviceGet(ctypes.byref(device), index) == 0
    if not done or cuda.cuDeviceTotalMem_v2(ctypes.byref(total), device) != 0:
        raise EngineSetupError(f"GPU {index} cannot be used: the NVIDIA driver does not answer for it")
    return int(total.value)


def _require_cuda_provider() -> None:
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise EngineSetupError("onnxruntime here cannot use a GPU: install onnxruntime-gpu instead of onnxruntime, or set OCR_DEVICE=cpu")
    # From the packages that NVIDIA publishes, where they are installed; else the system's are taken.
    onnxruntime.preload_dlls()
