"""Page 2 makes the process crash, as a bug in a C library does; page 3 only the first time."""

from __future__ import annotations

import os
import signal

from typing_extensions import override

from ocr_service.domain.documents import PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved, first_time


class DiesOfASignal(WellBehaved):
    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        if page == 2 or (page == 3 and first_time(source, "signal")):
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().analyse(source, page, options)


def build(_config: EngineConfig) -> DiesOfASignal:
    return DiesOfASignal()
