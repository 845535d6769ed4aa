"""Jobs through both clients, against a real HTTP server that answers as it is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ocr_service.client import (
    AnswerBroken,
    BrokenOff,
    Busy,
    ClientError,
    JobCancelled,
    JobChanged,
    JobFailed,
    JobUnfinished,
    NoResult,
    NotFound,
    Options,
    Page,
    PageFinished,
    Patience,
    Rejected,
    Unreachable,
)
from tests.fakes.scripted_service import JOB, Act, events, job, job_event, line, page_event, problem, serving
from tests.unit.client.both import BOTH, LASTING, Sync
from tests.unit.client.test_client import DOCUMENT

GONE = Act(404, chunks=(problem(404, "job_not_found"),))


def numbers(happenings: list[JobChanged | PageFinished]) -> list[int | str]:
    """Pages by number, jobs by state."""
    return [happening.number if isinstance(happening, PageFinished) else happening.job.state for happening in happenings]


@BOTH
def test_a_document_is_handed_in_with_all_that_belongs_to_it(kind: type[Sync], tmp_path: Path) -> None:
    (tmp_path / "отчёт.pdf").write_bytes(b"%PDF-1.7 content")
    with serving(job("queued", queue_position=2)) as service:
        handed_in = kind(service.url, api_key="key").call(
            "submit", tmp_path / "отчёт.pdf", Options(dpi=300), idempotency_key="order-1", webhook_url="https://example.org/hook"
        )
    assert (handed_in.job_id, handed_in.state, handed_in.queue_position, handed_in.is_over) == ("id", "queued", 2, False)
    [sent] = service.sent
    assert (sent.method, sent.path, sent.headers["idempotency-key"], sent.headers["authorization"]) == (
        "POST",
        "/ocr/jobs",
        "order-1",
        "Bearer key",
    )
    for part in (b"%PDF-1.7 content", 'filename="отчёт.pdf"'.encode(), b'name="dpi"\r\n\r\n300', b"\r\n\r\nhttps://example.org/hook"):
        assert part in sent.body


@BOTH
def test_what_is_sent_again_after_the_answer_broke_off_has_the_same_key(kind: type[Sync], tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF the whole of it")
    proxy = Act(502, chunks=(b"<html>Bad gateway</html>",))
    with serving(Act(202, chunks=(line(JOB)[:40],), cut=True), Act(hang_up=True), proxy, job()) as service:
        client = kind(service.url, patience=LASTING)
        assert client.call("submit", tmp_path / "a.pdf").job_id == "id"
        assert client.call("submit", tmp_path / "a.pdf").job_id == "id"
    *keys, other = [sent.headers["idempotency-key"] for sent in service.sent]
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert other not in keys
    assert [sent.body.count(b"%PDF the whole of it") for sent in service.sent] == [1] * 5


@BOTH
def test_a_service_that_was_never_there_is_not_waited_for(kind: type[Sync]) -> None:
    with serving(Act(hang_up=True)) as service, pytest.raises(Unreachable):
        kind(service.url, patience=LASTING).call("submit", b"%PDF")
    assert len(service.sent) == LASTING.connects


@BOTH
def test_a_full_queue_is_waited_for_and_a_wrong_option_is_not(kind: type[Sync]) -> None:
    full = Act(503, {"Retry-After": "0"}, (problem(503, "overloaded"),))
    with serving(full, job()) as service:
        kind(service.url).call("submit", b"%PDF")
    assert len({sent.headers["idempotency-key"] for sent in service.sent}) == 1
    with (
        serving(Act(422, chunks=(problem(422, "idempotency_key_reused"),))) as service,
        pytest.raises(Rejected, match="idempotency_key_reused"),
    ):
        kind(service.url, patience=LASTING).call("submit", b"%PDF")
    assert len(service.sent) == 1


@BOTH
def test_a_job_is_asked_for_and_cancelled(kind: type[Sync]) -> None:
    with serving(job(eta_s=1.5), job("cancelled"), GONE) as service:
        client = kind(service.url)
        assert client.call("job", "id").eta_s == 1.5
        assert client.call("cancel", "../id").is_over
        with pytest.raises(NotFound):
            client.call("job", "id")
    assert [(sent.method, sent.path) for sent in service.sent] == [
        ("GET", "/ocr/jobs/id"),
        ("DELETE", "/ocr/jobs/..%2Fid"),
        ("GET", "/ocr/jobs/id"),
    ]


def listing(first: int, last: int, cursor: str | None) -> Act:
    jobs = [{**JOB, "job_id": str(number)} for number in range(first, last + 1)]
    return Act(chunks=(line({"jobs": jobs, "next_cursor": cursor}),))


@BOTH
def test_the_listing_is_read_to_its_end_or_as_far_as_asked(kind: type[Sync]) -> None:
    with serving(listing(1, 200, "a b"), listing(201, 203, None)) as service:
        found = kind(service.url).list("jobs", state="running")
    assert [int(one.job_id) for one in found] == list(range(1, 204))
    assert [sent.path for sent in service.sent] == ["/ocr/jobs?limit=200&state=running", "/ocr/jobs?limit=200&state=running&cursor=a+b"]
    with serving(listing(1, 2, "more")) as service:
        assert len(kind(service.url).list("jobs", limit=2)) == 2
    assert [sent.path for sent in service.sent] == ["/ocr/jobs?limit=2"]
    with pytest.raises(ValueError, match="limit"):
        kind(service.url).list("jobs", limit=0)


@BOTH
def test_events_come_as_values_while_the_job_goes_on(kind: type[Sync]) -> None:
    with serving(events(job_event(), page_event(1), b":\n\n", page_event(2), job_event("partial"))) as service:
        happenings = kind(service.url).list("events", "id")
    assert numbers(happenings) == ["running", 1, 2, "partial"]
    assert isinstance(happenings[1].page, Page)
    assert (service.sent[0].path, service.sent[0].headers["last-event-id"]) == ("/ocr/jobs/id/events", "0")


@BOTH
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Act(hang_up=True), "unreachable"),
        (Act(502, chunks=(b"Bad gateway",)), "http_502"),
        (Act(507, chunks=(problem(507, "storage_failed"),)), "storage_failed"),
        (Act(503, {"Retry-After": "0"}, (problem(503, "shutting_down"),)), "shutting_down"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_stream_is_taken_up_after_the_last_page(kind: type[Sync], fault: Act, code: str) -> None:
    waits: list[str] = []
    with serving(
        events(job_event(), page_event(3), page_event(4)[:-1], cut=True),
        fault,
        events(page_event(4)),  # ended politely, as by a service that is stopped
        events(page_event(5), job_event("complete")),
    ) as service:
        happenings = kind(service.url, patience=LASTING, on_wait=lambda error, _: waits.append(error.code)).list("events", "id", 2)
    assert numbers(happenings) == ["running", 3, 4, 5, "complete"]
    assert [sent.headers["last-event-id"] for sent in service.sent] == ["2", "3", "3", "4"]
    assert waits == ["answer_broken", code, "answer_broken"]


@BOTH
def test_a_service_that_stays_away_is_given_up(kind: type[Sync]) -> None:
    with serving(events(page_event(1), cut=True), Act(hang_up=True)) as service:
        seen: list[JobChanged | PageFinished] = []
        with pytest.raises((BrokenOff, Unreachable)):
            kind(service.url, patience=Patience(away_s=2)).list("events", "id", then=seen.append)
    assert numbers(seen) == [1]
    assert 2 <= len(service.sent) <= 5


@BOTH
def test_a_job_that_has_expired_in_the_meantime_is_not_waited_for(kind: type[Sync]) -> None:
    with serving(events(page_event(1), cut=True), GONE) as service, pytest.raises(NotFound):
        kind(service.url, patience=LASTING).list("events", "id")
    assert len(service.sent) == 2


@BOTH
@pytest.mark.parametrize(
    "answer", [Act(headers={"Content-Type": "text/html"}, chunks=(b"<html>Welcome</html>",)), events(b"event: page\nid: 1\ndata: {}\n\n")]
)
def test_a_stream_of_somebody_else_is_an_error_at_once(kind: type[Sync], answer: Act) -> None:
    with serving(answer) as service, pytest.raises(AnswerBroken, match="Is this address the OCR service's"):
        kind(service.url, patience=LASTING).list("events", "id")
    assert len(service.sent) == 1


@BOTH
def test_silence_longer_than_is_borne_is_a_broken_stream(kind: type[Sync]) -> None:
    class Slow:
        """A gate that opens by itself, later than the client bears."""

        def wait(self, _timeout: float) -> None:
            time.sleep(1)

        def set(self) -> None: ...

    slow = events(page_event(1), page_event(2))
    slow.gate = Slow()  # type: ignore[assignment]
    with serving(slow, events(page_event(2), job_event("complete"))) as service:
        happenings = kind(service.url, patience=LASTING, timeout_s=0.3).list("events", "id")
    assert numbers(happenings) == [1, 2, "complete"]
    assert [sent.headers["last-event-id"] for sent in service.sent] == ["0", "1"]


@BOTH
@pytest.mark.parametrize("state", ["complete", "partial", "failed", "cancelled"])
def test_a_job_is_waited_for_however_it_ends(kind: type[Sync], state: str) -> None:
    pages: list[Page] = []
    with serving(events(job_event(), page_event(1), job_event(state))) as service:
        assert kind(service.url).call("wait", "id", on_page=pages.append).state == state
    assert [page.page for page in pages] == [1]


@BOTH
def test_the_result_of_a_job_is_its_document(kind: type[Sync]) -> None:
    with serving(job("complete"), DOCUMENT) as service:
        assert kind(service.url).call("result", "id").markdown == "Страница\n"
    assert [sent.path for sent in service.sent] == ["/ocr/jobs/id", "/ocr/documents/id"]


FAILURE = {"code": "document_unreadable", "detail": "The file is damaged."}


@BOTH
@pytest.mark.parametrize(
    ("answer", "error", "code", "words"),
    [
        (job("failed", error=FAILURE), JobFailed, "document_unreadable", "The file is damaged."),
        (job("cancelled"), JobCancelled, "job_cancelled", "was cancelled"),
        (job("queued"), JobUnfinished, "job_unfinished", "wait for it"),
        (GONE, NotFound, "job_not_found", "job_not_found"),
    ],
)
def test_a_job_without_a_result_says_why(kind: type[Sync], answer: Act, error: type[ClientError], code: str, words: str) -> None:
    with serving(answer) as service, pytest.raises(error, match=words) as caught:
        kind(service.url).call("result", "id")
    assert caught.value.code == code
    assert isinstance(caught.value, NoResult | NotFound)


@BOTH
def test_what_can_be_asked_for_again_is_when_it_broke_off(kind: type[Sync], tmp_path: Path) -> None:
    cut = Act(chunks=(b"pict",), cut=True)
    with serving(cut, Act(chunks=(b"picture",)), Act(chunks=DOCUMENT.chunks, cut=True), DOCUMENT) as service:
        client = kind(service.url, patience=LASTING)
        client.call("download", "id", "images/a.png", tmp_path / "a.png")
        assert client.call("document", "id").document_id == "id"
    assert (tmp_path / "a.png").read_bytes() == b"picture"
    assert len(service.sent) == 4


@BOTH
def test_a_busy_service_ends_the_patience_for_events_too(kind: type[Sync]) -> None:
    with serving(Act(503, chunks=(problem(503, "overloaded", retry_after_s=3600),))) as service, pytest.raises(Busy):
        kind(service.url).list("events", "id")
    assert len(service.sent) == 1
