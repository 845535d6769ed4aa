"""Page 2 and the opening of any one-page file end the process."""

from __future__ import annotations

import os

from typing_extensions import override

from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


class Exits(WellBehaved):
    @override
    def inspect(self, source: SourceFile) -> DocumentInfo:
        info = super().inspect(source)
        if info.page_count == 1:
            os._exit(7)
        return info

    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        if page == 2:
            os._exit(7)
        return super().analyse(source, page, options)


def build(_config: EngineConfig) -> Exits:
    return Exits()
