"""What must not be there: zombies, files and descriptors that nobody needs, memory that grows; and what must be: all that was promised."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.chaos.ledger import Ledger, digest
from tests.chaos.scene import DOWN, MEMORY_MB, Scene

# What libraries may open once and keep: connections to S3, to the VLM and to the database.
MORE_DESCRIPTORS = 24
MORE_RESIDENT_MB = 150
_ZOMBIE_S = 10.0
_OVER = {"complete", "partial", "failed", "cancelled"}
_WITHOUT_FOLDER = {"failed"}
# Reasons of a failed job that say what happened to it: the client left or was cut off, the disk was full, or the file was hostile.
_HONEST = {"interrupted", "shutting_down", "storage_failed", "document_unreadable", "too_many_pages", "password_required", "overloaded"}
# The queue's library cannot write down that a task has ended while the disk is full. The job's end is in the service's own table, which is
# written when there is room again; the task is asked for again at the next start, and is over then.
_DATABASE_FULL = "(sqlite3.OperationalError) database or disk is full"
_THE_QUEUES_OWN = {("Exception encountered in background workflow:", f"sqlalchemy.exc.OperationalError: {_DATABASE_FULL}")}


@dataclass(frozen=True)
class Holdings:
    """Of the API process."""

    descriptors: int
    resident_mb: float

    @classmethod
    def of(cls, process: psutil.Process) -> Holdings:
        return cls(process.num_fds(), process.memory_info().rss / 2**20)


class Watch:
    """Looks at the service's processes and its health all the time, in a thread of its own."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._over = threading.Event()
        self._zombies: dict[int, float] = {}
        self.most_mb: dict[str, float] = {"api": 0.0, "a worker": 0.0}
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.5):
            with suppress(psutil.NoSuchProcess):
                self._look_at_processes(psutil.Process(self._scene.server.process.pid))
            self._look_at_health()

    def _look_at_processes(self, api: psutil.Process) -> None:
        self._note("api", api)
        zombies = set()
        for child in api.children(recursive=True):
            self._note("a worker", child)
            if child.status() == psutil.STATUS_ZOMBIE:
                zombies.add(child.pid)
        now = time.monotonic()
        self._zombies = {pid: self._zombies.get(pid, now) for pid in zombies}
        for pid, since in self._zombies.items():
            if now - since > _ZOMBIE_S:
                self._scene.ledger.found(f"process {pid} is a zombie")

    def _note(self, name: str, process: psutil.Process) -> None:
        self.most_mb[name] = max(self.most_mb[name], process.memory_info().rss / 2**20)

    def _look_at_health(self) -> None:
        """Whatever happens, as long as the service lives it answers."""
        began = time.monotonic()
        try:
            response = httpx.get(f"{self._scene.url}/health", timeout=30)
        except httpx.TransportError as error:
            if not self._scene.ledger.periods.touched(DOWN, began):
                self._scene.ledger.found(f"/health did not answer: {type(error).__name__}")
        else:
            if response.status_code not in {200, 503}:
                self._scene.ledger.found(f"/health answered {response.status_code}")


def check_memory(watch: Watch, scene: Scene, before: Holdings) -> None:
    """Once nothing is in work: the API process has what it had, within bounds, and no worker ever had too much."""
    now = Holdings.of(psutil.Process(scene.server.process.pid))
    if now.descriptors > before.descriptors + MORE_DESCRIPTORS:
        scene.ledger.found(f"the API process had {before.descriptors} descriptors, and has {now.descriptors}")
    if now.resident_mb > before.resident_mb + MORE_RESIDENT_MB:
        scene.ledger.found(f"the API process had {before.resident_mb:.0f} MiB, and has {now.resident_mb:.0f}")
    # The watched limit, and what a worker may grow between two looks (RLIMIT_DATA).
    if watch.most_mb["a worker"] > 1.25 * MEMORY_MB + 512:
        scene.ledger.found(f"a worker had {watch.most_mb['a worker']:.0f} MiB")


def check_jobs(scene: Scene) -> None:
    """Everything that was taken in is over, with a result or with a reason."""
    jobs = all_jobs(scene)
    for job in jobs.values():
        _check_job(scene.ledger, job)
    for document_id in scene.ledger.answered.keys() - jobs.keys():
        scene.ledger.found(f"document {document_id} was answered, and is no job")


