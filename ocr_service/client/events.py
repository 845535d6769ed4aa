"""Server-sent events as bytes come in, by the rules of the WHATWG (HTML, §9.2.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """`kind`: `message` where the stream names none; `last_id`: of this event, or the last one before it that had one."""

    kind: str
    data: str
    last_id: str


class EventParser:
    """The events of one connection. What the connection's end cuts off is never an event."""

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._is_first_line = True
        self._after_cr = False
        self._kind = ""
        self._data: list[str] = []
        self._last_id = ""

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that the chunk completes."""
        if self._after_cr and chunk:
            # A \r ended the line already; this \n belongs to it.
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        *complete, rest = _LINE_END.split(chunk)
        for end in complete:
            line = b"".join((*self._line, end))
            self._line.clear()
            event = self._take(line)
            if event is not None:
                yield event
        if rest:
            self._line.append(rest)

    def _take(self, line: bytes) -> Event | None:
        if self._is_first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._is_first_line = False
        if not line:
            return self._dispatch()
        name, _, value = line.decode(errors="replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._kind = value
        elif name == "id" and "\0" not in value:
            self._last_id = value
        return None

    def _dispatch(self) -> Event | None:
        event = Event(self._kind or "message", "\n".join(self._data), self._last_id) if self._data else None
        self._kind = ""
        self._data.clear()
        return event
