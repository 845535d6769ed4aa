"""Page 2 grows piece by piece, page 3 asks for everything at once, page 4 grows for good but stays within the limit."""

from __future__ import annotations

import time

from typing_extensions import override

from ocr_service.domain.documents import PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved

MEBIBYTE = 1024 * 1024


class EatsMemory(WellBehaved):
    def __init__(self) -> None:
        self.eaten: list[bytearray] = []

    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        if page == 2:
            while True:
                self.eaten.append(bytearray(b"x") * (32 * MEBIBYTE))
                time.sleep(0.02)
        if page == 3:
            self.eaten.append(bytearray(1 << 40))
        if page == 4:
            self.eaten.append(bytearray(b"x") * (64 * MEBIBYTE))
        return super().analyse(source, page, options)


def build(_config: EngineConfig) -> EatsMemory:
    return EatsMemory()
