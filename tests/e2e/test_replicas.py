"""Two real services, one real Postgres, one OUTPUT_DIR. Without Postgres these tests are skipped, or fail with OCR_TEST_POSTGRES=1."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from scripts.setup import postgres
from tests.e2e.running import RunningServer, running, wait_until
from tests.e2e.test_jobs import SCRIPT, document, events, finished, job_of, submit, traced
from tests.fakes.postgres_server import PostgresServer, serving

pytestmark = pytest.mark.e2e

PASSWORD = "hush-hush-4711"
Start = Callable[[str], AbstractContextManager[RunningServer]]


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresServer]:
    binaries = postgres.find()
    if binaries is None:
        reason = "no Postgres found: apt-get install postgresql"
        if os.environ.get("OCR_TEST_POSTGRES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with serving(binaries, PASSWORD) as server:
        yield server


@pytest.fixture
def start(database: PostgresServer, tmp_path: Path) -> Start:
    """Starts a replica by its name; all share the database and OUTPUT_DIR."""

    def start(name: str) -> AbstractContextManager[RunningServer]:
        folder = tmp_path / name
        folder.mkdir()
        shared = {"OUTPUT_DIR": str(tmp_path / "shared"), "OCR_JOBS_DATABASE": database.url, "OCR_JOBS_LEASE_S": "2"}
        return running(SCRIPT, folder, **shared)

    return start


def test_a_replica_takes_over_what_a_killed_one_was_doing(start: Start, tmp_path: Path) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    with start("first") as first:
        job_id = submit(first, document(pages=10, gate=gate, gate_after=4, trace=trace)).json()["job_id"]
        wait_until(lambda: job_of(first, job_id)["pages_done"] == 4, "four pages")
        with start("second") as second:
            assert job_of(second, job_id)["state"] == "running"
            first.send(signal.SIGKILL)
            first.process.wait()
            before = len(traced(trace))
            gate.touch()
            job = finished(second, job_id)
            assert (job["state"], job["pages_done"], job["attempts"]) == ("complete", 10, 2)
            assert sorted(traced(trace)[before:]) == list(range(5, 11))
            assert [number for kind, number, _ in events(second, job_id) if kind == "page"] == list(range(1, 11))
            assert any(line["message"] == "A job was cut off and is gone on with" for line in second.log())
            assert PASSWORD not in (tmp_path / "second" / "log.jsonl").read_text()


def test_replicas_share_the_queue_and_no_page_is_read_twice(start: Start, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with start("first") as first, start("second") as second:
        jobs = [submit(first, document(pages=4, seconds=0.02, trace=trace, name=f"n{number}")).json()["job_id"] for number in range(12)]
        assert {finished(second, job_id)["state"] for job_id in jobs} == {"complete"}
        assert set(Counter(trace.read_text().splitlines()).values()) == {1}
        assert [job["job_id"] for job in second.client.get("/ocr/jobs").json()["jobs"]][:12] == jobs[::-1]
        gate = tmp_path / "gate"
        slow = submit(first, document(pages=3, gate=gate)).json()["job_id"]
        wait_until(lambda: job_of(first, slow)["stage"] == "reading", "the job to be read, by whichever")
        for server in (first, second):  # one of the two does not do it
            server.client.delete(f"/ocr/jobs/{slow}")
        assert finished(second, slow)["state"] == "cancelled"
        wait_until(lambda: first.metric("ocr_pages_in_flight") + second.metric("ocr_pages_in_flight") == 0, "the workers to be free")


def test_a_database_that_was_away_for_longer_than_the_lease_costs_no_job(start: Start, database: PostgresServer, tmp_path: Path) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    with start("first") as server:
        job_id = submit(server, document(pages=6, gate=gate, gate_after=2, trace=trace)).json()["job_id"]
        wait_until(lambda: job_of(server, job_id)["pages_done"] == 2, "two pages")
        database.stop()
        try:
            wait_until(lambda: server.metric("ocr_pages_in_flight") == 0, "the job to be left, since others might take it over")
            refused = submit(server, document(pages=1))
            assert (refused.status_code, refused.json()["code"]) == (507, "storage_failed")
        finally:
            database.start()
        gate.touch()
        job = finished(server, job_id)
        assert (job["state"], job["pages_done"], job["attempts"]) == ("complete", 6, 2)
        assert Counter(traced(trace))[1] == Counter(traced(trace))[2] == 1
