"""Who of the other executors is dead: who has left, or was not heard of for a lease by this process's own clock.

Not by the wall clock: that jumps, most of all when a machine starts again after it has died, and then the living would be taken for
dead, or the dead's jobs would wait for an hour to come again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from ocr_service.jobs.table import LEFT


class Vigil:
    """`lease_s`: seconds of silence. `clock`: seconds that only go forward."""

    def __init__(self, lease_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease_s = lease_s
        self._clock = clock
        self._heard: dict[str, tuple[float, float]] = {}

    def dead(self, beats: Mapping[str, float]) -> list[tuple[str, float]]:
        """The dead among the executors, with the beat that was their last. `beats`: the latest of each, as often as they are read."""
        now = self._clock()
        self._heard = {name: (beat, self._since(name, beat, now)) for name, beat in beats.items()}
        return [(name, beat) for name, (beat, since) in self._heard.items() if beat == LEFT or now - since >= self._lease_s]

    def _since(self, name: str, beat: float, now: float) -> float:
        before, since = self._heard.get(name, (None, now))
        return since if beat == before else now
