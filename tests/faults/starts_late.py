"""Dies at its first start, with a last word, and starts well at the second."""

from __future__ import annotations

import os
import sys

from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


def build(config: EngineConfig) -> WellBehaved:
    marker = config.models_path / "started.once"
    if not marker.exists():
        marker.touch()
        print("the licence server is out to lunch", file=sys.stderr, flush=True)
        os._exit(9)
    return WellBehaved()
