"""Both clients against a real HTTP server that answers as it is told."""

from __future__ import annotations

import io
import threading
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from ocr_service.client import (
    AnswerBroken,
    Busy,
    Client,
    ClientError,
    Document,
    NotFound,
    Options,
    Page,
    PasswordRequired,
    Refused,
    Rejected,
    ServiceFailed,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from tests.fakes.scripted_service import PAGE, STREAM, SUMMARY, Act, line, problem, serving
from tests.unit.client.both import BOTH, QUICK, Sync

DOCUMENT = Act(chunks=(line({**SUMMARY, "pages": [PAGE], "markdown": "Страница\n"}),))


@BOTH
def test_a_document_is_sent_from_disk_and_comes_back_typed(kind: type[Sync], tmp_path: Path) -> None:
    path = tmp_path / "отчёт.pdf"
    path.write_bytes(b"%PDF-1.7 content")
    seen: list[Page] = []
    with serving(Act(chunks=STREAM), DOCUMENT) as service:
        options = Options(pages="1-3", dpi=300, outputs=("tables",), password="hush")
        document = kind(service.url, api_key="key").call("convert", path, options, on_page=seen.append)
    assert isinstance(document, Document)
    assert (document.document_id, document.partial, document.pages, document.markdown) == ("id", False, tuple(seen), "Страница\n")
    upload, fetched = service.sent
    assert (upload.method, upload.path, upload.headers["authorization"]) == ("POST", "/ocr/pdf", "Bearer key")
    for part in (b"%PDF-1.7 content", 'filename="отчёт.pdf"'.encode(), b'name="pages"\r\n\r\n1-3', b'name="dpi"\r\n\r\n300', b"hush"):
        assert part in upload.body
    assert b"lang" not in upload.body
    assert (fetched.method, fetched.path) == ("GET", "/ocr/documents/id")


@BOTH
def test_a_page_comes_before_the_next_one_is_sent(kind: type[Sync]) -> None:
    gate = threading.Event()
    # The gate is opened only when the first page is here: if the answer came in one piece, this would never end.
    with serving(Act(chunks=(line(PAGE), line({**PAGE, "page": 2}) + STREAM[1]), gate=gate)) as service:
        pages = kind(service.url).pages(b"%PDF", then=gate.set)
    assert [page.page for page in pages] == [1, 2]


@BOTH
def test_only_a_newline_ends_a_line(kind: type[Sync]) -> None:
    text = "до\u2028после\u0085и\x1cвсё"
    pieces = line({**PAGE, "markdown": text}) + STREAM[1]
    with serving(Act(chunks=(pieces[:50], pieces[50:]))) as service:
        [page] = kind(service.url).pages(b"%PDF")
    assert page.markdown == text


@BOTH
def test_a_failed_page_is_a_page_and_not_the_end(kind: type[Sync]) -> None:
    failed = {**PAGE, "status": "failed", "error": {"code": "page_timed_out", "detail": "Too slow."}, "width": None, "text_layer": None}
    with serving(Act(chunks=(line(failed), STREAM[1]))) as service:
        [page] = kind(service.url).pages(b"%PDF")
    assert page.failed
    assert page.error is not None
    assert page.error.code == "page_timed_out"


@BOTH
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_after_the_time_it_names(kind: type[Sync], status: int, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF the whole of it")
    waits: list[tuple[str, float]] = []
    busy = Act(status, {"Retry-After": "0"}, (problem(status, "overloaded"),))
    with serving(busy, busy, Act(chunks=STREAM)) as service:
        client = kind(service.url, on_wait=lambda error, seconds: waits.append((error.code, seconds)))
        assert len(client.pages(tmp_path / "a.pdf")) == 1
    assert waits == [("overloaded", 0), ("overloaded", 0)]
    assert [sent.body.count(b"%PDF the whole of it") for sent in service.sent] == [1, 1, 1]


@BOTH
def test_more_patience_than_there_is_is_not_spent(kind: type[Sync]) -> None:
    refusal = Act(503, {"Retry-After": "3600"}, (problem(503, "overloaded", retry_after_s=3600),))
    with serving(refusal) as service, pytest.raises(Busy) as caught:
        kind(service.url).pages(b"%PDF")
    assert (caught.value.code, caught.value.status, caught.value.retry_after_s) == ("overloaded", 503, 3600)
    assert len(service.sent) == 1


@BOTH
@pytest.mark.parametrize("cut", [True, False])
def test_an_answer_that_has_begun_is_never_asked_for_again(kind: type[Sync], *, cut: bool) -> None:
    with serving(Act(chunks=STREAM[:1], cut=cut)) as service, pytest.raises(AnswerBroken):
        kind(service.url).pages(b"%PDF")
    assert len(service.sent) == 1


@BOTH
def test_a_connection_closed_before_the_answer_is_tried_again_within_bounds(kind: type[Sync]) -> None:
    with serving(Act(hang_up=True), Act(chunks=STREAM)) as service:
        assert len(kind(service.url).pages(b"%PDF")) == 1
    with serving(Act(hang_up=True)) as service, pytest.raises(Unreachable, match="Is the service running there"):
        kind(service.url).pages(b"%PDF")
    assert len(service.sent) == QUICK.connects


@BOTH
def test_silence_is_not_asked_again(kind: type[Sync]) -> None:
    gate = threading.Event()
    with serving(Act(chunks=(b"x",), gate=gate, headers={})) as service:
        with pytest.raises((TimedOut, AnswerBroken)):
            kind(service.url, timeout_s=0.2).pages(b"%PDF")
        gate.set()
    assert len(service.sent) == 1


@BOTH
def test_nobody_there(kind: type[Sync]) -> None:
    with serving(Act()) as service:
        pass
    with pytest.raises(Unreachable) as caught:
        kind(service.url).call("health")
    assert (caught.value.code, caught.value.status) == ("unreachable", None)


@BOTH
@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "unauthorized", Unauthorized),
        (404, "document_not_found", NotFound),
        (413, "too_many_pages", Rejected),
        (422, "invalid_request", Rejected),
        (422, "password_required", PasswordRequired),
        (504, "deadline_exceeded", ServiceFailed),
    ],
)
def test_a_refusal_is_its_class_with_code_status_and_detail(kind: type[Sync], status: int, code: str, error: type[Refused]) -> None:
    answer = Act(status, chunks=(problem(status, code, field="dpi", request_id="r"),))
    with serving(answer) as service, pytest.raises(Refused) as caught:
        kind(service.url).call("convert", b"%PDF")
    refusal = caught.value
    assert type(refusal) is error
    assert (refusal.code, refusal.status, refusal.detail) == (code, status, f"It is {code}.")
    assert (refusal.field, refusal.request_id) == ("dpi", "r")


