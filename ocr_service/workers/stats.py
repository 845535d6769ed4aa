"""What the pool tells about itself, for health and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolStats:
    """`ready` workers wait for work, `busy` ones have some, `starting` ones load their models; `capacity` is how many there should be.

    `restarts` counts since the start of the service, by reason (recycled, crashed, timed_out, out_of_memory); `rss_bytes` by process id;
    `last_error` is why the last start failed, None once one succeeded; `engine` and `versions` are empty until then.
    `walls`: what confines the workers.
    """

    capacity: int
    ready: int
    busy: int
    starting: int
    restarts: Mapping[str, int]
    rss_bytes: Mapping[int, int]
    last_error: str | None
    engine: str
    versions: Mapping[str, str]
    walls: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether there is a worker that could read a page, now or after the one it is at."""
        return self.ready + self.busy > 0
