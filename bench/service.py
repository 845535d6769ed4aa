"""The real service as a process, for as long as a benchmark lasts: start, post, count its CPU seconds and memory, stop."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

PROJECT = Path(__file__).parents[1]
OUT = PROJECT / "bench" / "out"
START_S = 180.0
STOP_S = 60.0
# A benchmark must see growth and must not be cut short: nothing is renewed, no limit of time or size is met, no page is spared.
UNLIMITED = {
    "OCR_PAGE_CACHE_MB": "0",
    "OCR_WORKER_MAX_PAGES": "100000",
    "OCR_WORKER_RECYCLE_MB": "100000",
    "OCR_WORKER_MEMORY_MB": "8192",
    "OCR_DOCUMENT_TIMEOUT_S": "86400",
    "OCR_MAX_UPLOAD_MB": "4096",
}
_KEPT = ("PATH", "HOME", "LANG", "OCR_TESSDATA", "PADDLEX_HOME")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every benchmark of the service has."""
    parser.add_argument("--workers", type=int, default=2, help="page workers of the service (default: %(default)s)")
    parser.add_argument(
        "--service-python", type=Path, default=PROJECT / ".venv/bin/python", help="the service's interpreter (default: that of make run)"
    )


@dataclass(frozen=True)
class Service:
    """A running service, where its results are, and what it writes beside them."""

    url: str
    process: psutil.Process
    output_dir: Path
    temporary_dir: Path

    def post(self, pdf: Path, form: dict[str, str] | None = None) -> dict[str, Any]:
        """Send a file, wait for the whole answer. Raises httpx.HTTPStatusError."""
        with pdf.open("rb") as file:
            answer = httpx.post(f"{self.url}/ocr/pdf", files={"file": (pdf.name, file)}, data=form or {}, timeout=None)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def pages(self, pdf: Path, form: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Send a file, yield each page when it is done; a caller who stops early cancels the document."""
        headers = {"Accept": "application/x-ndjson"}
        with (
            pdf.open("rb") as file,
            httpx.stream(
                "POST", f"{self.url}/ocr/pdf", files={"file": (pdf.name, file)}, data=form or {}, headers=headers, timeout=None
            ) as answer,
        ):
            if answer.is_error:
                answer.read()
            answer.raise_for_status()
            for line in answer.iter_lines():
                value = json.loads(line)
                if "error" in value and "page" not in value:
                    raise RuntimeError(f"the stream broke off: {value['error']}")
                if "page" in value:
                    yield value

    def file(self, document_id: str, name: str) -> bytes:
        """A file of a document."""
        return httpx.get(f"{self.url}/ocr/documents/{document_id}/files/{name}").raise_for_status().content

    def processes(self) -> dict[str, psutil.Process]:
        """`api` and `worker 1`, `worker 2` …, by age."""
        workers = [child for child in self.process.children() if "ocr_service.workers.child" in " ".join(child.cmdline())]
        workers.sort(key=lambda child: (child.create_time(), child.pid))
        return {"api": self.process} | {f"worker {number}": child for number, child in enumerate(workers, 1)}

    def cpu_seconds(self) -> float:
        """CPU time so far of the service and its workers. Right only as long as no worker is replaced."""
        times = [process.cpu_times() for process in self.processes().values()]
        return float(sum(time.user + time.system for time in times))

    def engine(self) -> str:
        return str(httpx.get(f"{self.url}/version").json()["engine"])


@contextmanager
def running(arguments: argparse.Namespace, checkout: Path = PROJECT, /, **settings: str) -> Iterator[Service]:
    """Start the service on a free port with a temporary OUTPUT_DIR; stop it and remove what it wrote afterwards. `checkout`: whose."""
    if not arguments.service_python.exists():
        raise SystemExit(f"{arguments.service_python} is missing: run scripts/bench, or name an interpreter with --service-python")
    OUT.mkdir(parents=True, exist_ok=True)
    port = free_port()
    own = {"OCR_HOST": "127.0.0.1", "OCR_PORT": str(port), "OCR_WORKERS": str(arguments.workers)} | _known_to(checkout)
    log_path = OUT / "service.log"
    with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder, log_path.open("wb") as log:
        output_dir, temporary_dir = Path(folder) / "output", Path(folder) / "temporary"
        temporary_dir.mkdir()
        own |= {"OUTPUT_DIR": str(output_dir), "TMPDIR": str(temporary_dir)}
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | own | settings
        command = [str(arguments.service_python), str(checkout / "server_vllm.py")]
        process = subprocess.Popen(command, cwd=checkout, env=environment, stdout=log, stderr=log)
        service = Service(f"http://127.0.0.1:{port}", psutil.Process(process.pid), output_dir, temporary_dir)
        try:
            _wait(lambda: process.poll() is not None or _ready(service, arguments.workers), f"the service to be ready (see {log_path})")
            if process.poll() is not None:
                raise SystemExit(f"the service did not start; see {log_path}")
            yield service
        finally:
            stop(process)


def _known_to(checkout: Path) -> dict[str, str]:
    """A setting that came later would stop an older service."""
    known = (checkout / "ocr_service" / "settings.py").read_text(encoding="utf-8")
    return {name: value for name, value in UNLIMITED.items() if name.lower() in known}


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process politely, or else not."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {START_S:.0f} s in vain for {what}")
        time.sleep(0.1)


def _ready(service: Service, workers: int) -> bool:
    """Ready with all of its workers: one is enough for /health/ready, and a measurement needs the others too."""
    try:
        lines = httpx.get(f"{service.url}/metrics").text.splitlines()
        return httpx.get(f"{service.url}/health/ready").is_success and _ready_workers(lines) >= workers
    except httpx.TransportError:
        return False


def _ready_workers(lines: list[str]) -> int:
    return next((int(float(line.rpartition(" ")[2])) for line in lines if line.startswith('ocr_workers{state="ready"}')), 0)
