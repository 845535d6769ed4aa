"""A real HTTP server that answers as it is told, one act a request, and remembers what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

PAGE: dict[str, Any] = {
    "page": 1,
    "status": "ok",
    "error": None,
    "width": 100,
    "height": 200,
    "dpi": 200,
    "rotation": 0,
    "skew": 0.0,
    "text_layer": {"used": False, "reason": "no text"},
    "blocks": [],
    "markdown": "Страница",
    "images": [],
    "timings": {},
    "warnings": [],
    "attempts": 1,
}
SUMMARY: dict[str, Any] = {
    "document_id": "id",
    "filename": "a.pdf",
    "sha256": "0" * 64,
    "media_type": "application/pdf",
    "size_bytes": 1,
    "status": "complete",
    "page_count": 1,
    "failed_pages": [],
    "created_at": "2026-11-24T12:00:00Z",
    "engine": "fake",
    "options": {
        "pages": None,
        "dpi": 200,
        "lang": "ru",
        "text_layer": "auto",
        "outputs": [],
        "use_vlm": False,
        "vlm_policy": "none",
        "include_running": False,
    },
    "outputs": {"json": "result.json", "markdown": "document.md", "source": "source.pdf"},
    "urls": {},
    "s3": None,
    "timings": {},
    "warnings": [],
}


def line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


JOB: dict[str, Any] = {
    "job_id": "id",
    "document_id": "id",
    "state": "running",
    "stage": "reading",
    "filename": "a.pdf",
    "size_bytes": 1,
    "sha256": "0" * 64,
    "page_count": 3,
    "pages_done": 0,
    "pages_failed": 0,
    "pages_per_second": None,
    "eta_s": None,
    "queue_position": None,
    "created_at": "2026-11-24T12:00:00.123Z",
    "started_at": None,
    "finished_at": None,
    "expires_at": None,
    "attempts": 1,
    "error": None,
    "warnings": [],
    "links": {
        "self": "/ocr/jobs/id",
        "events": "/ocr/jobs/id/events",
        "document": "/ocr/documents/id",
        "markdown": "/ocr/documents/id/files/document.md",
    },
}


def job(state: str = "running", **more: object) -> Act:
    """A job as an answer."""
    return Act(202, chunks=(line({**JOB, "state": state, **more}),))


def events(*pieces: bytes, **more: Any) -> Act:
    """A stream of events."""
    return Act(headers={"Content-Type": "text/event-stream; charset=utf-8"}, chunks=pieces, **more)


def job_event(state: str = "running", **more: object) -> bytes:
    return b"event: job\ndata: " + line({**JOB, "state": state, **more}) + b"\n"


def page_event(number: int) -> bytes:
    return f"event: page\nid: {number}\n".encode() + b"data: " + line({**PAGE, "page": number}) + b"\n"


STREAM = (line(PAGE), line({"summary": SUMMARY}))


def problem(status: int, code: str, **more: object) -> bytes:
    return json.dumps({"type": f"urn:{code}", "title": "T", "status": status, "detail": f"It is {code}.", "code": code, **more}).encode()


@dataclass
class Act:
    """An answer. `cut`: the connection is closed before the announced end; `hang_up`: before any answer; `gate`: before the last chunk."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    chunks: tuple[bytes, ...] = ()
    cut: bool = False
    hang_up: bool = False
    gate: threading.Event | None = None


@dataclass
class Sent:
    """What a client sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class ScriptedService:
    """`acts` are played in order; the last is played again and again."""

    def __init__(self, *acts: Act) -> None:
        self.acts = list(acts)
        self.sent: list[Sent] = []
        self.url = ""
        self.reads_bodies = True

    def next_act(self) -> Act:
        return self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]


@contextmanager
def serving(*acts: Act) -> Iterator[ScriptedService]:
    service = ScriptedService(*acts)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield service
    finally:
        for act in service.acts:
            if act.gate is not None:
                act.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(service: ScriptedService) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0)) if service.reads_bodies else 0
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.sent.append(Sent(self.command, self.path, headers, body))
            self._play(service.next_act())

        do_POST = do_DELETE = do_GET  # noqa: N815  the base class calls it so

        def _play(self, act: Act) -> None:
            if act.hang_up:
                self.close_connection = True
                return
            self.send_response(act.status)
            for name, value in act.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(sum(map(len, act.chunks)) + act.cut))
            self.end_headers()
            for number, chunk in enumerate(act.chunks, 1):
                if act.gate is not None and number == len(act.chunks):
                    act.gate.wait(60)
                self.wfile.write(chunk)
                self.wfile.flush()
            self.close_connection = act.cut

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
