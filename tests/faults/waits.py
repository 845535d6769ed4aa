"""A page waits until the test puts `<page>.go` beside the file, after it has put `<page>.started` there."""

from __future__ import annotations

import time

from typing_extensions import override

from ocr_service.domain.documents import PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


class Waits(WellBehaved):
    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        source.path.with_name(f"{page}.started").touch()
        while not source.path.with_name(f"{page}.go").exists():
            time.sleep(0.01)
        return super().analyse(source, page, options)


def build(_config: EngineConfig) -> Waits:
    return Waits()
