"""Whose page is read next: the document that was served longest ago. One waiting line for all documents.

A turn is a slot (a worker's time) and, for a page, a room (its place in memory from its analysis until it is on disk). Both are granted
together, so that nobody holds the one while waiting for the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from types import TracebackType
from typing import Self

# A document that comes goes first, but never more than so many in a row ahead of one that waits: else a stream of short documents
# would stop a long one for good.
HEAD_START = 100


class Room(StrEnum):
    """Where a page is kept between its analysis and the disk; pages that wait for the VLM do not take the room of those that do not."""

    WRITING = "writing"
    REFINING = "refining"


class Turn:
    """A place in the line, then a slot and a room. Leave it with `close`, or use it as a context manager; both may be called again."""

    def __init__(self, turns: Turns, key: object | None, room: Room | None, rank: tuple[int, int]) -> None:
        self.key = key
        self.room = room
        self.rank = rank
        self._turns = turns
        self._granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._has_slot = False
        self._has_room = False

    async def granted(self) -> None:
        """Wait for it."""
        await asyncio.shield(self._granted)

    def free_slot(self) -> None:
        """The worker's part is over; the room is kept."""
        if self._has_slot:
            self._has_slot = False
            self._turns.slot_freed()

    def close(self) -> None:
        """Give back what was granted, or leave the line."""
        self._turns.leave(self)
        if self._has_room and self.room is not None:
            self._has_room = False
            self._turns.room_freed(self.room)
        self.free_slot()

    def grant(self) -> None:
        """For the line alone."""
        self._has_slot = self._has_room = True
        self._granted.set_result(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Turns:
    """`slots` turns are held at a time. `rooms`: how many pages of each kind may be on their way to the disk."""

    def __init__(self, slots: int, rooms: Mapping[Room, int]) -> None:
        self._slots = slots
        self._free_slots = slots
        self._free_rooms = dict(rooms)
        self._waiting: list[Turn] = []
        self._last_served: dict[object, int] = {}
        self._granted = 0
        self._entered = 0

    @property
    def in_flight(self) -> int:
        """Slots that are held."""
        return self._slots - self._free_slots

    @property
    def waiting(self) -> int:
        """Turns in the line: at most one for each document."""
        return len(self._waiting)

    def enter(self, key: object | None, room: Room | None = None) -> Turn:
        """Join the line for the document `key`, or, without a key, as a newcomer; granted at once if nobody is in the way."""
        self._entered += 1
        rank = self._last_served.get(key, self._granted - HEAD_START)
        turn = Turn(self, key, room, (rank, self._entered))
        self._waiting.append(turn)
        self._grant()
        return turn

    def forget(self, key: object) -> None:
        """The document is over."""
        self._last_served.pop(key, None)

    def leave(self, turn: Turn) -> None:
        """For turns alone."""
        if turn in self._waiting:
            self._waiting.remove(turn)

    def slot_freed(self) -> None:
        """For turns alone."""
        self._free_slots += 1
        self._grant()

    def room_freed(self, room: Room) -> None:
        """For turns alone."""
        self._free_rooms[room] += 1
        self._grant()

    def _grant(self) -> None:
        while self._free_slots > 0:
            able = [turn for turn in self._waiting if turn.room is None or self._free_rooms[turn.room] > 0]
            if not able:
                return
            turn = min(able, key=lambda candidate: candidate.rank)
            self._waiting.remove(turn)
            self._free_slots -= 1
            if turn.room is not None:
                self._free_rooms[turn.room] -= 1
            self._granted += 1
            if turn.key is not None:
                self._last_served[turn.key] = self._granted
            turn.grant()
