"""The service among its surroundings, over all its lives: the same port, folder and settings, whatever ends it."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.chaos.clock import Clock
from tests.chaos.ledger import Ledger
from tests.chaos.surroundings import Disk, Vlm, disk
from tests.e2e.running import RunningServer, free_port, spawn
from tests.fakes.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, FaultyProxy, rclone_s3

WORKERS = 2
MEMORY_MB = 1536
PAGE_TIMEOUT_S = 15
LEASE_S = 3
PATIENCE_S = 150.0
DOWN = "the service is down"
FULL = "the disk is full"
SETTINGS = {
    "OCR_WORKERS": str(WORKERS),
    "OCR_WORKER_MEMORY_MB": str(MEMORY_MB),
    "OCR_WORKER_MAX_PAGES": "300",
    "OCR_PAGE_TIMEOUT_S": str(PAGE_TIMEOUT_S),
    "OCR_INSPECT_TIMEOUT_S": str(PAGE_TIMEOUT_S),
    "OCR_SHUTDOWN_GRACE_S": "3",
    "OCR_MAX_DOCUMENTS": "16",
    # What is left of an upload that the service was killed in is removed by a start ten times as long after.
    "OCR_UPLOAD_TIMEOUT_S": "6",
    "OCR_PAGE_CACHE_MB": "32",
    "OCR_JOBS_LEASE_S": str(LEASE_S),
    "OCR_JOBS_AT_A_TIME": "4",
    "OCR_JOBS_MIN_FREE_MB": "16",
    "OCR_S3_PREFIX": "ocr",
    "OCR_S3_WAIT_S": "2",
    "USE_VLM_API": "true",
    "VLM_CONCURRENCY": "4",
    "VLM_PAGE_TIMEOUT_S": "4",
    "CLOUDRU_S3_BUCKET": BUCKET,
    "CLOUDRU_S3_ACCESS_KEY": ACCESS_KEY,
    "CLOUDRU_S3_SECRET_KEY": SECRET_KEY,
}


class InVain(Exception):
    """What was waited for did not happen."""


class Scene:
    """`server` is the service's present life; `ended_with` the exit status of each that was asked to stop."""

    def __init__(self, folder: Path, disk: Disk, s3: FaultyProxy, bucket: Path) -> None:
        self.disk = disk
        self.s3 = s3
        self.bucket = bucket
        self.vlm = Vlm()
        self.clock = Clock(folder)
        self.ledger = Ledger()
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.output_dir = disk.path / "output"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lives = 0
        self.killed_at = -math.inf
        self.logs: list[Path] = []
        self.page_files: dict[Path, int] = {}
        """Page files of jobs that a SIGKILL found on disk, and when they were written: they must never be written again."""
        self._folder = folder
        self._restarting = threading.Lock()
        self.server: RunningServer

    def start(self, **settings: str) -> None:
        """Begin the next life and wait until it is ready. Raises InVain."""
        self._spawn(settings)
        deadline = time.monotonic() + PATIENCE_S
        while not self.server.is_ready():
            if self.server.process.poll() is not None or time.monotonic() > deadline:
                raise InVain(f"the service to be ready: {self.logs[-1].read_text()[-1500:]}")
            time.sleep(0.1)

    def _spawn(self, settings: dict[str, str]) -> None:
        self.lives += 1
        log = f"log-{self.lives}.jsonl"
        own = {
            "OUTPUT_DIR": str(self.output_dir),
            "OCR_PORT": str(self.port),
            "TMPDIR": str(self.temporary),
            "VLLM_URL": self.vlm.url,
            "CLOUDRU_S3_ENDPOINT": f"http://127.0.0.1:{self.s3.port}",
        }
        self.server = spawn("server_vllm.py", self._folder, SETTINGS | own | self.clock.environment() | settings, log=log)
        self.logs.append(self._folder / log)

    @contextmanager
    def down(self) -> Iterator[None]:
        """One at a time may end the service; what fails meanwhile is no fault."""
        with self._restarting, self.ledger.periods.during(DOWN):
            yield

    @contextmanager
    def up(self) -> Iterator[None]:
        """Nobody ends the service meanwhile: where it is not known to start, such as on a full disk."""
        with self._restarting:
            yield

    def terminate(self) -> int:
        """Ask the service to stop; its exit status."""
        self.server.send(signal.SIGTERM)
        return self._gone(self.workers())

    def kill(self) -> None:
        """End the service as a power cut would. Notes what it had of its jobs."""
        workers = self.workers()
        running = self.running_jobs()
        self.server.send(signal.SIGKILL)
        self._gone(workers)
        self.killed_at = time.monotonic()
        for job_id in running:
            for path in (self.output_dir / job_id / "pages").glob("[0-9]*.json"):
                self.page_files.setdefault(path, path.stat().st_mtime_ns)

    def _gone(self, workers: list[psutil.Process]) -> int:
        """Wait for the end, and for that of the workers: they must not outlive the service."""
        status = self.server.process.wait(PATIENCE_S)
        self.server.client.close()
        _, alive = psutil.wait_procs(workers, timeout=30)
        for process in alive:
            self.ledger.found(f"a page worker outlived its service: {process}")
        return status

    def workers(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return [child for child in psutil.Process(self.server.process.pid).children(recursive=True) if _is_worker(child)]
        return []

    def running_jobs(self) -> list[str]:
        """Jobs that are not over; those that somebody waits for are not told from others."""
        return list(self.attempts())

    def attempts(self) -> dict[str, int]:
        """How often each job that is running was begun."""
        with suppress(httpx.HTTPError):
            jobs = self.get("/ocr/jobs?limit=100&state=running").json()["jobs"]
            return {job["job_id"]: job["attempts"] for job in jobs}
        return {}

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=PATIENCE_S)

    def health(self) -> dict[str, Any]:
        return dict(self.get("/health").json())

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
        """Raises InVain."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(httpx.TransportError):
                if condition():
                    return
            if time.monotonic() > deadline:
                raise InVain(what)
            time.sleep(0.1)

    def wait_until_whole(self) -> None:
        """As many workers as there should be have their engine, and health is content."""
        self.wait(lambda: self._standing_workers() >= WORKERS and self.health()["status"] == "healthy", "the service to be healthy again")

    def _standing_workers(self) -> float:
        states = ('ocr_workers{state="ready"} ', 'ocr_workers{state="busy"} ')
        return sum(float(line.rpartition(" ")[2]) for line in self.get("/metrics").text.splitlines() if line.startswith(states))

    def wait_for_pages(self, count: int) -> None:
        """That work goes on: so many more pages get answered."""
        target = self.ledger.pages + count
        self.wait(lambda: self.ledger.pages >= target, f"{count} more pages to be answered")


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return "ocr_service.workers.child" in process.cmdline()
    return False


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Everything but the service, which is started by `start`; ends all of it."""
    root = folder / "s3" / "root"
    with disk(folder / "disk") as own, rclone_s3(root) as port:
        proxy = FaultyProxy(port)
        made = Scene(folder, own, proxy, root / BUCKET)
        try:
            yield made
        finally:
            if hasattr(made, "server") and made.server.process.poll() is None:
                made.server.process.kill()
                made.server.process.wait()
            made.vlm.close()
            proxy.close()
