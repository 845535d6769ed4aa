"""What a person sees while documents are converted: bars on a terminal, a line now and then elsewhere. All of it on standard error."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

from tqdm import tqdm

_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {unit} [{elapsed}<{remaining}]"
_ALL = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]"
_WAITS = "{{desc}}: #{} in the queue [{{elapsed}}]"
_COUNT = "{desc}: {n_fmt} {unit} [{elapsed}]"


class Track(Protocol):
    """One document's progress."""

    def waits(self, position: int) -> None:
        """It has not begun; 1 is next."""

    def total(self, pages: int) -> None:
        """How many pages there will be, as soon as that is known."""

    def page(self) -> None:
        """One more page is done."""

    def restart(self) -> None:
        """The document is begun anew."""


class Progress(Protocol):
    """Where progress is shown."""

    def document(self, name: str) -> Track: ...

    def done(self, track: Track, line: str) -> None:
        """A document has ended; `line` says how."""

    def say(self, line: str) -> None: ...


class Lines:
    """For logs and pipes: a line for each document, and one every ten seconds of a long one."""

    def __init__(self, out: TextIO, every_s: float = 10.0) -> None:
        self._out = out
        self._every_s = every_s

    def document(self, name: str) -> _LineTrack:
        return _LineTrack(self, name, self._every_s)

    def done(self, _track: Track, line: str) -> None:
        self.say(line)

    def say(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


class _LineTrack:
    def __init__(self, lines: Lines, name: str, every_s: float) -> None:
        self._every_s = every_s
        self._lines = lines
        self._name = name
        self._total: int | None = None
        self._pages = 0
        self._shown_at = time.monotonic()

    def waits(self, position: int) -> None:
        self._show(f"#{position} in the queue")

    def total(self, pages: int) -> None:
        self._total = pages

    def page(self) -> None:
        self._pages += 1
        self._show(f"{self._pages}{f' of {self._total}' if self._total else ''} pages")

    def _show(self, how_far: str) -> None:
        if time.monotonic() - self._shown_at >= self._every_s:
            self._shown_at = time.monotonic()
            self._lines.say(f"{self._name}: {how_far}")

    def restart(self) -> None:
        self._pages = 0


class Bars:
    """For a terminal: a bar for each document at work, and one for all of them."""

    def __init__(self, out: TextIO, documents: int) -> None:
        self._out = out
        # Some terminals do not know their size, and tqdm then shows nothing.
        self._size: dict[str, Any] = {"dynamic_ncols": True} if os.get_terminal_size(out.fileno()).columns else {"ncols": 80, "nrows": 24}
        self._all = tqdm(total=documents, desc="documents", file=out, leave=False, disable=documents < 2, bar_format=_ALL, **self._size)
        self._open = {self._all}

    def document(self, name: str) -> _BarTrack:
        # A page takes long enough for each to be shown at once.
        bar = tqdm(
            desc=_short(name),
            unit="pages",
            file=self._out,
            leave=False,
            bar_format=_COUNT,
            mininterval=0,
            miniters=1,
            **self._size,
        )
        self._open.add(bar)
        return _BarTrack(bar)

    def done(self, track: Track, line: str) -> None:
        assert isinstance(track, _BarTrack)
        track.bar.close()
        self._open.discard(track.bar)
        self._all.update()
        self.say(line)

    def say(self, line: str) -> None:
        tqdm.write(line, file=self._out)

    def close(self) -> None:
        """Also those of documents that were broken off: what is said next stands on a line of its own."""
        for bar in self._open:
            bar.close()


class _BarTrack:
    def __init__(self, bar: tqdm[None]) -> None:
        self.bar = bar
        bar.refresh()

    def waits(self, position: int) -> None:
        self.bar.bar_format = _WAITS.format(position)
        self.bar.refresh()

    def total(self, pages: int) -> None:
        if (self.bar.total, self.bar.bar_format) != (pages, _BAR):
            self.bar.total = pages
            self.bar.bar_format = _BAR
            self.bar.refresh()

    def page(self) -> None:
        self.bar.update()

    def restart(self) -> None:
        self.bar.reset()


class Silence:
    """`--quiet`."""

    def document(self, _name: str) -> Silence:
        return self

    def done(self, _track: Track, _line: str) -> None:
        pass

    def say(self, _line: str) -> None:
        pass

    def waits(self, _position: int) -> None:
        pass

    def total(self, _pages: int) -> None:
        pass

    def page(self) -> None:
        pass

    def restart(self) -> None:
        pass


@contextmanager
def shown(documents: int, *, quiet: bool, out: TextIO | None = None) -> Iterator[Progress]:
    """As fits where standard error goes."""
    out = out or sys.stderr
    if quiet:
        yield Silence()
    elif not out.isatty():
        yield Lines(out)
    else:
        bars = Bars(out, documents)
        try:
            yield bars
        finally:
            bars.close()


def _short(name: str, width: int = 40) -> str:
    return name if len(name) <= width else f"…{name[1 - width :]}"
