"""How much one key may ask for."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from ocr_service.api.errors import TooManyAtOnce, TooManyPerMinute
from ocr_service.api.key_limits import KeyLimits


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def send(limits: KeyLimits, name: str, count: int) -> None:
    for _ in range(count):
        with limits.document(name):
            pass


def test_a_key_has_no_more_documents_at_once_than_it_may_and_others_are_not_touched() -> None:
    limits = KeyLimits(at_once=2)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(limits.document("anna"))
        with pytest.raises(TooManyAtOnce), limits.document("anna"):
            pass
        send(limits, "boris", 1)
    send(limits, "anna", 1)


def test_a_minutes_documents_may_come_at_once_and_then_one_per_share() -> None:
    clock = Clock()
    limits = KeyLimits(per_minute=6, clock=clock)
    send(limits, "anna", 6)
    with pytest.raises(TooManyPerMinute) as refusal:
        send(limits, "anna", 1)
    assert refusal.value.retry_after_s == 10
    send(limits, "boris", 6)
    clock.now += refusal.value.retry_after_s
    send(limits, "anna", 1)
    with pytest.raises(TooManyPerMinute):
        send(limits, "anna", 1)
    clock.now += 3600
    send(limits, "anna", 6)
    with pytest.raises(TooManyPerMinute):
        send(limits, "anna", 1)


def test_what_was_refused_is_not_counted() -> None:
    clock = Clock()
    limits = KeyLimits(at_once=1, per_minute=2, clock=clock)
    with limits.document("anna"):
        for _ in range(5):
            with pytest.raises(TooManyAtOnce):
                send(limits, "anna", 1)
    send(limits, "anna", 1)


def test_without_limits_nobody_is_refused() -> None:
    send(KeyLimits(), "anna", 1000)
