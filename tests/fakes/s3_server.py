"""A real S3 server (rclone) on a folder, and a proxy before it that breaks connections on demand."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

ACCESS_KEY = "tenant-7:AKIDEXAMPLE0001"
SECRET_KEY = "hush-hush-secret-0001"
BUCKET = "documents"

Fault = Literal["none", "unavailable", "cut"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def rclone_s3(root: Path) -> Iterator[int]:
    """The port of a server whose buckets are the folders in `root`."""
    (root / BUCKET).mkdir(parents=True, exist_ok=True)
    port = free_port()
    rclone = Path(sys.executable).parent / "rclone"
    command = [
        str(rclone),
        "serve",
        "s3",
        "--addr",
        f"127.0.0.1:{port}",
        "--auth-key",
        f"{ACCESS_KEY},{SECRET_KEY}",
        "--config",
        "",
        str(root),
    ]
    with (root.parent / "rclone.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, "rclone ended"
        assert time.monotonic() < deadline, "rclone does not listen"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)


class FaultyProxy:
    """Passes connections on to `target_port`. While `fault` is `unavailable` every request gets 503; while it is `cut`, or for the next
    `cuts` connections, the connection ends in the middle of the request. `connections` counts all of them.
    """

    def __init__(self, target_port: int) -> None:
        self.fault: Fault = "none"
        self.cuts = 0
        self.connections = 0
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            first = client.recv(65536)
            if self.fault == "cut" or self.cuts > 0:
                self.cuts -= 1
            elif self.fault == "unavailable":
                self._answer_503(client, first)
            else:
                self._pass_on(client, first)

    def _answer_503(self, client: socket.socket, first: bytes) -> None:
        if b"expect: 100-continue" not in first.lower():
            client.settimeout(0.2)
            with suppress(TimeoutError):
                while client.recv(65536):
                    pass
        client.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _pass_on(self, client: socket.socket, first: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self._target_port)) as server:
            server.sendall(first)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            # The fault begins for kept connections too, at their next request.
            while (piece := client.recv(65536)) and self.fault == "none":
                server.sendall(piece)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join(timeout=5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
