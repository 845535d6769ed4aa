"""The way of a document: what it delivers, what it survives, and what it leaves behind."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from pathlib import Path

import pytest

from ocr_service.domain.documents import (
    DocumentOptions,
    DocumentStatus,
    MediaType,
    OutputKind,
    PageAnalysis,
    PageOptions,
    PageResult,
    SourceFile,
    VlmPolicy,
)
from ocr_service.domain.errors import (
    DeadlineExceeded,
    DocumentUnreadable,
    EngineUnavailable,
    InvalidRequest,
    Overloaded,
    PageTimedOut,
    PasswordRequired,
    ServiceError,
    ShuttingDown,
    StorageFailed,
    TooManyPages,
    WorkerCrashed,
)
from ocr_service.domain.ports import PageRefiner
from ocr_service.pipeline import progress
from ocr_service.pipeline.journey import Journey
from ocr_service.pipeline.service import DocumentService, Limits, Parts
from ocr_service.vlm.none import NoRefinement
from tests.fakes.folder_store import FolderStore
from tests.fakes.observer import RecordingObserver
from tests.fakes.page_workers import FakeWorkers
from tests.fakes.scenario import eventually, run

ALL = DocumentOptions()


class World:
    """A pipeline between fakes."""

    def __init__(self, tmp_path: Path, *, capacity: int = 2, limits: Limits | None = None, refiner: PageRefiner | None = None) -> None:
        self.uploads = tmp_path / "uploads"
        self.uploads.mkdir()
        self.workers = FakeWorkers(capacity)
        self.store = FolderStore(tmp_path / "output")
        self.observer = RecordingObserver()
        parts = Parts(self.workers, self.store, refiner or NoRefinement(), self.observer)
        self.service = DocumentService(parts, limits or Limits())

    async def start(self, name: str = "a", pages: int = 3, options: DocumentOptions = ALL) -> Journey:
        self.workers.page_counts[name] = pages
        path = self.uploads / name
        path.touch()
        return await self.service.start(SourceFile(path, MediaType.PDF, name, "00", 1), options)

    def outcomes(self) -> list[str]:
        return [outcome for _, outcome, _, _ in self.observer.documents]

    def is_clean(self) -> bool:
        """No document, no page and no slot is left over."""
        stats = self.service.stats()
        return (stats.queued_pages, stats.pages_in_flight, self.workers.running, len(self.service._journeys)) == (0, 0, 0, 0)


async def delivered(journey: Journey) -> dict[int, bytes]:
    """All pages by number; fails if one comes twice."""
    pages: dict[int, bytes] = {}
    async for result, body in journey.pages():
        assert result.page not in pages
        pages[result.page] = body
    return pages


def test_a_document_is_delivered_page_by_page_and_then_as_a_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.warnings = ("The file was repaired.",)
        journey = await world.start(pages=3)
        assert journey.document_id == "document0"
        assert journey.info.page_count == 3
        assert await delivered(journey) == {1: b"page 1 ok", 2: b"page 2 ok", 3: b"page 3 ok"}
        result = await journey.result()
        assert (result.status, result.page_count, result.pages, result.failed_pages) == (DocumentStatus.COMPLETE, 3, (1, 2, 3), ())
        assert (result.engine, result.warnings, result.outputs) == ("fake engine", ("The file was repaired.",), {"json": "result.json"})
        assert result.source.path == tmp_path / "output" / "document0" / "source.pdf"
        assert result.timings.keys() == {"open", "read", "total"}
        assert world.observer.documents == [("document0", "complete", 3, 3)]
        assert sorted(page for _, page, _ in world.observer.pages) == [1, 2, 3]
        assert world.is_clean()

    run(scenario())


def test_the_result_comes_without_anybody_reading_the_pages(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        journey = await world.start(pages=20)
        assert len((await journey.result()).pages) == 20
        assert world.is_clean()

    run(scenario())


def test_pages_come_in_the_order_in_which_they_are_finished(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.held = {("a", 1)}
        journey = await world.start(pages=3)
        pages = journey.pages()
        assert [(await anext(pages))[0].page for _ in range(2)] == [2, 3]
        await world.workers.release()
        assert (await anext(pages))[0].page == 1
        await pages.aclose()

    run(scenario())


def test_only_the_selected_pages_are_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        journey = await world.start(pages=9, options=DocumentOptions(pages=(2, 5)))
        assert sorted(await delivered(journey)) == [2, 5]
        result = await journey.result()
        assert (result.pages, result.page_count, result.status) == ((2, 5), 9, DocumentStatus.COMPLETE)

    run(scenario())


def test_a_failed_page_is_delivered_as_failed_and_costs_only_itself(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.failing[("a", 2)] = PageTimedOut("Page 2 took too long.", attempts=2)
        world.workers.failing[("a", 4)] = ZeroDivisionError()
        journey = await world.start(pages=4)
        results: dict[int, PageResult] = {}
        async for result, _ in journey.pages():
            results[result.page] = result
        assert [results[page].error is None for page in (1, 2, 3, 4)] == [True, False, True, False]
        assert results[2].error is not None
        assert (results[2].error.code, results[2].error.detail, results[2].attempts) == ("page_timed_out", "Page 2 took too long.", 2)
        assert results[4].error is not None
        assert results[4].error.code == "page_failed"
        document = await journey.result()
        assert (document.status, document.failed_pages) == (DocumentStatus.PARTIAL, (2, 4))
        assert world.outcomes() == ["partial"]

    run(scenario())


def test_a_document_of_which_no_page_can_be_read_is_unreadable_and_says_why(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        for page in (1, 2):
            world.workers.failing[("a", page)] = PageTimedOut("It took too long.")
        world.workers.failing[("a", 3)] = WorkerCrashed("It crashed.")
        journey = await world.start(pages=3)
        with pytest.raises(DocumentUnreadable) as caught:
            await journey.result()
        assert caught.value.detail == (
            "None of the 3 pages could be read. It took too long. (page_timed_out, 2 pages) It crashed. (worker_crashed, 1 page)"
        )
        assert world.store.folders[0].discarded
        assert world.outcomes() == ["failed"]

    run(scenario())


def test_a_document_that_met_no_worker_is_not_called_unreadable(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.failing[("a", 1)] = EngineUnavailable("No page worker is running.", retry_after_s=30)
        world.workers.failing[("a", 2)] = WorkerCrashed("It crashed.")
        journey = await world.start(pages=2)
        with pytest.raises(EngineUnavailable):
            await journey.result()

    run(scenario())


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (DocumentUnreadable("The file is damaged."), "failed"),
        (PasswordRequired("The file needs a password."), "refused"),
        (TooManyPages("Too many pages."), "refused"),
        (EngineUnavailable("No page worker is running.", retry_after_s=30), "refused"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_file_that_cannot_be_opened_leaves_nothing_behind(tmp_path: Path, error: ServiceError, outcome: str) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.unreadable["a"] = error
        with pytest.raises(type(error)) as caught:
            await world.start()
        assert caught.value is error
        assert world.store.folders[0].discarded
        assert world.outcomes() == [outcome]
        assert world.is_clean()

    run(scenario())


def test_a_page_beyond_the_end_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        with pytest.raises(InvalidRequest, match="no page 7: the document has 3 pages"):
            await world.start(pages=3, options=DocumentOptions(pages=(1, 7)))
        assert world.store.folders[0].discarded
        assert world.is_clean()

    run(scenario())


def test_a_folder_that_cannot_be_made_is_a_storage_failure(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.store.create_error = StorageFailed("There is no space left.")
        with pytest.raises(StorageFailed):
            await world.start()
        assert world.observer.documents == [("", "failed", 0, 0)]
        assert world.is_clean()

    run(scenario())


def test_a_folder_that_cannot_be_removed_does_not_hide_the_documents_own_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.store.discard_error = StorageFailed("The disk is read-only.")
        world.workers.unreadable["a"] = DocumentUnreadable("The file is damaged.")
        with pytest.raises(DocumentUnreadable):
            await world.start()

    run(scenario())


@pytest.mark.parametrize("reads_pages", [True, False])
def test_a_page_that_cannot_be_written_fails_the_document_with_the_bare_error(tmp_path: Path, reads_pages: bool) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.store.full_at_page = 3
        journey = await world.start(pages=50)
        with pytest.raises(StorageFailed, match="no space left"):
            await (delivered(journey) if reads_pages else journey.result())
        await journey.over()
        assert len(world.workers.begun) < 50
        assert world.store.folders[0].discarded
        assert world.outcomes() == ["failed"]
        assert world.is_clean()

    run(scenario())


def test_a_result_that_cannot_be_written_fails_the_document(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.store.finish_error = StorageFailed("There is no space left.")
        journey = await world.start()
        with pytest.raises(StorageFailed, match="no space left"):
            await journey.result()
        assert world.store.folders[0].discarded
        with pytest.raises(StorageFailed, match="no space left"):
            await delivered(journey)

    run(scenario())


def test_a_searchable_pdf_is_made_from_the_page_files(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        journey = await world.start(pages=2, options=DocumentOptions(outputs=frozenset({OutputKind.SEARCHABLE_PDF})))
        result = await journey.result()
        assert world.workers.written == [(["0001.json", "0002.json"], tmp_path / "output" / "document0" / "searchable.pdf")]
        assert result.warnings == ()
        assert world.is_clean()

    run(scenario())


def test_an_extra_that_fails_is_a_warning(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.write_error = DocumentUnreadable("The searchable PDF could not be made.")
        journey = await world.start(options=DocumentOptions(outputs=frozenset({OutputKind.SEARCHABLE_PDF})))
        result = await journey.result()
        assert result.status is DocumentStatus.COMPLETE
        assert result.warnings == ("searchable_pdf: The searchable PDF could not be made.",)

    run(scenario())


def test_pages_that_the_deadline_overtakes_are_failed_and_the_others_delivered(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path, limits=Limits(document_timeout_s=0.2))
        world.workers.held = {("a", 2), ("a", 3)}
        journey = await world.start(pages=5)
        pages = await delivered(journey)
        assert pages[1] == b"page 1 ok"
        assert {pages[page] for page in (2, 3, 4, 5)} == {f"page {page} deadline_exceeded".encode() for page in (2, 3, 4, 5)}
        result = await journey.result()
        assert (result.status, result.failed_pages) == (DocumentStatus.PARTIAL, (2, 3, 4, 5))
        assert world.is_clean()

    run(scenario())


def test_a_document_of_which_no_page_was_done_in_time_is_out_of_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path, limits=Limits(document_timeout_s=0.1))
        world.workers.held = {("a", 1)}
        journey = await world.start(pages=1)
        with pytest.raises(DeadlineExceeded, match="before one of its 1 page was read"):
            await journey.result()
        assert world.store.folders[0].discarded

    run(scenario())


def test_a_file_that_is_not_opened_in_time_is_out_of_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path, limits=Limits(document_timeout_s=0.1))
        world.workers.opening_held = {"a"}
        with pytest.raises(DeadlineExceeded):
            await world.start()
        assert world.store.folders[0].discarded
        assert world.is_clean()

    run(scenario())


def test_a_page_that_is_being_written_when_the_deadline_passes_is_delivered_as_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path, limits=Limits(document_timeout_s=0.1))
        world.store.writing_held = True
        journey = await world.start(pages=1)
        deadline = asyncio.get_running_loop().time() + 0.2
        await eventually(lambda: asyncio.get_running_loop().time() > deadline)
        world.store.go_on.set()
        assert await delivered(journey) == {1: b"page 1 ok"}
        assert world.store.folders[0].written == [1]

    run(scenario())


def test_closing_the_pages_early_stops_the_document_and_frees_everything(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.held = {("a", page) for page in range(2, 101)}
        journey = await world.start(pages=100)
        async with aclosing(journey.pages()) as pages:
            async for _ in pages:
                break
        await journey.over()
        assert world.is_clean()
        assert len(world.workers.begun) == 3
        assert world.store.folders[0].discarded
        assert world.observer.documents == [("document0", "cancelled", 1, 100)]

    run(scenario())


def test_cancelling_whoever_waits_for_the_result_stops_the_document(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.held = {("a", 1)}
        journey = await world.start()
        waiting = asyncio.create_task(journey.result())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await journey.over()
        assert world.outcomes() == ["cancelled"]
        assert world.is_clean()

    run(scenario())


def test_cancelling_whoever_waits_for_a_page_stops_the_document(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.held = {("a", 1), ("a", 2)}
        journey = await world.start()
        waiting = asyncio.create_task(delivered(journey))
        await asyncio.sleep(0)
        await eventually(lambda: world.workers.running == 2)
        waiting.cancel()
        await asyncio.wait({waiting})
        await journey.over()
        assert world.outcomes() == ["cancelled"]
        assert world.is_clean()

    run(scenario())


@pytest.mark.parametrize("steps", range(8))
def test_cancelling_the_start_at_any_moment_leaves_nothing_behind(tmp_path: Path, steps: int) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.opening_held = {"a"}
        starting = asyncio.create_task(world.start())
        for _ in range(steps):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait({starting})
        assert starting.cancelled()
        await eventually(world.is_clean)
        assert all(folder.discarded for folder in world.store.folders)
        assert set(world.outcomes()) <= {"cancelled"}

    run(scenario())


@pytest.mark.parametrize("steps", range(0, 40, 3))
def test_stopping_at_any_moment_either_leaves_a_result_or_nothing(tmp_path: Path, steps: int) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        journey = await world.start(pages=3)
        for _ in range(steps):
            await asyncio.sleep(0)
        await journey.aclose()
        folder = world.store.folders[0]
        assert folder.discarded == (folder.result is None)
        assert world.outcomes() == (["cancelled"] if folder.discarded else ["complete"])
        assert world.is_clean()

    run(scenario())


def test_a_reader_who_comes_late_gets_every_page_from_the_disk_and_held_nothing_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        journey = await world.start(pages=200)
        await journey.over()
        assert journey._reading is not None
        queued = [page.body for page in journey._reading.finished._queue if page is not None]  # type: ignore[attr-defined]
        assert sum(body is not None for body in queued) == 1
        pages = await delivered(journey)
        assert pages == {page: f"page {page} ok".encode() for page in range(1, 201)}

    run(scenario())


def test_a_page_that_was_taken_from_the_disk_meanwhile_is_a_storage_failure(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        journey = await world.start(pages=3)
        await journey.over()
        for path in world.store.folders[0].page_files():
            path.unlink()
        with pytest.raises(StorageFailed, match="no longer on disk"):
            await delivered(journey)

    run(scenario())


def test_one_page_behind_three_hundred_is_read_next(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path, capacity=1)
        world.workers.held = {("long", page) for page in range(3, 301)}
        long = await world.start("long", pages=300)
        await eventually(lambda: ("long", 3) in world.workers.begun)
        starting = asyncio.create_task(world.start("short", pages=1))
        await eventually(lambda: world.service._floor.turns.waiting == 2)
        await world.workers.let_go("long", 3)
        short = await starting
        assert await delivered(short) == {1: b"page 1 ok"}
        # Opened and read in one go: not even one page of the long document came in between.
        begun = world.workers.begun
        assert begun.index(("short", 1)) == begun.index(("long", 3)) + 1
        await long.aclose()

    run(scenario())


def test_documents_share_the_workers_evenly(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path, capacity=2)
        journeys = [await world.start(name, pages=30) for name in "abc"]
        await asyncio.gather(*(journey.result() for journey in journeys))
        shared = world.workers.begun[10:60]
        counts = [sum(document == name for document, _ in shared) for name in "abc"]
        assert max(counts) - min(counts) <= 4
        assert world.workers.peak == 2

    run(scenario())


def test_more_pages_than_the_queue_holds_are_refused_until_there_is_room(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path, limits=Limits(max_queued_pages=10))
        world.workers.held = {("a", page) for page in range(1, 31)}
        first = await world.start("a", pages=30)
        with pytest.raises(Overloaded) as caught:
            await asyncio.wait_for(opened_beside(world), 10)
        assert caught.value.retry_after_s >= 1
        assert world.store.folders[1].discarded
        assert world.outcomes() == ["refused"]
        await first.aclose()
        assert (await (await world.start("b", pages=30)).result()).status is DocumentStatus.COMPLETE

    async def opened_beside(world: World) -> None:
        starting = asyncio.create_task(world.start("b", pages=1))
        await eventually(lambda: world.service._floor.turns.waiting == 2)
        await world.workers.let_go("a", 1)
        await starting

    run(scenario())


def test_no_more_documents_than_places_and_a_place_is_taken_before_the_upload(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path, limits=Limits(max_documents=1))
        with world.service.place():
            assert world.service.stats().documents == 1
            with pytest.raises(Overloaded), world.service.place():
                pass
        with world.service.place():
            await (await world.start()).result()

    run(scenario())


class HeldRefiner:
    """A VLM that answers when the test says so."""

    def __init__(self) -> None:
        self.waiting = 0
        self.peak = 0
        self.answer = asyncio.Event()

    async def refine(self, analysis: PageAnalysis, options: DocumentOptions, document_id: str) -> PageAnalysis:
        self.waiting += 1
        self.peak = max(self.peak, self.waiting)
        await self.answer.wait()
        self.waiting -= 1
        return analysis


def test_pages_that_wait_for_the_vlm_hold_no_worker_and_are_bounded(tmp_path: Path) -> None:
    async def scenario() -> None:
        refiner = HeldRefiner()
        world = World(tmp_path, capacity=2, limits=Limits(max_refining_pages=3), refiner=refiner)
        refined = await world.start("vlm", pages=50, options=DocumentOptions(PageOptions(vlm_policy=VlmPolicy.AUTO)))
        await eventually(lambda: refiner.waiting == 5)
        assert world.workers.running == 0
        assert world.service.stats().pages_in_flight == 0
        refiner.answer.set()
        assert len(await delivered(refined)) == 50
        assert refiner.peak == 5
        await refined.over()
        assert world.is_clean()

    run(scenario())


def test_a_document_without_the_vlm_does_not_wait_behind_one_with_it(tmp_path: Path) -> None:
    class OnlyIfAsked(HeldRefiner):
        async def refine(self, analysis: PageAnalysis, options: DocumentOptions, document_id: str) -> PageAnalysis:  # type: ignore[explicit-override]
            return await super().refine(analysis, options, document_id) if options.use_vlm else analysis

    async def scenario() -> None:
        refiner = OnlyIfAsked()
        world = World(tmp_path, capacity=1, limits=Limits(max_refining_pages=1), refiner=refiner)
        stuck = await world.start("vlm", pages=50, options=DocumentOptions(PageOptions(vlm_policy=VlmPolicy.AUTO)))
        await eventually(lambda: refiner.waiting == 2)
        plain = await world.start("plain", pages=20)
        assert (await plain.result()).status is DocumentStatus.COMPLETE
        await stuck.aclose()

    run(scenario())


def test_draining_lets_documents_finish_and_takes_no_new_ones(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.held = {("a", 1)}
        journey = await world.start()
        draining = asyncio.create_task(world.service.drain(30))
        await asyncio.sleep(0)
        with pytest.raises(ShuttingDown), world.service.place():
            pass
        with pytest.raises(ShuttingDown):
            await world.start("b")
        assert not draining.done()
        await world.workers.release()
        await draining
        assert (await journey.result()).status is DocumentStatus.COMPLETE

    run(scenario())


def test_after_the_grace_period_documents_are_cut_off_and_their_readers_told_why(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path)
        world.workers.held = {("a", 1)}
        world.workers.opening_held = {"b"}
        journey = await world.start()
        reading = asyncio.create_task(delivered(journey))
        starting = asyncio.create_task(world.start("b"))
        await eventually(lambda: len(world.store.folders) == 2)
        await world.service.drain(0)
        with pytest.raises(ShuttingDown):
            await reading
        with pytest.raises(ShuttingDown):
            await starting
        with pytest.raises(ShuttingDown):
            await journey.result()
        assert world.outcomes() == ["cancelled", "cancelled"]
        assert world.is_clean()

    run(scenario())


def test_draining_an_idle_service_returns_at_once(tmp_path: Path) -> None:
    run(World(tmp_path).service.drain(3600), limit_s=5)


def test_the_log_tells_of_progress_and_of_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)

    async def scenario() -> None:
        world = World(tmp_path)
        await (await world.start(pages=2)).result()

    run(scenario())
    lines = [record.__dict__ for record in caplog.records if record.name == progress.__name__]
    assert [(line["msg"], line["pages_done"], line["pages_asked"], line["document_id"]) for line in lines] == [
        ("Document in progress", 1, 2, "document0"),
        ("Document in progress", 2, 2, "document0"),
        ("Document over", 2, 2, "document0"),
    ]
    assert lines[-1]["outcome"] == "complete"