@BOTH
def test_what_goes_wrong_in_the_middle_is_the_services_own_error(kind: type[Sync]) -> None:
    words = b'{"error":' + problem(507, "storage_failed") + b"}\n"
    with serving(Act(chunks=(STREAM[0], words))) as service, pytest.raises(ServiceFailed) as caught:
        kind(service.url).pages(b"%PDF")
    assert (caught.value.code, caught.value.status) == ("storage_failed", 507)


@BOTH
@pytest.mark.parametrize("answer", [Act(502, chunks=(b"<html>Bad gateway</html>",)), Act(302, {"Location": "/login"})])
def test_an_answer_of_somebody_else_is_an_error_too(kind: type[Sync], answer: Act) -> None:
    with serving(answer) as service, pytest.raises(Refused) as caught:
        kind(service.url).call("health")
    assert (caught.value.code, caught.value.status) == (f"http_{answer.status}", answer.status)


@BOTH
def test_a_page_that_is_not_the_services_is_told(kind: type[Sync]) -> None:
    with serving(Act(chunks=(b"<html>Welcome</html>",))) as service, pytest.raises(AnswerBroken, match="Is this address the OCR service's"):
        kind(service.url).call("version")


@BOTH
def test_an_unhealthy_service_still_tells_its_health(kind: type[Sync]) -> None:
    health = {
        "status": "unhealthy",
        "models_present": False,
        "models_path": "/m",
        "vllm_status": "disabled",
        "vllm_url": "u",
        "use_vlm_api": False,
        "output_dir": "/o",
        "s3_storage": "not_configured",
    }
    with serving(Act(503, chunks=(line(health),))) as service:
        assert kind(service.url).call("health").status == "unhealthy"


@BOTH
def test_a_download_is_whole_or_not_there(kind: type[Sync], tmp_path: Path) -> None:
    target, stream = tmp_path / "a.png", io.BytesIO()
    with serving(Act(chunks=(b"picture",))) as service:
        kind(service.url).call("download", "../id", "images/снимок 1.png", target)
        kind(service.url).call("download", "id", "document.md", stream)
    assert (target.read_bytes(), stream.getvalue()) == (b"picture", b"picture")
    assert service.sent[0].path == "/ocr/documents/..%2Fid/files/images/%D1%81%D0%BD%D0%B8%D0%BC%D0%BE%D0%BA%201.png"
    target.unlink()
    with serving(Act(chunks=(b"pict",), cut=True)) as service, pytest.raises(AnswerBroken):
        kind(service.url).call("download", "id", "images/a.png", target)
    assert list(tmp_path.iterdir()) == []


@BOTH
def test_a_large_file_is_never_whole_in_memory(kind: type[Sync], tmp_path: Path) -> None:
    path, size = tmp_path / "large.pdf", 64 * 2**20
    with path.open("wb") as file:
        file.truncate(size)
    # The server is in this process, too: it refuses without reading, and closes.
    with serving(Act(413, {"Connection": "close"}, (problem(413, "upload_too_large"),))) as service:
        service.reads_bodies = False
        tracemalloc.start()
        try:
            with pytest.raises(ClientError):
                kind(service.url).pages(path)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert int(service.sent[0].headers["content-length"]) > size
    assert peak < 8 * 2**20


@pytest.mark.parametrize("url", ["localhost:8081", "ftp://host", "http://", "http://[::1", ""])
def test_an_impossible_address_is_told_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="must be a URL such as"):
        Client(url)


def test_an_impossible_key_is_told_without_it() -> None:
    with pytest.raises(ValueError, match="API key") as caught:
        Client(api_key="ключ\n")
    assert "ключ" not in str(caught.value)


def test_a_password_is_not_shown() -> None:
    options = Options(password="hush")
    assert "hush" not in repr(options)
    assert "password" not in options.recorded()


def test_results_are_frozen() -> None:
    page = msgspec.convert(PAGE, Page)
    with pytest.raises(AttributeError):
        page.markdown = "other"  # type: ignore[misc]
