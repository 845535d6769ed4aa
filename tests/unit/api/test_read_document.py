"""POST /ocr/pdf over ASGI, with a fake pipeline."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ocr_service.api import wire
from ocr_service.api.app import framed
from ocr_service.api.uploads import UploadLimits
from ocr_service.domain import errors
from ocr_service.domain.documents import MediaType

if TYPE_CHECKING:
    import httpx

    from tests.unit.api.conftest import Service

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
FILE = {"file": ("скан.pdf", PDF, "application/octet-stream")}


def post(service: Service, **arguments: Any) -> httpx.Response:
    async def run() -> httpx.Response:
        async with service.client() as client:
            return await client.post("/ocr/pdf", **arguments)

    return asyncio.run(run())


def problem(response: httpx.Response) -> wire.Problem:
    assert response.headers["content-type"] == "application/problem+json"
    body = wire.Problem.model_validate_json(response.content)
    assert body.status == response.status_code
    assert body.type == f"urn:ocr-service:problem:{body.code}"
    assert body.request_id == response.headers["x-request-id"]
    return body


def test_the_default_answer_is_the_documents_json_as_the_schema_describes_it(service: Service) -> None:
    response = post(service, files=FILE)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["location"] == "/ocr/documents/fake-document"
    document = wire.Document.model_validate_json(response.content)
    assert [page.markdown for page in document.pages] == ["Страница 1", "Страница 2"]


def test_the_upload_reaches_the_pipeline_whole_hashed_and_recognised(service: Service) -> None:
    post(service, files=FILE, data={"password": "hush"})
    [(source, _, content)] = service.documents.started
    assert content == PDF
    assert source.sha256 == hashlib.sha256(PDF).hexdigest()
    assert (source.media_type, source.filename, source.size_bytes, source.password) == (MediaType.PDF, "скан.pdf", len(PDF), "hush")


def test_ndjson_is_a_line_a_page_and_then_the_summary(service: Service) -> None:
    response = post(service, files=FILE, headers={"Accept": "application/x-ndjson"})
    assert response.headers["content-type"] == "application/x-ndjson"
    *pages, summary = response.text.splitlines()
    assert [wire.Page.model_validate_json(line).page for line in pages] == [1, 2]
    assert wire.SummaryLine.model_validate_json(summary).summary.status == "complete"


def test_markdown_is_the_documents_markdown(service: Service) -> None:
    response = post(service, files=FILE, headers={"Accept": "text/markdown"})
    assert (response.headers["content-type"], response.text) == ("text/markdown; charset=utf-8", "Страница 1\n")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.DocumentUnreadable("damaged"), 422, "document_unreadable"),
        (errors.PasswordRequired("encrypted"), 422, "password_required"),
        (errors.TooManyPages("too many"), 413, "too_many_pages"),
        (errors.Overloaded("full", retry_after_s=7), 503, "overloaded"),
        (errors.EngineUnavailable("no worker", retry_after_s=7), 503, "engine_unavailable"),
        (errors.ShuttingDown("stopping", retry_after_s=7), 503, "shutting_down"),
        (errors.DeadlineExceeded("late"), 504, "deadline_exceeded"),
        (errors.StorageFailed("full"), 507, "storage_failed"),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/markdown"])
def test_an_error_before_the_first_byte_has_its_own_status_in_every_form(
    service: Service, error: errors.ServiceError, status: int, code: str, accept: str
) -> None:
    service.documents.start_error = error
    response = post(service, files=FILE, headers={"Accept": accept})
    body = problem(response)
    assert (response.status_code, body.code, body.detail) == (status, code, error.detail)
    assert response.headers.get("retry-after") == ("7" if status == 503 else None)


def test_an_error_after_the_first_page_becomes_the_last_line_of_the_stream(service: Service) -> None:
    service.documents.page_error = errors.StorageFailed("the disk is full")
    response = post(service, files=FILE, headers={"Accept": "application/x-ndjson"})
    page, error = response.text.splitlines()
    assert json.loads(page)["page"] == 1
    assert wire.ErrorLine.model_validate_json(error).error.code == "storage_failed"


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_an_unexpected_error_tells_the_client_nothing_of_the_code(service: Service, accept: str) -> None:
    service.documents.page_error = RuntimeError("secret detail")
    response = post(service, files=FILE, headers={"Accept": accept})
    assert "secret detail" not in response.text
    assert "internal_error" in response.text


def test_an_unexpected_error_is_a_500_problem(service: Service) -> None:
    service.documents.start_error = RuntimeError("secret detail")
    assert problem(post(service, files=FILE)).code == "internal_error"


def test_a_full_service_refuses_before_the_upload_is_read(service: Service) -> None:
    service.documents.refusal = errors.Overloaded("full", retry_after_s=3)

    async def endless() -> Any:
        raise AssertionError("the body was read")
        yield b""

    response = post(service, content=endless(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (response.status_code, response.headers["retry-after"]) == (503, "3")


def test_an_announced_size_over_the_limit_is_refused_before_the_upload_is_read(service: Service) -> None:
    async def endless() -> Any:
        raise AssertionError("the body was read")
        yield b""

    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(10 * 2**30)}
    assert problem(post(service, content=endless(), headers=headers)).code == "upload_too_large"


def test_a_file_over_the_limit_without_an_announced_size_is_refused_while_it_arrives(service: Service) -> None:
    async def body() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%PDF-'
        for _ in range(100):
            yield b"x" * 65536
        raise AssertionError("the whole body was read")

    response = post(service, content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert problem(response).code == "upload_too_large"


def test_a_file_of_a_wrong_type_is_refused_while_it_arrives(service: Service) -> None:
    async def body() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\nPK\x03\x04'
        for _ in range(10):
            yield b"x" * 65536
        raise AssertionError("the whole body was read")

    response = post(service, content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert problem(response).code == "unsupported_media"


@pytest.mark.parametrize(
    ("arguments", "status", "field"),
    [
        ({}, 415, None),
        ({"json": {"a": 1}}, 415, None),
        ({"content": PDF, "headers": {"Content-Type": "application/pdf"}}, 415, None),
        ({"content": b"abc", "headers": {"Content-Type": "multipart/form-data"}}, 400, None),
        ({"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400, None),
        ({"files": {"file": ("a.pdf", b"")}}, 422, "file"),
        ({"files": {"file": ("a.pdf", b"not a pdf")}}, 415, None),
        ({"files": {"nope": ("a.pdf", PDF)}}, 422, "nope"),
        ({"files": [("file", ("a.pdf", PDF)), ("file", ("b.pdf", PDF))]}, 422, "file"),
        ({"files": FILE, "data": {"dpi": "9999"}}, 422, "dpi"),
        ({"files": FILE, "data": {"color": "red"}}, 422, "color"),
        ({"files": FILE, "params": {"dpi": "300"}}, 422, "dpi"),
    ],
)
def test_a_bad_request_is_a_problem_that_names_the_field(
    service: Service, arguments: dict[str, Any], status: int, field: str | None
) -> None:
    body = problem(post(service, **arguments))
    assert (body.status, body.field) == (status, field)
    assert service.documents.started == []


def test_a_client_that_sends_nothing_for_too_long_gets_408(service: Service) -> None:
    service.app.state.parts = replace(service.app.state.parts, upload_limits=UploadLimits(max_bytes=1000, idle_s=0.05))

    async def body() -> Any:
        yield b"--b\r\n"
        await asyncio.Event().wait()

    response = post(service, content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert problem(response).code == "upload_stalled"


BODY = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%PDF-1.7\r\n--b--\r\n'


async def call(
    service: Service, messages: list[dict[str, Any]], accept: str = "application/json", send: Any = None
) -> list[dict[str, Any]]:
    """Drive the application by hand: the client sends these messages and then stays silent. Returns what was sent back."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        if messages[0]["type"] == "http.request":
            return messages.pop(0)
        if service.documents.started:
            await service.documents.working.wait()
        return messages[0]  # a connection stays closed

    async def keep(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=b"), (b"accept", accept.encode())]
    scope = {"type": "http", "method": "POST", "path": "/ocr/pdf", "query_string": b"", "headers": headers}
    await framed(service.app)(scope, receive, send or keep)
    return sent


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/markdown"])
def test_a_client_that_goes_away_while_its_document_is_read_stops_the_work(service: Service, accept: str) -> None:
    async def run() -> None:
        service.documents.gate = asyncio.Event()
        await call(service, [{"type": "http.request", "body": BODY}, {"type": "http.disconnect"}], accept)
        assert service.documents.cancelled.is_set()

    asyncio.run(run())


def test_a_client_that_goes_away_in_the_middle_of_its_upload_leaves_nothing_behind(service: Service) -> None:
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": BODY[:80], "more_body": True}, {"type": "http.disconnect"}]
    sent = asyncio.run(call(service, messages))
    assert sent[0]["status"] == 499
    assert service.documents.started == []


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/markdown"])
def test_a_client_that_does_not_read_its_answer_is_given_up(service: Service, accept: str) -> None:
    service.app.state.parts = replace(service.app.state.parts, upload_limits=UploadLimits(max_bytes=1000, idle_s=0.05))

    async def never(_message: Any) -> None:
        await asyncio.Event().wait()

    async def run() -> None:
        async with asyncio.timeout(10):
            await call(service, [{"type": "http.request", "body": BODY}], accept, send=never)

    asyncio.run(run())
    assert len(service.documents.started) == 1


def test_a_stream_says_how_many_pages_will_come(service: Service) -> None:
    service.documents.page_count = 3
    response = post(service, files=FILE, headers={"Accept": "application/x-ndjson"})
    assert response.headers["ocr-pages"] == "3"
