"""What a pool of page workers is built from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from ocr_service.engines.config import EngineConfig

MEBIBYTE = 1024 * 1024


class ConfinementMode(StrEnum):
    """Whether workers put up the kernel's walls: those that are to be had, all or no start, none."""

    AUTO = "auto"
    REQUIRE = "require"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Confinement:
    """How a worker is confined. `readable`: where documents lie; everything, unless it is said. `devices`: it works with a GPU, whose
    libraries need device files, local sockets and processes. `file_limit_bytes`: the largest file that it can write.
    """

    mode: ConfinementMode = ConfinementMode.AUTO
    readable: tuple[Path, ...] = (Path("/"),)
    devices: bool = False
    file_limit_bytes: int = 4096 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """Times in seconds, memory in bytes.

    `engine` is "package.module:factory"; the factory takes an EngineConfig and returns a PageEngine.
    `no_worker_timeout_s`: how long a request waits while no worker runs at all. `abandoned_s`: how long a worker may go on with a request
    whose asker has gone: an ordinary page is done by then, and cheaper to finish than a new worker is to start.
    `environment`: variables for the workers beyond those that are always set; a worker inherits nothing else, so that no secret of the
    service reaches it. `seats`: further variables for each place in the pool (which GPU it works on); a successor gets its predecessor's.
    """

    engine_config: EngineConfig
    engine: str = "ocr_service.engines.embedded:build"
    capacity: int = 1
    memory_limit_bytes: int = 3072 * MEBIBYTE
    recycle_bytes: int = 1536 * MEBIBYTE
    max_pages: int = 1000
    page_timeout_s: float = 60.0
    inspect_timeout_s: float = 20.0
    write_timeout_s: float = 600.0
    start_timeout_s: float = 120.0
    no_worker_timeout_s: float = 60.0
    abandoned_s: float = 8.0
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 30.0
    temporary_root: Path | None = None
    confinement: Confinement = field(default_factory=Confinement)
    environment: Mapping[str, str] = field(default_factory=dict)
    seats: Sequence[Mapping[str, str]] = ()

    @property
    def data_limit_bytes(self) -> int:
        """The worker's own limit, above the watched one: it stops what grows too fast to be watched."""
        return self.memory_limit_bytes + self.memory_limit_bytes // 4 + 512 * MEBIBYTE
