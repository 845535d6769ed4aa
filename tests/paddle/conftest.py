"""These tests run the real paddleocr and paddlex, which need an environment of their own: `scripts/test` makes it and runs them there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

HAS_PADDLE = find_spec("paddleocr") is not None
collect_ignore_glob = [] if HAS_PADDLE else ["test_*.py"]


def pytest_report_header() -> str:
    return "" if HAS_PADDLE else "tests/paddle: not here, paddleocr is in .venv-paddle (scripts/test runs them there)"


@pytest.fixture(scope="session", autouse=True)
def _paddle_home() -> Iterator[None]:
    """PaddleX makes folders when it is imported, and asks hubs for models unless it is told not to."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(PADDLE_PDX_CACHE_HOME=home, PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK="True", ORT_DISABLE_TELEMETRY="1")
        yield


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Where a test may build its model packages."""
    return tmp_path / "official_models"
