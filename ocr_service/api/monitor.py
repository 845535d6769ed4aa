"""Watches what the service depends on, in the background, and remembers what it saw."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from ocr_service.api.wire import Health
from ocr_service.workers.stats import PoolStats

log = logging.getLogger(__name__)

PROBE_INTERVAL_S = 3.0
PROBE_TIMEOUT_S = 2.0
MIN_FREE_BYTES = 64 * 1024 * 1024
"""With less free space in OUTPUT_DIR than this no document is accepted."""

Probe = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the probes found. None: there is nothing to probe."""

    disk_error: str | None = "not checked yet"
    vlm_available: bool | None = None
    s3_reachable: bool | None = None
    models_whole: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What does not change while the service runs."""

    output_dir: Path
    models_path: Path
    vllm_url: str
    use_vlm_api: bool


class Monitor:
    """`run` probes until it is cancelled; everything else only reads."""

    def __init__(
        self,
        facts: Facts,
        pool_stats: Callable[[], PoolStats],
        *,
        vlm_probe: Probe | None,
        s3_probe: Probe | None,
        models_check: Callable[[], bool] = lambda: True,
        interval_s: float = PROBE_INTERVAL_S,
    ) -> None:
        self._facts = facts
        self._pool_stats = pool_stats
        self._vlm_probe = vlm_probe
        self._s3_probe = s3_probe
        self._models_check = models_check
        self._interval_s = interval_s
        self._seen = Surroundings()
        self._was_ready = False
        self._draining = False
        self._last_status = ""

    def start_draining(self) -> None:
        """From now on no documents are accepted."""
        self._draining = True

    async def run(self) -> None:
        """Probe again and again; a probe that fails or hangs is an answer, too."""
        while True:
            await self.look()
            status = self.health().status
            if status != self._last_status:
                log.info("health changed", extra={"status": status, "obstacles": self.obstacles()})
                self._last_status = status
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """Run every probe once."""
        disk, vlm, s3, models = await asyncio.gather(
            self._disk_error(), _ask(self._vlm_probe), _ask(self._s3_probe), asyncio.to_thread(self._models_check)
        )
        self._seen = replace(self._seen, disk_error=disk, vlm_available=vlm, s3_reachable=s3, models_whole=models)

    async def _disk_error(self) -> str | None:
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                return await asyncio.to_thread(_disk_error, self._facts.output_dir)
        except TimeoutError:
            return "OUTPUT_DIR does not answer"

    def obstacles(self) -> list[str]:
        """Why documents are not accepted now; empty if they are."""
        found = []
        if self._draining:
            found.append("the service is shutting down")
        if self._seen.disk_error is not None:
            found.append(self._seen.disk_error)
        if not self._workers_usable():
            found.append("no page worker is ready")
        return found

    def _workers_usable(self) -> bool:
        """Also while the only worker is being renewed: documents wait for it a moment."""
        stats = self._pool_stats()
        self._was_ready = self._was_ready or stats.healthy
        return stats.healthy or (self._was_ready and stats.last_error is None)

    def _status(self) -> Literal["healthy", "degraded", "unhealthy"]:
        if self.obstacles():
            return "unhealthy"
        missing = False in (self._seen.vlm_available, self._seen.s3_reachable)
        return "degraded" if missing or self._pool_stats().last_error is not None else "healthy"

    def health(self) -> Health:
        status = self._status()
        vlm, s3 = self._seen.vlm_available, self._seen.s3_reachable
        return Health(
            status=status,
            models_present=self._was_ready and self._seen.models_whole,
            models_path=str(self._facts.models_path),
            vllm_status="disabled" if self._vlm_probe is None else "available" if vlm else "unavailable",
            vllm_url=without_credentials(self._facts.vllm_url),
            use_vlm_api=self._facts.use_vlm_api,
            output_dir=str(self._facts.output_dir),
            s3_storage="not_configured" if self._s3_probe is None else "configured" if s3 else "unreachable",
        )


async def _ask(probe: Probe | None) -> bool | None:
    if probe is None:
        return None
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await probe()
    except TimeoutError:
        return False


def _disk_error(folder: Path) -> str | None:
    """Why nothing can be stored in the folder, or None."""
    mark = folder / f".probe-{os.getpid()}"
    try:
        mark.write_bytes(b"ok")
        mark.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"OUTPUT_DIR cannot be written: {error.strerror}"
    return f"OUTPUT_DIR has less than {MIN_FREE_BYTES // 2**20} MiB of free space" if free < MIN_FREE_BYTES else None


def without_credentials(url: str) -> str:
    """The URL without user, password, query and fragment, any of which may hold a key."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
