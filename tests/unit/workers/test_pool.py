"""The pool in ordinary life: capacity, recycling, cancellation, outside kills, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_service.domain.documents import MediaType, PageOptions, SourceFile
from ocr_service.domain.errors import ShuttingDown, WorkerCrashed
from ocr_service.engines.config import EngineConfig
from ocr_service.workers.config import MEBIBYTE, Confinement, ConfinementMode, PoolConfig
from ocr_service.workers.pool import WorkerPool
from tests.fakes.observer import RecordingObserver
from tests.fakes.scenario import eventually, run

OPTIONS = PageOptions()
REPOSITORY = Path(__file__).parents[3]


def config(tmp_path: Path, engine: str = "well_behaved", **changes: object) -> PoolConfig:
    values: dict[str, object] = {
        "engine_config": EngineConfig(tmp_path),
        "engine": f"tests.faults.{engine}:build",
        "temporary_root": tmp_path,
        "first_backoff_s": 0.01,
        # These engines leave marks beside the document.
        "confinement": Confinement(ConfinementMode.OFF),
        **changes,
    }
    return PoolConfig(**values)  # type: ignore[arg-type]


def document(tmp_path: Path, pages: int = 50, password: str | None = None) -> SourceFile:
    return SourceFile(tmp_path / f"{pages}.pdf", MediaType.PDF, "scan.pdf", "00", 1, password)


async def reader_of(pool: WorkerPool, source: SourceFile, page: int) -> str:
    """The process that read the page."""
    analysis, _ = await pool.analyse(source, page, OPTIONS)
    return analysis.blocks[0].content


def is_alive(pid: int) -> bool:
    """Whether the process exists, dead but not yet collected ones included."""
    return Path(f"/proc/{pid}").exists()


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def test_it_reads_as_many_pages_at_a_time_as_it_has_workers(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "waits", capacity=2), RecordingObserver()) as pool:
            source = document(tmp_path)
            readings = [asyncio.create_task(reader_of(pool, source, page)) for page in (1, 2, 3)]
            await eventually(lambda: all((tmp_path / f"{page}.started").exists() for page in (1, 2)))
            assert pool.stats().busy == 2
            assert not (tmp_path / "3.started").exists()
            for page in (1, 2, 3):
                (tmp_path / f"{page}.go").touch()
            assert len(set(await asyncio.gather(*readings))) == 2

    run(scenario())


def test_it_tells_its_engine_its_versions_and_its_memory(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path), RecordingObserver()) as pool:
            assert pool.engine == ""
            assert pool.stats().starting == 0
            await pool.wait_until_ready()
            await eventually(lambda: pool.stats().ready == 1)
            stats = pool.stats()
            assert (pool.engine, stats.engine, stats.healthy, stats.capacity) == ("well behaved", "well behaved", True, 1)
            assert stats.versions["python"] == sys.version.split()[0]
            assert all(rss > MEBIBYTE for rss in stats.rss_bytes.values())

    run(scenario())


def test_a_worker_is_renewed_after_its_number_of_pages_and_no_page_is_lost(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, max_pages=3), observer) as pool:
            readers: list[str] = []
            while len(set(readers)) < 3:
                readers.append(await reader_of(pool, document(tmp_path), 1))
            # The old one goes on until its successor is ready, so it may read more than three, but never fewer.
            assert all(readers.count(reader) >= 3 for reader in set(readers[:-1]) - {readers[-1]})
            assert set(observer.replaced) == {"recycled"}
            await eventually(lambda: len(pool.stats().rss_bytes) == 1)

    run(scenario())


def test_a_worker_that_keeps_too_much_memory_is_renewed_between_two_pages(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "eats_memory", recycle_bytes=64 * MEBIBYTE), observer) as pool:
            fat = await reader_of(pool, document(tmp_path), 4)
            await eventually(lambda: observer.replaced == ["recycled"])
            assert await reader_of(pool, document(tmp_path), 1) != fat

    run(scenario())


def test_a_worker_that_is_due_while_it_reads_a_page_finishes_that_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "waits", max_pages=1), observer) as pool:
            source = document(tmp_path)
            (tmp_path / "1.go").touch()
            first = await reader_of(pool, source, 1)
            second = asyncio.create_task(reader_of(pool, source, 2))
            await eventually(lambda: observer.replaced == ["recycled"])
            (tmp_path / "2.go").touch()
            assert await second
            await eventually(lambda: first not in map(str, pool.stats().rss_bytes))

    run(scenario())


def test_a_caller_that_goes_away_leaves_at_once_and_its_worker_comes_back_when_it_is_done(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "waits"), observer) as pool:
            source = document(tmp_path)
            abandoned = asyncio.create_task(reader_of(pool, source, 1))
            await eventually((tmp_path / "1.started").exists)
            abandoned.cancel()
            with pytest.raises(asyncio.CancelledError):
                await abandoned
            assert pool.stats().busy == 1
            next_one = asyncio.create_task(reader_of(pool, source, 2))
            (tmp_path / "2.go").touch()
            (tmp_path / "1.go").touch()
            assert await next_one
            assert pool.stats().ready == 1
            assert observer.replaced == []

    run(scenario())


def test_a_worker_that_goes_on_for_nobody_is_replaced(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        async with WorkerPool(config(tmp_path, "waits", abandoned_s=0.1), observer) as pool:
            source = document(tmp_path)
            abandoned = asyncio.create_task(reader_of(pool, source, 1))
            await eventually((tmp_path / "1.started").exists)
            abandoned.cancel()
            (tmp_path / "2.go").touch()
            assert await reader_of(pool, source, 2)
            assert observer.replaced == ["cancelled"]

    run(scenario())


def test_an_abandoned_request_whose_worker_dies_is_no_news_for_asyncio(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "waits"), RecordingObserver()) as pool:
            abandoned = asyncio.create_task(reader_of(pool, document(tmp_path), 1))
            await eventually((tmp_path / "1.started").exists)
            (pid,) = pool.stats().rss_bytes
            abandoned.cancel()
            os.kill(pid, signal.SIGKILL)
            await eventually(lambda: pool.stats().restarts == {"crashed": 1})
        gc.collect()

    run(scenario())
    assert "never retrieved" not in caplog.text


def test_a_caller_that_goes_away_from_the_line_takes_nobody_with_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "waits"), RecordingObserver()) as pool:
            source = document(tmp_path)
            first, second, third = (asyncio.create_task(reader_of(pool, source, page)) for page in (1, 2, 3))
            await eventually((tmp_path / "1.started").exists)
            second.cancel()
            for page in (1, 3):
                (tmp_path / f"{page}.go").touch()
            await asyncio.gather(first, third)
            assert not (tmp_path / "2.started").exists()

    run(scenario())


def test_opening_a_file_goes_before_reading_pages(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "waits"), RecordingObserver()) as pool:
            source = document(tmp_path)
            pages = [asyncio.create_task(reader_of(pool, source, page)) for page in (1, 2)]
            await eventually((tmp_path / "1.started").exists)
            opening = asyncio.create_task(pool.inspect(source))
            await asyncio.sleep(0)
            (tmp_path / "1.go").touch()
            assert (await opening).page_count == 50
            (tmp_path / "2.go").touch()
            await asyncio.gather(*pages)

    run(scenario())


def test_a_document_is_complete_though_all_workers_are_killed_three_times_in_the_middle_of_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "waits", capacity=2), RecordingObserver()) as pool:
            source = document(tmp_path)
            readings = [asyncio.create_task(pool.analyse(source, page, OPTIONS)) for page in range(1, 51)]
            killed: set[int] = set()
            for _ in range(3):
                await eventually(lambda: pool.stats().busy == 2 and len(pool.stats().rss_bytes.keys() - killed) == 2)
                victims = list(pool.stats().rss_bytes)
                for pid in victims:
                    os.kill(pid, signal.SIGKILL)
                killed.update(victims)
            for page in range(1, 51):
                (tmp_path / f"{page}.go").touch()
            results = await asyncio.gather(*readings)
            assert [analysis.page for analysis, _ in results] == list(range(1, 51))
            assert max(attempts for _, attempts in results) == 4

    run(scenario())


def test_a_page_whose_workers_are_killed_again_and_again_fails_in_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "waits"), RecordingObserver()) as pool:
            reading = asyncio.create_task(pool.analyse(document(tmp_path), 1, OPTIONS))
            while not reading.done():
                if (tmp_path / "1.started").exists():
                    (tmp_path / "1.started").unlink()
                    for pid in pool.stats().rss_bytes:
                        os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.01)
            with pytest.raises(WorkerCrashed, match="signal 9"):
                await reading

    run(scenario())


def test_an_idle_worker_that_is_killed_costs_no_attempt(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, capacity=2), RecordingObserver()) as pool:
            await eventually(lambda: pool.stats().ready == 2)
            victims = set(pool.stats().rss_bytes)
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            await eventually(lambda: not victims & pool.stats().rss_bytes.keys())
            _, attempts = await pool.analyse(document(tmp_path), 1, OPTIONS)
            assert attempts == 1

    run(scenario())


def test_closing_leaves_no_process_no_zombie_and_no_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        pool = WorkerPool(config(tmp_path, "hangs", capacity=2, page_timeout_s=3600), RecordingObserver())
        await pool.start()
        await eventually(lambda: pool.stats().ready == 2)
        pids = list(pool.stats().rss_bytes)
        reading = asyncio.create_task(pool.analyse(document(tmp_path), 2, OPTIONS))
        await eventually(lambda: pool.stats().busy == 1)
        await pool.close()
        with pytest.raises(ShuttingDown):
            await reading
        with pytest.raises(ShuttingDown):
            await pool.inspect(document(tmp_path))
        assert not any(map(is_alive, pids))
        assert files_in(tmp_path) == []

    run(scenario())


def test_a_pool_that_is_closed_while_its_workers_start_leaves_nothing_either(tmp_path: Path) -> None:
    async def scenario() -> None:
        pool = WorkerPool(config(tmp_path, "hangs_at_start", capacity=2), RecordingObserver())
        await pool.start()
        await eventually(lambda: len(pool.stats().rss_bytes) == 2)
        pids = list(pool.stats().rss_bytes)
        waiting = asyncio.create_task(pool.inspect(document(tmp_path)))
        await asyncio.sleep(0)
        await pool.close()
        with pytest.raises(ShuttingDown):
            await waiting
        assert not any(map(is_alive, pids))
        assert files_in(tmp_path) == []

    run(scenario())


def test_the_temporary_files_of_a_lost_worker_go_with_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "dies_of_a_signal"), RecordingObserver()) as pool:
            with pytest.raises(WorkerCrashed):
                await pool.analyse(document(tmp_path), 2, OPTIONS)
            await eventually(lambda: pool.stats().ready == 1)
            await eventually(lambda: len(list(tmp_path.glob("ocr-workers-*/*"))) == 1)

    run(scenario())


def test_a_worker_inherits_no_secret_dumps_no_core_and_hears_no_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDRU_S3_SECRET_KEY", "secret")

    async def scenario() -> None:
        async with WorkerPool(config(tmp_path, "looks_around", environment={"EXTRA": "1"}), RecordingObserver()) as pool:
            analysis, _ = await pool.analyse(document(tmp_path, password="hunter2"), 1, OPTIONS)
        facts = dict(warning.split("=", 1) for warning in analysis.warnings)
        assert "CLOUDRU" not in facts["environment"]
        assert "EXTRA" in facts["environment"]
        assert facts["threads"] == "1"
        assert facts["core"] == "(0, 0)"
        assert facts["sigterm"] == facts["sigint"] == str(signal.SIG_IGN)
        assert facts["session"] == "True"
        assert facts["password"] == "hunter2"
        assert "hunter2" not in facts["command_line"]
        assert facts["temporary"].startswith(str(tmp_path))

    run(scenario())


def test_workers_die_with_a_service_that_is_killed(tmp_path: Path) -> None:
    service = f"""
