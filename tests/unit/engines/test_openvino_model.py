"""The OpenVINO models that the embedded engine runs."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import numpy as np
import openvino
import pytest
from openvino import opset13

from ocr_service.engines.openvino_model import load_model


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
