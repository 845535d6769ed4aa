"""Real vLLM with random weights: it loops, it fills the queue, and it is stopped, ready or not."""

from __future__ import annotations

import base64
import io
import os
import random
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image, features

from tests.vlm_server.real import MODEL_NAME, PROJECT, SMALL, START_S, VLLM, Server, free_port, in_group, until
from tests.vlm_server.tiny.lines import draw

pytestmark = [
    pytest.mark.skipif(os.environ.get("OCR_TEST_VLLM") != "1", reason="real vLLM is tested with OCR_TEST_VLLM=1 (needs 2.5 GB)"),
    pytest.mark.timeout(900),
    pytest.mark.e2e,
]


def question(**fields: object) -> dict[str, object]:
    out = io.BytesIO()
    Image.effect_noise((300, 60), 90).save(out, "PNG")
    return {"image": base64.b64encode(out.getvalue()).decode(), **fields}


@pytest.mark.skipif(not features.check("freetype2"), reason="Pillow without FreeType draws no text")
def test_a_loop_ends_with_repetition_and_leaves_the_engine_idle(mad: Server) -> None:
    out = io.BytesIO()
    draw("Seconds", random.Random(1)).image.save(out, "PNG")
    asked = {"image": base64.b64encode(out.getvalue()).decode(), "repetition_penalty": 1.0, "raw": True}

    answer = mad.http.post("/v1/markdown", json=asked).json()

    assert answer["finish_reason"] == "repetition"
    assert answer["raw"].startswith(answer["markdown"])
    assert len(answer["markdown"]) < len(answer["raw"])
    until(lambda: mad.running() == 0, 30, "the end of the generation")


def test_more_questions_than_may_wait_are_503_with_retry_after_and_the_others_are_answered(mad: Server) -> None:
    def ask(_number: int) -> httpx.Response:
        return mad.http.post("/v1/markdown", json=question(max_tokens=200, temperature=2.0))

    with ThreadPoolExecutor(30) as clients:
        answers = list(clients.map(ask, range(30)))

    refused = [answer for answer in answers if answer.status_code != 200]
    assert 0 < len(refused) < len(answers)
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(503, "overloaded")}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert mad.http.post("/v1/markdown", json=question(max_tokens=2)).status_code == 200


def test_sigterm_ends_the_whole_process_group(mad: Server) -> None:
    assert len(in_group(mad.process.pid)) > 1, "vLLM is a server and an engine"

    mad.process.send_signal(signal.SIGTERM)

    mad.process.wait(120)
    until(lambda: not in_group(mad.process.pid), 60, "the end of every process of the group")


def test_sigterm_while_the_engine_starts_leaves_nothing_behind(mad_checkpoint: Path, tmp_path: Path) -> None:
    """Through start_vllm.sh, which is what a container runs: vLLM by itself loses a signal at that moment."""
    environment = os.environ | {
        "USE_VLM_API": "true", "VLLM_URL": f"http://127.0.0.1:{free_port()}/v1/markdown", "VLM_COMMAND": str(VLLM), "VLM_GPU": "false",
        "VLM_MODEL": str(mad_checkpoint), "VLM_MODEL_NAME": MODEL_NAME, "VLM_STOP_TIMEOUT_S": "60",
    }  # fmt: skip
    log = tmp_path / "log.txt"
    with log.open("wb") as written:
        script = subprocess.Popen(["./start_vllm.sh", *SMALL], cwd=PROJECT, env=environment, stdout=written, stderr=subprocess.STDOUT)
    try:
        until(lambda: bool(_engines(script.pid)), START_S, f"an engine that starts; {log}")
        [vllm] = {os.getsid(engine) for engine in _engines(script.pid)}

        script.send_signal(signal.SIGTERM)

        assert script.wait(120) == 0, log.read_text()[-3000:]
        until(lambda: not in_group(vllm), 30, "the end of every process of the group")
        assert "vLLM is ready" not in log.read_text()
    finally:
        script.kill()


def _engines(script: int) -> list[int]:
    """What vLLM has started: its engine, which Python's multiprocessing spawns."""
    engines = []
    for child in psutil.Process(script).children(recursive=True):
        try:
            command = " ".join(child.cmdline())
        except psutil.Error:
            continue
        if "EngineCore" in command or "spawn_main" in command:
            engines.append(child.pid)
    return engines
