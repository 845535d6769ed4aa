"""Page 2 never ends, nor does the opening of a one-page file; page 3 hangs only the first time."""

from __future__ import annotations

import time

from typing_extensions import override

from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved, first_time


class Hangs(WellBehaved):
    @override
    def inspect(self, source: SourceFile) -> DocumentInfo:
        info = super().inspect(source)
        if info.page_count == 1:
            time.sleep(3600)
        return info

    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        if page == 2 or (page == 3 and first_time(source, "hang")):
            time.sleep(3600)
        return super().analyse(source, page, options)


def build(_config: EngineConfig) -> Hangs:
    return Hangs()
