"""Who is dead, and who only has another clock."""

from __future__ import annotations

import pytest

from ocr_service.jobs.table import LEFT
from ocr_service.jobs.vigil import Vigil

LEASE_S = 15.0


class Watched:
    """A vigil over one executor, second by second."""

    def __init__(self) -> None:
        self.now = 0.0
        self.vigil = Vigil(LEASE_S, lambda: self.now)

    def dead_after(self, seconds: float, beat: float) -> list[tuple[str, float]]:
        self.now += seconds
        return self.vigil.dead({"other": beat})


def test_who_is_silent_for_a_lease_is_dead_whatever_its_last_beat_says() -> None:
    for last in (1000.0, 1000.0 + 3600, 1000.0 - 3600):
        watched = Watched()
        assert watched.dead_after(0, last) == []
        assert watched.dead_after(LEASE_S - 1, last) == []
        assert watched.dead_after(1, last) == [("other", last)]


@pytest.mark.parametrize("step", [1.0, 3600.0, -3600.0])
def test_who_beats_lives_however_the_clock_jumps(step: float) -> None:
    watched = Watched()
    assert [watched.dead_after(LEASE_S - 1, 1000.0 + number * step) for number in range(5)] == [[]] * 5


def test_who_has_left_is_dead_at_once() -> None:
    assert Watched().dead_after(0, LEFT) == [("other", LEFT)]


def test_who_is_buried_and_comes_again_is_watched_anew() -> None:
    watched = Watched()
    watched.dead_after(0, 1000.0)
    watched.now += LEASE_S
    assert watched.vigil.dead({}) == []
    assert watched.dead_after(0, 1000.0) == []
