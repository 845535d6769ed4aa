"""One page worker as its parent sees it: start, ask, watch, kill, tidy up."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Self

import ocr_service
from ocr_service.domain.errors import StorageFailed
from ocr_service.workers.config import PoolConfig
from ocr_service.workers.death import Death, WorkerDied, WorkerGone
from ocr_service.workers.fetching import fetch
from ocr_service.workers.protocol import (
    LENGTH,
    MAX_REPLY_BYTES,
    MAX_REQUEST_BYTES,
    Failed,
    Outcome,
    ProtocolViolation,
    Ready,
    Reply,
    Request,
    Setup,
    Task,
    WriteSearchablePdf,
    Written,
    body_length,
    decode_reply,
    frame,
)

WATCH_INTERVAL_S = 0.2
# A process that hangs in the kernel (a dead network disk) cannot be killed; nobody waits for it longer than this.
KILL_TAKES_AT_MOST_S = 5.0
LOGGED_LINE_BYTES = 1000
PAGE_BYTES = resource.getpagesize()
PACKAGE_ROOT = Path(ocr_service.__file__).parent.parent

log = logging.getLogger(__name__)


class WorkerStartFailed(Exception):
    """The worker did not become ready; the message is for the operator."""


class WorkerProcess:
    """A child process with one engine. One request at a time."""

    def __init__(self, process: asyncio.subprocess.Process, config: PoolConfig, folder: Path) -> None:
        self._process = process
        self._config = config
        self._folder = folder
        self._requests_sent = 0
        self._cause: Death | None = None
        self._tidied = False
        self._stderr = asyncio.create_task(self._log_stderr())
        self._exit = asyncio.create_task(self._notice_exit())
        self.engine = ""
        self.versions: dict[str, str] = {}
        self.walls: tuple[str, ...] = ()
        self.pages_done = 0
        self.last_words = ""
        # Set when the worker has to be replaced: it ended, or it is due for recycling.
        self.leaving = asyncio.Event()

    @classmethod
    async def spawn(cls, config: PoolConfig, root: Path, seat: int = 0) -> Self:
        """Start the process in a place of the pool (from 0); it is not ready yet. Raises WorkerStartFailed."""
        folder = Path(tempfile.mkdtemp(dir=root))
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-X", "faulthandler", "-m", "ocr_service.workers.child", str(os.getpid()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(config, folder, seat),
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise WorkerStartFailed(f"a process cannot be started: {error.strerror}") from error
        return cls(process, config, folder)

    async def set_up(self) -> None:
        """Build the engine in the child. Raises WorkerStartFailed."""
        config = self._config
        setup = Setup(config.engine, config.engine_config, config.data_limit_bytes, config.confinement, self._folder)
        try:
            outcome = await self.call(setup, timeout_s=config.start_timeout_s)
        except (WorkerDied, WorkerGone) as died:
            raise WorkerStartFailed(f"engine {config.engine}: the worker ended while it started ({died}); {self.last_words}") from None
        match outcome:
            case Ready(engine, versions, walls):
                self.engine, self.versions, self.walls = engine, versions, walls
            case Failed(_, detail):
                raise WorkerStartFailed(f"engine {config.engine}: {detail[:500]}")
            case _:
                raise WorkerStartFailed(f"engine {config.engine}: the worker did not say that it is ready")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None or self._cause is not None

    @property
    def cause(self) -> Death:
        """Why an ended worker ended."""
        if self._cause is not None:
            return self._cause
        return Death.KILLED if self._process.returncode == -signal.SIGKILL else Death.CRASHED

    @property
    def rss_bytes(self) -> int:
        """Resident memory; 0 when the process is gone."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
        except (OSError, IndexError):
            return 0

    async def call(self, task: Task, *, timeout_s: float) -> Outcome:
        """Ask and wait for the answer. Raises WorkerDied (the process is dead then) and WorkerGone.

        The worker can write to its own folder only: a file that it is asked for is made there and fetched.

        Not to be cancelled by a client: the pool runs it to its end, so that the next request finds the pipe clean.
        """
        if not isinstance(task, WriteSearchablePdf):
            return await self._ask(task, timeout_s)
        made = self._folder / task.target.name
        outcome = await self._ask(WriteSearchablePdf(task.source, task.pages, made), timeout_s)
        if isinstance(outcome, Written):
            try:
                await asyncio.to_thread(fetch, made, task.target)
            except StorageFailed as error:
                return Failed(error.code, error.detail)
        return outcome

    async def _ask(self, task: Task, timeout_s: float) -> Outcome:
        if self.has_ended:
            raise WorkerGone
        self._requests_sent += 1
        exchange = asyncio.create_task(self._exchange(Request(self._requests_sent, task)))
        try:
            await self._watch(exchange, timeout_s)
        finally:
            if not exchange.done():
                exchange.cancel()
        if exchange.done() and not exchange.cancelled() and exchange.exception() is None:
            return exchange.result()
        raise await self._obituary(exchange, timeout_s)

    def kill(self, cause: Death) -> None:
        """End the process and what it may have started. The first cause given is the one that counts."""
        if self._process.returncode is not None:
            return
        self._cause = self._cause or cause
        self.leaving.set()
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            # Dead already, and its exit status is on the way.
            return

    async def close(self) -> None:
        """End the process if it runs, wait for it, and remove its temporary folder."""
        if self._tidied:
            return
        self._tidied = True
        self.kill(Death.CRASHED)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.close()
        try:
            async with asyncio.timeout(KILL_TAKES_AT_MOST_S):
                await self._process.wait()
                # Only at the end of its pipes does asyncio give a process up.
                while await stdout.read(65536):
                    continue
                await self._stderr
        except TimeoutError:
            log.warning("A worker cannot be killed", extra={"pid": self.pid})
        self._stderr.cancel()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _exchange(self, request: Request) -> Outcome:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(frame(request, MAX_REQUEST_BYTES))
        await stdin.drain()
        header = await stdout.readexactly(LENGTH.size)
        reply: Reply = decode_reply(await stdout.readexactly(body_length(header, MAX_REPLY_BYTES)))
        if reply.id != request.id:
            raise ProtocolViolation("the answer to another request")
        return reply.outcome

    async def _watch(self, exchange: asyncio.Task[Outcome], timeout_s: float) -> None:
        """Wait for the answer; kill the worker when its time is up or it has grown too large."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not exchange.done():
            await asyncio.wait({exchange}, timeout=max(0.0, min(WATCH_INTERVAL_S, deadline - loop.time())))
            if exchange.done():
                return
            if loop.time() >= deadline:
                self.kill(Death.TIMED_OUT)
            elif self.rss_bytes > self._config.memory_limit_bytes:
                self.kill(Death.OUT_OF_MEMORY)
            if self._cause is not None:
                await asyncio.wait({exchange}, timeout=KILL_TAKES_AT_MOST_S)
                return

    async def _obituary(self, exchange: asyncio.Task[Outcome], timeout_s: float) -> WorkerDied:
        """The pipe broke, or carried nonsense: see to it that the process is dead, and say what happened."""
        error = exchange.exception() if exchange.done() and not exchange.cancelled() else None
        if isinstance(error, ProtocolViolation):
            log.warning("A worker broke the protocol", extra={"pid": self.pid, "reason": str(error)})
            self.kill(Death.CRASHED)
        elif error is not None and not isinstance(error, (asyncio.IncompleteReadError, ConnectionError)):
            raise error
        # A process that closed its pipe is about to exit; one that does not is of no use any more.
        await asyncio.wait({self._exit}, timeout=1.0)
        self.kill(Death.CRASHED)
        await asyncio.wait({self._exit}, timeout=KILL_TAKES_AT_MOST_S)
        return WorkerDied(self.cause, self._circumstances(timeout_s))

    def _circumstances(self, timeout_s: float) -> str:
        if self._cause is Death.TIMED_OUT:
            return f"{timeout_s:g} s"
        if self._cause is Death.OUT_OF_MEMORY:
            return f"more than {self._config.memory_limit_bytes // (1024 * 1024)} MiB"
        status = self._process.returncode
        if self._cause is Death.CRASHED or status is None:
            return "a broken pipe"
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    async def _notice_exit(self) -> None:
        await self._process.wait()
        self.leaving.set()

    async def _log_stderr(self) -> None:
        """What libraries print: for the debug log, in bounded pieces, and never a reason to block the child."""
        stderr = self._process.stderr
        assert stderr is not None
        while line := await _line(stderr):
            text = line.decode("utf-8", "replace").rstrip()
            if text:
                self.last_words = text[:200]
                log.debug("Worker says", extra={"pid": self.pid, "line": text})


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line, or the first part of one that is too long; empty at the end."""
    try:
        return (await stream.readuntil(b"\n"))[:LOGGED_LINE_BYTES]
    except asyncio.IncompleteReadError as end:
        return end.partial[:LOGGED_LINE_BYTES]
    except asyncio.LimitOverrunError as overrun:
        return (await stream.readexactly(max(1, overrun.consumed)))[:LOGGED_LINE_BYTES]


def _environment(config: PoolConfig, folder: Path, seat: int) -> dict[str, str]:
    """Everything the child knows of its surroundings: nothing is inherited."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    temporary = dict.fromkeys(("TMPDIR", "HOME", "XDG_CACHE_HOME"), str(folder))
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(PACKAGE_ROOT),
        "PYTHONUNBUFFERED": "1",
        **one_thread,
        **temporary,
        **config.environment,
        **(config.seats[seat % len(config.seats)] if config.seats else {}),
    }
