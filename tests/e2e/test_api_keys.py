"""API keys, over real HTTP: who is let in, what one key sees of another's documents, and how much it may ask for."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import REPOSITORY, RunningServer, running, wait_until

pytestmark = pytest.mark.e2e

SCRIPT = "tests/e2e/serve_fake.py"
ANNA, BORIS, SCRAPER = "anna-0123456789abcdef", "boris-0123456789abcdef", "scraper-0123456789abcdef"
DOCUMENT = b"%PDF-1.7 pages=2 "


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("keys")
    more = folder / "keys"
    more.write_text(f"# by hash\nboris:sha256:{hashlib.sha256(BORIS.encode()).hexdigest()}\n")
    settings = {
        "OCR_API_KEYS": f"anna:{ANNA}",
        "OCR_API_KEYS_FILE": str(more),
        "OCR_METRICS_TOKEN": SCRAPER,
        "OCR_KEY_DOCUMENTS_AT_ONCE": "2",
        "OCR_CORS_ORIGINS": "https://a.example",
    }
    with running(SCRIPT, folder, **settings) as running_server:
        yield running_server


@pytest.mark.parametrize(
    "headers",
    [{}, bearer("wrong-0123456789abcdef"), bearer(SCRAPER), bearer("anna"), {"X-API-Key": ""}, {b"X-API-Key": b"\xff\xfe"},
     {"Authorization": f"Basic {ANNA}"}, {"Authorization": "Bearer"}],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/ocr/documents/a", "/ocr/jobs", "/version", "/nowhere"])
def test_without_a_known_key_there_is_only_401(server: RunningServer, path: str, headers: dict[str, str]) -> None:
    refused = server.client.get(path, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/", "/web/css/theme.css", "/docs", "/openapi.json"])
def test_probes_and_the_pages_own_files_need_no_key(server: RunningServer, path: str) -> None:
    assert server.client.get(path).status_code == 200


def test_a_key_opens_in_either_header(server: RunningServer) -> None:
    for headers in (bearer(ANNA), {"X-API-Key": ANNA}, {"authorization": f"bearer {BORIS}"}):
        assert server.post(DOCUMENT, headers=headers).status_code == 200


def test_a_strangers_upload_is_answered_without_being_read(server: RunningServer) -> None:
    """Nothing of the body is ever sent: the answer comes all the same, and the connection is closed."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(
            b"POST /ocr/pdf HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000000\r\n\r\n"
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer.lower()
    assert server.leftovers() == []


def test_metrics_have_a_token_of_their_own(server: RunningServer) -> None:
    answers = [server.client.get("/metrics", headers=headers).status_code for headers in ({}, bearer(ANNA), bearer(SCRAPER))]
    assert answers == [401, 401, 200]


def test_one_key_sees_nothing_of_another(server: RunningServer) -> None:
    anna, boris = bearer(ANNA), bearer(BORIS)
    identifier = server.post(DOCUMENT, headers=anna).json()["document_id"]
    document, job = f"/ocr/documents/{identifier}", f"/ocr/jobs/{identifier}"
    paths = [document, f"{document}/files/document.md", f"{document}/files/pages/0001.json", job, f"{job}/events"]
    assert [server.client.get(path, headers=anna).status_code for path in paths] == [200] * len(paths)
    assert [server.client.get(path, headers=boris).status_code for path in paths] == [404] * len(paths)
    assert server.client.delete(f"/ocr/jobs/{identifier}", headers=boris).status_code == 404
    listed = [[job["job_id"] for job in server.client.get("/ocr/jobs", headers=headers).json()["jobs"]] for headers in (anna, boris)]
    assert [identifier in jobs for jobs in listed] == [True, False]


def test_the_same_idempotency_key_of_another_is_another_job(server: RunningServer) -> None:
    ids = set()
    for key in (ANNA, BORIS, ANNA):
        headers = {**bearer(key), "Idempotency-Key": "one"}
        answer = server.client.post("/ocr/jobs", files={"file": ("a.pdf", DOCUMENT)}, headers=headers)
        assert answer.status_code == 202
        ids.add(answer.json()["job_id"])
    assert len(ids) == 2


