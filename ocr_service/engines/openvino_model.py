"""Loads an ONNX model into OpenVINO for one thread.

One single-threaded worker a core beats one process with many threads on models this small (docs/performance.md), and padding is
the waste: models keep dynamic shapes and are fed one picture at its own size.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

Model = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@cache
def _core() -> openvino.Core:
    return openvino.Core()


def load_model(path: Path) -> Model:
    """A function from the model's one input to its first output. Raises FileNotFoundError, RuntimeError (not a model)."""
    if not path.is_file():
        raise FileNotFoundError(f"model file {path} is missing")
    compiled = _core().compile_model(path, "CPU", {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()

    def run(tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        request.infer([np.ascontiguousarray(tensor)])
        return np.asarray(request.get_output_tensor(0).data)

    return run
