"""`--local`: the service itself, as a child process for the time of one run, on a free port of this machine's own address.

It is the same service, spoken to in the same way; only its results lie in a temporary folder that goes with it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import msgspec

from ocr_service.cli.environment import for_own_service
from ocr_service.cli.status import NoService
from ocr_service.client import AsyncClient, ClientError, Patience

_PACKAGE_ROOT = Path(__file__).parents[2]
_START_S = 300.0
_STOP_S = 15.0
_TELL_EVERY_S = 5.0
_NEEDED = ("fastapi", "uvicorn", "pymupdf")


@asynccontextmanager
async def running(say: Callable[[str], None]) -> AsyncIterator[str]:
    """A service that is ready; gives its address. It is stopped when the block ends. Raises NoService."""
    if not installed():
        raise NoService("The service is not installed beside this command. Start it elsewhere and name it with --url, or see docs/cli.md")
    with tempfile.TemporaryDirectory(prefix="ocr-service-", ignore_cleanup_errors=True) as scratch:
        port = _free_port()
        log = Path(scratch) / "log.jsonl"
        process = await _start(port, Path(scratch), log)
        try:
            url = f"http://127.0.0.1:{port}"
            await _until_ready(url, process, log, say)
            yield url
        finally:
            await _stop(process)


def installed() -> bool:
    """Whether the service's packages are here, and not only the command's."""
    return all(find_spec(name) is not None for name in _NEEDED)


@contextmanager
def cancelled_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the current task as Ctrl-C does, so that nothing is left behind."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def _start(port: int, scratch: Path, log: Path) -> asyncio.subprocess.Process:
    changes = {
        "OCR_HOST": "127.0.0.1",
        "OCR_PORT": str(port),
        "OUTPUT_DIR": str(scratch / "output"),
        "PYTHONPATH": str(_PACKAGE_ROOT),
    }
    with log.open("wb") as written:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "ocr_service.cli.serve", str(os.getpid()),
            env=for_own_service(changes), stdin=asyncio.subprocess.DEVNULL, stdout=written, stderr=written,
            start_new_session=True,  # a Ctrl-C is for the command, which then stops the service
        )  # fmt: skip


async def _until_ready(url: str, process: asyncio.subprocess.Process, log: Path, say: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    began = told_at = loop.time()
    async with AsyncClient(url, patience=Patience(connects=1), timeout_s=10) as client:
        say("Starting the service on this machine…")
        while not await _is_ready(client):
            if process.returncode is not None:
                raise NoService(f"The service did not start: {last_words(log)}")
            if loop.time() - began > _START_S:
                raise NoService(f"The service was not ready within {_START_S:.0f} s: {last_words(log)}")
            if loop.time() - told_at >= _TELL_EVERY_S:
                told_at = loop.time()
                say(f"… models are loading, {loop.time() - began:.0f} s")
            await asyncio.sleep(0.1)
        say(f"The service is ready after {loop.time() - began:.1f} s")


async def _is_ready(client: AsyncClient) -> bool:
    try:
        return (await client.ready()).ready
    except ClientError:
        return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Politely, then not. A second Ctrl-C does not leave it behind."""
    try:
        with suppress(ProcessLookupError):
            process.terminate()
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def last_words(log: Path) -> str:
    """The end of the log: its message where it is a line of JSON."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines:
        return "it said nothing"
    try:
        entry = msgspec.json.decode(lines[-1])
    except msgspec.DecodeError:
        return lines[-1]
    return str(entry.get("message", lines[-1])) if isinstance(entry, dict) else lines[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
