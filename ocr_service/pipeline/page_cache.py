"""Pages that were read before are not read again: around the workers, which look for a page, and the refiner, behind which it is done.

Kept is only what nothing went wrong with: at the first attempt, without a warning, and with every region refined that was to be. A later
try may do better with all others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ocr_service.domain.blocks import RefinementStatus
from ocr_service.domain.documents import DocumentInfo, DocumentOptions, PageAnalysis, PageOptions, SourceFile, VlmPolicy
from ocr_service.domain.ports import KnownPage, LookingWorkers, PageCache, PageRefiner

# What the VLM is, in one line; empty if that is not known.
VlmIdentity = Callable[[], Awaitable[str]]


class CachedWorkers:
    """`PageWorkers` that fetch a page instead of reading it, where it is kept."""

    def __init__(self, workers: LookingWorkers, cache: PageCache, vlm: VlmIdentity) -> None:
        self._workers = workers
        self._cache = cache
        self._vlm = vlm

    @property
    def capacity(self) -> int:
        return self._workers.capacity

    @property
    def engine(self) -> str:
        return self._workers.engine

    async def inspect(self, source: SourceFile) -> DocumentInfo:
        return await self._workers.inspect(source)

    async def analyse(self, source: SourceFile, page: int, options: PageOptions) -> tuple[PageAnalysis, int]:
        salt = await self._salt(options)
        if salt is None:
            return await self._workers.analyse(source, page, options)
        found, attempts = await self._workers.look_or_analyse(source, page, options, self._cache.folder, salt)
        if isinstance(found, KnownPage):
            kept = await self._cache.load(found.key, page)
            self._cache.looked(found=kept is not None)
            if kept is not None:
                return replace(kept, timings={"digest": found.seconds}), attempts
            analysis, attempts = await self._workers.analyse(source, page, options)
            return replace(analysis, cache_key=found.key if attempts == 1 else ""), attempts
        self._cache.looked(found=False)
        return (found if attempts == 1 else replace(found, cache_key="")), attempts

    async def write_searchable_pdf(self, source: SourceFile, pages: Sequence[Path], target: Path) -> None:
        await self._workers.write_searchable_pdf(source, pages, target)

    async def _salt(self, options: PageOptions) -> str | None:
        """None: what the VLM is, is not known, so that nobody can say whose answers a kept page holds."""
        if options.vlm_policy is VlmPolicy.NONE:
            return ""
        return await self._vlm() or None


class KeepingRefiner:
    """A `PageRefiner` that leaves fetched pages as they are, and keeps finished ones."""

    def __init__(self, refiner: PageRefiner, cache: PageCache) -> None:
        self._refiner = refiner
        self._cache = cache

    async def refine(self, analysis: PageAnalysis, options: DocumentOptions, document_id: str) -> PageAnalysis:
        if analysis.cached:
            return analysis
        refined = await self._refiner.refine(analysis, options, document_id)
        if analysis.cache_key and _is_final(refined):
            await self._cache.keep(analysis.cache_key, refined)
        return refined


def _is_final(analysis: PageAnalysis) -> bool:
    return not analysis.warnings and all(block.refinement.status is not RefinementStatus.FAILED for block in analysis.blocks)
