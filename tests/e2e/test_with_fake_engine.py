"""The real server, workers and store over real HTTP, with an engine that reads nothing: what has to do with time and failure."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_service.api import wire
from tests.e2e.running import RunningServer, running, wait_until

pytestmark = pytest.mark.e2e

SCRIPT = "tests/e2e/serve_fake.py"
NDJSON = {"Accept": "application/x-ndjson"}


def document(**orders: object) -> bytes:
    return b"%PDF-1.7 " + " ".join(f"{name}={value}" for name, value in orders.items()).encode() + b"\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    settings = {"OCR_MAX_UPLOAD_MB": "1", "OCR_UPLOAD_TIMEOUT_S": "2", "OCR_MAX_PAGES": "500"}
    with running(SCRIPT, tmp_path_factory.mktemp("server"), **settings) as server:
        yield server


def test_a_document_is_answered_stored_and_served_again(server: RunningServer) -> None:
    response = server.post(document(pages=3), name="отчёт.pdf")
    assert response.status_code == 200
    answer = wire.Document.model_validate_json(response.content)
    assert (answer.status, answer.page_count, answer.filename) == ("complete", 3, "отчёт.pdf")
    assert [page.page for page in answer.pages] == [1, 2, 3]
    assert server.client.get(response.headers["location"]).content == response.content
    for url in answer.urls.values():
        assert server.client.get(url).status_code == 200
    assert server.leftovers() == []


def test_markdown_alone(server: RunningServer) -> None:
    response = server.post(document(pages=1), headers={"Accept": "text/markdown"})
    assert "Страница 1" in response.text


def test_the_first_line_of_a_stream_comes_before_the_last_page_is_read(server: RunningServer, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    # The gate is opened only after the first line was read here: if the answer came in one piece, this would never end.
    slow = document(pages=4, gate_after=1, gate=gate)
    with server.client.stream("POST", "/ocr/pdf", files={"file": ("a.pdf", slow)}, headers=NDJSON) as response:
        lines = response.iter_lines()
        first = wire.Page.model_validate_json(next(lines))
        gate.touch()
        *pages, summary = lines
    assert sorted([first.page, *(json.loads(line)["page"] for line in pages)]) == [1, 2, 3, 4]
    assert wire.SummaryLine.model_validate_json(summary).summary.page_count == 4


@pytest.mark.parametrize("headers", [{}, NDJSON])
def test_a_client_that_goes_away_stops_its_document(server: RunningServer, tmp_path: Path, headers: dict[str, str]) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    folders = len(server.folders())
    with pytest.raises(httpx.ReadTimeout):
        server.post(document(pages=400, gate=gate, trace=trace), headers=headers, timeout=1)
    wait_until(lambda: server.metric("ocr_queued_pages") == 0, "the queue to be empty")
    wait_until(lambda: server.metric("ocr_documents_in_service") == 0, "the document to be gone")
    gate.touch()
    wait_until(lambda: server.metric('ocr_workers{state="ready"}') == 2, "the workers to be free")
    assert len(trace.read_text().splitlines()) < 10
    assert [line for line in server.log() if line["level"] == "error"] == []
    assert len(server.folders()) == folders


def test_an_upload_that_breaks_off_leaves_nothing(server: RunningServer) -> None:
    head = (
        b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n"
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%PDF-1.7'
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head + b"x" * 400_000)
        wait_until(lambda: server.leftovers() != [], "the upload to be on disk")
    wait_until(lambda: server.leftovers() == [], "the upload to be removed")
    wait_until(lambda: server.metric("ocr_documents_in_service") == 0, "the place to be free")


def test_a_client_that_stops_sending_is_told_so_and_its_place_is_free(server: RunningServer) -> None:
    head = b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n--b\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(1000).startswith(b"HTTP/1.1 408 ")
    wait_until(lambda: server.metric("ocr_documents_in_service") == 0, "the place to be free")


def test_a_client_that_announces_too_much_is_refused_without_sending_it(server: RunningServer) -> None:
    head = b"POST /ocr/pdf HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 10737418240\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_file_over_the_limit_is_refused(server: RunningServer) -> None:
    response = server.post(document(pages=1) + bytes(3 * 2**20))
    assert (response.status_code, response.json()["code"]) == (413, "upload_too_large")


def test_a_short_document_does_not_wait_for_a_long_one(server: RunningServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    long = document(pages=300, seconds=0.02, name="long", trace=trace)
    answers: list[int] = []
    reading = threading.Thread(target=lambda: answers.append(server.post(long).status_code))
    reading.start()
    wait_until(trace.exists, "the long document to begin")
    assert server.post(document(pages=1, name="short", trace=trace)).status_code == 200
    lines_when_short_was_done = trace.read_text().splitlines()
    reading.join()
    assert answers == [200]
    assert "short 1" in lines_when_short_was_done
    assert len(lines_when_short_was_done) < 150


def test_sixteen_clients_at_once_lose_nothing(server: RunningServer) -> None:
    counts: list[int] = []
    clients = [threading.Thread(target=lambda: counts.append(len(server.post(document(pages=5)).json()["pages"]))) for _ in range(16)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert counts == [5] * 16


def test_health_answers_with_exactly_the_agreed_keys(server: RunningServer) -> None:
    health = server.client.get("/health")
    assert health.status_code == 200
    assert health.json() == {
        "status": "healthy",
        "models_present": True,
        "models_path": str(Path("~/.paddlex/official_models").expanduser().resolve()),
        "vllm_status": "disabled",
        "vllm_url": "http://127.0.0.1:8080/v1/markdown",
        "use_vlm_api": False,
        "output_dir": str(server.output_dir),
        "s3_storage": "not_configured",
    }


def test_every_log_line_is_json_and_a_documents_end_is_one_of_them(server: RunningServer) -> None:
    response = server.post(document(pages=2), headers={"X-Request-ID": "log-test"}, data={"password": "hush-hush"})
    assert response.headers["x-request-id"] == "log-test"

    def mine() -> list[dict[str, Any]]:
        return [line for line in server.log() if line.get("request_id") == "log-test"]

    wait_until(lambda: any(line["message"] == "request" and line["status"] == 200 for line in mine()), "the request's line")
    assert any(line.get("pages_done") == 2 for line in mine())
    assert "hush-hush" not in json.dumps(server.log())


def test_a_wrong_setting_stops_the_start_with_one_line_and_status_2(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "OCR_PROT": "1"}
    done = subprocess.run([sys.executable, "server_vllm.py"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "OCR_PROT is not a setting of this service; did you mean OCR_PORT?\n")


def test_an_output_folder_that_cannot_be_written_stops_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = {"PATH": os.environ["PATH"], "OUTPUT_DIR": str(tmp_path / "file" / "output")}
    done = subprocess.run([sys.executable, "server_vllm.py"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("OUTPUT_DIR: ")
    assert done.stderr.count("\n") == 1


def test_sigterm_finishes_the_document_in_flight_refuses_new_ones_and_exits_0(tmp_path: Path) -> None:
    gate, trace = tmp_path / "gate", tmp_path / "trace"
    answers: list[httpx.Response] = []
    with running(SCRIPT, tmp_path) as server:
        reading = threading.Thread(target=lambda: answers.append(server.post(document(pages=3, gate=gate, trace=trace))))
        reading.start()
        wait_until(trace.exists, "the document to begin")
        server.send(signal.SIGTERM)
        wait_until(lambda: server.client.get("/health").status_code == 503, "health to tell of the end")
        refused = server.post(document(pages=1))
        assert (refused.status_code, refused.json()["code"], "retry-after" in refused.headers) == (503, "shutting_down", True)
        gate.touch()
        reading.join()
        assert server.process.wait(60) == 0
    assert answers[0].status_code == 200
    assert len(answers[0].json()["pages"]) == 3


def test_a_second_signal_does_not_wait_for_documents_and_still_exits_0(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    answers: list[httpx.Response] = []
    with running(SCRIPT, tmp_path, OCR_SHUTDOWN_GRACE_S="3600", OCR_PAGE_TIMEOUT_S="3600") as server:
        stuck = document(pages=3, gate=tmp_path / "never", trace=trace)
        reading = threading.Thread(target=lambda: answers.append(server.post(stuck)))
        reading.start()
        wait_until(trace.exists, "the document to begin")
        server.send(signal.SIGTERM)
        wait_until(lambda: server.client.get("/health").status_code == 503, "health to tell of the end")
        server.send(signal.SIGTERM)
        assert server.process.wait(60) == 0
        reading.join()
    assert (answers[0].status_code, answers[0].json()["code"]) == (503, "shutting_down")


def test_an_idle_server_stops_at_once_on_ctrl_c(tmp_path: Path) -> None:
    with running(SCRIPT, tmp_path) as server:
        server.send(signal.SIGINT)
        assert server.process.wait(60) == 0
