"""Page 2 grows piece by piece, page 3 asks for everything at once, page 4 grows for good but stays within the limit.

Page 5 fails as a library does that tells of a failed allocation in its own words, page 6 as one that does not tell.
"""

from __future__ import annotations

import resource
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
        if page == 5:
            raise RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : std::bad_alloc")
        if page == 6:
            resource.setrlimit(resource.RLIMIT_DATA, (1, resource.getrlimit(resource.RLIMIT_DATA)[1]))
            raise RuntimeError("Fail")
        return super().analyse(source, page, options)


def build(_config: EngineConfig) -> EatsMemory:
    return EatsMemory()
