"""A real Postgres of its own, in a folder of its own, for as long as a test needs it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.running import free_port, wait_until

# No test pulls the plug: what only power cuts need is switched off.
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "shared_buffers=16MB")


@contextmanager
def serving(binaries: Path, password: str) -> Iterator[str]:
    """The URL of an empty database. The server refuses to run as root, so it runs as nobody then."""
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="ocr-postgres-"))
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    port = free_port()
    data, secret = folder / "data", folder / "password"
    secret.write_text(password)
    secret.chmod(0o644)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    initdb: list[str | Path] = [
        binaries / "initdb",
        "--pgdata",
        data,
        "--username",
        "ocr",
        "--auth",
        "scram-sha-256",
        "--pwfile",
        secret,
        "--no-sync",
    ]
    server: subprocess.Popen[bytes] | None = None
    try:
        subprocess.run(initdb, user=user, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        command: list[str | Path] = [
            binaries / "postgres",
            "-D",
            data,
            "-p",
            str(port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-k",
            folder,
            *_FAST,
        ]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, user=user, cwd=folder, env=environment, stdout=log, stderr=log)
        wait_until(lambda: _answers(binaries, port), f"Postgres; its log: {(folder / 'log').read_text()[-1000:]}")
        yield f"postgresql://ocr:{password}@127.0.0.1:{port}/postgres"
    finally:
        if server is not None:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(binaries: Path, port: int) -> bool:
    command: list[str | Path] = [binaries / "pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
    return subprocess.run(command, check=False).returncode == 0
