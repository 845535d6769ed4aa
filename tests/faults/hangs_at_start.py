"""Never finishes loading its models."""

from __future__ import annotations

import time

from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


def build(_config: EngineConfig) -> WellBehaved:
    time.sleep(3600)
    return WellBehaved()
