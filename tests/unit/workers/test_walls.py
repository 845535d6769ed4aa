"""What a worker cannot do, even where a stranger's code runs in it. Where the kernel has no Landlock, nothing is shown here."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from ocr_service.domain.documents import MediaType, PageOptions, SourceFile
from ocr_service.domain.errors import StorageFailed
from ocr_service.engines.config import EngineConfig
from ocr_service.workers import landlock
from ocr_service.workers.config import MEBIBYTE, Confinement, ConfinementMode, PoolConfig
from ocr_service.workers.confinement import MECHANISMS, available
from ocr_service.workers.fetching import fetch
from ocr_service.workers.pool import WorkerPool
from tests.fakes.observer import RecordingObserver
from tests.fakes.scenario import run

needs_landlock = pytest.mark.skipif(landlock.version() < 6, reason="the kernel's Landlock cannot forbid all of this")

WORKS = {"read a document", "own folder", "thread", "signal to itself"}


def tried(tmp_path: Path, confinement: Confinement) -> tuple[dict[str, str], tuple[str, ...]]:
    """What came of each attempt to break out, and the walls that stood."""
    folder = tmp_path / "output"
    folder.mkdir()
    (tmp_path / "secret").write_text("hush")
    (folder / "document.md").write_text("as it was")
    config = PoolConfig(EngineConfig(folder), "tests.faults.tries_to_break_out:build", temporary_root=tmp_path, confinement=confinement)
    found: list[tuple[dict[str, str], tuple[str, ...]]] = []

    async def scenario() -> None:
        async with WorkerPool(config, RecordingObserver()) as pool:
            analysis, _ = await pool.analyse(SourceFile(folder / "1.pdf", MediaType.PDF, "a.pdf", "00", 1), 1, PageOptions())
            found.append((dict(warning.split("=", 1) for warning in analysis.warnings), pool.stats().walls))

    with socket.create_server(("127.0.0.1", 0)) as server:
        (folder / "port").write_text(str(server.getsockname()[1]))
        run(scenario())
    return found[0]


@needs_landlock
def test_a_worker_that_was_taken_over_cannot_connect_write_elsewhere_or_touch_the_service(tmp_path: Path) -> None:
    confinement = Confinement(ConfinementMode.REQUIRE, (tmp_path / "output",), file_limit_bytes=32 * MEBIBYTE)
    outcomes, walls = tried(tmp_path, confinement)
    assert walls == tuple(sorted(MECHANISMS, key=walls.index))
    assert {name for name, came in outcomes.items() if came == "done"} == WORKS
    assert set(outcomes.values()) == {"done", "PermissionError", "27"}  # EFBIG
    assert outcomes["a huge file"] == "27"
    assert (tmp_path / "output" / "document.md").read_text() == "as it was"


@needs_landlock
def test_with_a_gpu_programs_and_local_sockets_are_left_and_the_rest_is_not(tmp_path: Path) -> None:
    outcomes, _ = tried(tmp_path, Confinement(ConfinementMode.REQUIRE, (tmp_path / "output",), devices=True))
    assert {name for name, came in outcomes.items() if came == "done"} == {*WORKS, "start a program", "fork", "unix socket", "a huge file"}


def test_without_walls_all_of_it_is_possible(tmp_path: Path) -> None:
    """Else the other tests would prove nothing."""
    outcomes, walls = tried(tmp_path, Confinement(ConfinementMode.OFF))
    assert walls == ()
    # A container may forbid these, a machine may have no IPv6, and the document was removed before it was read.
    assert {name for name, came in outcomes.items() if came != "done"} <= {"io_uring", "memory of the service", "tcp6", "read a document"}


def test_what_is_available_is_among_what_there_is() -> None:
    assert set(available()) <= set(MECHANISMS)


def test_a_file_that_a_worker_made_is_moved_whole(tmp_path: Path) -> None:
    made, target = tmp_path / "made", tmp_path / "target"
    made.write_bytes(b"content")
    fetch(made, target)
    assert (target.read_bytes(), made.exists()) == (b"content", False)


@pytest.mark.parametrize("trap", ["symlink", "hard link", "fifo", "folder", "nothing"])
def test_a_trap_in_the_workers_folder_is_not_fetched(tmp_path: Path, trap: str) -> None:
    secret, made, target = tmp_path / "secret", tmp_path / "made", tmp_path / "target"
    secret.write_text("hush")
    match trap:
        case "symlink":
            made.symlink_to(secret)
        case "hard link":
            made.hardlink_to(secret)
        case "fifo":
            os.mkfifo(made)
        case "folder":
            made.mkdir()
    with pytest.raises(StorageFailed):
        fetch(made, target)
    assert not target.exists()
    assert secret.read_text() == "hush"


def test_a_config_that_says_nothing_leaves_all_to_be_read_and_nothing_to_be_written() -> None:
    assert PoolConfig(EngineConfig(Path())).confinement == replace(Confinement(), readable=(Path("/"),))
