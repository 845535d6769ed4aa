"""Cannot be built: its model is missing."""

from __future__ import annotations

from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


def build(config: EngineConfig) -> WellBehaved:
    raise FileNotFoundError(f"no model in {config.models_path}")
