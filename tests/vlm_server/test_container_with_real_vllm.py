"""start_vllm.sh with real vLLM on the CPU and the tiny checkpoint that reads, real warm-up and real service; on with OCR_TEST_VLLM=1.

The tiny model cannot be asked whether its answers are right (VLM_WARMUP=full): that needs PaddleOCR-VL's own weights.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from ocr_service.warming.samples import NUMBER, page_pdf
from tests.e2e.running import free_port
from tests.vlm_server.real import MODEL_NAME, PROJECT, READER, SMALL, START_S, VLLM

pytestmark = [
    pytest.mark.skipif(os.environ.get("OCR_TEST_VLLM") != "1", reason="real vLLM is tested with OCR_TEST_VLLM=1 (needs 2.5 GB)"),
    pytest.mark.timeout(1800),
    pytest.mark.e2e,
    pytest.mark.slow,
]


class Container:
    """The script with everything that it starts."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.log_file = folder / "log"
        self.url = f"http://127.0.0.1:{free_port()}"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "USE_VLM_API": "true",
            "VLLM_URL": f"http://127.0.0.1:{free_port()}/v1/markdown",
            "VLM_COMMAND": str(VLLM),
            "VLM_MODEL": str(READER),
            "VLM_MODEL_NAME": MODEL_NAME,
            "VLM_GPU": "false",
            "VLM_WARMUP": "contract",
            "VLM_RESTART_PAUSE_S": "0",
            "APP_PYTHON": sys.executable,
            "OCR_HOST": "127.0.0.1",
            "OCR_PORT": self.url.rpartition(":")[2],
            "OCR_WORKERS": "1",
            "OUTPUT_DIR": str(folder / "output"),
            **settings,
        }
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [PROJECT / "start_vllm.sh", *SMALL], env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.client = httpx.Client(base_url=self.url, timeout=300)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def told(self, text: str) -> int:
        return self.log().count(text)

    def health(self) -> dict[str, Any]:
        try:
            return dict(self.client.get("/health").json())
        except httpx.TransportError:
            return {}

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_S
        while not condition():
            assert self.process.poll() is None, f"ended before {what}: {self.log()[-3000:]}"
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.health()}; {self.log()[-3000:]}"
            time.sleep(0.2)

    def wait_for_health(self, vllm_status: str) -> None:
        self.wait_for(lambda: self.health().get("vllm_status") == vllm_status, f"vLLM {vllm_status}")

    def processes(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def engine(self) -> psutil.Process:
        return next(process for process in self.processes() if "EngineCore" in " ".join(process.cmdline()))

    def answered_by_vlm(self) -> int:
        return self.told('"POST /v1/markdown HTTP/1.1" 200')

    def kill(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            for process in [*self.processes(), psutil.Process(self.process.pid)]:
                process.kill()
            self.process.wait(60)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    container = Container(tmp_path)
    yield container
    container.kill()


def test_real_vllm_is_warmed_up_reads_pages_comes_back_and_stops(container: Container) -> None:
    container.wait_for_health("available")
    assert "VLM large picture" in container.log()
    warmed = container.answered_by_vlm()
    assert warmed == 6, "every task once, and a large picture"

    answer = container.client.post("/ocr/pdf", files={"file": ("a.pdf", page_pdf())}, data={"vlm_policy": "all"}).json()
    assert answer["status"] == "complete"
    assert NUMBER in answer["markdown"], "what the tiny model misreads must not take the place of what was read right"
    assert container.answered_by_vlm() > warmed

    container.engine().kill()
    container.wait_for_health("unavailable")
    container.wait_for(lambda: container.told("vLLM is ready") == 2, "vLLM to come back")
    container.wait_for_health("available")

    started = container.processes()
    container.process.send_signal(signal.SIGTERM)
    assert container.process.wait(120) == 0, container.log()[-3000:]
    assert container.told("vLLM did not end in time") == 0
    assert [process for process in started if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_model_that_reads_wrong_fails_the_full_warm_up_with_71(tmp_path: Path) -> None:
    container = Container(tmp_path, VLM_WARMUP="full")
    try:
        assert container.process.wait(START_S) == 71, container.log()[-3000:]
        assert "was to be read" in container.log()
    finally:
        container.kill()
