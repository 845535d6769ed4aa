"""A real receiver of webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from tests.e2e.running import running, wait_until
from tests.e2e.test_jobs import SCRIPT, document, finished, job_of, submit

pytestmark = pytest.mark.e2e

SECRET = "a secret of sixteen or more"
SETTINGS = {"OCR_WEBHOOK_SECRET": SECRET, "OCR_WEBHOOK_PAUSE_S": "0.1"}


@contextmanager
def receiving(*statuses: int) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """Answers with these statuses, one a request, and keeps what came."""
    came: list[tuple[dict[str, str], bytes]] = []
    left = list(statuses)

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append((dict(self.headers.items()), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(left.pop(0) if left else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/done?order=1", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_webhook_is_signed_and_tried_again_until_it_is_taken(tmp_path: Path) -> None:
    with receiving(500, 302, 204) as (url, came), running(SCRIPT, tmp_path, OCR_WEBHOOK_PRIVATE="true", **SETTINGS) as server:
        job_id = submit(server, document(pages=1), webhook_url=url).json()["job_id"]
        job = finished(server, job_id)
        wait_until(lambda: len(came) == 3, "three deliveries")
        wait_until(lambda: any(line["message"] == "A webhook was called" for line in server.log()), "its line")
        for headers, body in came:
            moment, signature = (part.partition("=")[2] for part in headers["OCR-Signature"].split(","))
            assert abs(time.time() - int(moment)) < 120
            assert signature == hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
            assert json.loads(body) == {"event": "job.finished", "job": job}
        assert [headers["OCR-Delivery"] for headers, _ in came] == [f"{job_id}-{attempt}" for attempt in (1, 2, 3)]
        assert came[0][0]["Host"] == url.split("/")[2]
        assert SECRET not in (tmp_path / "log.jsonl").read_text()


def test_a_webhook_never_leads_to_a_private_address(tmp_path: Path) -> None:
    with receiving() as (url, came), running(SCRIPT, tmp_path, **SETTINGS) as server:
        for private in (
            "http://127.0.0.1/",
            "http://[::1]/",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest",
            "http://[::ffff:10.0.0.1]/",
            "http://[64:ff9b::a00:1]/",
            "http://[2002:a00:1::]/",
            "ftp://a/",
            "http://a:b@c/",
        ):
            refused = submit(server, document(pages=1), webhook_url=private)
            assert (refused.status_code, refused.json()["field"]) == (422, "webhook_url")
        # A name is looked up when it is called.
        assert finished(server, submit(server, document(pages=1), webhook_url=url).json()["job_id"])["state"] == "complete"
        wait_until(lambda: any(line["message"] == "A webhook is not called" for line in server.log()), "the refusal in the log")
        assert came == []


def test_the_webhook_of_a_job_that_a_crash_ended_is_called_by_the_next_start(tmp_path: Path) -> None:
    settings = SETTINGS | {"OCR_WEBHOOK_PRIVATE": "true", "OCR_JOBS_LEASE_S": "1.5"}
    with receiving() as (url, came):
        with running(SCRIPT, tmp_path, **settings) as server:
            slow = document(pages=2, gate=tmp_path / "gate")
            job_id = submit(server, slow, password="hush-hush-4711", webhook_url=url).json()["job_id"]
            wait_until(lambda: job_of(server, job_id)["stage"] == "reading", "it to be read")
            server.send(signal.SIGKILL)
            server.process.wait()
        with running(SCRIPT, tmp_path, **settings):
            wait_until(lambda: len(came) == 1, "the delivery")
    job = json.loads(came[0][1])["job"]
    assert (job["job_id"], job["state"], job["error"]["code"]) == (job_id, "failed", "password_required")
