"""`ocr-service health`, and what of it `check` shows."""

from __future__ import annotations

import argparse
import sys

import msgspec

from ocr_service.cli.environment import Environment
from ocr_service.cli.status import ExitStatus
from ocr_service.cli.table import Row, State, is_broken, rendered
from ocr_service.client import Client, Health, Patience, Ready, Version

_TIMEOUT_S = 15.0


def run(asked: argparse.Namespace, environment: Environment) -> ExitStatus:
    """Raises ClientError, Unreachable above all."""
    with brief_client(asked.url, environment) as client:
        health = client.health()
        rows = [] if asked.json else service_rows(asked.url, health, client.ready(), client.version())
    if asked.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(health), indent=2).decode() + "\n")
        return ExitStatus.FAILED if health.status == "unhealthy" else ExitStatus.OK
    sys.stdout.write(rendered(rows, as_json=False))
    return ExitStatus.FAILED if is_broken(rows) else ExitStatus.OK


def brief_client(url: str, environment: Environment) -> Client:
    """For questions that are answered at once or not at all."""
    return Client(url, api_key=environment.api_key, timeout_s=_TIMEOUT_S, patience=Patience(busy_s=0, connects=2))


def service_rows(url: str, health: Health, ready: Ready, version: Version) -> list[Row]:
    """What the service says of itself."""
    status = {"healthy": State.OK, "degraded": State.WARNING}.get(health.status, State.BROKEN)
    reasons = "" if ready.ready else f"; takes no documents: {'; '.join(ready.reasons)}"
    return [
        Row("service", status, f"{health.status} at {url}, version {version.service}{reasons}"),
        Row("engine", State.OK if version.engine else State.WARNING, version.engine or "no page worker is ready yet"),
        Row("service's models", State.OK if health.models_present else State.BROKEN, health.models_path),
        Row("VLM", _vlm_state(health), _vlm_detail(health)),
        Row("S3", _S3.get(health.s3_storage, State.UNKNOWN), health.s3_storage.replace("_", " ")),
    ]


_S3 = {"configured": State.OK, "not_configured": State.OFF, "unreachable": State.BROKEN}


def _vlm_state(health: Health) -> State:
    return {"available": State.OK, "disabled": State.OFF}.get(health.vllm_status, State.BROKEN)


def _vlm_detail(health: Health) -> str:
    return "switched off (USE_VLM_API)" if health.vllm_status == "disabled" else f"{health.vllm_status} at {health.vllm_url}"
