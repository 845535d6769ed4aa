"""A page takes long enough to be interrupted; the file's content says how many pages it has."""

from __future__ import annotations

import time

from typing_extensions import override

from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


class TakesAMoment(WellBehaved):
    @override
    def inspect(self, source: SourceFile) -> DocumentInfo:
        return DocumentInfo(page_count=int(source.path.read_bytes()))

    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        time.sleep(0.01)
        return super().analyse(source, page, options)


def build(_config: EngineConfig) -> TakesAMoment:
    return TakesAMoment()
