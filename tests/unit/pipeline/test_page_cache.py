"""What is looked for, what is kept, and what is not, with a cache in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from ocr_service.domain.blocks import Refinement, RefinementStatus
from ocr_service.domain.documents import DocumentOptions, MediaType, PageAnalysis, PageOptions, SourceFile, VlmPolicy
from ocr_service.domain.errors import PageFailed
from ocr_service.domain.ports import KnownPage
from ocr_service.pipeline.page_cache import CachedWorkers, KeepingRefiner
from tests.fakes.page_workers import FakeWorkers, analysis_of

SOURCE = SourceFile(Path("/nowhere"), MediaType.PDF, "a.pdf", "00", 1)
WITH_VLM = PageOptions(vlm_policy=VlmPolicy.AUTO)
FAILED = Refinement(RefinementStatus.FAILED, "the VLM server took too long")
REJECTED = Refinement(RefinementStatus.REJECTED, "digits contradict the evidence")


class Memory:
    """A PageCache; `lost`: keys that are seen but cannot be loaded."""

    folder = Path("/nowhere/cache")

    def __init__(self) -> None:
        self.pages: dict[str, PageAnalysis] = {}
        self.lost: set[str] = set()
        self.hits: list[bool] = []

    async def load(self, key: str, page: int) -> PageAnalysis | None:
        return None if key in self.lost else replace(self.pages[key], page=page, cached=True, cache_key="")

    async def keep(self, key: str, analysis: PageAnalysis) -> None:
        self.pages[key] = analysis

    def looked(self, *, found: bool) -> None:
        self.hits.append(found)


class Workers(FakeWorkers):
    """Looks into the memory. A page's key is its number, its options and the salt. `attempts` is what each page takes."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self.memory = memory
        self.attempts = 1

    async def look_or_analyse(
        self, source: SourceFile, page: int, options: PageOptions, folder: Path, salt: str
    ) -> tuple[PageAnalysis | KnownPage, int]:
        assert folder == self.memory.folder
        key = f"{page} {options} {salt}"
        if key in self.memory.pages:
            return KnownPage(key, 0.01), 1
        analysis, _ = await self.analyse(source, page, options)
        return replace(analysis, cache_key=key), self.attempts


class Vlm:
    """A PageRefiner that makes of each block what it is told to."""

    def __init__(self) -> None:
        self.identity = "model one"
        self.outcome = Refinement(RefinementStatus.ACCEPTED)
        self.asked = 0

    async def who(self) -> str:
        return self.identity

    async def refine(self, analysis: PageAnalysis, options: DocumentOptions, document_id: str) -> PageAnalysis:
        if not options.use_vlm:
            return analysis
        self.asked += 1
        return replace(analysis, blocks=tuple(replace(block, refinement=self.outcome) for block in analysis.blocks))


class Bench:
    """A service's page path, for one page after the other."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.workers = Workers(self.memory)
        self.vlm = Vlm()
        self._cached = CachedWorkers(self.workers, self.memory, self.vlm.who)
        self._keeping = KeepingRefiner(self.vlm, self.memory)

    def read(self, page: int = 1, options: PageOptions = WITH_VLM) -> PageAnalysis:
        async def scenario() -> PageAnalysis:
            analysis, _ = await self._cached.analyse(SOURCE, page, options)
            return await self._keeping.refine(analysis, DocumentOptions(options), "document")

        return asyncio.run(scenario())


def test_a_page_is_read_and_refined_once() -> None:
    bench = Bench()
    first, second = bench.read(), bench.read()
    assert (first.cached, second.cached) == (False, True)
    assert second.blocks == first.blocks
    assert second.timings == {"digest": 0.01}
    assert (len(bench.workers.begun), bench.vlm.asked, bench.memory.hits) == (1, 1, [False, True])


def test_another_model_reads_anew_and_an_unknown_one_keeps_nothing() -> None:
    bench = Bench()
    bench.read()
    bench.vlm.identity = "model two"
    assert not bench.read().cached
    bench.vlm.identity = ""
    assert not bench.read(2).cached
    assert not bench.read(2).cached
    # Without the VLM nobody has to know what it is.
    assert not bench.read(2, PageOptions()).cached
    assert bench.read(2, PageOptions()).cached


@pytest.mark.parametrize("outcome", [Refinement(), REJECTED])
def test_what_the_vlm_was_not_asked_or_not_believed_is_final(outcome: Refinement) -> None:
    bench = Bench()
    bench.vlm.outcome = outcome
    bench.read()
    assert bench.read().cached


def test_a_page_whose_refinement_failed_is_tried_again() -> None:
    bench = Bench()
    bench.vlm.outcome = FAILED
    bench.read()
    bench.vlm.outcome = Refinement(RefinementStatus.ACCEPTED)
    again = bench.read()
    assert (again.cached, again.blocks[0].refinement.status) == (False, RefinementStatus.ACCEPTED)
    assert bench.read().cached


def test_a_page_with_a_warning_or_a_second_attempt_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.workers.attempts = 2
    bench.read()
    assert bench.memory.pages == {}
    bench.workers.attempts = 1

    async def degraded(source: SourceFile, page: int, options: PageOptions) -> tuple[PageAnalysis, int]:
        return replace(analysis_of(page, options), warnings=("The layout models failed at first.",)), 1

    monkeypatch.setattr(bench.workers, "analyse", degraded)
    bench.read()
    assert bench.memory.pages == {}


def test_a_failed_page_is_not_kept() -> None:
    bench = Bench()
    bench.workers.failing["a.pdf", 1] = PageFailed("damaged")
    with pytest.raises(PageFailed):
        bench.read()
    assert bench.memory.pages == {}
    bench.workers.failing.clear()
    assert not bench.read().cached


def test_a_page_that_went_between_seeing_and_fetching_is_read() -> None:
    bench = Bench()
    bench.read()
    bench.memory.lost = set(bench.memory.pages)
    assert not bench.read().cached
    assert (len(bench.workers.begun), bench.memory.hits) == (2, [False, False])


def test_everything_else_is_the_workers_own() -> None:
    bench = Bench()
    bench.workers.page_counts["a.pdf"] = 3
    cached = CachedWorkers(bench.workers, bench.memory, bench.vlm.who)
    assert (cached.capacity, cached.engine) == (bench.workers.capacity, bench.workers.engine)
    source = replace(SOURCE, path=Path(__file__))
    assert asyncio.run(cached.inspect(source)).page_count == 3
