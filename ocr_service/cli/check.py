"""`ocr-service check`."""

from __future__ import annotations

import argparse
import sys

from ocr_service.cli import local_service
from ocr_service.cli.environment import Environment
from ocr_service.cli.health import brief_client, service_rows
from ocr_service.cli.status import ExitStatus
from ocr_service.cli.table import Row, State, is_broken, rendered
from ocr_service.client import ClientError, Unreachable
from ocr_service.client.wire import is_on_this_machine


def run(asked: argparse.Namespace, environment: Environment) -> ExitStatus:
    """Raises ValueError for an impossible address."""
    here = asked.local or is_on_this_machine(asked.url)
    rows = _this_machine(full=asked.full) if here else []
    reachable = True
    if not asked.local:
        service, reachable = _service(asked.url, environment)
        rows += service
    sys.stdout.write(rendered(rows, as_json=asked.json))
    if not reachable:
        return ExitStatus.UNREACHABLE
    return ExitStatus.FAILED if is_broken(rows) else ExitStatus.OK


def _this_machine(*, full: bool) -> list[Row]:
    if not local_service.installed():
        return [Row("this machine", State.UNKNOWN, "the service's packages are not installed beside this command")]
    # Late: where only the client is installed, this cannot be imported.
    from ocr_service.cli import this_machine

    return this_machine.rows(full=full)


def _service(url: str, environment: Environment) -> tuple[list[Row], bool]:
    try:
        with brief_client(url, environment) as client:
            return service_rows(url, client.health(), client.ready(), client.version()), True
    except Unreachable as error:
        return [Row("service", State.BROKEN, error.detail)], False
    except ClientError as error:
        return [Row("service", State.BROKEN, f"{error.detail} ({error.code})")], True
