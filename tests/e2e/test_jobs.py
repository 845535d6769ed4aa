"""Jobs over real HTTP, with the fake engine: what is promised about them when processes end, connections break and people cancel."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_service.api import wire
from tests.e2e.running import RunningServer, running, wait_until
from tests.fakes.vlm_acts import Answer, Stall
from tests.fakes.vlm_server import vlm_in_thread

pytestmark = pytest.mark.e2e

SCRIPT = "tests/e2e/serve_fake.py"
QUICK = {"OCR_JOBS_LEASE_S": "1.5"}


def document(**orders: object) -> bytes:
    return b"%PDF-1.7 " + " ".join(f"{name}={value}" for name, value in orders.items()).encode() + b"\n"


def submit(server: RunningServer, content: bytes, key: str | None = None, **fields: str) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return server.client.post("/ocr/jobs", files={"file": ("отчёт.pdf", content)}, data=fields, headers=headers)


def job_of(server: RunningServer, job_id: str) -> dict[str, Any]:
    response = server.client.get(f"/ocr/jobs/{job_id}")
    wire.Job.model_validate_json(response.content)
    answer: dict[str, Any] = response.json()
    return answer


def finished(server: RunningServer, job_id: str) -> dict[str, Any]:
    wait_until(lambda: job_of(server, job_id)["state"] not in {"queued", "running"}, "the job to be over")
    return job_of(server, job_id)


def events(server: RunningServer, job_id: str, last: int | None = None) -> Iterator[tuple[str, int | None, Any]]:
    """(event, id, data) until the stream ends."""
    headers = {"Last-Event-ID": str(last)} if last is not None else {}
    with server.client.stream("GET", f"/ocr/jobs/{job_id}/events", headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        kind, number = "", None
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind, number = value, None
            elif name == "id":
                number = int(value)
            elif name == "data":
                yield kind, number, json.loads(value)


def traced(path: Path) -> list[int]:
    """The pages that engines were asked for."""
    return [int(line.split()[-1]) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {"OCR_JOBS_AT_A_TIME": "1", "OCR_JOBS_MAX_WAITING": "2", "OCR_JOBS_MIN_FREE_MB": "1"}
    with running(SCRIPT, tmp_path_factory.mktemp("jobs"), **settings) as server:
        yield server


def test_a_job_is_accepted_followed_and_read(server: RunningServer, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    accepted = submit(server, document(pages=4, gate=gate, gate_after=2, fails=2))
    assert accepted.status_code == 202
    job_id = accepted.json()["job_id"]
    assert accepted.headers["location"] == f"/ocr/jobs/{job_id}"
    seen = []
    for event in events(server, job_id):
        seen.append(event)
        if [number for kind, number, _ in seen if kind == "page"] == [1, 2]:
            gate.touch()
    assert seen[0][0] == "job"
    assert [number for kind, number, _ in seen if kind == "page"] == [1, 2, 3, 4]
    assert {data["page"] for kind, _, data in seen if kind == "page"} == {1, 2, 3, 4}
    kind, _, last = seen[-1]
    assert (kind, last["state"], last["stage"]) == ("job", "partial", "done")
    assert (last["page_count"], last["pages_done"], last["pages_failed"], last["attempts"]) == (4, 4, 1, 1)
    assert last["filename"] == "отчёт.pdf"
    assert wire.Document.model_validate_json(server.client.get(last["links"]["document"]).content).document_id == job_id
    assert "Страница 1" in server.client.get(last["links"]["markdown"]).text
    again = [event[:2] for event in events(server, job_id, last=3)]
    assert again == [("page", 4), ("job", None)]


def test_the_same_key_is_the_same_job_and_never_another_one(server: RunningServer) -> None:
    first = submit(server, document(pages=1, name="key"), key="order-1")
    second = submit(server, document(pages=1, name="key"), key="order-1")
    assert (second.status_code, second.headers["idempotency-replayed"]) == (202, "true")
    assert second.json()["job_id"] == first.json()["job_id"]
    for other in (
        submit(server, document(pages=2), key="order-1"),
        submit(server, document(pages=1, name="key"), key="order-1", dpi="100"),
    ):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    finished(server, first.json()["job_id"])
    assert server.leftovers() == []


def test_a_cancelled_job_frees_its_workers_and_keeps_its_pages(server: RunningServer, tmp_path: Path) -> None:
    job_id = submit(server, document(pages=400, seconds=0.05)).json()["job_id"]
    wait_until(lambda: job_of(server, job_id)["pages_done"] > 2, "some pages")
    wait_until(lambda: (job_of(server, job_id)["eta_s"] or 0) > 0, "to know when it will be done")
    assert job_of(server, job_id)["pages_per_second"] > 0
    waiting = submit(server, document(pages=400, seconds=0.05)).json()["job_id"]
    assert (job_of(server, waiting)["state"], job_of(server, waiting)["queue_position"]) == ("queued", 1)
    assert server.client.delete(f"/ocr/jobs/{waiting}").json()["state"] == "cancelled"
    cancelled = server.client.delete(f"/ocr/jobs/{job_id}").json()
    assert (cancelled["state"], cancelled["finished_at"] is None) == ("cancelled", False)
    assert server.metric("ocr_pages_in_flight") == 0
    assert server.client.get(f"/ocr/documents/{job_id}/files/pages/0001.json").status_code == 200
    assert server.client.delete(f"/ocr/jobs/{job_id}").json() == cancelled


def test_a_cancelled_job_takes_its_questions_to_the_vlm_back(tmp_path: Path) -> None:
    with vlm_in_thread(lambda _asked: Answer("", delay_s=0)) as vlm:
        settings = {"USE_VLM_API": "true", "VLLM_URL": vlm.url, "VLM_PAGE_TIMEOUT_S": "300"}
        with running(SCRIPT, tmp_path, **settings) as server:
            vlm.script = lambda _asked: Stall()
            job_id = submit(server, document(pages=8, unsure=1)).json()["job_id"]
            wait_until(lambda: vlm.in_flight > 0, "a question to be in flight")
            assert server.client.delete(f"/ocr/jobs/{job_id}").json()["state"] == "cancelled"
            wait_until(lambda: vlm.in_flight == 0, "the VLM to be free")


def test_a_full_queue_refuses_and_leaves_nothing(server: RunningServer, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running_id = submit(server, document(pages=1, gate=gate)).json()["job_id"]
    wait_until(lambda: job_of(server, running_id)["state"] == "running", "the first job to run")
    waiting = [submit(server, document(pages=1)).json()["job_id"] for _ in range(2)]
    folders = len(server.folders())
    refused = submit(server, document(pages=1))
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    assert len(server.folders()) == folders
    gate.touch()
    assert [finished(server, job_id)["state"] for job_id in (running_id, *waiting)] == ["complete"] * 3


def test_jobs_are_listed_page_by_page_newest_first(server: RunningServer) -> None:
    ids = [finished(server, submit(server, document(pages=1)).json()["job_id"])["job_id"] for _ in range(3)]
    first = server.client.get("/ocr/jobs", params={"limit": 2, "state": "complete"}).json()
    second = server.client.get("/ocr/jobs", params={"limit": 1, "state": "complete", "cursor": first["next_cursor"]}).json()
    assert [job["job_id"] for job in first["jobs"] + second["jobs"]] == ids[::-1]
    for wrong in ({"limit": 0}, {"cursor": "?"}, {"state": "asleep"}):
        assert server.client.get("/ocr/jobs", params=wrong).status_code == 422


def test_what_is_wrong_with_a_file_is_the_jobs_error(server: RunningServer) -> None:
    job = finished(server, submit(server, b"%PDF-1.7 nothing").json()["job_id"])
    assert (job["state"], job["error"]["code"]) == ("failed", "document_unreadable")
    assert not (server.output_dir / job["job_id"]).exists()
    assert server.client.get("/ocr/jobs/aaaaaaaaaaaaaaaaaaaaaaaaaa").json()["code"] == "job_not_found"
    refused = submit(server, document(pages=1), webhook_url="https://example.org/")
    assert (refused.status_code, refused.json()["field"]) == (422, "webhook_url")


def test_a_document_of_ocr_pdf_is_a_job_like_any_other(server: RunningServer, tmp_path: Path) -> None:
    document_id = server.post(document(pages=2)).json()["document_id"]
    assert finished(server, document_id)["pages_done"] == 2
    assert [kind for kind, _, _ in events(server, document_id)] == ["page", "page", "job"]


def test_a_job_outlives_sigkill_and_goes_on_from_its_pages(tmp_path: Path) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    with running(SCRIPT, tmp_path, **QUICK) as server:
        job_id = submit(server, document(pages=12, gate=gate, gate_after=5, trace=trace)).json()["job_id"]
        waiting = submit(server, document(pages=1, gate=gate)).json()["job_id"]
        pages = list(islice((event for event in events(server, job_id) if event[0] == "page"), 5))
        server.send(signal.SIGKILL)
        server.process.wait()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "output" / job_id / "pages").iterdir()}
    assert len(kept) == 5
    before = len(traced(trace))
    gate.touch()
    with running(SCRIPT, tmp_path, **QUICK) as server:
        job = finished(server, job_id)
        assert (job["state"], job["pages_done"], job["attempts"]) == ("complete", 12, 2)
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
        assert sorted(traced(trace)[before:]) == list(range(6, 13))
        assert list(events(server, job_id))[:5] == pages
        assert finished(server, waiting)["state"] == "complete"


def test_sigterm_leaves_a_job_to_the_next_start(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with running(SCRIPT, tmp_path, **QUICK) as server:
        job_id = submit(server, document(pages=4, gate=gate, gate_after=2)).json()["job_id"]
        wait_until(lambda: job_of(server, job_id)["pages_done"] == 2, "two pages")
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 25  # not the grace that documents of /ocr/pdf get
    gate.touch()
    with running(SCRIPT, tmp_path, **QUICK) as server:
        assert finished(server, job_id)["state"] == "complete"


def test_a_password_is_kept_nowhere_so_its_job_does_not_outlive_its_service(tmp_path: Path) -> None:
    with running(SCRIPT, tmp_path, **QUICK) as server:
        quick = submit(server, document(pages=1), password="hush-hush-4711").json()["job_id"]
        assert finished(server, quick)["state"] == "complete"
        slow = document(pages=3, gate=tmp_path / "gate", gate_after=1)
        job_id = submit(server, slow, password="hush-hush-4711").json()["job_id"]
        wait_until(lambda: job_of(server, job_id)["pages_done"] == 1, "a page")
        server.send(signal.SIGKILL)
        server.process.wait()
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"hush-hush-4711" in path.read_bytes()] == []
    with running(SCRIPT, tmp_path, **QUICK) as server:
        job = finished(server, job_id)
        assert (job["state"], job["error"]["code"]) == ("failed", "password_required")


def test_a_document_of_ocr_pdf_that_sigkill_cut_off_is_told_of_and_removed(tmp_path: Path) -> None:
    with running(SCRIPT, tmp_path, **QUICK) as server:
        slow = document(pages=3, gate=tmp_path / "gate", gate_after=1)
        with server.client.stream(
            "POST", "/ocr/pdf", files={"file": ("a.pdf", slow)}, headers={"Accept": "application/x-ndjson"}
        ) as answer:
            next(answer.iter_lines())
            document_id = answer.headers["location"].rpartition("/")[2]
            server.send(signal.SIGKILL)
            server.process.wait()
    assert (tmp_path / "output" / document_id).is_dir()
    with running(SCRIPT, tmp_path, **QUICK) as server:
        job = finished(server, document_id)
        assert (job["state"], job["error"]["code"]) == ("failed", "interrupted")
        wait_until(lambda: not (server.output_dir / document_id).exists(), "its folder to go")
        assert [line["pages_on_disk"] for line in server.log() if line.get("document_id") == document_id] == [1]


def test_a_document_that_was_answered_stays_though_its_end_was_not_written_down(tmp_path: Path) -> None:
    with running(SCRIPT, tmp_path, **QUICK) as server:
        document_id = server.post(document(pages=2)).json()["document_id"]
        finished(server, document_id)
        server.send(signal.SIGKILL)
        server.process.wait()
    with closing(sqlite3.connect(tmp_path / "output/.jobs/jobs.sqlite")) as database, database:
        # As it was a moment before: the result on disk, its end not yet in the table.
        values = "state = 'running', stage = 'reading', finished_at = NULL, pages_done = 1, executor = (SELECT executor FROM ocr_executors)"
        database.execute(f"UPDATE ocr_jobs SET {values}")
    with running(SCRIPT, tmp_path, **QUICK) as server:
        job = finished(server, document_id)
        assert (job["state"], job["page_count"], job["pages_done"], job["pages_failed"]) == ("complete", 2, 2, 0)
        assert server.client.get(f"/ocr/documents/{document_id}").status_code == 200


def test_a_folder_that_a_crash_left_without_a_job_is_removed_and_no_other(tmp_path: Path) -> None:
    output, hour_ago = tmp_path / "output", time.time() - 3600
    names = {"old": "o" * 26, "new": "n" * 26, "finished": "f" * 26, "foreign": "reports"}
    for name in names.values():
        (output / name / "pages").mkdir(parents=True)
    (output / names["finished"] / "result.json").write_text("{}")
    for name in ("old", "finished", "foreign"):
        os.utime(output / names[name], (hour_ago, hour_ago))
    with running(SCRIPT, tmp_path) as server:
        assert {folder.name for folder in server.folders()} == {names["new"], names["finished"], names["foreign"]}


def test_what_has_expired_is_removed(tmp_path: Path) -> None:
    with running(SCRIPT, tmp_path, OCR_RESULTS_KEEP_S="2", **QUICK) as server:
        job = finished(server, submit(server, document(pages=1)).json()["job_id"])
        assert job["expires_at"] > job["finished_at"]
        wait_until(lambda: server.client.get(job["links"]["self"]).status_code == 404, "the job to expire")
        assert server.client.get(job["links"]["document"]).status_code == 404
        assert server.folders() == []
