"""A model hub on this machine that speaks Hugging Face's API and ModelScope's, and breaks what it is told to break."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from typing_extensions import override

_TREE = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)/tree/main")
_RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/main/(?P<path>.+)")
_SCOPE_FILES = re.compile(r"/api/v1/models/(?P<repo>[^/]+/[^/]+)/repo/files")
_SCOPE_FILE = re.compile(r"/api/v1/models/(?P<repo>[^/]+/[^/]+)/repo")


class FakeHub:
    """`repositories`: name → path → bytes. Faults, by a file's path, one taken per request: an HTTP status; `cut`: ends in the middle;
    `stall`: stands still in the middle; `wrong`: other bytes of the same length; `whole`: ignores ranges. `requests` keeps (path, Range).
    """

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.faults: defaultdict[str, list[int | str]] = defaultdict(list)
        self.requests: list[tuple[str, str | None]] = []
        self.going_on = threading.Event()
        self.address = ""

    def tree(self, repository: str) -> list[dict[str, Any]] | None:
        files = self.repositories.get(repository)
        return None if files is None else [_entry(path, data) for path, data in files.items()]


def _entry(path: str, data: bytes) -> dict[str, Any]:
    """Large files are in git-lfs there, known by SHA-256; small ones by git's own hash."""
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data)}
    if len(data) > 1000:
        return {**entry, "oid": "0" * 40, "lfs": {"oid": hashlib.sha256(data).hexdigest(), "size": len(data)}}
    return {**entry, "oid": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if match := _TREE.fullmatch(parts.path):
            self._json(self.hub.tree(match["repo"]))
        elif match := _SCOPE_FILES.fullmatch(parts.path):
            files = self.hub.repositories.get(match["repo"])
            listed = [
                {"Type": "blob", "Path": path, "Size": len(data), "Sha256": hashlib.sha256(data).hexdigest()}
                for path, data in (files or {}).items()
            ]
            self._json(None if files is None else {"Code": 200, "Data": {"Files": listed}})
        elif match := _RESOLVE.fullmatch(parts.path):
            self._file(match["repo"], unquote(match["path"]))
        elif match := _SCOPE_FILE.fullmatch(parts.path):
            self._file(match["repo"], query["FilePath"][0])
        else:
            self._send(404, b"")

    def _json(self, body: object) -> None:
        self._send(404 if body is None else 200, json.dumps(body).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, repository: str, path: str) -> None:
        wanted = self.headers.get("Range")
        self.hub.requests.append((path, wanted))
        data = self.hub.repositories[repository][path]
        fault = self.hub.faults[path].pop(0) if self.hub.faults[path] else None
        if isinstance(fault, int):
            self._send(fault, b"")
            return
        if fault == "wrong":
            data = bytes(len(data))
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and fault != "whole" else 0
        body = data[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault not in {"cut", "stall"}:
            self.wfile.write(body)
            return
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        if fault == "stall":
            self.hub.going_on.wait(60)
        self.close_connection = True


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.going_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
