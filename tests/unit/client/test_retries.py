"""When a request is sent again, and that it ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.client.errors import AnswerBroken, BrokenOff, Busy, ClientError, NotFound, Rejected, ServiceFailed, TimedOut, Unreachable
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


AWAY = [Unreachable("Nobody."), TimedOut("Silent."), BrokenOff("Cut."), ServiceFailed("Proxy.", code="http_502", status=502)]


def waits_for_return(error: ClientError, away_s: float, *, known: bool = True, repeatable: bool = True) -> list[float]:
    """With a clock that goes on by what is waited, and by a second for each attempt."""
    moments, found = [0.0], []
    attempts = Attempts(Patience(away_s=away_s, connects=1), repeatable=repeatable, clock=lambda: moments[0])
    while (wait_s := attempts.wait_after(error, known=known)) is not None:
        found.append(wait_s)
        moments[0] += wait_s + 1
    return found


@pytest.mark.parametrize("error", AWAY, ids=lambda error: error.code)
def test_a_service_that_was_there_is_waited_for_and_only_so_long(error: ClientError) -> None:
    found = waits_for_return(error, 100)
    assert 60 < sum(found) <= 100
    assert max(found) <= 9.6
    assert waits_for_return(error, 0) == []


@pytest.mark.parametrize("error", AWAY, ids=lambda error: error.code)
def test_one_that_never_was_or_a_request_that_must_not_be_repeated_is_not_waited_for(error: ClientError) -> None:
    assert waits_for_return(error, 100, known=False) == []
    assert waits_for_return(error, 100, repeatable=False) == []


@pytest.mark.parametrize(
    "error",
    [
        AnswerBroken("Nonsense."),
        NotFound("No.", code="c", status=404),
        Rejected("No.", code="c", status=422),
        ServiceFailed("Bug.", code="internal_error", status=500),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_will_be_the_same_the_next_time_is_not_asked_again(error: ClientError) -> None:
    assert waits_for_return(error, 100) == []


def test_a_word_of_the_service_renews_the_patience() -> None:
    attempts = Attempts(Patience(away_s=1, busy_s=1.5), repeatable=True, clock=lambda: 0.0)
    for _ in range(20):
        assert attempts.wait_after(BrokenOff("Cut."), known=True) is not None
        assert attempts.wait_after(busy()) is not None
        attempts.heard()