def check_folders(scene: Scene) -> None:
    """No folder without a document, and none of one that failed. After a start, which removes what a crash left."""
    jobs = all_jobs(scene)
    folders = {path.name for path in scene.output_dir.iterdir() if not path.name.startswith(".")}
    for name in folders - jobs.keys():
        scene.ledger.found(f"a folder that belongs to no document: {name}")
    for name in folders & jobs.keys():
        if jobs[name]["state"] in _WITHOUT_FOLDER:
            scene.ledger.found(f"the folder of a document that failed: {name}: {jobs[name]['error']}")


def all_jobs(scene: Scene) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = ""
    while cursor is not None:
        answer = scene.get(f"/ocr/jobs?limit=100{'&cursor=' + cursor if cursor else ''}").json()
        found |= {job["job_id"]: job for job in answer["jobs"]}
        cursor = answer["next_cursor"]
    return found


def _check_job(ledger: Ledger, job: dict[str, Any]) -> None:
    name, state = job["job_id"], job["state"]
    if state not in _OVER:
        ledger.found(f"document {name} is {state} although nothing is in work")
    if state == "failed" and job["error"]["code"] not in _HONEST:
        ledger.found(f"document {name} failed: {job['error']}")
    if name in ledger.answered and state != "complete":
        ledger.found(f"document {name} was answered, and now is {state}: {job['error']}")


def check_answers_stay(scene: Scene) -> None:
    """What was answered is answered again, and says the same."""
    for document_id, before in scene.ledger.answered.items():
        response = scene.get(f"/ocr/documents/{document_id}")
        if response.status_code != 200:
            scene.ledger.found(f"document {document_id} was answered, and now gets {response.status_code}")
        elif digest(response.json()["pages"]) != before:
            scene.ledger.found(f"document {document_id} does not say what it said")


def check_pages_kept(scene: Scene) -> None:
    """Pages that were on disk when the service was killed were not read again."""
    written_again = [path for path, written in scene.page_files.items() if path.exists() and path.stat().st_mtime_ns != written]
    for path in written_again:
        scene.ledger.found(f"a page was read again after a restart: {path.relative_to(scene.output_dir)}")


def check_stopped(scene: Scene) -> None:
    """After the last end nothing is left but results: nothing half-written, nothing temporary."""
    for path in scene.output_dir.rglob("*"):
        if path.suffix in {".tmp", ".part", ".uploaded"}:
            scene.ledger.found(f"left behind: {path.relative_to(scene.output_dir)}")
    for path in scene.temporary.iterdir():
        scene.ledger.found(f"left in the temporary folder: {path.name}")


def check_s3(scene: Scene) -> None:
    """S3 has every document's files, and they are the local ones."""
    scene.wait(lambda: not list((scene.output_dir / ".outbox").iterdir()), "all documents to be in S3", seconds=300)
    for document_id in scene.ledger.answered:
        local, remote = scene.output_dir / document_id, scene.bucket / "ocr" / document_id
        for path in (path for path in local.rglob("*") if path.is_file() and not path.name.startswith(".")):
            copy = remote / path.relative_to(local)
            if not copy.is_file() or copy.read_bytes() != path.read_bytes():
                scene.ledger.found(f"S3 lacks {path.relative_to(scene.output_dir)}, or has another")


def orphans_in_s3(scene: Scene) -> list[str]:
    """Documents of which S3 has files although there is no such document."""
    remote = scene.bucket / "ocr"
    names = {path.name for path in remote.iterdir()} if remote.is_dir() else set()
    return sorted(name for name in names if not (scene.output_dir / name).is_dir())


def errors_logged(logs: list[Path]) -> Counter[str]:
    """Messages of severity "error" with their last line, and what is no JSON at all."""
    found: Counter[str] = Counter()
    for log in logs:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                found[f"not JSON: {line[:200]}"] += 1
                continue
            if entry["level"] == "error":
                detail = str(entry.get("reason") or entry.get("stack", "")).rstrip().rpartition("\n")[2][-300:]
                if (entry["message"], detail) not in _THE_QUEUES_OWN:
                    found[f"{entry['message']}: {detail}"] += 1
    return found
