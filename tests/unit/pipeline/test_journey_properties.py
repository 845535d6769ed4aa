"""Whatever the documents, the failures and the limits: every page once, no slot lost, nobody waits for ever."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ocr_service.domain.documents import DocumentOptions, DocumentStatus, MediaType, PageOptions, SourceFile, VlmPolicy
from ocr_service.domain.errors import DocumentUnreadable, Overloaded, PageFailed
from ocr_service.pipeline.service import DocumentService, Limits, Parts
from ocr_service.vlm.none import NoRefinement
from tests.fakes.folder_store import FolderStore
from tests.fakes.observer import RecordingObserver
from tests.fakes.page_workers import FakeWorkers
from tests.fakes.scenario import run


@dataclass(frozen=True)
class Plan:
    """A document to be: its pages, those that fail, whether it uses the VLM, and after how many pages its reader goes away, if at all."""

    pages: int
    failing: frozenset[int]
    use_vlm: bool
    leaves_after: int | None


PLANS = st.builds(
    Plan,
    pages=st.integers(1, 12),
    failing=st.frozensets(st.integers(1, 12), max_size=12),
    use_vlm=st.booleans(),
    leaves_after=st.none() | st.integers(1, 12),
)


class Run:
    """One pipeline and its documents."""

    def __init__(self, root: Path, capacity: int, limits: Limits) -> None:
        self.root = root
        self.workers = FakeWorkers(capacity)
        self.store = FolderStore(root / "output")
        self.observer = RecordingObserver()
        self.service = DocumentService(Parts(self.workers, self.store, NoRefinement(), self.observer), limits)

    async def document(self, name: str, plan: Plan) -> None:
        self.workers.page_counts[name] = plan.pages
        for page in plan.failing:
            self.workers.failing[(name, page)] = PageFailed("It cannot be read.")
        upload = self.root / name
        upload.touch()
        try:
            policy = VlmPolicy.AUTO if plan.use_vlm else VlmPolicy.NONE
            journey = await self.service.start(
                SourceFile(upload, MediaType.PDF, name, "00", 1), DocumentOptions(PageOptions(vlm_policy=policy))
            )
        except Overloaded:
            return
        seen: list[int] = []
        pages = journey.pages()
        try:
            async for result, body in pages:
                assert body.decode().startswith(f"page {result.page} ")
                assert (result.error is not None) == (result.page in plan.failing)
                seen.append(result.page)
                if len(seen) == plan.leaves_after:
                    return
            document = await journey.result()
        except DocumentUnreadable:
            assert plan.failing >= set(range(1, plan.pages + 1))
            return
        finally:
            await pages.aclose()
        asked = set(range(1, plan.pages + 1))
        assert sorted(seen) == sorted(asked)
        assert document.failed_pages == tuple(sorted(asked & plan.failing))
        assert document.status is (DocumentStatus.PARTIAL if asked & plan.failing else DocumentStatus.COMPLETE)


@settings(deadline=None, max_examples=60)
@given(
    plans=st.lists(PLANS, min_size=1, max_size=5),
    capacity=st.integers(1, 4),
    max_queued_pages=st.integers(1, 40),
    max_refining_pages=st.integers(0, 3),
)
def test_every_page_comes_once_and_nothing_is_left_over(
    plans: list[Plan], capacity: int, max_queued_pages: int, max_refining_pages: int
) -> None:
    async def scenario() -> None:
        with tempfile.TemporaryDirectory() as root:
            world = Run(Path(root), capacity, Limits(max_queued_pages=max_queued_pages, max_refining_pages=max_refining_pages))
            await asyncio.gather(*(world.document(str(number), plan) for number, plan in enumerate(plans)))
            await world.service.drain(10)
            stats = world.service.stats()
            assert (stats.queued_pages, stats.pages_in_flight, world.workers.running) == (0, 0, 0)
            assert world.workers.peak <= capacity
            assert world.service._floor.turns.waiting == 0
            assert len(world.observer.documents) == len(plans)
            assert all(folder.discarded == (folder.result is None) for folder in world.store.folders)

    run(scenario(), limit_s=20)
