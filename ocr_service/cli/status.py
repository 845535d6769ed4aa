"""The exit statuses; docs/cli.md has the same table, and a test holds it against this one."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """What a command ends with. Of several that fit, `convert` takes the first of 130, 3, 1, 4, 0."""

    OK = 0
    FAILED = 1
    """Some documents were not converted; something that `check` or `health` looks at is broken."""
    USAGE = 2
    """Wrong arguments or settings; nothing was done."""
    UNREACHABLE = 3
    """Nobody answers at the address, or the service cannot be started."""
    PARTIAL = 4
    """All documents were converted, but pages of some could not be read."""
    INTERRUPTED = 130
    """Ctrl-C."""
    TERMINATED = 143
    """SIGTERM."""


class UsageError(Exception):
    """The arguments make no sense together, or name what is not there; the text says what to do."""


class NoService(Exception):
    """The service cannot be started here; the text says why."""
