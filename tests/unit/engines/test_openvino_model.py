"""The OpenVINO models that the embedded engine runs."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
import pytest
from openvino import opset13

from ocr_service.engines.ocr.readers import WHEEL_MODELS
from ocr_service.engines.openvino_model import ExactSession, load_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A product so large that one inference takes some milliseconds."""
    source = opset13.parameter([1, 1500], np.float32)
    product = opset13.matmul(source, opset13.constant(np.ones((1500, 1500), np.float32)), False, False)
    path = tmp_path / "model.xml"
    openvino.save_model(openvino.Model([product], [source]), path, compress_to_fp16=False)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which cores a thread may use")
def test_a_model_may_run_on_every_core_of_the_process(model: Path) -> None:
    """Pinned, the one thread of every worker process would share the same core."""
    run = load_model(model)
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("one core cannot show it")
    own, done, seen = threading.get_native_id(), threading.Event(), set[int]()

    def watch() -> None:
        while not done.is_set():
            seen.add(len(os.sched_getaffinity(own)))

    watching = threading.Thread(target=watch)
    watching.start()
    for _ in range(300):
        run(np.ones((1, 1500), np.float32))
    done.set()
    watching.join()
    assert seen == {len(allowed)}


def test_an_exact_session_gives_what_onnx_runtime_gives() -> None:
    """Where the CPU multiplies BF16, OpenVINO would round to three digits by itself."""
    path = WHEEL_MODELS / "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
    theirs, ours = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]), ExactSession(path)
    picture = np.random.default_rng(0).random((1, 3, 48, 192), np.float32)
    [name], outputs = [port.name for port in theirs.get_inputs()], [port.name for port in theirs.get_outputs()]
    assert ([port.name for port in ours.get_inputs()], [port.name for port in ours.get_outputs()]) == ([name], outputs)
    assert ours.get_inputs()[0].shape[1] == 3
    for one, other in zip(ours.run(outputs, {name: picture}), theirs.run(outputs, {name: picture}), strict=True):
        assert np.abs(one - other).max() < 1e-5


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no\.onnx"):
        ExactSession(tmp_path / "no.onnx")
