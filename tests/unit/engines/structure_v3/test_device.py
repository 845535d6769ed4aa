"""A GPU without memory is told from a page that cannot be read: the worker is replaced, and the page tried again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ocr_service.engines.structure_v3.device import is_out_of_memory

# ONNX Runtime's real arena, which CUDA has too, with too little room for the model. In a process of its own: it stays registered.
FULL_ARENA = """
import sys
from pathlib import Path
import numpy, onnxruntime, rapidocr
from ocr_service.engines.structure_v3.device import is_out_of_memory

where = onnxruntime.OrtMemoryInfo("Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT)
onnxruntime.create_and_register_allocator(where, onnxruntime.OrtArenaCfg({"max_mem": 50_000_000}))
options = onnxruntime.SessionOptions()
options.add_session_config_entry("session.use_env_allocators", "1")
options.intra_op_num_threads = 1
(model, *_) = sorted((Path(rapidocr.__file__).parent / "models").glob("*det*.onnx"))
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
try:
    session.run(None, {session.get_inputs()[0].name: numpy.zeros((1, 3, 1280, 1280), numpy.float32)})
except Exception as error:
    sys.exit(0 if is_out_of_memory(error) else f"not recognised: {error}")
sys.exit("there was memory enough")
"""


def test_a_full_arena_of_onnx_runtime_is_recognised() -> None:
    ran = subprocess.run([sys.executable, "-c", FULL_ARENA], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CUDA failure 2: out of memory ; GPU=0 ; hostname=ocr ; expr=cudaMalloc((void**)&p, size);", True),
        ("CUDNN failure 4: CUDNN_STATUS_ALLOC_FAILED ; GPU=0", True),
        ("ResourceExhaustedError: Out of memory error on GPU 0. Cannot allocate 1.25GB memory on GPU 0", True),
        ("not enough values to unpack (expected 3, got 2)", False),
        ("Non-zero status code returned while running Conv node. Missing Input: x", False),
    ],
)
def test_what_runtimes_say(text: str, *, expected: bool) -> None:
    assert is_out_of_memory(RuntimeError(text)) is expected
