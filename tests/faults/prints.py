"""Prints to standard output and error, in Python and below it, with and without an end of line, and reads standard input."""

from __future__ import annotations

import os
import sys

from typing_extensions import override

from ocr_service.domain.documents import PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved


class Prints(WellBehaved):
    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        print("progress: 10 %")
        sys.stdin.read()
        os.write(1, b"\x00\x00\x00\x05hello\n")
        os.write(2, b"y" * 300_000)
        return super().analyse(source, page, options)


def build(_config: EngineConfig) -> Prints:
    print("loading models")
    return Prints()
