"""When a request is sent again, and that it ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ocr_service.client.errors import AnswerBroken, Busy, ClientError, NotFound, TimedOut, Unreachable
from ocr_service.client.retries import Attempts, Patience


def busy(retry_after_s: float | None = None) -> Busy:
    return Busy("Busy.", code="overloaded", status=503, retry_after_s=retry_after_s)


def waits(error: ClientError, patience: Patience) -> list[float]:
    attempts, found = Attempts(patience), []
    while (wait_s := attempts.wait_after(error)) is not None:
        found.append(wait_s)
        assert len(found) < 10_000
    return found


@given(st.one_of(st.none(), st.floats(0.5, 1000)), st.floats(0, 1000))
def test_the_waiting_ends_and_is_never_shorter_than_asked_for(retry_after_s: float | None, budget_s: float) -> None:
    found = waits(busy(retry_after_s), Patience(busy_s=budget_s))
    assert sum(found) <= budget_s + 1e-6
    assert all(wait_s >= (retry_after_s or 1.0) for wait_s in found)


def test_without_a_word_of_the_service_the_waits_grow_up_to_half_a_minute() -> None:
    found = waits(busy(), Patience(busy_s=300))
    assert 1 <= found[0] <= 1.2
    assert 8 <= found[3] <= 9.6
    assert max(found) <= 36


def test_nobody_there_is_tried_as_often_as_said() -> None:
    assert len(waits(Unreachable("Nobody."), Patience(connects=3))) == 2


def test_nothing_else_is_tried_again() -> None:
    for error in (TimedOut("Silent."), AnswerBroken("Broken."), NotFound("No.", code="c", status=404)):
        assert waits(error, Patience()) == []
