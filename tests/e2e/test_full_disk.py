"""A disk that is full: the service says so, loses nothing, and recovers."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import RunningServer, running, wait_until
from tests.e2e.test_jobs import document, finished, job_of, submit

pytestmark = pytest.mark.e2e

SIZE_MB = 100


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of its own, so that filling it harms nobody."""
    folder = tmp_path_factory.mktemp("disk")
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small tmpfs needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def server(small_disk: Path) -> Iterator[RunningServer]:
    with running("tests/e2e/serve_fake.py", small_disk, OCR_JOBS_MIN_FREE_MB="1") as server:
        yield server


def fill(path: Path) -> None:
    """Write until nothing fits any more."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(2**16))


def test_a_full_disk_is_507_and_503_on_health_and_both_pass_when_there_is_room_again(server: RunningServer, small_disk: Path) -> None:
    filling = small_disk / "filling"
    fill(filling)
    response = server.post(b"%PDF-1.7 pages=2 " + bytes(2**21))
    assert (response.status_code, response.json()["code"]) == (507, "storage_failed")
    wait_until(lambda: server.client.get("/health/ready").status_code == 503, "readiness to tell of the disk")
    assert "OUTPUT_DIR" in str(server.client.get("/health/ready").json()["reasons"])
    filling.unlink()
    assert server.post(b"%PDF-1.7 pages=2 ").status_code == 200
    wait_until(lambda: server.client.get("/health").json()["status"] == "healthy", "health to recover")
    assert server.leftovers() == []
    assert len(server.folders()) == 1


def test_a_job_that_the_full_disk_stops_goes_on_when_there_is_room_again(server: RunningServer, small_disk: Path) -> None:
    gate, filling = small_disk / "gate", small_disk / "filling"
    job_id = submit(server, document(pages=40, gate=gate, gate_after=3)).json()["job_id"]
    answering: list[httpx.Response] = []
    attached = threading.Thread(target=lambda: answering.append(server.post(document(pages=1, gate=gate))))
    attached.start()
    wait_until(lambda: job_of(server, job_id)["pages_done"] == 3, "three pages")
    fill(filling)
    gate.touch()
    wait_until(lambda: any(line["message"] == "A job cannot go on now" for line in server.log()), "the job to meet the full disk")
    attached.join()
    filling.unlink()
    job = finished(server, job_id)
    assert (job["state"], job["pages_done"], job["pages_failed"]) == ("complete", 40, 0)
    assert answering[0].status_code == 507
    wait_until(lambda: server.client.get("/ocr/jobs?state=running").json()["jobs"] == [], "the refused document's end to be written down")