import asyncio, pathlib
from ocr_service.engines.config import EngineConfig
from ocr_service.workers.config import PoolConfig
from ocr_service.workers.pool import WorkerPool
from tests.fakes.observer import RecordingObserver
async def main():
    path = pathlib.Path({str(tmp_path)!r})
    config = PoolConfig(EngineConfig(path), "tests.faults.well_behaved:build", temporary_root=path)
    async with WorkerPool(config, RecordingObserver()) as pool:
        await pool.wait_until_ready()
        print(*pool.stats().rss_bytes, flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", service], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        assert is_alive(worker)
        process.kill()
    run(eventually(lambda: not is_alive(worker)))


def test_every_place_in_the_pool_keeps_its_own_variables_for_successors_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        seats = [{"SEAT": "left"}, {"SEAT": "right"}]
        async with WorkerPool(config(tmp_path, capacity=2, seats=seats), RecordingObserver()) as pool:
            await eventually(lambda: pool.stats().ready == 2)
            first = pool.stats().rss_bytes
            assert sorted(seat_of(pid) for pid in first) == ["left", "right"]
            for pid in first:
                os.kill(pid, signal.SIGKILL)
            await eventually(lambda: pool.stats().ready == 2 and not set(first) & set(pool.stats().rss_bytes))
            assert sorted(seat_of(pid) for pid in pool.stats().rss_bytes) == ["left", "right"]

    run(scenario())


def seat_of(pid: int) -> str:
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return next(value.decode() for name, _, value in (variable.partition(b"=") for variable in variables) if name == b"SEAT")
