"""Page 2 writes nonsense into every open pipe, page 3 announces a frame of 4 GiB: what a taken-over process might do."""

from __future__ import annotations

import os

from typing_extensions import override

from ocr_service.domain.documents import PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


class WritesGarbage(WellBehaved):
    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        if page == 2:
            _everywhere(b"\x00\x00\x00\x05hello")
        if page == 3:
            _everywhere(b"\xff\xff\xff\xff")
        return super().analyse(source, page, options)


def _everywhere(data: bytes) -> None:
    for descriptor in range(3, 32):
        try:
            os.write(descriptor, data)
        except OSError:
            continue


def build(_config: EngineConfig) -> WritesGarbage:
    return WritesGarbage()
