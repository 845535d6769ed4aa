"""The real service with a real S3 server: the answer, the health, the outbox over a restart, and no secret anywhere."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from ocr_service.api import wire
from tests.e2e.running import running, wait_until
from tests.fakes.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, FaultyProxy, rclone_s3

pytestmark = pytest.mark.e2e

SCRIPT = "tests/e2e/serve_fake.py"
DOCUMENT = b"%PDF-1.7 pages=3\n"


def settings_for(port: int) -> dict[str, str]:
    return {
        "CLOUDRU_S3_ENDPOINT": f"http://127.0.0.1:{port}",
        "CLOUDRU_S3_BUCKET": BUCKET,
        "CLOUDRU_S3_ACCESS_KEY": ACCESS_KEY,
        "CLOUDRU_S3_SECRET_KEY": SECRET_KEY,
        "OCR_S3_PREFIX": "ocr",
        "OCR_LOG_LEVEL": "debug",
    }


def everything_under(folder: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_results_reach_s3_even_when_it_was_away_and_the_service_restarted(tmp_path: Path) -> None:
    root = tmp_path / "s3" / "root"
    service = tmp_path / "service"
    service.mkdir()
    with rclone_s3(root) as port:
        proxy = FaultyProxy(port)
        settings = settings_for(proxy.port)
        with running(SCRIPT, service, **settings) as server:
            answer = wire.Document.model_validate_json(server.post(DOCUMENT).content)
            assert answer.s3 is not None
            assert (answer.s3.status, answer.warnings) == ("uploaded", [])
            assert (root / BUCKET / "ocr" / answer.document_id / "pages/0003.json").is_file()
            assert server.client.get("/health").json()["s3_storage"] == "configured"
            proxy.fault = "unavailable"
            late = wire.Document.model_validate_json(server.post(DOCUMENT).content)
            assert late.s3 is not None
            assert (late.status, late.s3.status, len(late.warnings)) == ("complete", "pending", 1)
            wait_until(lambda: server.client.get("/health").json()["s3_storage"] == "unreachable", "health to tell that S3 does not work")
            shown = server.client.get("/health").text + server.client.get("/metrics").text + json.dumps(server.log())
            assert server.stop() == 0
        proxy.fault = "none"
        with running(SCRIPT, service, **settings) as server:
            wait_until((root / BUCKET / "ocr" / late.document_id / "result.json").is_file, "the late document to be uploaded")
            wait_until(lambda: server.client.get("/health").json()["s3_storage"] == "configured", "health to tell that S3 works")
            stored = wire.Document.model_validate_json(server.client.get(f"/ocr/documents/{late.document_id}").content)
            assert stored.s3 is not None
            assert (stored.s3.status, stored.warnings) == ("uploaded", [])
            assert server.stop() == 0
        proxy.close()
    for secret in (ACCESS_KEY, SECRET_KEY):
        assert secret not in shown + everything_under(service)


def test_what_was_uploaded_of_a_document_that_sigkill_cut_off_is_removed(tmp_path: Path) -> None:
    root, service, gate = tmp_path / "s3" / "root", tmp_path / "service", tmp_path / "gate"
    service.mkdir()
    bucket = root / BUCKET / "ocr"
    with rclone_s3(root) as port:
        settings = settings_for(port) | {"OCR_JOBS_LEASE_S": "1.5"}
        with running(SCRIPT, service, **settings) as server:
            slow = f"%PDF-1.7 pages=3 gate={gate} gate_after=1\n".encode()
            headers = {"Accept": "application/x-ndjson"}
            with server.client.stream("POST", "/ocr/pdf", files={"file": ("a.pdf", slow)}, headers=headers) as answer:
                lines = answer.iter_lines()  # to be kept: the stream is closed with it
                next(lines)
                page = bucket / answer.headers["location"].rpartition("/")[2] / "pages/0001.json"
                wait_until(page.is_file, "the first page to be uploaded")
                server.send(signal.SIGKILL)
                server.process.wait()
        with running(SCRIPT, service, **settings) as server:
            wait_until(lambda: not page.exists(), "the page to be removed from S3")
            assert server.stop() == 0