def test_a_key_with_as_many_documents_as_it_may_gets_429_and_another_does_not(server: RunningServer, tmp_path: Path) -> None:
    gate, traces = tmp_path / "gate", [tmp_path / "a", tmp_path / "b"]
    answers: list[int] = []

    def slow(trace: Path) -> None:
        content = f"%PDF-1.7 pages=1 gate={gate} trace={trace} ".encode()
        answers.append(server.post(content, headers=bearer(ANNA)).status_code)

    clients = [threading.Thread(target=slow, args=(trace,)) for trace in traces]
    for client in clients:
        client.start()
    wait_until(lambda: all(trace.exists() for trace in traces), "both documents to begin")
    refused = server.post(DOCUMENT, headers=bearer(ANNA))
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (429, "too_many_at_once", "5")
    boris: list[int] = []
    other = threading.Thread(target=lambda: boris.append(server.post(DOCUMENT, headers=bearer(BORIS)).status_code))
    other.start()
    gate.touch()
    for client in (*clients, other):
        client.join()
    assert (answers, boris) == ([200, 200], [200])
    assert server.post(DOCUMENT, headers=bearer(ANNA)).status_code == 200


def test_only_the_origins_that_are_set_may_ask_from_a_browser(server: RunningServer) -> None:
    for origin, allowed in (("https://a.example", True), ("https://b.example", False)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        answer = server.client.options("/ocr/pdf", headers=asked)
        assert ("access-control-allow-origin" in answer.headers) is allowed
        refused = server.client.get("/version", headers={"Origin": origin})
        assert refused.status_code == 401
        assert ("access-control-allow-origin" in refused.headers) is allowed


def test_the_schema_tells_of_the_keys(server: RunningServer) -> None:
    schema = server.client.get("/openapi.json").json()
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "key"}
    post, health = schema["paths"]["/ocr/pdf"]["post"], schema["paths"]["/health"]["get"]
    assert post["security"] == [{"bearer": []}, {"key": []}]
    assert {"401", "429"} <= set(post["responses"])
    assert "security" not in health


def test_the_command_sends_its_key(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(DOCUMENT)
    statuses: list[int] = []
    for key in ("", ANNA):
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "OCR_URL": server.url, "OCR_API_KEY": key}
        command = [sys.executable, "-m", "ocr_service.cli", "convert", "a.pdf", "-o", f"out{len(statuses)}"]
        statuses.append(subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode)
    assert statuses[0] != 0
    assert statuses[1] == 0


def test_the_log_names_the_key_and_holds_none(server: RunningServer) -> None:
    server.post(DOCUMENT, headers={**bearer(BORIS), "X-Request-ID": "named"})
    wait_until(lambda: any(line.get("request_id") == "named" and line.get("key") == "boris" for line in server.log()), "the request's line")
    log = json.dumps(server.log())
    assert not any(secret in log for secret in (ANNA, BORIS, SCRAPER))


def test_a_minutes_documents_are_counted(tmp_path: Path) -> None:
    with running(SCRIPT, tmp_path, OCR_API_KEYS=f"anna:{ANNA},boris:{BORIS}", OCR_KEY_DOCUMENTS_PER_MINUTE="2") as server:
        answers: list[httpx.Response] = [server.post(DOCUMENT, headers=bearer(ANNA)) for _ in range(3)]
        # A slow machine may let the third one in: then a share of a minute has really passed.
        while answers[-1].status_code == 200:
            answers.append(server.post(DOCUMENT, headers=bearer(ANNA)))
        assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many_per_minute")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 30
        assert server.post(DOCUMENT, headers=bearer(BORIS)).status_code == 200
        assert [server.client.get("/metrics", headers=headers).status_code for headers in ({}, bearer(BORIS))] == [401, 200]


@pytest.mark.parametrize("settings", [{"OCR_API_KEYS": "anna:hush"}, {"OCR_API_KEYS": " , "}, {"OCR_API_KEYS_FILE": "/nowhere/keys"},
                                      {"OCR_METRICS_TOKEN": "hush"}, {"OCR_CORS_ORIGINS": "a.example/hush"}])  # fmt: skip
def test_keys_that_cannot_be_used_stop_the_start_with_one_line(tmp_path: Path, settings: dict[str, str]) -> None:
    environment = {"PATH": os.environ["PATH"], "OUTPUT_DIR": str(tmp_path), **settings}
    done = subprocess.run([sys.executable, "server_vllm.py"], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(next(iter(settings)))
    assert done.stderr.count("\n") == 1
    assert "hush" not in done.stderr or "CORS" in done.stderr
