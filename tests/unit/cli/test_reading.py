"""Which job a document is read as, against a real HTTP server that answers as it is told."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from ocr_service.cli.progress import Silence
from ocr_service.cli.reading import Read, Reader
from ocr_service.cli.tickets import Ticket, TicketFile
from ocr_service.client import AsyncClient, JobFailed, Options, Patience, Unreachable
from tests.fakes.scripted_service import JOB, PAGE, Act, ScriptedService, events, job, job_event, line, page_event, problem, serving

OPTIONS = Options(dpi=300, password="hush")
DONE = events(page_event(1), job_event("complete"))
FAILED = events(page_event(1), job_event("failed", error={"code": "interrupted", "detail": "The service ended."}))
GONE = Act(404, chunks=(problem(404, "job_not_found"),))
REUSED = Act(422, chunks=(problem(422, "idempotency_key_reused"),))


@pytest.fixture
def tickets(tmp_path: Path) -> TicketFile:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    return TicketFile(tmp_path / "jobs" / "sub" / "a.json")


def read(service: ScriptedService, tickets: TicketFile, sha256: str = "hash", away_s: float = 0) -> Read:
    async def run() -> Read:
        async with AsyncClient(service.url, patience=Patience(away_s=away_s, connects=1)) as client:
            file = tickets.path.parents[2] / "a.pdf"
            return await Reader(client, OPTIONS).read_once(file, "a.pdf", Silence(), tickets, sha256)

    return asyncio.run(run())


def asked(service: ScriptedService) -> list[str]:
    return [f"{sent.method} {sent.path}" for sent in service.sent]


def keys(service: ScriptedService) -> list[str]:
    return [sent.headers["idempotency-key"] for sent in service.sent if sent.method == "POST"]


def test_what_the_events_tell_is_kept(tickets: TicketFile) -> None:
    failed = line({**PAGE, "page": 2, "status": "failed", "images": ["p0002-b01.png"]})
    stream = events(job_event(), page_event(1), b"event: page\nid: 2\ndata: " + failed + b"\n", job_event("partial"))
    with serving(job("queued"), stream) as service:
        found = read(service, tickets)
    assert found == Read("id", pages=2, failed_pages=[2], images=["images/p0002-b01.png"])
    ticket = tickets.read()
    assert ticket is not None
    assert (ticket.key, ticket.job_id, ticket.sha256) == (keys(service)[0], "id", "hash")
    assert b"hush" not in tickets.path.read_bytes()


def test_the_key_is_written_down_before_the_document_is_sent(tickets: TicketFile) -> None:
    with serving(Act(hang_up=True)) as service, pytest.raises(Unreachable):
        read(service, tickets)
    with serving(job(), DONE) as next_service:
        read(next_service, tickets)
    assert keys(service) == keys(next_service)


def test_a_known_job_is_not_sent_again(tickets: TicketFile) -> None:
    tickets.write(Ticket(key="k", sha256="hash", options=OPTIONS.recorded(), job_id="id"))
    with serving(job(), DONE) as service:
        assert read(service, tickets).pages == 1
    assert asked(service) == ["GET /ocr/jobs/id", "GET /ocr/jobs/id/events"]


@pytest.mark.parametrize(
    ("job_id", "acts"),
    [
        ("old", [GONE]),  # expired, or another service
        ("old", [job("failed"), FAILED]),
        (None, [REUSED]),  # the service's defaults have changed
        (None, [job("cancelled"), events(job_event("cancelled"))]),
    ],
)
def test_a_job_that_gives_no_result_is_begun_anew_once(tickets: TicketFile, job_id: str | None, acts: list[Act]) -> None:
    tickets.write(Ticket(key="old-key", sha256="hash", options=OPTIONS.recorded(), job_id=job_id))
    with serving(*acts, Act(202, chunks=(line({**JOB, "job_id": "new"}),)), DONE) as service:
        assert read(service, tickets).pages == 1
    assert keys(service)[-1] != "old-key"
    ticket = tickets.read()
    assert ticket is not None
    assert ticket.job_id == "new"
    tickets.write(Ticket(key="old-key", sha256="hash", options=OPTIONS.recorded(), job_id=job_id))
    with serving(*acts, job(), FAILED) as service, pytest.raises(JobFailed):
        read(service, tickets)
    assert tickets.read() is None


def test_the_job_of_other_bytes_is_cancelled(tickets: TicketFile) -> None:
    tickets.write(Ticket(key="old-key", sha256="other", options=OPTIONS.recorded(), job_id="old"))
    with serving(GONE, job(), DONE) as service:
        read(service, tickets)
    assert asked(service)[:2] == ["DELETE /ocr/jobs/old", "POST /ocr/jobs"]


def test_a_ticket_that_cannot_be_read_is_none(tickets: TicketFile) -> None:
    tickets.path.parent.mkdir(parents=True)
    tickets.path.write_bytes(b"{")
    with serving(job(), DONE) as service:
        assert read(service, tickets).pages == 1


def test_what_is_broken_off_is_cancelled_and_what_cannot_be_is_left(tickets: TicketFile) -> None:
    async def run(service: ScriptedService, act: Act) -> int:
        async with AsyncClient(service.url, patience=Patience(away_s=0, connects=1)) as client:
            reader = Reader(client, OPTIONS)
            reading = asyncio.create_task(reader.read_once(tickets.path.parents[2] / "a.pdf", "a.pdf", Silence(), tickets, "hash"))
            while len(service.sent) < 2:  # noqa: ASYNC110  the server is in a thread
                await asyncio.sleep(0.01)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            service.acts = [act]
            return await reader.cancel_all()

    for act, left, kept in [(Act(hang_up=True), 1, True), (job("complete"), 0, True), (job("cancelled"), 0, False)]:
        tickets.drop()
        endless = events(page_event(1), job_event())
        with serving(job(), endless) as service:
            gate = service.acts[1].gate = threading.Event()
            assert asyncio.run(run(service, act)) == left
            gate.set()
        assert (tickets.read() is not None) is kept
