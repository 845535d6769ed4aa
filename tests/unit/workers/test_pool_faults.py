"""What a misbehaving engine costs: its page at most, never the pool. Every engine here is a real process."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_service.domain.documents import MediaType, PageOptions, SourceFile
from ocr_service.domain.errors import (
    DocumentUnreadable,
    EngineUnavailable,
    PageFailed,
    PageOutOfMemory,
    PageTimedOut,
    PageTooLarge,
    PasswordRequired,
    StorageFailed,
    TooManyPages,
    WorkerCrashed,
)
from ocr_service.engines.config import EngineConfig
from ocr_service.workers.config import MEBIBYTE, Confinement, ConfinementMode, PoolConfig
from ocr_service.workers.pool import WorkerPool
from tests.fakes.observer import RecordingObserver
from tests.fakes.scenario import eventually, run

OPTIONS = PageOptions()


def config(tmp_path: Path, engine: str, **changes: object) -> PoolConfig:
    values: dict[str, object] = {
        "engine_config": EngineConfig(tmp_path),
        "engine": f"tests.faults.{engine}:build",
        "capacity": 1,
        "temporary_root": tmp_path,
        "first_backoff_s": 0.01,
        # These engines leave marks beside the document.
        "confinement": Confinement(ConfinementMode.OFF),
        **changes,
    }
    return PoolConfig(**values)  # type: ignore[arg-type]


def document(tmp_path: Path, pages: int = 9, password: str | None = None) -> SourceFile:
    return SourceFile(tmp_path / f"{pages}.pdf", MediaType.PDF, "scan.pdf", "00", 1, password)


async def still_reads(pool: WorkerPool, tmp_path: Path) -> None:
    analysis, _ = await pool.analyse(document(tmp_path), 1, OPTIONS)
    assert analysis.page == 1


def test_a_page_that_crashes_its_worker_fails_after_two_attempts_and_the_next_page_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "dies_of_a_signal"), observer) as pool:
            with pytest.raises(WorkerCrashed, match=r"page 2 died of signal 11 \(2 attempts\)") as caught:
                await pool.analyse(document(tmp_path), 2, OPTIONS)
            assert caught.value.attempts == 2
            await still_reads(pool, tmp_path)
            assert observer.replaced == ["crashed", "crashed"]
            assert pool.stats().restarts == {"crashed": 2}

    run(scenario())


def test_a_page_that_crashes_its_worker_once_is_read_at_the_second_attempt(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "dies_of_a_signal"), RecordingObserver()) as pool:
            analysis, attempts = await pool.analyse(document(tmp_path), 3, OPTIONS)
            assert (analysis.page, attempts) == (3, 2)

    run(scenario())


def test_an_exit_in_the_middle_of_a_page_counts_as_a_crash(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "exits"), RecordingObserver()) as pool:
            with pytest.raises(WorkerCrashed, match="exit status 7"):
                await pool.analyse(document(tmp_path), 2, OPTIONS)
            await still_reads(pool, tmp_path)

    run(scenario())


def test_a_file_that_crashes_the_worker_when_it_is_opened_is_unreadable(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "exits"), RecordingObserver()) as pool:
            with pytest.raises(DocumentUnreadable, match="the reader crashes on it"):
                await pool.inspect(document(tmp_path, pages=1))
            assert (await pool.inspect(document(tmp_path, pages=2))).page_count == 2

    run(scenario())


def test_a_page_that_never_ends_is_stopped_by_the_watchdog(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "hangs", page_timeout_s=0.3), observer) as pool:
            with pytest.raises(PageTimedOut, match=r"Page 2 took longer than 0\.3 s \(2 attempts\)") as caught:
                await pool.analyse(document(tmp_path), 2, OPTIONS)
            assert caught.value.attempts == 2
            await still_reads(pool, tmp_path)
            assert set(observer.replaced) == {"timed_out"}

    run(scenario())


def test_a_page_that_hangs_once_is_read_at_the_second_attempt(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "hangs", page_timeout_s=1.0), RecordingObserver()) as pool:
            _, attempts = await pool.analyse(document(tmp_path), 3, OPTIONS)
            assert attempts == 2

    run(scenario())


def test_a_file_whose_opening_never_ends_is_unreadable(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "hangs", inspect_timeout_s=0.3), RecordingObserver()) as pool:
            with pytest.raises(DocumentUnreadable, match=r"longer than 0\.3 s"):
                await pool.inspect(document(tmp_path, pages=1))
            await still_reads(pool, tmp_path)

    run(scenario())


@pytest.mark.parametrize("page", [2, 3, 5, 6], ids=["piece by piece", "all at once", "in a library's words", "without a word"])
def test_a_page_that_needs_too_much_memory_is_stopped(tmp_path: Path, page: int) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "eats_memory", memory_limit_bytes=200 * MEBIBYTE), observer) as pool:
            with pytest.raises(PageOutOfMemory, match="more memory") as caught:
                await pool.analyse(document(tmp_path), page, OPTIONS)
            assert caught.value.attempts == 2
            await still_reads(pool, tmp_path)
            assert observer.replaced == ["out_of_memory", "out_of_memory"]

    run(scenario())


@pytest.mark.parametrize("page", [2, 3], ids=["nonsense", "an endless frame"])
def test_garbage_on_the_pipe_costs_the_worker_and_not_the_service(tmp_path: Path, page: int) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "writes_garbage"), RecordingObserver()) as pool:
            with pytest.raises(WorkerCrashed):
                await pool.analyse(document(tmp_path), page, OPTIONS)
            await still_reads(pool, tmp_path)

    run(scenario())


@pytest.mark.parametrize("page", [2, 3], ids=["another page", "a picture outside its folder"])
def test_an_answer_that_is_not_true_is_not_believed(tmp_path: Path, page: int) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "lies"), RecordingObserver()) as pool:
            with pytest.raises(PageFailed, match=f"Page {page} could not be read: the reader gave no sensible answer"):
                await pool.analyse(document(tmp_path), page, OPTIONS)
            await still_reads(pool, tmp_path)

    run(scenario())


def test_a_result_that_cannot_be_sent_fails_its_page_and_keeps_the_worker(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "lies"), observer) as pool:
            with pytest.raises(PageFailed, match="could not be passed on"):
                await pool.analyse(document(tmp_path), 4, OPTIONS)
            await still_reads(pool, tmp_path)
            assert observer.replaced == []

    run(scenario())


def test_what_libraries_print_does_not_disturb_the_protocol(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "prints"), observer) as pool:
            for page in (1, 2, 3):
                assert (await pool.analyse(document(tmp_path), page, OPTIONS))[1] == 1
            assert observer.replaced == []

    run(scenario())


def test_errors_of_the_engine_keep_their_class_and_their_sentence(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "raises"), RecordingObserver()) as pool:
            for pages, error in ((1, PasswordRequired), (2, TooManyPages), (3, DocumentUnreadable)):
                with pytest.raises(error, match="The file"):
                    await pool.inspect(document(tmp_path, pages=pages))
            with pytest.raises(PageTooLarge, match="as large as a house") as caught:
                await pool.analyse(document(tmp_path), 3, OPTIONS)
            assert caught.value.attempts == 1
            with pytest.raises(PageFailed, match="Page 2 could not be read: unexpected ZeroDivisionError"):
                await pool.analyse(document(tmp_path), 2, OPTIONS)

    run(scenario())


def test_memory_that_runs_out_inside_the_engine_renews_the_worker(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "raises"), observer) as pool:
            with pytest.raises(PageOutOfMemory) as caught:
                await pool.analyse(document(tmp_path), 4, OPTIONS)
            assert caught.value.attempts == 2
            await still_reads(pool, tmp_path)
            assert observer.replaced == ["out_of_memory", "out_of_memory"]

    run(scenario())


def test_a_password_never_shows_up_in_an_error_or_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "raises"), RecordingObserver()) as pool:
            with pytest.raises(DocumentUnreadable, match="unexpected ValueError") as caught:
                await pool.inspect(document(tmp_path, password="hunter2"))
            assert "hunter2" not in str(caught.value)

    run(scenario())
    everything = [value for record in caplog.records for value in record.__dict__.values()]
    assert any("ValueError" in str(value) for value in everything)
    assert not any("hunter2" in str(value) for value in everything)


def test_an_engine_that_cannot_be_built_is_reported_and_requests_fail_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "never_starts", no_worker_timeout_s=1.0), RecordingObserver()) as pool:
            with pytest.raises(EngineUnavailable) as caught:
                await pool.inspect(document(tmp_path))
            assert caught.value.retry_after_s > 0
            stats = pool.stats()
            assert not stats.healthy
            assert stats.last_error is not None
            assert "no model in" in stats.last_error

    run(scenario())


def test_an_engine_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "no_such_module"), RecordingObserver()) as pool:
            await eventually(lambda: "No module named" in (pool.stats().last_error or ""))

    run(scenario())


def test_an_engine_that_hangs_while_it_loads_is_stopped_and_reported(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "hangs_at_start", start_timeout_s=0.3), RecordingObserver()) as pool:
            await eventually(lambda: "timed_out" in (pool.stats().last_error or ""))

    run(scenario())


def test_a_start_that_fails_is_tried_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "starts_late", first_backoff_s=0.5), RecordingObserver()) as pool:
            await eventually(lambda: "the licence server is out to lunch" in (pool.stats().last_error or ""))
            await still_reads(pool, tmp_path)
            assert pool.stats().last_error is None

    run(scenario())


def test_a_searchable_pdf_that_cannot_be_written_is_a_storage_failure(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "well_behaved"), RecordingObserver()) as pool:
            with pytest.raises((StorageFailed, DocumentUnreadable)):
                await pool.write_searchable_pdf(document(tmp_path), [], tmp_path / "searchable.pdf")
            await still_reads(pool, tmp_path)

    run(scenario())
    assert not list(tmp_path.glob("*searchable*"))
