"""Real vLLM on the CPU as a process of its own, with the tiny checkpoint that reads or with the same one gone mad."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import psutil

PROJECT = Path(__file__).parents[2]
# OCR_TEST_VLLM_ENVIRONMENT: an environment that scripts/setup-vllm has made elsewhere.
VLLM = Path(os.environ.get("OCR_TEST_VLLM_ENVIRONMENT", PROJECT / ".venv-vllm")) / "bin" / "vllm"
READER = Path(__file__).parent / "tiny" / "reader"
MODEL_NAME = "PaddleOCR-VL-0.9B"
API_KEY = "for-tests"
START_S = 600
SMALL = [  # what a laptop's memory needs
    "--dtype", "float32", "--kv-cache-memory-bytes", "64M", "--max-model-len", "2048", "--max-num-batched-tokens", "2048",
    "--max-num-seqs", "4", "--enforce-eager",
]  # fmt: skip


def until(met: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def in_group(group: int) -> list[int]:
    """Living processes of a process group."""
    living = []
    for process in psutil.process_iter(["status"]):
        try:
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) == group:
                living.append(process.pid)
        except ProcessLookupError:
            continue
    return living


def scramble(checkpoint: Path, out: Path, seed: int) -> None:
    """The same architecture with random weights of the same size: every matrix keeps its numbers, in another order."""
    shutil.copytree(checkpoint, out)
    weights = out / "model.safetensors"
    content = bytearray(weights.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    rng = np.random.default_rng(seed)
    for name, tensor in header.items():
        if name != "__metadata__" and len(tensor["shape"]) > 1:
            first, last = (start + offset for offset in tensor["data_offsets"])
            assert tensor["dtype"] == "F16"
            content[first:last] = rng.permutation(np.frombuffer(bytes(content[first:last]), np.uint16)).tobytes()
    weights.write_bytes(content)


class Server:
    """A vLLM of its own process group, so that nothing of it is left behind."""

    def __init__(self, checkpoint: Path, log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            str(VLLM), "serve", str(checkpoint), "--served-model-name", MODEL_NAME, "--host", "127.0.0.1", "--port", str(port), *SMALL,
            "--no-enable-prefix-caching", "--mm-processor-cache-gb", "0", "--limit-mm-per-prompt", '{"image":1}',
            "--api-key", API_KEY, "--max-num-queued-reqs", "6",
        ]  # fmt: skip
        env = os.environ | {
            "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_PLUGINS": "ocr_markdown",
            "VLLM_KEEP_ALIVE_ON_ENGINE_DEATH": "1",
        }  # fmt: skip
        self.log = log
        with log.open("wb") as written:
            self.process = subprocess.Popen(
                command, env=env, stdout=written, stderr=subprocess.STDOUT, cwd=log.parent, start_new_session=True
            )
        self.http = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=120)

    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        return self.healthy()

    def healthy(self) -> bool:
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def running(self) -> float:
        """Requests in the engine."""
        lines = self.http.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("vllm:num_requests_running"))

    def stop(self) -> None:
        self.http.close()
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()


class Servers:
    """One server for each checkpoint, started when it is first asked for, and anew when a test has ended it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[Path, Server] = {}

    def ready(self, checkpoint: Path) -> Server:
        server = self._running.get(checkpoint)
        if server is None or not server.healthy():
            if server is not None:
                server.stop()
            server = self._running[checkpoint] = Server(checkpoint, self._folder / f"{checkpoint.name}.log")
            until(server.ready, START_S, "a ready vLLM")
        return server

    def stop(self) -> None:
        for server in self._running.values():
            server.stop()
