"""Health, version, metrics, documents, docs, and what surrounds every request."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from ocr_service.api import wire
from ocr_service.api.logs import JsonFormatter

if TYPE_CHECKING:
    import httpx

    from tests.unit.api.conftest import Service

HEALTH_KEYS = ["status", "models_present", "models_path", "vllm_status", "vllm_url", "use_vlm_api", "output_dir", "s3_storage"]


def request(service: Service, method: str, path: str, **arguments: Any) -> httpx.Response:
    async def run() -> httpx.Response:
        async with service.client() as client:
            return await client.request(method, path, **arguments)

    return asyncio.run(run())


def get(service: Service, path: str, **arguments: Any) -> httpx.Response:
    return request(service, "GET", path, **arguments)


def test_health_has_exactly_the_agreed_keys(service: Service) -> None:
    asyncio.run(service.monitor.look())
    response = get(service, "/health")
    assert response.status_code == 200
    assert list(response.json()) == HEALTH_KEYS


def test_health_shows_no_credentials_of_the_vlm(service: Service) -> None:
    assert get(service, "/health").json()["vllm_url"] == "http://vlm:8080/v1/markdown"


def test_health_is_503_until_the_disk_was_checked(service: Service) -> None:
    response = get(service, "/health")
    assert (response.status_code, response.json()["status"]) == (503, "unhealthy")


def test_a_draining_service_is_not_ready_but_alive(service: Service) -> None:
    asyncio.run(service.monitor.look())
    assert get(service, "/health/ready").status_code == 200
    service.monitor.start_draining()
    assert get(service, "/health").status_code == 503
    response = get(service, "/health/ready")
    assert (response.status_code, response.json()["reasons"]) == (503, ["the service is shutting down"])
    assert get(service, "/health/live").json() == {"status": "alive"}


def test_version_tells_the_engine_and_its_libraries(service: Service) -> None:
    version = wire.Version.model_validate_json(get(service, "/version").content)
    assert (version.engine, version.libraries) == ("fake engine", {"pymupdf": "2.0"})


def test_metrics_show_pages_queue_workers_and_memory(service: Service) -> None:
    service.metrics.document_finished("id", "complete", 3, 3, 1.5)
    text = get(service, "/metrics").text
    for line in (
        'ocr_documents_total{outcome="complete"} 1.0',
        "ocr_queued_pages 17.0",
        "ocr_documents_in_service 3.0",
        'ocr_workers{state="ready"} 2.0',
        'ocr_worker_restarts_total{reason="crashed"} 1.0',
        'ocr_rss_bytes{process="worker-0"} 1000.0',
    ):
        assert line in text
    assert re.search(r'ocr_rss_bytes\{process="api"\} [1-9]', text)


def test_an_uploads_bytes_are_counted(service: Service) -> None:
    request(service, "POST", "/ocr/pdf", files={"file": ("a.pdf", b"%PDF-1.7")})
    assert "ocr_upload_bytes_total 8.0" in get(service, "/metrics").text


def test_a_documents_files_are_served_with_harmless_headers(service: Service) -> None:
    request(service, "POST", "/ocr/pdf", files={"file": ("a.pdf", b"%PDF-1.7")})
    (service.documents.folder / "source.pdf").write_bytes(b"%PDF-1.7")
    document = get(service, "/ocr/documents/fake-document")
    wire.Document.model_validate_json(document.content)
    markdown = get(service, "/ocr/documents/fake-document/files/document.md")
    source = get(service, "/ocr/documents/fake-document/files/source.pdf")
    assert markdown.headers["content-type"] == "text/markdown; charset=utf-8"
    assert source.headers["content-disposition"].startswith("attachment")
    for response in (document, markdown, source):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert int(response.headers["content-length"]) == len(response.content)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/ocr/documents/other", 404, "document_not_found"),
        ("GET", "/ocr/documents/fake-document/files/none.md", 404, "document_not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/ocr/pdf", 405, "method_not_allowed"),
        ("PUT", "/health", 405, "method_not_allowed"),
        ("GET", "/docs/../secrets", 404, "not_found"),
        ("GET", "/docs/secrets", 404, "document_not_found"),
    ],
)
def test_what_is_not_there_is_a_problem(service: Service, method: str, path: str, status: int, code: str) -> None:
    response = request(service, method, path)
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert (status == 405) == ("allow" in response.headers)


@pytest.mark.parametrize(("given", "kept"), [("trace-1.a_B", True), ("x" * 65, False), ("a b", False), ("", False)])
def test_a_clients_request_id_is_kept_where_it_is_harmless(service: Service, given: str, kept: bool) -> None:
    answered = get(service, "/health/live", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert (answered == given) is kept
    assert answered


def test_the_docs_page_loads_nothing_from_elsewhere(service: Service) -> None:
    page = get(service, "/docs").text
    linked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert linked
    for link in linked:
        assert "//" not in link
        assert get(service, f"/{link}").status_code == 200
    assert "openapi.json" in page


def test_the_schema_names_every_field_of_the_form_and_every_type_it_refers_to(service: Service) -> None:
    schema = get(service, "/openapi.json").json()
    body = schema["paths"]["/ocr/pdf"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert body["required"] == ["file"]
    assert "dpi" in body["properties"]
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schema)))
    assert references <= set(schema["components"]["schemas"])
    assert {"Document", "Page", "Problem", "Health"} <= references
    assert "HTTPValidationError" not in json.dumps(schema)


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[dict[str, Any]] = []
        self.setFormatter(JsonFormatter())

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def lines() -> Any:
    handler = Lines()
    logger = logging.getLogger("ocr_service")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler.lines
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_request_is_one_line_in_the_log_with_its_id_and_no_field_values(service: Service, lines: list[dict[str, Any]]) -> None:
    form = {"password": "hush-hush", "lang": "de"}
    request(service, "POST", "/ocr/pdf", files={"file": ("a.pdf", b"%PDF-1.7")}, data=form, headers={"X-Request-ID": "r1"})
    [line] = [line for line in lines if line["message"] == "request"]
    assert line.items() >= {"method": "POST", "path": "/ocr/pdf", "status": 200, "request_id": "r1", "level": "info"}.items()
    assert line["bytes"] > 0
    assert "hush-hush" not in json.dumps(lines)


def test_health_checks_are_logged_for_debugging_only(service: Service, lines: list[dict[str, Any]]) -> None:
    get(service, "/health")
    assert [line["level"] for line in lines if line["message"] == "request"] == ["debug"]


def test_an_unexpected_error_is_in_the_log_with_its_stack(service: Service, lines: list[dict[str, Any]]) -> None:
    service.documents.start_error = RuntimeError("boom")
    response = request(service, "POST", "/ocr/pdf", files={"file": ("a.pdf", b"%PDF-1.7")})
    [line] = [line for line in lines if "stack" in line]
    assert "boom" in line["stack"]
    assert line["request_id"] == response.headers["x-request-id"]
