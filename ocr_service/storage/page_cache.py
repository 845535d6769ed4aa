"""Pages that were read before, in `OUTPUT_DIR/.page-cache/<ab>/<key>`: a file for each, named by all that its content depends on.

A file appears whole and never changes, so several replicas may share the folder: who comes second writes the same again. What was needed
longest ago goes first; a file's time of modification is when it was needed last. Nothing here ever costs a page: what cannot
be read, written or removed is counted, and the page is read as if it had not been kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from ocr_service.domain.blocks import Block, ContentFormat
from ocr_service.domain.documents import PageAnalysis

# Results are worth more: with less than this free on the disk nothing is kept, and what is kept goes.
LEAST_FREE_BYTES = 512 * 1024 * 1024
# Looking through the folder is worth it only after so much was written, of all that may be.
_LOOK_AFTER_SHARE = 1 / 16
# Down to this share, so that not every page after that costs a removal.
_SHRINK_TO_SHARE = 0.9
_SWEEP_INTERVAL_S = 3600.0
_ABANDONED_S = 3600.0
_DAY_S = 86400.0
_DIGEST_BYTES = hashlib.sha256().digest_size
_FOLDER = ".page-cache"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CacheStats:
    """`size_bytes`: when the folder was looked through last, and what this process wrote since."""

    hits: int = 0
    misses: int = 0
    removed: int = 0
    failures: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    size: int
    needed_at: float


class PageCache:
    """A `domain.ports.PageCache` of at most about `limit_bytes`."""

    def __init__(self, output_dir: Path, limit_bytes: int, max_age_days: float, *, least_free_bytes: int = LEAST_FREE_BYTES) -> None:
        self._folder = output_dir / _FOLDER
        self._limit_bytes = limit_bytes
        self._max_age_s = max_age_days * _DAY_S
        self._least_free_bytes = least_free_bytes
        self._stats = CacheStats()
        self._written_since_sweep = 0
        self._sweeping = asyncio.Lock()

    @property
    def folder(self) -> Path:
        return self._folder

    def stats(self) -> CacheStats:
        return self._stats

    async def run(self) -> None:
        """Look through the folder now and then, for ever: pages that are too old go though none is added."""
        while True:
            await self.sweep()
            await asyncio.sleep(_SWEEP_INTERVAL_S)

    async def load(self, key: str, page: int) -> PageAnalysis | None:
        try:
            analysis = await asyncio.to_thread(_load, self._path(key))
        except FileNotFoundError:
            # Removed since the worker saw it.
            return None
        except (OSError, _Damaged) as error:
            self._failed("A kept page cannot be read", error)
            return None
        return _placed(analysis, page)

    async def keep(self, key: str, analysis: PageAnalysis) -> None:
        data = _encoded(analysis)
        try:
            if len(data) > self._limit_bytes or not await asyncio.to_thread(self._has_room, len(data)):
                await self.sweep()
                return
            await asyncio.to_thread(_write, self._path(key), data)
        except OSError as error:
            self._failed("A page cannot be kept", error)
            return
        self._written_since_sweep += len(data)
        self._stats = replace(self._stats, size_bytes=self._stats.size_bytes + len(data))
        if self._stats.size_bytes > self._limit_bytes or self._written_since_sweep > self._limit_bytes * _LOOK_AFTER_SHARE:
            await self.sweep()

    def looked(self, *, found: bool) -> None:
        """A page was looked for."""
        stats = self._stats
        self._stats = replace(stats, hits=stats.hits + found, misses=stats.misses + (not found))

    async def sweep(self) -> None:
        """Remove what is too old or too much; other replicas may be doing the same."""
        if self._sweeping.locked():
            return
        async with self._sweeping:
            self._written_since_sweep = 0
            try:
                removed, left = await asyncio.to_thread(self._sweep)
            except OSError as error:
                self._failed("The kept pages cannot be looked through", error)
                return
            self._stats = replace(self._stats, removed=self._stats.removed + removed, size_bytes=left)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _has_room(self, size: int) -> bool:
        self._folder.mkdir(exist_ok=True)
        return shutil.disk_usage(self._folder).free >= self._least_free_bytes + size

    def _sweep(self) -> tuple[int, int]:
        """How many were removed, and the bytes that are left."""
        if not self._folder.is_dir():
            return 0, 0
        allowed = self._limit_bytes if shutil.disk_usage(self._folder).free >= self._least_free_bytes else 0
        kept = sorted(_files(self._folder), key=lambda file: file.needed_at)
        size = sum(file.size for file in kept)
        goal = allowed if size <= allowed else int(allowed * _SHRINK_TO_SHARE)
        oldest = time.time() - self._max_age_s
        removed = 0
        for file in kept:
            if size <= goal and file.needed_at >= oldest:
                break
            file.path.unlink(missing_ok=True)
            size -= file.size
            removed += 1
        return removed, size

    def _failed(self, what: str, error: Exception) -> None:
        log.warning(what, extra={"reason": str(error)})
        self._stats = replace(self._stats, failures=self._stats.failures + 1)


class _Damaged(Exception):
    """The file is not what was written."""


def _files(folder: Path) -> Iterator[_Kept]:
    """All pages; what a killed process left unfinished is removed on the way."""
    for path in folder.glob("??/*"):
        with suppress(FileNotFoundError):
            status = path.stat()
            if not path.name.startswith("."):
                yield _Kept(path, status.st_size, status.st_mtime)
            elif status.st_mtime < time.time() - _ABANDONED_S:
                path.unlink()


def _encoded(analysis: PageAnalysis) -> bytes:
    body = msgspec.msgpack.encode(replace(analysis, questions=(), timings={}, cache_key=""))
    return hashlib.sha256(body).digest() + body


_decoder = msgspec.msgpack.Decoder(PageAnalysis)


def _load(path: Path) -> PageAnalysis:
    """Raises OSError, _Damaged; a damaged file is removed."""
    data = path.read_bytes()
    body = data[_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != data[:_DIGEST_BYTES]:
        path.unlink(missing_ok=True)
        raise _Damaged("it is damaged, and was removed")
    with suppress(OSError):
        os.utime(path)
    return _decoder.decode(body)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, but not flushed to the disk: what a power cut damages is noticed by its digest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _placed(analysis: PageAnalysis, page: int) -> PageAnalysis:
    """The page under its number in another document, which its pictures' names begin with."""
    old, new = f"p{analysis.page:04d}", f"p{page:04d}"

    def renamed(name: str) -> str:
        return new + name.removeprefix(old) if name.startswith(old) else name

    def block_with_renamed(block: Block) -> Block:
        return replace(block, content=renamed(block.content)) if block.format is ContentFormat.IMAGE else block

    return replace(
        analysis,
        page=page,
        blocks=tuple(map(block_with_renamed, analysis.blocks)),
        pictures=tuple(replace(picture, name=renamed(picture.name)) for picture in analysis.pictures),
        cached=True,
    )
