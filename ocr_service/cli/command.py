"""The command: arguments in, exit status out; every error that a person can mend is one line on standard error."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence

from ocr_service.cli import check, convert, health, jobs
from ocr_service.cli.arguments import parser
from ocr_service.cli.environment import Environment
from ocr_service.cli.status import ExitStatus, NoService, UsageError
from ocr_service.client import ClientError, Unreachable

_COMMANDS = {"convert": convert.run, "jobs": jobs.run, "check": check.run, "health": health.run}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status; wrong arguments raise SystemExit(2)."""
    environment = Environment.read()
    asked = parser(environment.url).parse_args(arguments)
    return guarded(lambda: _COMMANDS[asked.command](asked, environment))


def guarded(command: Callable[[], ExitStatus]) -> ExitStatus:
    """The command's status, or that of the error with which it ended."""
    try:
        return command()
    except (UsageError, ValueError, NoService, ClientError) as error:
        return _ended(_status_of(error), str(error))
    except KeyboardInterrupt:
        return _ended(ExitStatus.INTERRUPTED, "Interrupted; the same command goes on with what is missing.")
    except asyncio.CancelledError:
        return _ended(ExitStatus.TERMINATED, "Terminated; the same command goes on with what is missing.")
    except BrokenPipeError:
        # The reader of standard output is gone; Python must not try to flush it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.FAILED


def _status_of(error: Exception) -> ExitStatus:
    if isinstance(error, Unreachable | NoService):
        return ExitStatus.UNREACHABLE
    return ExitStatus.FAILED if isinstance(error, ClientError) else ExitStatus.USAGE


def _ended(status: ExitStatus, line: str) -> ExitStatus:
    sys.stderr.write(f"ocr-service: {line}\n")
    return status
