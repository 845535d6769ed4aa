"""A real Postgres of its own, in a folder of its own, for as long as a test needs it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.running import free_port, wait_until

# No test pulls the plug: what only power cuts need is switched off.
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "shared_buffers=16MB")


class PostgresServer:
    """A server with an empty database."""

    def __init__(self, binaries: Path, folder: Path, user: str | None, password: str) -> None:
        self._binaries = binaries
        self._folder = folder
        self._user = user
        self._port = free_port()
        self._environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://ocr:{password}@127.0.0.1:{self._port}/postgres"
        secret = folder / "password"
        secret.write_text(password)
        secret.chmod(0o644)
        self._run("initdb", "--pgdata", folder / "data", "--username", "ocr", "--auth", "scram-sha-256", "--pwfile", secret, "--no-sync")

    def start(self) -> None:
        command: list[str | Path] = [
            self._binaries / "postgres", "-D", self._folder / "data", "-p", str(self._port), "-c", "listen_addresses=127.0.0.1",
            "-k", self._folder, *_FAST,
        ]  # fmt: skip
        log_path = self._folder / "log"
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, user=self._user, cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )  # fmt: skip
        wait_until(lambda: _answers(self._binaries, self._port), f"Postgres; its log: {log_path.read_text()[-1000:]}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: connections are cut, what was committed stays."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [self._binaries / program, *arguments]
        subprocess.run(command, user=self._user, cwd=self._folder, env=self._environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def serving(binaries: Path, password: str) -> Iterator[PostgresServer]:
    """A server that runs. It refuses to run as root, so it runs as nobody then."""
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="ocr-postgres-"))
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    try:
        server = PostgresServer(binaries, folder, user, password)
        server.start()
        try:
            yield server
        finally:
            server.stop(signal.SIGKILL)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(binaries: Path, port: int) -> bool:
    command: list[str | Path] = [binaries / "pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
    return subprocess.run(command, check=False).returncode == 0
