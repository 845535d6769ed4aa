"""Whatever the OpenAPI schema allows or forbids: no request is answered with a 5xx, every answer is what the schema says,
and none comes without a key that has to be sent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.running import REPOSITORY, running

pytestmark = pytest.mark.e2e

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)
KEY = "0123456789abcdef"


def test_generated_requests_find_no_5xx_and_no_answer_beside_the_schema(tmp_path: Path) -> None:
    with running("tests/e2e/serve_fake.py", tmp_path, OCR_WORKERS="1", OCR_API_KEYS=f"anna:{KEY}", OCR_METRICS_OPEN="true") as server:
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{server.url}/openapi.json",
            "--header",
            f"Authorization: Bearer {KEY}",
            "--checks",
            ",".join(CHECKS),
            "--phases",
            "coverage,fuzzing",
            "--max-examples",
            "40",
            "--seed",
            "1",
            "--no-color",
        ]
        hooks = {"SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks", "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(command, cwd=tmp_path, env={**os.environ, **hooks}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        # Else the hooks did not work, and only refusals were looked at.
        assert server.metric('ocr_documents_total{outcome="complete"}') > 0
        assert server.client.get("/health").status_code == 200
