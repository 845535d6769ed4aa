"""What the warm-up did and how long each step took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

_Answer = TypeVar("_Answer")


class WarmupFailed(Exception):
    """The service would not work; the text says why and what to look at."""


@dataclass(frozen=True, slots=True)
class Row:
    """A step, its seconds, and what came out."""

    step: str
    seconds: float
    outcome: str


def timed(call: Callable[[], _Answer]) -> tuple[float, _Answer]:
    began = time.monotonic()
    answer = call()
    return time.monotonic() - began, answer


def rendered(rows: Iterable[Row]) -> str:
    return "".join(f"{row.step:<20} {row.seconds:>8.2f} s  {row.outcome}\n" for row in rows)
