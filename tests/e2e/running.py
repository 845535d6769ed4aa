"""A real server process, over real HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 60.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Fails with what was waited for."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningServer:
    """A server process with its log, its folder and a client."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, output_dir: Path, log_path: Path) -> None:
        self.process = process
        self.port = port
        self.output_dir = output_dir
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE_S)
        self._log_path = log_path

    def post(self, content: bytes, *, name: str = "a.pdf", **arguments: Any) -> httpx.Response:
        return self.client.post("/ocr/pdf", files={"file": (name, content)}, **arguments)

    def log(self) -> list[dict[str, Any]]:
        """The lines of the log; every one must be JSON."""
        return [json.loads(line) for line in self._log_path.read_text(encoding="utf-8").splitlines()]

    def metric(self, name: str) -> float:
        """The value of a metric, 0 if it is not there."""
        lines = self.client.get("/metrics").text.splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def leftovers(self) -> list[Path]:
        return list((self.output_dir / ".uploads").iterdir())

    def folders(self) -> list[Path]:
        """Document folders."""
        return [path for path in self.output_dir.iterdir() if not path.name.startswith(".")]

    def is_ready(self) -> bool:
        try:
            return self.client.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """Stop politely; returns the exit status."""
        self.send(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


def spawn(script: str, folder: Path, settings: Mapping[str, str], *, log: str = "log.jsonl") -> RunningServer:
    """Start the script; it is not ready yet, and whoever calls ends it. `OCR_PORT` is where one before it was."""
    port = int(settings.get("OCR_PORT") or free_port())
    output_dir = folder / "output"
    log_path = folder / log
    # Without the page cache: a test that sends a page again means to have it read again.
    own = {"OCR_HOST": "127.0.0.1", "OCR_PORT": str(port), "OUTPUT_DIR": str(output_dir), "OCR_WORKERS": "2", "OCR_PAGE_CACHE_MB": "0"}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log_path.open("wb") as log_file:
        process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / script)],
            cwd=REPOSITORY,
            env=kept | own | dict(settings) | {"PYTHONPATH": str(REPOSITORY)},
            stderr=log_file,
            stdout=log_file,
        )
    return RunningServer(process, port, output_dir, log_path)


@contextmanager
def running(script: str, folder: Path, **settings: str) -> Iterator[RunningServer]:
    """Start the script, wait until it is ready, and make sure that it is gone afterwards."""
    server = spawn(script, folder, settings)
    process, log_path = server.process, folder / "log.jsonl"
    try:
        wait_until(lambda: process.poll() is not None or server.is_ready(), f"the server to be ready; log: {log_path.read_text()[-2000:]}")
        assert process.poll() is None, log_path.read_text()
        yield server
    finally:
        server.client.close()
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE_S)
