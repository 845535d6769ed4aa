"""A table of what works and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import msgspec


class State(StrEnum):
    """`unknown`: could not be looked at from here; no fault."""

    OK = "ok"
    OFF = "off"
    WARNING = "warning"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """A part, how it is, and a phrase about it."""

    part: str
    state: State
    detail: str


def rendered(rows: Sequence[Row], *, as_json: bool) -> str:
    """With a line end."""
    if as_json:
        return msgspec.json.format(msgspec.json.encode([asdict(row) for row in rows]), indent=2).decode() + "\n"
    width = max((len(row.part) for row in rows), default=0)
    return "".join(f"{row.part:<{width}}  {row.state:<8} {row.detail}".rstrip() + "\n" for row in rows)


def is_broken(rows: Sequence[Row]) -> bool:
    return any(row.state is State.BROKEN for row in rows)
