"""Health tells the truth."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ocr_service.api import monitor as monitor_module
from ocr_service.api.monitor import Facts, Monitor, without_credentials
from ocr_service.workers.stats import PoolStats
from tests.fakes.services import pool_stats


class Surroundings:
    """What the monitor sees, to be changed by a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stats = pool_stats()
        self.vlm = True
        self.s3 = True

    async def vlm_probe(self) -> bool:
        return self.vlm

    async def s3_probe(self) -> bool:
        return self.s3

    def pool_stats(self) -> PoolStats:
        return self.stats

    def monitor(self) -> Monitor:
        facts = Facts(self.folder, Path("/models"), "http://vlm/v1", use_vlm_api=True)
        return Monitor(facts, self.pool_stats, vlm_probe=self.vlm_probe, s3_probe=self.s3_probe)

    def health(self) -> Any:
        monitor = self.monitor()
        asyncio.run(monitor.look())
        return monitor.health()


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path)


def test_all_well_is_healthy(around: Surroundings) -> None:
    health = around.health()
    assert (health.status, health.vllm_status, health.s3_storage, health.models_present) == ("healthy", "available", "configured", True)


def test_broken_models_are_not_present(around: Surroundings) -> None:
    monitor = Monitor(Facts(around.folder, Path("/m"), "http://vlm/v1", use_vlm_api=False), pool_stats, vlm_probe=None, s3_probe=None,
                      models_check=lambda: False)  # fmt: skip
    asyncio.run(monitor.look())
    assert not monitor.health().models_present


def test_without_the_vlm_the_service_is_degraded(around: Surroundings) -> None:
    around.vlm = False
    assert (around.health().status, around.health().vllm_status) == ("degraded", "unavailable")


def test_without_s3_the_service_is_degraded(around: Surroundings) -> None:
    around.s3 = False
    assert (around.health().status, around.health().s3_storage) == ("degraded", "unreachable")


def test_a_worker_that_cannot_start_beside_others_that_work_is_degraded(around: Surroundings) -> None:
    around.stats = pool_stats(ready=1, starting=1, last_error="out of memory")
    assert around.health().status == "degraded"


def test_busy_workers_count_as_alive(around: Surroundings) -> None:
    around.stats = pool_stats(ready=0, busy=2)
    assert around.health().status == "healthy"


def test_before_any_worker_is_ready_the_service_is_unhealthy_and_its_models_unproven(around: Surroundings) -> None:
    around.stats = pool_stats(ready=0, starting=2)
    health = around.health()
    assert (health.status, health.models_present) == ("unhealthy", False)


def test_the_moment_in_which_the_only_worker_is_renewed_does_not_make_the_service_unhealthy(around: Surroundings) -> None:
    monitor = around.monitor()
    asyncio.run(monitor.look())
    assert monitor.obstacles() == []
    around.stats = pool_stats(ready=0, starting=1)
    assert monitor.obstacles() == []
    around.stats = pool_stats(ready=0, starting=1, last_error="no memory")
    assert monitor.obstacles() == ["no page worker is ready"]


def test_a_folder_that_is_gone_is_unhealthy_and_says_so(around: Surroundings, tmp_path: Path) -> None:
    around.folder = tmp_path / "missing"
    monitor = around.monitor()
    asyncio.run(monitor.look())
    assert monitor.obstacles() == ["OUTPUT_DIR cannot be written: No such file or directory"]


def test_a_disk_without_space_is_unhealthy(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_module, "MIN_FREE_BYTES", 1 << 80)
    assert around.health().status == "unhealthy"


def test_a_probe_that_hangs_counts_as_unavailable(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_module, "PROBE_TIMEOUT_S", 0.05)

    async def hang() -> bool:
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(around, "vlm_probe", hang)
    assert around.health().vllm_status == "unavailable"


def test_what_is_not_used_is_not_probed(tmp_path: Path) -> None:
    monitor = Monitor(Facts(tmp_path, tmp_path, "http://vlm/v1", use_vlm_api=False), pool_stats, vlm_probe=None, s3_probe=None)
    asyncio.run(monitor.look())
    assert (monitor.health().status, monitor.health().vllm_status, monitor.health().s3_storage) == ("healthy", "disabled", "not_configured")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:hush@vlm:8080/v1?key=hush#hush", "http://vlm:8080/v1"),
        ("https://vlm/v1/markdown", "https://vlm/v1/markdown"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
    ],
)
def test_urls_are_shown_without_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
